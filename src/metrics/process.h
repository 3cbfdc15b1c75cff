/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this process takes, for the metrics.
 */
#ifndef TLSFAIL_METRICS_PROCESS_H
#define TLSFAIL_METRICS_PROCESS_H

#include "metrics/host.h"

/* Reads it; known is false when /proc does not tell. */
void metrics_process_read(struct metrics_process *process);

#endif
