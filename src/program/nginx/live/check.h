/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files that a place in nginx's configuration names: are they there, have they changed since
 * the worker read them, what is the client certificate good for. Of a private key only whether it
 * belongs to the certificate is looked at, and only when one of the two has changed: at its start
 * nginx has seen to it itself.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_LIVE_CHECK_H
#define TLSFAIL_PROGRAM_NGINX_LIVE_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "program/nginx/place.h"
#include "program/nginx/live/read.h"

/* Fills in place->notes. started_ns: CLOCK_REALTIME of the worker's start. Their words are put into
 * buf, which must live as long as they. */
void nginxcheck_place(const struct nginxread *read, int64_t started_ns, struct nginx_place *place,
		      struct text *buf);

#endif
