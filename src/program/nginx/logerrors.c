// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the TLS library's part of a line means. The numbers of the libraries became neutral ones in
 * tls/library.h.
 */
#include "program/nginx/logtables.h"

const struct logline_detail *logline_detail_at(size_t i)
{
	static const struct logline_details *const tables[] = {
		&logline_alert_details,
		&logline_reason_details,
	};

	for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
		if (i < tables[t]->count)
			return &tables[t]->rows[i];
		i -= tables[t]->count;
	}
	return NULL;
}

const struct logline_detail *logline_detail(const struct logline *line, enum logline_side side)
{
	const struct logline_detail *d;

	for (size_t i = 0; (d = logline_detail_at(i)); i++) {
		if (d->kind == line->kind && (d->number == line->key || d->number == REST) &&
		    (!d->side || d->side == side))
			return d;
	}
	return NULL;
}
