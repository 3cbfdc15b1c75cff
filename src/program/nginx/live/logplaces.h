/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which files --error-log stands for: those that were named, and those that nginx's configuration
 * names.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_LIVE_LOGPLACES_H
#define TLSFAIL_PROGRAM_NGINX_LIVE_LOGPLACES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

#define LOGPLACES_MAX 64

/* Stands for every file of an error_log directive. */
#define LOGPLACES_AUTO "auto"

struct logplaces {
	size_t count;
	char *paths[LOGPLACES_MAX]; /* as they can be opened here; each once */
};

/*
 * Fills *places from names, where LOGPLACES_AUTO stands for what the configurations of the nginx that
 * are traced now name. What is no regular file there (stderr, syslog, /dev/null) is
 * left out. When a configuration cannot be read, or none names a file, problem gets a sentence, and
 * the rest is filled in. Returns -ENOMEM on failure. *places is to be cleared even then.
 */
int logplaces_find(const char *const *names, size_t count, struct logplaces *places,
		   struct text *problem);

/* Is the path among them? */
bool logplaces_have(const struct logplaces *places, const char *path);

/* Frees what it holds and makes it empty. */
void logplaces_clear(struct logplaces *places);

#endif
