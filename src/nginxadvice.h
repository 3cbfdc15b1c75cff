/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a cause and the places in nginx's configuration where it can be met, to what to change
 * there: a table of what directive takes what value, keyed by the cause. Pure.
 *
 * Nothing here makes TLS weaker unless that is the only way, and then the words say so.
 */
#ifndef TLSFAIL_NGINXADVICE_H
#define TLSFAIL_NGINXADVICE_H

#include "finding.h"
#include "nginxplace.h"

/* Fills in f->config, and makes f->hint, which is that of the cause, concrete. The rest of the
 * finding is complete. */
void nginxadvice_fill(struct finding *f, const struct nginx_places *places);

/* The slugs of the table, by index; NULL behind the last one. */
const char *nginxadvice_slug(size_t index);

#endif
