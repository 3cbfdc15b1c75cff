/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nginxwatch in a thread of its own: reading nginx's files may take long, or for ever when a file
 * system does not answer. An answer is waited for a moment; one that comes later is for the next
 * connection. So a slow configuration costs hints, and no findings.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_LIVE_PLACES_H
#define TLSFAIL_PROGRAM_NGINX_LIVE_PLACES_H

#include <linux/types.h>
#include <stdbool.h>

#include "tlsfail_abi.h"

struct nginxplaces;

/* Gets the records to put before that of a connection. They are valid during the call. */
typedef void (*nginxplaces_emit)(void *context, const struct tlsfail_nginx *record);

/* *out is the caller's to nginxplaces_free(). A negative errno on failure. */
int nginxplaces_new(struct nginxplaces **out);
void nginxplaces_free(struct nginxplaces *places);

/* Asks for the places of a connection that has failed: see nginxwatch_look(). */
void nginxplaces_look(struct nginxplaces *places, const struct tlsfail_conn *conn, bool has_hello,
		      const char *server_name, nginxplaces_emit emit, void *context);

#endif
