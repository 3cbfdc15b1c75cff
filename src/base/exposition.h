/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two text formats that Prometheus reads: OpenMetrics 1.0.0, and the older text format 0.0.4,
 * which node_exporter's textfile collector wants. Pure: it knows how metrics are written, not which
 * there are.
 */
#ifndef TLSFAIL_BASE_EXPOSITION_H
#define TLSFAIL_BASE_EXPOSITION_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum exposition_format {
	EXPOSITION_TEXT,
	EXPOSITION_OPENMETRICS,
};

enum exposition_type {
	EXPOSITION_COUNTER,
	EXPOSITION_GAUGE,
	EXPOSITION_HISTOGRAM,
	EXPOSITION_INFO,
	EXPOSITION_UNKNOWN, /* a counter whose name has no _total */
};

/* A list of labels ends with a NULL name; a label whose value is NULL is left out. */
struct exposition_label {
	const char *name;
	const char *value; /* any bytes; escaped */
};

struct exposition {
	struct text *text;
	enum exposition_format format;
	enum exposition_type type; /* of the family that is being written */
	const char *family;
};

/* The format that an HTTP Accept header (NULL: there is none) asks for. */
enum exposition_format exposition_negotiate(const char *accept);

/* As in the HTTP header Content-Type. */
const char *exposition_content_type(enum exposition_format format);

/* Begins a page. */
void exposition_begin(struct exposition *e, enum exposition_format format, struct text *text);

/*
 * Begins a family, whose samples follow. The name is without _total and _info, which the samples
 * get; it ends with the unit, unless that is NULL. help is one sentence.
 */
void exposition_family(struct exposition *e, enum exposition_type type, const char *name,
		       const char *unit, const char *help);

/* A sample of a counter, a gauge or an info. labels may be NULL. */
void exposition_integer(struct exposition *e, const struct exposition_label *labels,
			uint64_t value);
void exposition_decimal(struct exposition *e, const struct exposition_label *labels, double value);

/* The one histogram of a family: count[i] observations above bounds[i - 1] and up to bounds[i],
 * count[bound_count] above all bounds, and the sum of what was observed. */
void exposition_histogram(struct exposition *e, const double *bounds, const uint64_t *count,
			  size_t bound_count, double sum);

/* Ends the page. */
void exposition_end(struct exposition *e);

#endif
