// SPDX-License-Identifier: BSD-2-Clause
/*
 * A ring: peers are few, and failures that need this rare.
 */
#include "diagnose/certmemo.h"

#include <stdlib.h>
#include <string.h>

#include "finding/tls.h"

struct entry {
	struct finding_endpoint peer;
	uint64_t netns;
	struct certmemo_shown shown;
};

struct certmemo {
	size_t next;
	struct entry entries[CERTMEMO_MAX];
};

struct certmemo *certmemo_new(void)
{
	return calloc(1, sizeof(struct certmemo));
}

void certmemo_free(struct certmemo *memo)
{
	free(memo);
}

static size_t find(const struct certmemo *memo, const struct finding_endpoint *peer, uint64_t netns)
{
	size_t i = 0;

	while (i < CERTMEMO_MAX &&
	       (memo->entries[i].peer.port != peer->port || memo->entries[i].netns != netns ||
		strcmp(memo->entries[i].peer.address, peer->address) != 0))
		i++;
	return i;
}

/* With what is known of the whole chain. */
static void certificate_keep(struct finding_certificate *to, const struct x509_view *from,
			     const struct x509_view *certs, size_t count, unsigned int sent)
{
	finding_certificate_set(to, from, sent);
	if (count == sent)
		memcpy(to->top_issuer, certs[count - 1].issuer, sizeof(to->top_issuer));
}

void certmemo_put(struct certmemo *memo, const struct finding_endpoint *peer, uint64_t netns,
		  uint64_t time_ns, const struct x509_view *certs, size_t count, unsigned int sent)
{
	const struct x509_view *first = certs;
	size_t i = find(memo, peer, netns);
	struct entry *entry;

	if (!count)
		return;
	for (size_t k = 1; k < count; k++)
		if (certs[k].has_validity && certs[k].not_after < first->not_after)
			first = &certs[k];
	if (i == CERTMEMO_MAX) {
		i = memo->next;
		memo->next = (memo->next + 1) % CERTMEMO_MAX;
	}
	entry = &memo->entries[i];
	*entry = (struct entry){ .peer = *peer, .netns = netns };
	certificate_keep(&entry->shown.leaf, &certs[0], certs, count, sent);
	certificate_keep(&entry->shown.first_to_end, first, certs, count, sent);
	entry->shown.leaf.seen_ns = entry->shown.first_to_end.seen_ns = time_ns;
}

const struct certmemo_shown *certmemo_get(const struct certmemo *memo,
					  const struct finding_endpoint *peer, uint64_t netns)
{
	size_t i = find(memo, peer, netns);

	return i < CERTMEMO_MAX ? &memo->entries[i].shown : NULL;
}
