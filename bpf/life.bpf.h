/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The life of a connection, by what happens to its socket.
 */
#ifndef LIFE_BPF_H
#define LIFE_BPF_H

#include "concluded.bpf.h"
#include "text.bpf.h"

/* Takes over the error that the thread raised before it had a socket. */
void conn_adopt_orphan(struct tlsfail_conn *c, struct thread *t);

/* It is nobody's: counted, unless it was about a connection that is not followed. The latter if there is one. */
void orphan_lose(struct thread *t);
static __always_inline void orphan_drop(struct thread *t)
{
	if (t->orphan.reason)
		orphan_lose(t);
}

/* In the task's context: connect(). */
int conn_connect(const struct sock *sk);

/* In whatever context: the handshake of TCP is over, as the client and as the server. */
int conn_established(const struct sock *sk);
int conn_accepted(const struct sock *sk);

/* It was refused, the peer has sent a FIN, an RST; this side an RST. */
int conn_connect_failed(const struct sock *sk);
int conn_peer_fin(const struct sock *sk);
int conn_reset_received(const struct sock *sk);
int conn_reset_sent(const struct sock *sk);

/* It is closed here, or gone. */
int conn_closing(const struct sock *sk);
int conn_destroyed(const struct sock *sk);

#endif
