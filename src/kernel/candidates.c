// SPDX-License-Identifier: BSD-2-Clause
/*
 * Nothing here touches a file that is not the kernel's.
 */
#define _GNU_SOURCE /* reallocarray() */
#include "kernel/candidates.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

static int add(struct candidates *c, size_t *size, uint32_t pid)
{
	uint32_t *grown;

	if (c->count == *size) {
		*size = *size ? 2 * *size : 256;
		grown = reallocarray(c->items, *size, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		c->items = grown;
	}
	c->items[c->count++] = pid;
	return 0;
}

/* A master is older than its workers. */
static void oldest_last(struct candidates *c)
{
	for (size_t i = 0; i < c->count / 2; i++) {
		uint32_t *other = &c->items[c->count - 1 - i], pid = *other;

		*other = c->items[i];
		c->items[i] = pid;
	}
}

int candidates_find(struct candidates *c, const struct target_set *set,
		    const struct usage_processes *traced)
{
	struct dirent *entry;
	size_t size = 0;
	int err = 0;
	DIR *proc;

	proc = opendir("/proc");
	if (!proc)
		return -errno;
	candidates_free(c);
	while (!err && (entry = readdir(proc))) {
		uint32_t pid;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		pid = (uint32_t)strtoul(entry->d_name, NULL, 10);
		if (target_may_match(set, (pid_t)pid) && !usage_processes_have(traced, pid))
			err = add(c, &size, pid);
	}
	closedir(proc);
	oldest_last(c);
	return err;
}

void candidates_free(struct candidates *c)
{
	free(c->items);
	*c = (struct candidates){ 0 };
}
