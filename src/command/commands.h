/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands: one row each, for the front door, the help and the completion of the shells.
 */
#ifndef TLSFAIL_COMMAND_COMMANDS_H
#define TLSFAIL_COMMAND_COMMANDS_H

#include <stddef.h>

#include "command/options.h"

struct command_row {
	const char *name;
	enum command command;
	const char *arguments; /* as the help shows them */
	size_t arguments_max;
	const char *help;  /* one line */
	const char *about; /* more of it, in lines that are already broken; or "" */
	int (*run)(const struct options *options);
};

/* The first row is what runs without a name; one without a name ends the table. */
extern const struct command_row command_table[];

const struct command_row *command_of(enum command command);

/* Such as "trace". */
const char *command_name(enum command command);

/* The row of that name; NULL, after a line on stderr, when there is none. */
const struct command_row *command_find(const char *name);

#endif
