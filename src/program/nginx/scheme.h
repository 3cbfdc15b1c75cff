/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a place passes with TLS or without it, as a fix. Pure.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_SCHEME_H
#define TLSFAIL_PROGRAM_NGINX_SCHEME_H

#include "program/nginx/fixes.h"

/* Does the peer speak HTTP/2 without TLS, and the place that passes to it only HTTP/1? */
bool nginxscheme_needs_http2(const struct nginxfix_advice *advice);

/* To pass without TLS: not where a PROXY protocol header goes out first. */
void nginxscheme_propose_plain(struct nginxfix_advice *advice);

/* To pass with TLS, where that goes to the same port. */
void nginxscheme_propose_tls(struct nginxfix_advice *advice);

#endif
