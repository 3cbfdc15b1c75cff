/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which of the places that pass to a peer the connection cannot have come from, by what was seen of
 * it: what was verified, offered, sent. Pure.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_EXCLUDE_H
#define TLSFAIL_PROGRAM_NGINX_EXCLUDE_H

#include "finding/finding.h"
#include "program/nginx/place.h"

/* The name that nginx checks in the certificate, and sends as SNI when it sends one: proxy_ssl_name,
 * or the upstream block's, or the host that it passes to. No words when a variable decides. An IPv6
 * address has no brackets. */
struct nginx_words nginxplace_name(const struct nginx_place *place);

/* Does it send the header of the PROXY protocol? */
bool nginxplace_sends_header(const struct nginx_place *place);

/* Does a variable decide which client certificate it has, or which key? */
bool nginxplace_certificate_varies(const struct nginx_place *place);

/* Puts the places that what was seen excludes, and those that are less sure than others, behind those
 * that are left, which alone count then. */
void nginxplaces_exclude(struct nginx_places *places, const struct finding *f);

#endif
