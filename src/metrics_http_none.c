// SPDX-License-Identifier: BSD-2-Clause
/*
 * In the place of metrics_http.c in a static program: Debian's libmicrohttpd wants GnuTLS, and that
 * p11-kit, of which there is no static library.
 */
#include "metrics_http.h"

#include <errno.h>

bool metrics_http_available(void)
{
	return false;
}

int metrics_http_open(const struct listen_address *address, struct metrics_share *share,
		      struct metrics_http **out)
{
	(void)address;
	(void)share;
	(void)out;
	return -EOPNOTSUPP;
}

void metrics_http_close(struct metrics_http *http)
{
	(void)http;
}
