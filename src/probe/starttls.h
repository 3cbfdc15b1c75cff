/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is said in clear before TLS begins: STARTTLS of several protocols, and the header of the PROXY
 * protocol.
 */
#ifndef TLSFAIL_PROBE_STARTTLS_H
#define TLSFAIL_PROBE_STARTTLS_H

#include <stdint.h>

#include "base/text.h"
#include "probe/dial.h"

struct starttls {
	const char *name;
	uint16_t port;
	/* Returns 0, or a negative errno; problem may get a sentence. */
	int (*talk)(struct dial *d, struct text *problem);
};

/* NULL: none has that name. */
const struct starttls *starttls_find(const char *name);

/* The names, with a comma between. */
void starttls_add_names(struct text *t);

/* Sends the header of version 1, with the addresses of the connection itself. */
int starttls_proxy_header(struct dial *d);

#endif
