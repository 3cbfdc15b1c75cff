/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the places that a connection can have come from say about it. Pure.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_OBSERVE_H
#define TLSFAIL_PROGRAM_NGINX_OBSERVE_H

#include "program/nginx/place.h"
#include "program/program.h"

/* Excludes places, and fills in the facts on which all that are left agree. */
void nginxplaces_observe(const struct finding *f, struct nginx_places *places,
			 struct program_facts *facts);

#endif
