/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which findings are told: --peer, --cause, --name.
 */
#ifndef TLSFAIL_COMMAND_FILTER_H
#define TLSFAIL_COMMAND_FILTER_H

#include <stdbool.h>

struct finding;

/* NULL: any. */
struct filter {
	const char *peer;  /* ADDRESS, or ADDRESS:PORT, or [ADDRESS]:PORT */
	const char *cause; /* a slug; or a pattern, "verify-*" */
	const char *name;  /* the server name of the handshake, or a pattern, "*.example.com" */
};

bool filter_passes(const struct filter *filter, const struct finding *finding);

#endif
