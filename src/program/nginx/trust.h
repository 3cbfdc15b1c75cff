/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a place verifies its peer with, against the chain that came: the file of trusted CAs, and how long
 * a chain may be. Pure.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_TRUST_H
#define TLSFAIL_PROGRAM_NGINX_TRUST_H

#include <stdbool.h>

#include "program/nginx/fixes.h"

/* Is it known that the file of trusted CAs there holds who issued the last certificate that came? By its
 * name: its key may be another one. */
bool nginxtrust_holds_top(const struct finding *f, const struct nginx_place *place);

/* The proxy_ssl_verify_depth that the chain needs that came; 0: what the place has suffices. */
unsigned int nginxtrust_depth_needed(const struct finding *f, const struct nginx_place *place);

/* For struct nginxfix. */
void nginxtrust_propose_depth(struct nginxfix_advice *advice);
bool nginxtrust_explain_top(const struct nginxfix_advice *advice, struct text *words);

#endif
