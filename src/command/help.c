// SPDX-License-Identifier: BSD-2-Clause
/*
 * The help: a list of the commands, and a page for each with its own options only.
 */
#include "command/help.h"

#include <stdio.h>
#include <stdlib.h>

#include "command/option_rows.h"
#include "command/printed.h"
#include "output/sink.h"
#include "system/terminal.h"

#define HELP_SIZE 16384

static void help_overview(struct text *t)
{
	text_add(t, "tlsfail: find out why TLS handshakes of nginx fail\n"
		    "\n"
		    "usage: tlsfail [COMMAND] [OPTIONS]\n"
		    "\n"
		    "Commands:\n");
	for (const struct command_row *row = command_table; row->name; row++) {
		char left[64];
		struct text l;

		text_init(&l, left, sizeof(left));
		text_addf(&l, "%s%s", row->name, row->arguments);
		text_addf(t, "  %-26s %s\n", left, row->help);
	}
	text_add(t, "\ntlsfail COMMAND --help shows a command's options. See also: man tlsfail\n");
}

static void help_command(const struct command_row *row, struct text *t)
{
	text_addf(t, "usage: tlsfail %s [OPTIONS]%s\n\n%s\n\nOptions:\n", row->name, row->arguments,
		  row->help);
	options_help(row->command, terminal_columns(fileno(stdout)), t);
	if (row->command & OUTPUTS) {
		text_add(t, "\nSinks:\n");
		sink_help(t);
	}
	if (*row->about)
		text_addf(t, "\n%s", row->about);
}

int help_print(const struct command_row *command)
{
	char buf[HELP_SIZE];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	if (command)
		help_command(command, &t);
	else
		help_overview(&t);
	fputs(buf, stdout);
	return printed() ? EXIT_SUCCESS : EXIT_CANNOT;
}

int help_run(const struct options *options)
{
	const struct command_row *row = NULL;

	if (options->argument) {
		row = command_find(options->argument);
		if (!row)
			return EXIT_USAGE;
	}
	return help_print(row);
}
