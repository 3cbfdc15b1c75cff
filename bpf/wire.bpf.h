/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Handshakes as the wire tells of them.
 */
#ifndef WIRE_BPF_H
#define WIRE_BPF_H

#include "flow.bpf.h"

/* ret bytes (or a negative errno) went in direction dir, from or to the user's buffer. */
int wire_io(const struct sock *sk, struct thread *t, int ret, __u32 dir, __u64 buf);

/* The connection whose first bytes, no TLS, the thread has just read, as a TLS library finds; or NULL. */
struct tlsfail_conn *wire_conn_of_text(struct thread *t);

#endif
