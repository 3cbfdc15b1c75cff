/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counters that the BPF side keeps: one set a CPU, and one a peer.
 */
#ifndef TLSFAIL_KERNEL_COUNTERS_H
#define TLSFAIL_KERNEL_COUNTERS_H

#include <linux/types.h>

#include "tlsfail_abi.h"
#include "tlsfail_maps.h"

/* Reads the map of that descriptor: the counters of all CPUs, added up. 0, or a negative errno. */
int counters_read(int map_fd, struct tlsfail_counters *sum);

/* Reads the counts of a peer. -ENOENT: the kernel side does not know it, or has forgotten it. */
int counters_peer(int map_fd, const struct tlsfail_peer_key *key,
		  struct tlsfail_peer_counts *counts);

/* Reads what is remembered of every peer, and gives each to take(). 0, or a negative errno. */
int counters_peers(int map_fd,
		   void (*take)(void *context, const struct tlsfail_peer_key *key,
				const struct tlsfail_peer_state *state),
		   void *context);

#endif
