/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The server's side: connections that are accepted here. Where TLS is spoken is known from the first
 * handshake on that address and port.
 */
#ifndef SERVER_BPF_H
#define SERVER_BPF_H

#include "peer.bpf.h"

/* TLS was spoken on the address and port of that socket, from its first byte or after other words: are clients
 * asked for certificates there, as far as is known? Was it spoken before? */
bool listener_did_tls(const struct sock *sk, bool at_once);
bool listener_is_tls(const struct sock *sk);

/* It was accepted where TLS was spoken before, from the first byte, and plain text never got an answer. */
bool listener_is_tls_only(const struct sock *sk);

/* It was accepted, and has not said a word; it ends like that: its entry, or NULL. */
void server_waits(const struct sock *sk);
struct tlsfail_conn *server_awake(const struct sock *sk);

/* It ends, and no handshake was begun, whatever was said; and before the end, when what is said shows nothing. */
void server_waited(const struct sock *sk);
void server_waits_no_more(const struct sock *sk);

/* An entry for a connection of either role that was there, and says something for the first time. */
struct tlsfail_conn *conn_new_speaking(const struct sock *sk);

/* In process context: ret bytes were looked at in the user's buffer, and left. */
int conn_peeked(const struct sock *sk, int ret, __u64 buf);

/* Plain text on a connection that began with it. */
int server_plain_io(struct tlsfail_conn *c, int ret, __u32 dir, __u64 buf);

/* Something was received in the handshake. */
void server_handshake_received(struct tlsfail_conn *c);

/* Has the wire shown the end of the handshake, now that something went in direction dir? */
bool server_is_done(const struct connection *e, __u32 dir);

/* It is done: may the client's certificate still be refused? */
bool server_keeps(const struct sock *sk, struct tlsfail_conn *c);

/* SSL_CTX_remove_session was called in a thread that did I/O on it last. */
void server_session_removed(struct tlsfail_conn *c);

/* After the handshake ret bytes were sent or have come; the connection may end as a success. */
int server_io(const struct sock *sk, struct tlsfail_conn *c, int ret, __u32 dir, __u64 buf);

/* It is over: is it a failure? */
bool server_failed(struct tlsfail_conn *c);

#endif
