// SPDX-License-Identifier: BSD-2-Clause
/*
 * Options: which processes.
 */
#include "command/option_rows.h"

#include <string.h>

#include "system/log.h"
#include "tlsfail_abi.h"

static int set_target(struct options *o, enum option_target target, const char *value)
{
	if (o->target != OPTION_TARGET_DEFAULT && o->target != target) {
		log_line("--exe, --pid and --comm cannot be mixed; see tlsfail --help");
		return EXIT_USAGE;
	}
	if (o->target_count == OPTIONS_TARGETS_MAX) {
		log_line("more than %d targets; use --comm, or run a second tlsfail",
			 OPTIONS_TARGETS_MAX);
		return EXIT_USAGE;
	}
	o->target = target;
	o->targets[o->target_count++] = value;
	return 0;
}

static int set_exe(struct options *o, const char *value)
{
	return set_target(o, OPTION_TARGET_EXE, value);
}

static int set_pid(struct options *o, const char *value)
{
	uint64_t pid;
	/* include/linux/threads.h PID_MAX_LIMIT */
	int err = option_number("--pid", value, 4 * 1024 * 1024, &pid);

	return err ? err : set_target(o, OPTION_TARGET_PID, value);
}

static int set_comm(struct options *o, const char *value)
{
	if (o->target_count) {
		log_line("--comm can be given only once, and not with other targets");
		return EXIT_USAGE;
	}
	if (!*value || strlen(value) >= TLSFAIL_COMM_LEN) {
		log_line("--comm takes a name of 1 to %d bytes, not '%s'", TLSFAIL_COMM_LEN - 1,
			 value);
		return EXIT_USAGE;
	}
	return set_target(o, OPTION_TARGET_COMM, value);
}

static int set_all_users(struct options *o, const char *value)
{
	(void)value;
	o->all_users = true;
	return 0;
}

static int set_role(struct options *o, const char *value)
{
	if (!strcmp(value, "client"))
		o->pipeline.roles = PIPELINE_CLIENT;
	else if (!strcmp(value, "server"))
		o->pipeline.roles = PIPELINE_SERVER;
	else if (!strcmp(value, "both"))
		o->pipeline.roles = PIPELINE_CLIENT | PIPELINE_SERVER;
	else {
		log_line("--role takes client, server or both, not '%s'", value);
		return EXIT_USAGE;
	}
	return 0;
}

static const struct option_row rows[] = {
	{ "exe", 0, "PATH", TARGETS | TARGET,
	  "trace processes that run this executable; "
	  "repeatable",
	  set_exe },
	{ "pid", 'p', "PID", TARGETS | TARGET, "trace this process and its children; repeatable",
	  set_pid },
	{ "comm", 0, "NAME", TARGETS | TARGET, "trace processes with this command name", set_comm },
	{ "all-users", 0, NULL, TRACING, "also trace an nginx that root neither runs nor owns",
	  set_all_users },
	{ "role", 0, "client|server|both", OUTPUTS | COMMAND_TOP,
	  "role of the traced processes in the handshake; default both", set_role },
};

const struct option_group option_group_targets = { rows, ARRAY_LEN(rows) };
