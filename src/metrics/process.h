/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this process takes, for the metrics.
 */
#ifndef TLSFAIL_METRICS_PROCESS_H
#define TLSFAIL_METRICS_PROCESS_H

#include "metrics/host.h"

/* Reads it; known is false when /proc does not tell. */
void metrics_process_read(struct metrics_process *process);

/* For a process that will not be able to look at itself: what metrics_process_add() takes, to be opened
 * before; or -1. */
int metrics_process_open(void);

/* Adds this process to what is known of another. */
void metrics_process_add(int stat, struct metrics_process *process);

#endif
