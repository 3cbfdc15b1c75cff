// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sums by upstream group.
 */
#include "diagnose/groups.h"

#include <string.h>

static struct group *group_find(struct groups *groups, const char *name)
{
	for (size_t i = 0; i < groups->count; i++)
		if (!strcmp(groups->all[i].name, name))
			return &groups->all[i];
	return NULL;
}

/* A group fails when all of its peers do, and flaps when some do. */
static enum peer_state state_join(enum peer_state a, enum peer_state b)
{
	return a == b ? a : PEER_FLAPPING;
}

void groups_add(struct groups *groups, const struct peer_summary *peer)
{
	struct group *group;

	if (!*peer->upstream)
		return;
	group = group_find(groups, peer->upstream);
	if (!group && groups->count == GROUPS_MAX)
		return;
	if (!group) {
		group = &groups->all[groups->count++];
		*group = (struct group){
			.name = peer->upstream,
			.state = peer->state,
			.since = peer->since,
		};
	}
	group->state = state_join(group->state, peer->state);
	group->peers++;
	if (peer->since < group->since)
		group->since = peer->since;
	group->handshakes += peer->handshakes;
	group->failures += peer->failures;
	group->retried += peer->retried;
}
