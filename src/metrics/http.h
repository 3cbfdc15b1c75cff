/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The metrics over HTTP, for Prometheus to fetch. A build without it has metrics_http_none.c.
 */
#ifndef TLSFAIL_METRICS_HTTP_H
#define TLSFAIL_METRICS_HTTP_H

#include <stddef.h>

#include "base/exposition.h"

struct metrics_http;

/* Makes the page as it is now, in a thread of the server; *page is the caller's to free(). A negative
 * errno: there is none yet. */
typedef int metrics_page(void *context, enum exposition_format format, char **page, size_t *len);

/* What is missing for that, in words; NULL: nothing. */
const char *metrics_http_lacks(void);

/*
 * Serves GET /metrics on a socket that listens (listen_open()), in a thread of its own, until
 * metrics_http_close(). The socket stays the caller's. Returns 0 or a negative errno: -EOPNOTSUPP when
 * something is missing.
 */
int metrics_http_open(int listening, metrics_page *page, void *context, struct metrics_http **out);
void metrics_http_close(struct metrics_http *http);

#endif
