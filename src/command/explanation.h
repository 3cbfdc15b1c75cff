/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The explanation of a line, as text and as JSON.
 */
#ifndef TLSFAIL_COMMAND_EXPLANATION_H
#define TLSFAIL_COMMAND_EXPLANATION_H

#include "base/json.h"
#include "base/text.h"
#include "program/nginx/loglines.h"
#include "program/nginx/place.h"

struct explanation {
	const struct logline *line;
	const char *peer;		   /* address and port of the upstream, "" none */
	const struct nginx_places *places; /* that the line can be about, or NULL */
	int columns;
	bool color;
};

/* A few words for the line: nginx's sentence, and the alert or error in it. */
void explanation_title(const struct logline *line, struct text *t);

void explanation_text(const struct explanation *e, struct text *t);

/* Members of an object that the caller has begun. */
void explanation_json(const struct explanation *e, struct jsonout *j);

/* "2026-11-21 18:00:00", by the clock on nginx's wall. */
void explanation_time(struct text *t, int64_t seconds);

#endif
