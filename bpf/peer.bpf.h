/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The peer of a connection in which the target is the client, beyond that connection.
 */
#ifndef PEER_BPF_H
#define PEER_BPF_H

#include "bytes.bpf.h"

/* At the beginning: has the peer sent TLS records before, is its certificate known? */
void peer_recall(struct tlsfail_conn *c);

/* It sends session tickets after handshakes of TLS 1.3, as was seen before. */
bool peer_sends_tickets(const struct tlsfail_conn *c);

/* It has now, if these are its first bytes. */
void peer_sent_tls(const struct tlsfail_conn *c);

/* Its certificates are others than the last time, and pause_ns has passed, or interval_ns has: they are to
 * be reported. */
bool peer_cert_is_new(const struct tlsfail_conn *c, __u64 interval_ns, __u64 pause_ns);

/* A handshake with it was done, and no certificate was read: that is asked for once, if none is known. */
void peer_cert_missed(struct tlsfail_conn *c);

/* Is a connection to it that has not failed, by what is known here, to be reported? Not if another one
 * was just now. */
bool peer_is_due(const struct tlsfail_conn *c);

/* A connection to it has failed, and takes the counts along. */
void peer_failed(struct tlsfail_conn *c);

/* A new connection, which may be another try of what failed on the thread's last. */
void peer_retried(struct tlsfail_conn *c, struct thread *t);

/* A handshake, of either role, was done and not refused. */
void count_success(struct tlsfail_conn *c);

/* The same; nothing of the connection is needed any more. */
void conn_succeed(const struct sock *sk, struct tlsfail_conn *c);

#endif
