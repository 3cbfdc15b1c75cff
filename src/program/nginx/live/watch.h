/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which places in which configuration the failed connections of nginx come from. A configuration is
 * read once for the workers that run it, when the first of them fails; what it says of a peer is
 * looked up once for each worker, peer and server name. Reading takes at most a tenth of the time,
 * so that a storm of reloads or of failures costs hints, and no findings.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_LIVE_WATCH_H
#define TLSFAIL_PROGRAM_NGINX_LIVE_WATCH_H

#include <linux/types.h>
#include <stdbool.h>

#include "tlsfail_abi.h"

struct nginxwatch;

/* NULL when out of memory. */
struct nginxwatch *nginxwatch_new(void);
void nginxwatch_free(struct nginxwatch *watch);

/*
 * The record to put before that of the connection, or NULL when nothing is known, or the one that
 * was given last still holds. It is good until the next call. has_hello: it is known whether the
 * ClientHello had a server name; server_name: that name, "" none.
 */
const struct tlsfail_nginx *nginxwatch_look(struct nginxwatch *watch,
					    const struct tlsfail_conn *conn, bool has_hello,
					    const char *server_name);

#endif
