// SPDX-License-Identifier: BSD-2-Clause
/*
 * The front door: a table of commands.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/doctor.h"
#include "command/causes.h"
#include "system/log.h"
#include "command/options.h"
#include "command/replay.h"
#include "command/trace.h"

struct command_row {
	const char *name;
	enum command command;
	const char *argument;
	const char *help;
	int (*run)(const struct options *options);
};

/* The first row is what runs without a name. */
static const struct command_row commands[] = {
	{ "trace", COMMAND_TRACE, "", "trace this host until interrupted (the default)",
	  tracer_run },
	{ "replay", COMMAND_REPLAY, " FILE", "diagnose a recording again; - is standard input",
	  replay_run },
	{ "doctor", COMMAND_DOCTOR, "", "what would work here, what would not, and what to do",
	  doctor_run },
	{ "causes", COMMAND_CAUSES, " [SLUG]", "list the causes, with evidence and fix",
	  listing_run },
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static int print_help(void)
{
	char buf[8192];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	text_add(&t, "tlsfail: why TLS handshakes of nginx with its upstreams fail\n\n"
		     "usage: tlsfail [COMMAND] [OPTIONS]\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const struct command_row *row = &commands[i];

		text_addf(&t, "\ntlsfail %s [OPTIONS]%s: %s\n", row->name, row->argument,
			  row->help);
		options_help(row->command, &t);
	}
	text_add(&t, "\nSinks:\n");
	sink_help(&t);
	text_add(
		&t,
		"\nOne of --exe, --pid and --comm; without them every nginx of this host is traced.\n"
		"Exit status: 0 done, 1 cannot work (one line says why), 2 usage,\n"
		"3 doctor: works, but not fully.\n"
		"More: man tlsfail\n");
	fputs(buf, stdout);
	return fflush(stdout) ? EXIT_CANNOT : EXIT_SUCCESS;
}

static int print_version(void)
{
	puts("tlsfail " TLSFAIL_VERSION);
	return fflush(stdout) ? EXIT_CANNOT : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const struct command_row *row = &commands[0];
	struct options options;
	int err;

	if (argc > 1 && argv[1][0] != '-') {
		row = NULL;
		for (size_t i = 0; i < COMMAND_COUNT; i++)
			if (!strcmp(commands[i].name, argv[1]))
				row = &commands[i];
		if (!row) {
			log_line("unknown command '%s'; see tlsfail --help", argv[1]);
			return EXIT_USAGE;
		}
		argc--;
		argv++;
	}
	err = options_parse(row->command, argc, argv, &options);
	if (!err && options.help)
		err = print_help();
	else if (!err && options.version)
		err = print_version();
	else if (!err)
		err = row->run(&options);
	options_release(&options);
	return err;
}
