/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `tlsfail top`: a live view.
 */
#ifndef TLSFAIL_COMMAND_TOP_H
#define TLSFAIL_COMMAND_TOP_H

#include "command/options.h"

/* Shows it until it is quit. Returns an exit status. */
int top_run(const struct options *options);

#endif
