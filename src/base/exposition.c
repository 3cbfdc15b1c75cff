// SPDX-License-Identifier: BSD-2-Clause
/*
 * https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md and
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
#include "base/exposition.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const type_names[] = {
	[EXPOSITION_COUNTER] = "counter",     [EXPOSITION_GAUGE] = "gauge",
	[EXPOSITION_HISTOGRAM] = "histogram", [EXPOSITION_INFO] = "info",
	[EXPOSITION_UNKNOWN] = "unknown",
};

static const char *const suffixes[] = {
	[EXPOSITION_COUNTER] = "_total", [EXPOSITION_GAUGE] = "",   [EXPOSITION_HISTOGRAM] = "",
	[EXPOSITION_INFO] = "_info",	 [EXPOSITION_UNKNOWN] = "",
};

/* -- which format ----------------------------------------------------------------------------- */

#define MEDIA_OPENMETRICS "application/openmetrics-text"

/* The quality of a media range of len bytes, 0 to 1 (RFC 9110, section 12.4.2): 1 when it does not
 * say. */
static double range_quality(const char *range, size_t len)
{
	for (size_t i = 0; i + 2 < len; i++) {
		if (range[i] != ';')
			continue;
		while (i + 1 < len && (range[i + 1] == ' ' || range[i + 1] == '\t'))
			i++;
		if (i + 2 < len && (range[i + 1] == 'q' || range[i + 1] == 'Q') &&
		    range[i + 2] == '=')
			return strtod(range + i + 3, NULL);
	}
	return 1;
}

/* Is the range, of len bytes, that media type, whatever its parameters? */
static bool range_is(const char *range, size_t len, const char *media)
{
	size_t name = strcspn(range, "; \t,");

	return name == strlen(media) && name <= len && !strncasecmp(range, media, name);
}

enum exposition_format exposition_negotiate(const char *accept)
{
	double openmetrics = 0, text = 0;

	while (accept && *accept) {
		size_t skip = strspn(accept, ", \t"), len = strcspn(accept + skip, ",");
		double quality;

		accept += skip;
		quality = range_quality(accept, len);
		if (range_is(accept, len, MEDIA_OPENMETRICS) && quality > openmetrics)
			openmetrics = quality;
		else if (range_is(accept, len, "text/plain") && quality > text)
			text = quality;
		accept += len;
	}
	return openmetrics > 0 && openmetrics >= text ? EXPOSITION_OPENMETRICS : EXPOSITION_TEXT;
}

const char *exposition_content_type(enum exposition_format format)
{
	return format == EXPOSITION_OPENMETRICS ? MEDIA_OPENMETRICS "; version=1.0.0; charset=utf-8"
						: "text/plain; version=0.0.4; charset=utf-8";
}

/* -- the page --------------------------------------------------------------------------------- */

void exposition_begin(struct exposition *e, enum exposition_format format, struct text *text)
{
	*e = (struct exposition){ .text = text, .format = format };
}

void exposition_family(struct exposition *e, enum exposition_type type, const char *name,
		       const char *unit, const char *help)
{
	bool openmetrics = e->format == EXPOSITION_OPENMETRICS;
	/* The older format calls a family by the name of its samples, and has other words. */
	const char *suffix = openmetrics ? "" : suffixes[type];
	const char *words = type_names[type];

	if (!openmetrics && type == EXPOSITION_INFO)
		words = "gauge";
	if (!openmetrics && type == EXPOSITION_UNKNOWN)
		words = "untyped";

	e->type = type;
	e->family = name;
	text_addf(e->text, "# HELP %s%s %s\n", name, suffix, help);
	text_addf(e->text, "# TYPE %s%s %s\n", name, suffix, words);
	if (openmetrics && unit)
		text_addf(e->text, "# UNIT %s %s\n", name, unit);
}

static void label_add(struct exposition *e, const char *name, const char *value)
{
	text_addf(e->text, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\n')
			text_add(e->text, "\\n");
		else if (*value == '"' || *value == '\\')
			text_addf(e->text, "\\%c", *value);
		else
			text_addf(e->text, "%c", *value);
	}
	text_add(e->text, "\"");
}

/* Name and labels of a sample, up to its value. */
static void sample_begin(struct exposition *e, const struct exposition_label *labels)
{
	const char *separator = "{";

	text_addf(e->text, "%s%s", e->family, suffixes[e->type]);
	for (; labels && labels->name; labels++) {
		if (!labels->value)
			continue;
		text_add(e->text, separator);
		label_add(e, labels->name, labels->value);
		separator = ",";
	}
	text_add(e->text, *separator == ',' ? "} " : " ");
}

/* 15 digits: a time in seconds keeps its microseconds, and 0.1 stays 0.1. */
#define DECIMAL "%.15g"

void exposition_integer(struct exposition *e, const struct exposition_label *labels, uint64_t value)
{
	sample_begin(e, labels);
	text_addf(e->text, "%" PRIu64 "\n", value);
}

void exposition_decimal(struct exposition *e, const struct exposition_label *labels, double value)
{
	sample_begin(e, labels);
	text_addf(e->text, DECIMAL "\n", value);
}

void exposition_histogram(struct exposition *e, const double *bounds, const uint64_t *count,
			  size_t bound_count, double sum)
{
	uint64_t so_far = 0;

	for (size_t i = 0; i < bound_count; i++) {
		so_far += count[i];
		text_addf(e->text, "%s_bucket{le=\"" DECIMAL "\"} %" PRIu64 "\n", e->family,
			  bounds[i], so_far);
	}
	so_far += count[bound_count];
	text_addf(e->text, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", e->family, so_far);
	text_addf(e->text, "%s_sum " DECIMAL "\n", e->family, sum);
	text_addf(e->text, "%s_count %" PRIu64 "\n", e->family, so_far);
}

void exposition_end(struct exposition *e)
{
	if (e->format == EXPOSITION_OPENMETRICS)
		text_add(e->text, "# EOF\n");
}
