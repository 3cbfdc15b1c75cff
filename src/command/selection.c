// SPDX-License-Identifier: BSD-2-Clause
/*
 * The selection options, as selectors; what is wrong with them is said here.
 */
#include "command/selection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "system/log.h"

/* A name without a '/' is looked for in PATH, and in the directories of daemons, which a user's PATH
 * has not. */
static int exe_add(struct target_set *set, const char *value)
{
	const char *path = getenv("PATH");
	char list[4096], file[4096], *rest = NULL;
	struct text t;
	int err = -ENOENT;

	if (strchr(value, '/'))
		return target_set_add_exe(set, value);
	text_init(&t, list, sizeof(list));
	text_addf(&t, "%s:/usr/local/sbin:/usr/sbin:/sbin", path ? path : "");
	for (char *dir = strtok_r(list, ":", &rest); dir && err == -ENOENT;
	     dir = strtok_r(NULL, ":", &rest)) {
		text_init(&t, file, sizeof(file));
		text_addf(&t, "%s/%s", dir, value);
		err = target_set_add_exe(set, file);
	}
	return err;
}

static int selection_add(struct target_set *set, enum option_target kind, const char *value)
{
	switch (kind) {
	case OPTION_TARGET_EXE:
		return exe_add(set, value);
	case OPTION_TARGET_PID:
		return target_set_add_pid(set, (pid_t)strtol(value, NULL, 10));
	case OPTION_TARGET_COMM:
		return target_set_add_comm(set, value);
	case OPTION_TARGET_DEFAULT:
		break;
	}
	return -EINVAL;
}

static const char *selection_error(int err)
{
	switch (err) {
	case -ENOEXEC:
		return "not an ELF executable";
	case -ENOTSUP:
		return "an executable for another architecture";
	case -ESRCH:
		return "there is no such process";
	}
	return strerror(-err);
}

int selection_make(const struct options *o, struct target_set *set)
{
	int err;

	if (o->target == OPTION_TARGET_DEFAULT)
		return target_set_add_name(set, SELECTION_DEFAULT_NAME);
	for (size_t i = 0; i < o->target_count; i++) {
		err = selection_add(set, o->target, o->targets[i]);
		if (err) {
			log_line("%s%s: %s", o->target == OPTION_TARGET_PID ? "--pid " : "",
				 o->targets[i], selection_error(err));
			return err;
		}
	}
	return 0;
}

int selection_check(const struct options *options)
{
	struct target_set targets = { 0 };
	int err = selection_make(options, &targets);

	target_set_clear(&targets);
	if (!err)
		log_line("%s: valid", options->config);
	return err;
}
