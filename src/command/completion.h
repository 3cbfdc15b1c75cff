/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command `completion`.
 */
#ifndef TLSFAIL_COMMAND_COMPLETION_H
#define TLSFAIL_COMMAND_COMPLETION_H

#include "command/options.h"

int completion_run(const struct options *options);

#endif
