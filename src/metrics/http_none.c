// SPDX-License-Identifier: BSD-2-Clause
/*
 * In the place of http.c in a static program, which cannot load a library; and to link it,
 * Debian's libmicrohttpd wants GnuTLS, and that p11-kit, of which there is no static library.
 */
#include "metrics/http.h"

#include <errno.h>

const char *metrics_http_lacks(void)
{
	return "this build is static and has no HTTP server";
}

int metrics_http_open(int listening, metrics_page *page, void *context, struct metrics_http **out)
{
	(void)listening;
	(void)page;
	(void)context;
	(void)out;
	return -EOPNOTSUPP;
}

void metrics_http_close(struct metrics_http *http)
{
	(void)http;
}
