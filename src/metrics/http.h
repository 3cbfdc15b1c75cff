/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The metrics over HTTP, for Prometheus to fetch. A build without it has metrics_http_none.c.
 */
#ifndef TLSFAIL_METRICS_HTTP_H
#define TLSFAIL_METRICS_HTTP_H

#include "metrics/share.h"

struct metrics_http;

/* What is missing for that, in words; NULL: nothing. */
const char *metrics_http_lacks(void);

/*
 * Serves GET /metrics on a socket that listens (listen_open()), in a thread of its own, until
 * metrics_http_close(). Socket and share stay the caller's. Returns 0 or a negative errno: -EOPNOTSUPP when
 * something is missing.
 */
int metrics_http_open(int listening, struct metrics_share *share, struct metrics_http **out);
void metrics_http_close(struct metrics_http *http);

#endif
