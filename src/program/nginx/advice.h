/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a cause and the places in nginx's configuration where it can be met, to what to change
 * there, in words and as a diff; the table is in fixes.h. Pure.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_ADVICE_H
#define TLSFAIL_PROGRAM_NGINX_ADVICE_H

#include "finding/finding.h"
#include "program/nginx/place.h"

/* Fills in f->config, and makes f->hint, which is that of the cause, concrete. The rest of the
 * finding is complete. */
void nginxadvice_fill(struct finding *f, struct nginx_places *places);

#endif
