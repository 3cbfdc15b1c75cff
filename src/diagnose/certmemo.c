// SPDX-License-Identifier: BSD-2-Clause
/*
 * A ring: peers are few, and failures that need this rare.
 */
#include "diagnose/certmemo.h"

#include <stdlib.h>
#include <string.h>

struct shown {
	struct finding_endpoint peer;
	struct finding_certificate certificate;
};

struct certmemo {
	size_t next;
	struct shown shown[CERTMEMO_MAX];
};

struct certmemo *certmemo_new(void)
{
	return calloc(1, sizeof(struct certmemo));
}

void certmemo_free(struct certmemo *memo)
{
	free(memo);
}

static size_t find(const struct certmemo *memo, const struct finding_endpoint *peer)
{
	size_t i = 0;

	while (i < CERTMEMO_MAX && (memo->shown[i].peer.port != peer->port ||
				    strcmp(memo->shown[i].peer.address, peer->address) != 0))
		i++;
	return i;
}

void certmemo_put(struct certmemo *memo, const struct finding *f)
{
	size_t i = find(memo, &f->peer);

	if (!f->certificate.known || f->certificate.seen_ns)
		return;
	if (i == CERTMEMO_MAX) {
		i = memo->next;
		memo->next = (memo->next + 1) % CERTMEMO_MAX;
	}
	memo->shown[i] = (struct shown){ f->peer, f->certificate };
	memo->shown[i].certificate.seen_ns = f->time_ns;
}

const struct finding_certificate *certmemo_get(const struct certmemo *memo,
					       const struct finding_endpoint *peer)
{
	size_t i = find(memo, peer);

	return i < CERTMEMO_MAX ? &memo->shown[i].certificate : NULL;
}
