/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tlsfail replay: a recording through the pipeline.
 */
#ifndef TLSFAIL_COMMAND_REPLAY_H
#define TLSFAIL_COMMAND_REPLAY_H

struct options;

/* Returns the exit status. */
int replay_run(const struct options *options);

#endif
