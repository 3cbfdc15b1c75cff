/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Bytes of a connection, by its stage.
 */
#ifndef FLOW_BPF_H
#define FLOW_BPF_H

#include "life.bpf.h"

/* A handshake has begun. */
void handshake_seen(const struct sock *sk, struct tlsfail_conn *c);

/* The thread's I/O at hand is one of a handshake. */
int handshake_io(struct tlsfail_conn *c, const struct sock *sk, struct thread *t);

/* A client received a record's header alone, in the handshake. False: nothing was done, it takes handshake_io(). */
bool handshake_header(struct tlsfail_conn *c, const struct thread *t);

/* ret bytes of a connection whose handshake is done; the entry may be gone afterwards. */
int after_io(const struct sock *sk, struct tlsfail_conn *c, int ret, __u32 dir, __u64 buf);

#endif
