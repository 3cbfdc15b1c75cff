// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The way out of the kernel: the ring, and the counters of what was seen and of what was lost.
 */
#include "ring.bpf.h"
#include "record.bpf.h"

#define RING_BYTES (2 << 20)

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tlsfail_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES);
} ring SEC(".maps");

/* Read by the collector all the time. */
__u64 demands[TLSFAIL_DEMANDS] = {};

__u32 armed = 0;

__hidden void count(enum tlsfail_counter what)
{
	__u32 zero = 0;
	struct tlsfail_counters *c = bpf_map_lookup_elem(&counters, &zero);

	if (c)
		c->n[what]++;
}

__hidden void demand_note(enum tlsfail_demand what)
{
	volatile __u64 *n = &demands[what];

	*n = *n + 1;
}

__hidden void count_latency(__u64 ns)
{
	__u32 zero = 0, bucket = 0;
	struct tlsfail_counters *n = bpf_map_lookup_elem(&counters, &zero);
	__u64 us = ns / 1000;
	int i;

	if (!n)
		return;
	n->latency_ns += ns;
	for (i = 0; i < TLSFAIL_LATENCY_BUCKETS - 1; i++) {
		us >>= 1;
		if (!us)
			break;
		bucket++;
	}
	n->latency[bucket & (TLSFAIL_LATENCY_BUCKETS - 1)]++;
}

__hidden bool report_wire(struct tlsfail_wire *w)
{
	__u32 len = at_most(w->data_len, sizeof(w->data));

	w->h.type = TLSFAIL_REC_WIRE;
	w->h.version = TLSFAIL_ABI_VERSION;
	w->h.len = TLSFAIL_WIRE_FIXED + len;
	if (!bpf_ringbuf_output(&ring, w, TLSFAIL_WIRE_FIXED + len, 0))
		return true;
	count(TLSFAIL_N_LOST_WIRE);
	return false;
}

__hidden void report_conn(struct tlsfail_conn *c)
{
	c->h.type = TLSFAIL_REC_CONN;
	c->h.version = TLSFAIL_ABI_VERSION;
	c->h.len = sizeof(*c);
	count(bpf_ringbuf_output(&ring, c, sizeof(*c), 0) ? TLSFAIL_N_LOST_CONN
							  : TLSFAIL_N_REPORTED);
}

/* Made in the ring: a uprobe leads here, and its frames have to be small (see openssl.bpf.c). */
__hidden void report_certs(const struct tlsfail_conn *c)
{
	struct tlsfail_certs *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);

	if (!r) {
		count(TLSFAIL_N_LOST_WIRE);
		return;
	}
	r->h.type = TLSFAIL_REC_CERTS;
	r->h.version = TLSFAIL_ABI_VERSION;
	r->h.len = sizeof(*r);
	r->id = c->id;
	r->t = c->t_done;
	r->pid = c->pid;
	r->cert_count = c->cert_count;
	r->family = c->family;
	r->rport = c->rport;
	r->pad = 0;
	__builtin_memcpy(r->raddr, c->raddr, sizeof(r->raddr));
	bpf_ringbuf_submit(r, 0);
}

__hidden void report_exec(struct tlsfail_exec *e)
{
	e->h.type = TLSFAIL_REC_EXEC;
	e->h.version = TLSFAIL_ABI_VERSION;
	e->h.len = sizeof(*e);
	if (bpf_ringbuf_output(&ring, e, sizeof(*e), 0))
		count(TLSFAIL_N_LOST_EXEC);
}
