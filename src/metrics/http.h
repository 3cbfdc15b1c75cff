/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The metrics over HTTP, for Prometheus to fetch. A build without it has metrics_http_none.c.
 */
#ifndef TLSFAIL_METRICS_HTTP_H
#define TLSFAIL_METRICS_HTTP_H

#include "system/listen.h"
#include "metrics/share.h"

struct metrics_http;

/* What is missing for that, in words; NULL: nothing. */
const char *metrics_http_lacks(void);

/*
 * Serves GET /metrics there, in a thread of its own, until metrics_http_close(). The share stays
 * the caller's. Returns 0 or a negative errno: -EADDRINUSE, -EACCES ..., -EOPNOTSUPP when
 * something is missing.
 */
int metrics_http_open(const struct listen_address *address, struct metrics_share *share,
		      struct metrics_http **out);
void metrics_http_close(struct metrics_http *http);

#endif
