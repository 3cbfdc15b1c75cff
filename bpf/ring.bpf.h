/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The way out of the kernel: the ring and the counters. It knows nobody.
 */
#ifndef RING_BPF_H
#define RING_BPF_H

#include "compat.bpf.h"
#include "tlsfail_abi.h"
#include "tlsfail_maps.h"

/* Set by the collector when every hook is attached. */
extern __u32 armed;

/* False until then. */
static __always_inline bool tracing_armed(void)
{
	return *(volatile __u32 *)&armed;
}

/* One more of it. */
void count(enum tlsfail_counter what);

/* The collector may want to attach to something, or not any more. */
void demand_note(enum tlsfail_demand what);

/* A handshake took so long. */
void count_latency(__u64 ns);

/* Sends the bytes of one direction; false: they are lost. The reports fill in the header. */
bool report_wire(struct tlsfail_wire *w);

/* Sends a connection; it is counted, or its loss is. */
void report_conn(struct tlsfail_conn *c);

/* Sends that a healthy connection's certificates were sent before this. */
void report_certs(const struct tlsfail_conn *c);

/* Sends that a program was executed. */
void report_exec(struct tlsfail_exec *e);

#endif
