/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command `help`, and --help.
 */
#ifndef TLSFAIL_COMMAND_HELP_H
#define TLSFAIL_COMMAND_HELP_H

#include "command/commands.h"

int help_run(const struct options *options);

/* Prints the help of one command, or, with NULL, the list of commands. Returns an exit status. */
int help_print(const struct command_row *command);

#endif
