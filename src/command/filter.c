// SPDX-License-Identifier: BSD-2-Clause
/*
 * Filters of findings.
 */
#define _GNU_SOURCE /* FNM_CASEFOLD */
#include "command/filter.h"

#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "finding/finding.h"

static bool peer_passes(const char *wanted, const struct finding_endpoint *peer)
{
	char with_port[FINDING_ADDRESS_LEN + 16];
	struct text t;

	text_init(&t, with_port, sizeof(with_port));
	text_addf(&t, strchr(peer->address, ':') ? "[%s]:%u" : "%s:%u", peer->address, peer->port);
	return !strcasecmp(wanted, peer->address) || !strcasecmp(wanted, with_port);
}

bool filter_passes(const struct filter *filter, const struct finding *f)
{
	return (!filter->peer || peer_passes(filter->peer, &f->peer)) &&
	       (!filter->cause || !fnmatch(filter->cause, f->cause, 0)) &&
	       (!filter->name || !fnmatch(filter->name, f->hello.server_name, FNM_CASEFOLD));
}
