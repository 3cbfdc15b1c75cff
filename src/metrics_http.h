/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The metrics over HTTP, for Prometheus to fetch. A build without it has metrics_http_none.c.
 */
#ifndef TLSFAIL_METRICS_HTTP_H
#define TLSFAIL_METRICS_HTTP_H

#include <stdbool.h>

#include "listen.h"
#include "metrics_share.h"

struct metrics_http;

/* Can this build do it? */
bool metrics_http_available(void);

/*
 * Serves GET /metrics there, in a thread of its own, until metrics_http_close(). The share stays
 * the caller's. Returns 0 or a negative errno: -EADDRINUSE, -EACCES ..., -EOPNOTSUPP when this
 * build cannot do it.
 */
int metrics_http_open(const struct listen_address *address, struct metrics_share *share,
		      struct metrics_http **out);
void metrics_http_close(struct metrics_http *http);

#endif
