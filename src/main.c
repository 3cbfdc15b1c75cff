// SPDX-License-Identifier: BSD-2-Clause
/*
 * The front door: finds the command, and runs it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "command/commands.h"
#include "command/help.h"
#include "command/options.h"
#include "command/printed.h"

static int print_version(void)
{
	puts("tlsfail " TLSFAIL_VERSION);
	return printed() ? EXIT_SUCCESS : EXIT_CANNOT;
}

int main(int argc, char **argv)
{
	const struct command_row *row = &command_table[0];
	bool named = argc > 1 && argv[1][0] != '-';
	struct options options;
	int err;

	if (named) {
		row = command_find(argv[1]);
		if (!row)
			return EXIT_USAGE;
		argc--;
		argv++;
	}
	err = options_parse(row->command, argc, argv, &options);
	if (!err && options.help)
		err = help_print(named ? row : NULL);
	else if (!err && options.version)
		err = print_version();
	else if (!err)
		err = row->run(&options);
	options_release(&options);
	return err;
}
