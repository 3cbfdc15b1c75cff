/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Conclusions in the place of return probes.
 */
#ifndef CONCLUDED_BPF_H
#define CONCLUDED_BPF_H

#include "done.bpf.h"

/* The collector's choice: there are no return probes. */
extern const volatile bool entry_only;

static __always_inline bool entry_probes_only(void)
{
	return entry_only;
}

/* Before and after each I/O of a thread, the latter within the handshake only. */
int conclude_before_io(const struct sock *sk, struct thread *t, int ret, __u32 dir, __u64 buf);
int conclude_after_io(struct thread *t, int ret, __u32 dir);

/* SSL_get_verify_result is called for the thread's SSL object. */
int conclude_verified(struct thread *t);

/* X509_check_host is; what the thread's next I/O says of its result. */
int conclude_host_asked(struct thread *t);
int conclude_host_settled(const struct sock *sk, struct thread *t, __u32 dir, __u64 buf);

/* The socket of the connection is closed. */
int conclude_at_end(const struct sock *sk, struct tlsfail_conn *c);

#endif
