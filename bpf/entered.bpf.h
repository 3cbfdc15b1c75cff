/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Handshakes as the TLS library tells of them.
 */
#ifndef ENTERED_BPF_H
#define ENTERED_BPF_H

#include "flow.bpf.h"

/* SSL_do_handshake is called for an SSL object; it returns. */
int handshake_enter(__u64 ssl);
int handshake_leave(int ret);

/* ret bytes (or a negative errno) went in direction dir, from or to the user's buffer. True: the
 * rest of that call is of interest, too. */
int entered_io(const struct sock *sk, struct thread *t, int ret, __u32 dir, __u64 buf);

#endif
