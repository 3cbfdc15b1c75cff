// SPDX-License-Identifier: BSD-2-Clause
/*
 * One look at a map.
 */
#include "kernel/counters.h"

#include <errno.h>
#include <stdbool.h>
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

#define PEERS_AT_ONCE 128

int counters_peers(int map_fd,
		   void (*take)(void *context, const struct tlsfail_peer_key *key,
				const struct tlsfail_peer_state *state),
		   void *context)
{
	struct tlsfail_peer_state states[PEERS_AT_ONCE];
	struct tlsfail_peer_key keys[PEERS_AT_ONCE];
	uint32_t at = 0, next = 0;
	bool first = true, last = false;

	while (!last) {
		uint32_t count = PEERS_AT_ONCE;

		if (bpf_map_lookup_batch(map_fd, first ? NULL : &at, &next, keys, states, &count,
					 NULL)) {
			if (errno != ENOENT)
				return -errno;
			last = true;
		}
		for (uint32_t i = 0; i < count; i++)
			take(context, &keys[i], &states[i]);
		first = false;
		at = next;
	}
	return 0;
}
