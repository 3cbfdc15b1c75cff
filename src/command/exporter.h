/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The metrics of a running tracer as a whole: the counts, and the ways out that were asked for.
 */
#ifndef TLSFAIL_COMMAND_EXPORTER_H
#define TLSFAIL_COMMAND_EXPORTER_H

#include "metrics/metrics.h"
#include "command/options.h"

struct exporter;

/* What tlsfail's findings can name. */
extern const struct metrics_names exporter_names;

/* Opens what the options ask for; *out is NULL when that is nothing, else the caller's to
 * exporter_close(). A negative errno after one line on stderr. */
int exporter_open(const struct options *options, struct exporter **out);
void exporter_close(struct exporter *e);

/* Where to count; NULL without an exporter. */
struct metrics *exporter_metrics(struct exporter *e);

/* Shows the counts as they are now, with those of the outputs and with how things are now, of which
 * host has what this does not find out itself (outputs, time, process). Never waits for a reader. */
void exporter_publish(struct exporter *e, struct outputs *outputs, struct metrics_host *host);

#endif
