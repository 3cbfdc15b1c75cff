/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The option table, in groups: each stands in a file of its own with what its options do. The parser
 * (options.c), the help and the completion of the shells go by it and know no option.
 */
#ifndef TLSFAIL_COMMAND_OPTION_ROWS_H
#define TLSFAIL_COMMAND_OPTION_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "command/options.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Commands that take an option, and what else is to know about it, in one mask. */
#define ANY	     ((1U << 24) - 1)
#define TARGETS	     (COMMAND_TRACE | COMMAND_TOP | COMMAND_DOCTOR)
#define TRACING	     (COMMAND_TRACE | COMMAND_TOP)
#define OUTPUTS	     (COMMAND_TRACE | COMMAND_REPLAY)
#define LIVE	     (1U << 31) /* taken from the configuration file anew on SIGHUP */
#define TARGET	     (1U << 30) /* those of the command line replace those of the file */
#define COMMAND_LINE (1U << 29) /* cannot stand in the configuration file */

struct option_row {
	const char *name;
	char letter;	      /* 0: none */
	const char *argument; /* its name; or its values, "a|b|c"; NULL: it takes none */
	unsigned int commands;
	const char *help;
	/* 0, or EXIT_USAGE after a line on stderr */
	int (*set)(struct options *options, const char *value);
};

struct option_group {
	const struct option_row *rows;
	size_t count;
};

extern const struct option_group option_group_targets;
extern const struct option_group option_group_results;
extern const struct option_group option_group_trace;
extern const struct option_group option_group_probe;
extern const struct option_group option_group_ask;
extern const struct option_group option_group_common;

/* Row number i of all groups, in the order of the help; NULL behind the last one. */
const struct option_row *option_row_at(size_t i);

/* What values are made of. All return 0, or EXIT_USAGE after a line on stderr. */

/* A positive decimal number that fits. */
int option_number(const char *option, const char *value, uint64_t max, uint64_t *number);

/* A time, such as "90s", "10m", "1h30m" or "30d"; a number without a unit is in the one given. */
int option_duration(const char *option, const char *value, char unit, uint64_t max_s,
		    uint64_t *seconds);

#endif
