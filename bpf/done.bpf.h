/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The end of a handshake that turned out well, of either role.
 */
#ifndef DONE_BPF_H
#define DONE_BPF_H

#include "client.bpf.h"
#include "server.bpf.h"

/* The handshake of that connection is done, now in ns of the monotonic clock; its entry may be gone afterwards. */
void handshake_done(const struct sock *sk, struct tlsfail_conn *c, __u64 now);

#endif
