/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of a record from raw bytes to a line of output: decode, correlate, diagnose, sink. The
 * tracer and replay feed the same pipeline, so that they cannot differ.
 */
#ifndef TLSFAIL_PIPELINE_H
#define TLSFAIL_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certwatch.h"
#include "sink.h"
#include "text.h"

struct pipeline;

/* Opens a pipeline into a sink of that type. *out is the caller's to pipeline_close(). */
int pipeline_open(const struct sink_type *type, const struct sink_options *options,
		  const struct certwatch_options *certs, struct pipeline **out);
void pipeline_close(struct pipeline *p);

/*
 * Takes one record of len bytes. Returns 0, or a negative errno: -EBADMSG, -EPROTONOSUPPORT or
 * -ENOMSG for a record that is none, and then problem says what is wrong with it; any other is
 * the sink's, which from then on gets nothing more: findings are only counted.
 */
int pipeline_feed(struct pipeline *p, const void *data, size_t len, struct text *problem);

/* Failures found so far, and those that the sink did not get. */
uint64_t pipeline_findings(const struct pipeline *p);
uint64_t pipeline_unwritten(const struct pipeline *p);

/* Writes the summary to stderr. */
void pipeline_summary(const struct pipeline *p);

#endif
