/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a cause and the places in nginx's configuration where it can be met, to what to change
 * there, in words and as a diff; the table is in nginxfixes.h. Pure.
 */
#ifndef TLSFAIL_NGINXADVICE_H
#define TLSFAIL_NGINXADVICE_H

#include "finding.h"
#include "nginxplace.h"

/* Fills in f->config, and makes f->hint, which is that of the cause, concrete. The rest of the
 * finding is complete. */
void nginxadvice_fill(struct finding *f, const struct nginx_places *places);

#endif
