// SPDX-License-Identifier: BSD-2-Clause
/*
 * One look at a map.
 */
#include "kernel/counters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

int counters_read(int map_fd, struct tlsfail_counters *sum)
{
	int cpus = libbpf_num_possible_cpus();
	struct tlsfail_counters *each;
	uint32_t zero = 0;
	int err;

	if (cpus < 0)
		return cpus;
	each = calloc((size_t)cpus, sizeof(*each));
	if (!each)
		return -ENOMEM;
	memset(sum, 0, sizeof(*sum));
	err = bpf_map_lookup_elem(map_fd, &zero, each);
	for (int cpu = 0; !err && cpu < cpus; cpu++) {
		for (size_t i = 0; i < TLSFAIL_COUNTERS; i++)
			sum->n[i] += each[cpu].n[i];
		for (size_t i = 0; i < TLSFAIL_LATENCY_BUCKETS; i++)
			sum->latency[i] += each[cpu].latency[i];
		sum->latency_ns += each[cpu].latency_ns;
	}
	free(each);
	return err;
}

int counters_peer(int map_fd, const struct tlsfail_peer_key *key,
		  struct tlsfail_peer_counts *counts)
{
	struct tlsfail_peer_state state;

	if (bpf_map_lookup_elem(map_fd, key, &state))
		return -errno;
	*counts = state.n;
	return 0;
}
