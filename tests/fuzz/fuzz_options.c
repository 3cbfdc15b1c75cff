// SPDX-License-Identifier: BSD-2-Clause
/*
 * A command line as anybody may type it. Input: one argument a line; the first byte chooses the verb.
 * Arguments with a slash are left out: which files there are is not to decide what is found.
 */
#include <stdlib.h>
#include <string.h>

#include "command/options.h"
#include "fuzz.h"

#define ARGUMENTS_MAX 32

static const enum command commands[] = {
	COMMAND_TRACE,	 COMMAND_REPLAY, COMMAND_CAUSES, COMMAND_DOCTOR,
	COMMAND_EXPLAIN, COMMAND_LINT,	 COMMAND_PROBE,	 COMMAND_HELP,
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char verb[] = "verb";
	char *argv[ARGUMENTS_MAX + 1] = { verb };
	struct options options;
	int argc = 1;
	char *line;
	char *rest;
	int ret;

	if (size == 0)
		return 0;
	rest = strndup((const char *)data + 1, size - 1);
	line = rest;
	if (!rest)
		abort();
	for (char *at = rest; at && argc < ARGUMENTS_MAX;) {
		line = strsep(&at, "\n");
		if (!strchr(line, '/'))
			argv[argc++] = line;
	}
	ret = options_parse(commands[data[0] % COMMAND_COUNT], argc, argv, &options);
	FUZZ_ASSERT(ret == 0 || ret == EXIT_USAGE);
	options_release(&options);
	free(rest);
	return 0;
}
