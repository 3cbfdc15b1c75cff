/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Upstream groups: what the peers of one `upstream` block of nginx's configuration make together, as
 * nginx goes on to the next one when one fails. Pure, and of bounded size.
 */
#ifndef TLSFAIL_DIAGNOSE_GROUPS_H
#define TLSFAIL_DIAGNOSE_GROUPS_H

#include <stddef.h>
#include <stdint.h>

#include "diagnose/peers.h"

#define GROUPS_MAX 32

/* Sums over those peers of a group that have failed; of others nothing is known. */
struct group {
	const char *name; /* of the upstream block */
	enum peer_state state;
	unsigned int peers;
	uint64_t since; /* CLOCK_MONOTONIC in ns: the span of the earliest begins */
	uint64_t handshakes;
	uint64_t failures;
	uint64_t retried;
};

struct groups {
	size_t count;
	struct group all[GROUPS_MAX]; /* in the order in which they came; those that came later are
				       * not counted */
};

/* Adds a peer to its group; one without a group is nothing's. Its strings have to outlive groups. */
void groups_add(struct groups *groups, const struct peer_summary *peer);

#endif
