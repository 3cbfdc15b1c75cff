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

/* Begins to listen for --metrics: *fd is the caller's to exporter_unlisten(), -1 without that option. A
 * negative errno after one line on stderr. */
int exporter_listen(const struct options *options, int *fd);
void exporter_unlisten(const struct options *options, int fd);

/* Opens what the options ask for, to be served on the socket listening unless that is -1; *out is NULL when
 * that is nothing, else the caller's to exporter_close(). estate: as for metrics_new(). A negative errno after one
 * line on stderr. */
int exporter_open(const struct options *options, int listening, struct estate *estate,
		  struct exporter **out);
void exporter_close(struct exporter *e);

/* Where to count; NULL without an exporter. */
struct metrics *exporter_metrics(struct exporter *e);

/* Shows the counts as they are now, with those of the outputs and with how things are now, of which
 * host has what this does not find out itself (outputs, time; the process, unless host knows that). Never waits for a reader. */
void exporter_publish(struct exporter *e, struct outputs *outputs, struct metrics_host *host);

#endif
