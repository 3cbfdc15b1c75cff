/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tlsfail trace: open, load, attach, arm; then records from the ring into the pipeline until the
 * end.
 */
#ifndef TLSFAIL_COMMAND_TRACE_H
#define TLSFAIL_COMMAND_TRACE_H

struct options;

/* Returns the exit status. */
int tracer_run(const struct options *options);

#endif
