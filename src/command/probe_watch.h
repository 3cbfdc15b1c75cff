/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What probes have found out so far: what has changed goes to the sinks, how it stands to the metrics.
 */
#ifndef TLSFAIL_COMMAND_PROBE_WATCH_H
#define TLSFAIL_COMMAND_PROBE_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "command/probe_targets.h"
#include "probe/vary.h"

struct probe_watch;
struct outputs;

/* The targets have to outlive *out, which is the caller's to probe_watch_close(). metrics_file and
 * outputs may be NULL; listening is a socket where the metrics are served, or -1. Of the certificates that
 * an earlier run has written to the file, the end is kept. A negative errno. */
int probe_watch_open(const struct probe_targets *targets, const char *metrics_file, int listening,
		     struct outputs *outputs, struct probe_watch **out);
void probe_watch_close(struct probe_watch *w);

/* Takes what came of a target; verdict NULL: it was not tried. True: it is the first time, or it is not
 * as it was. */
bool probe_watch_take(struct probe_watch *w, size_t index, const struct verdict *verdict);

/* A round is over: writes the metrics. That it cannot is told on stderr, once. */
void probe_watch_round(struct probe_watch *w);

#endif
