/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Handshakes as the wire tells of them.
 */
#ifndef WIRE_BPF_H
#define WIRE_BPF_H

#include "flow.bpf.h"
#include "owner.bpf.h"

/* ret bytes (or a negative errno) went in direction dir, on the calling thread's io_sk, from or to the user's
 * buffer. False: nothing more of that call is of interest. The verifier looks at it once, and not for each buffer
 * of a vector: so it is a global function, whose arguments are numbers (5.10 knows no others). */
int wire_io(int ret, __u32 dir, __u64 buf);

/* The same, of a call with one buffer, and of the calling thread. */
int wire_whole(const struct sock *sk, struct thread *t, int ret, __u32 dir);

/* The same, of a call that received no more than the header of a record, where that is what comes next in a client's
 * handshake. So OpenSSL reads unless it reads ahead; 3.5 and 3.6 do not for nginx either, though that asks for it,
 * and half of the receives of a handshake are such. False: nothing was done, it takes wire_io(). */
bool wire_header(const struct sock *sk, struct thread *t);

/* The same, of a whole call, on a connection whose handshake is long over, or that has none. */
int wire_beyond(const struct sock *sk, struct thread *t, int ret, __u32 dir);

/* The connection whose first bytes, no TLS, the thread has just read, as a TLS library finds; or NULL. */
struct tlsfail_conn *wire_conn_of_text(struct thread *t);

#endif
