/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command `lint`: rules for a configuration of nginx.
 */
#ifndef TLSFAIL_COMMAND_LINT_H
#define TLSFAIL_COMMAND_LINT_H

#include "command/options.h"

#define EXIT_FINDINGS	1
#define EXIT_UNREADABLE 3

int lint_command_run(const struct options *options);

#endif
