/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of nginx's configuration may leave it, in findings, patches and recordings: only what a TLS
 * finding needs. Headers, passwords, the arguments of URLs, comments and whatever else there is stay
 * where they are. Pure.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_REDACT_H
#define TLSFAIL_PROGRAM_NGINX_REDACT_H

#include <stdbool.h>
#include <stddef.h>

/* May these whole lines be shown? Every directive in them has to be one that is known to hold nothing
 * that is nobody's business, written in a way that needs no guessing. */
bool nginxredact_may_show(const char *lines, size_t len);

/* How much of the arguments of the directive of that name may be shown: up to what may be secret in
 * them. */
size_t nginxredact_shown(const char *name, const char *arguments, size_t len);

#endif
