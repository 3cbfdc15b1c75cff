// SPDX-License-Identifier: BSD-2-Clause
/*
 * The table is the very thing that is told, so that nothing is copied each second.
 */
#include "command/standings.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "system/clock.h"

struct standings {
	struct standing all;
	uint64_t hashes[STANDING_PEERS_MAX];
	uint64_t told_ns;
};

struct standings *standings_new(void)
{
	return calloc(1, sizeof(struct standings));
}

void standings_free(struct standings *s)
{
	free(s);
}

static uint64_t hash_of(const struct finding_endpoint *peer)
{
	uint64_t hash = hash_add(HASH_EMPTY, peer->address, strlen(peer->address));

	return hash_add(hash, &peer->port, sizeof(peer->port));
}

static uint64_t activity(const struct standing_peer *p)
{
	return p->last_done_ns > p->last_failed_ns ? p->last_done_ns : p->last_failed_ns;
}

static size_t quietest(const struct standings *s)
{
	size_t quiet = 0;

	for (size_t i = 1; i < s->all.peer_count; i++)
		if (activity(&s->all.peers[i]) < activity(&s->all.peers[quiet]))
			quiet = i;
	return quiet;
}

/* The row of a peer, made if it has none; NULL where only one that is busier would make room for it. */
static struct standing_peer *row_of(struct standings *s, const struct finding_endpoint *peer,
				    uint64_t active_ns)
{
	uint64_t hash = hash_of(peer);
	size_t i = 0;

	while (i < s->all.peer_count &&
	       (s->hashes[i] != hash || s->all.peers[i].peer.port != peer->port ||
		strcmp(s->all.peers[i].peer.address, peer->address) != 0))
		i++;
	if (i < s->all.peer_count)
		return &s->all.peers[i];
	if (i < STANDING_PEERS_MAX) {
		s->all.peer_count++;
	} else {
		s->all.peers_omitted++;
		i = quietest(s);
		if (activity(&s->all.peers[i]) >= active_ns)
			return NULL;
	}
	s->hashes[i] = hash;
	s->all.peers[i] = (struct standing_peer){ .peer = *peer };
	return &s->all.peers[i];
}

void standings_peer(struct standings *s, const struct standing_peer *peer)
{
	struct standing_peer *row = row_of(s, &peer->peer, activity(peer));
	struct standing_peer before;

	if (!row)
		return;
	before = *row;
	*row = *peer;
	if (!row->not_after)
		row->not_after = before.not_after;
	if (!row->latency_ns)
		row->latency_ns = before.latency_ns;
}

void standings_certificates(struct standings *s, const struct certificate_ends *ends)
{
	struct standing_peer *row = row_of(s, &ends->peer, ends->time_ns);

	if (row)
		row->not_after = ends->leaf;
}

bool standings_due(struct standings *s, uint64_t time_ns)
{
	/* the first one begins the time */
	bool due = s->told_ns && time_ns >= s->told_ns + NS_PER_S;

	if (due || !s->told_ns)
		s->told_ns = time_ns;
	return due;
}

struct standing *standings_all(struct standings *s)
{
	return &s->all;
}
