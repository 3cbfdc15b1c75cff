/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the command line to what is traced: --exe, --pid, --comm, or every nginx.
 */
#ifndef TLSFAIL_COMMAND_SELECTION_H
#define TLSFAIL_COMMAND_SELECTION_H

#include "command/options.h"
#include "target/target.h"

/* The file name of what is traced when nothing was selected. */
#define SELECTION_DEFAULT_NAME "nginx"

/* Fills set, which the caller clears even after a failure: then a negative errno, after one line
 * on stderr. */
int selection_make(const struct options *options, struct target_set *set);

/* Says on stderr whether the options and their configuration file are valid. 0, or a negative errno. */
int selection_check(const struct options *options);

#endif
