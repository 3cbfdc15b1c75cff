/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where the wire tells of handshakes: which connection an SSL object belongs to, while functions of the TLS
 * library are attached to that say so.
 */
#ifndef OWNER_BPF_H
#define OWNER_BPF_H

#include "life.bpf.h"

/* SSL_do_handshake is called for an SSL object; it returns. */
int owner_enter(__u64 ssl);
int owner_leave(void);

/* The thread does I/O on that connection, whose handshake is under way. */
void owner_bind(struct tlsfail_conn *c, const struct sock *sk, const struct thread *t);

#endif
