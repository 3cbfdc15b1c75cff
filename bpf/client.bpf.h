/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The client's side: connections that a target has made.
 */
#ifndef CLIENT_BPF_H
#define CLIENT_BPF_H

#include "peer.bpf.h"

/* Has the wire shown the end of the handshake? */
bool client_is_done(const struct connection *e);

/* It is done, with what was sent or has come last. */
void client_finished(struct tlsfail_conn *c);

/* After the handshake ret bytes were sent or have come; the connection may end as a success. */
int client_io(const struct sock *sk, struct tlsfail_conn *c, int ret, __u32 dir, __u64 buf);

enum client_end {
	CLIENT_WELL,
	CLIENT_FAILED,
	CLIENT_UNSURE, /* whether an answer came is not known */
	CLIENT_UNUSED, /* well, but this side had no use for it: whether it refused the peer, or could
			* not go on, does not show here */
};

/* It is over, and how? */
enum client_end client_ended(struct tlsfail_conn *c);

#endif
