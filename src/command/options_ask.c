// SPDX-License-Identifier: BSD-2-Clause
/*
 * Options: of explain and lint, which ask files and nobody else.
 */
#include "command/option_rows.h"

#include <string.h>

#include "system/log.h"

static int set_conf(struct options *o, const char *value)
{
	o->ask.conf = value;
	return 0;
}

static int set_log(struct options *o, const char *value)
{
	o->ask.log = value;
	return 0;
}

static int set_report(struct options *o, const char *value)
{
	static const char *const names[] = {
		[REPORT_TEXT] = "text",
		[REPORT_JSON] = "json",
		[REPORT_SARIF] = "sarif",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		o->ask.format = (enum report_format)i;
		if (!strcmp(names[i], value) && (i != REPORT_SARIF || o->command == COMMAND_LINT))
			return 0;
	}
	log_line("--format takes text%s, not '%s'",
		 o->command == COMMAND_LINT ? ", json or sarif" : " or json", value);
	return EXIT_USAGE;
}

#define EXPLAIN (COMMAND_EXPLAIN | COMMAND_LINE)

static const struct option_row rows[] = {
	{ "conf", 'c', "FILE", EXPLAIN, "nginx.conf, to say which place a line is about",
	  set_conf },
	{ "log", 0, "LINE", COMMAND_CAUSES | COMMAND_LINE,
	  "the causes that a line of error.log can have", set_log },
	{ "format", 'f', "text|json", EXPLAIN, "of what is printed", set_report },
};

const struct option_group option_group_ask = { rows, ARRAY_LEN(rows) };
