// SPDX-License-Identifier: BSD-2-Clause
/*
 * A few at a time: one for each peer that is new.
 */
#include "diagnose/notes.h"

#include <stdlib.h>
#include <string.h>

#define NOTES_MAX 16
#define PEERS_MAX 256 /* that are remembered; who came first makes room */

/* A refusal comes as the answer to the first request. */
#define WAIT_NS 5000000000ULL

struct notes {
	struct {
		uint64_t due; /* 0: free */
		struct finding *finding;
	} slots[NOTES_MAX];
	size_t peer_next;
	struct finding_endpoint peers[PEERS_MAX];
};

struct notes *notes_new(void)
{
	return calloc(1, sizeof(struct notes));
}

void notes_free(struct notes *notes)
{
	for (size_t i = 0; notes && i < NOTES_MAX; i++)
		free(notes->slots[i].finding);
	free(notes);
}

bool notes_first(struct notes *notes, const struct finding_endpoint *peer)
{
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (notes->peers[i].port == peer->port &&
		    !strcmp(notes->peers[i].address, peer->address))
			return false;
	notes->peers[notes->peer_next] = *peer;
	notes->peer_next = (notes->peer_next + 1) % PEERS_MAX;
	return true;
}

bool notes_put(struct notes *notes, uint64_t t, const struct finding *finding)
{
	size_t i = 0;

	while (i < NOTES_MAX && notes->slots[i].due)
		i++;
	if (i == NOTES_MAX)
		return false;
	if (!notes->slots[i].finding)
		notes->slots[i].finding = malloc(sizeof(*finding));
	if (!notes->slots[i].finding)
		return false;
	*notes->slots[i].finding = *finding;
	notes->slots[i].due = t + WAIT_NS;
	return true;
}

void notes_drop(struct notes *notes, const struct finding_endpoint *peer)
{
	for (size_t i = 0; i < NOTES_MAX; i++) {
		const struct finding *f = notes->slots[i].finding;

		if (notes->slots[i].due && f->peer.port == peer->port &&
		    !strcmp(f->peer.address, peer->address))
			notes->slots[i].due = 0;
	}
}

bool notes_take(struct notes *notes, uint64_t t, struct finding *finding)
{
	for (size_t i = 0; i < NOTES_MAX; i++) {
		if (!notes->slots[i].due || notes->slots[i].due > t)
			continue;
		*finding = *notes->slots[i].finding;
		notes->slots[i].due = 0;
		return true;
	}
	return false;
}

uint64_t notes_deadline(const struct notes *notes)
{
	uint64_t first = 0;

	for (size_t i = 0; i < NOTES_MAX; i++)
		if (notes->slots[i].due && (!first || notes->slots[i].due < first))
			first = notes->slots[i].due;
	return first;
}
