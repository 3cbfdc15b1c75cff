// SPDX-License-Identifier: BSD-2-Clause
/* Files and the processes that use them: see usage.h. There are some hundreds at most. */
#define _GNU_SOURCE /* reallocarray() */
#include "kernel/usage.h"

#include <stdlib.h>

#include "system/procfs.h"

#define PROCESSES_MAX 16384

bool usage_is_gone(const struct usage_process *process)
{
	uint64_t started;

	return procfs_started((pid_t)process->pid, &started) || started != process->started;
}

void usage_processes_note(struct usage_processes *all, const struct usage_process *process)
{
	struct usage_process *grown;

	for (size_t i = 0; i < all->count; i++)
		if (all->items[i].pid == process->pid) {
			all->items[i] = *process;
			return;
		}
	if (all->count == PROCESSES_MAX)
		return;
	grown = reallocarray(all->items, all->count + 1, sizeof(*grown));
	if (!grown)
		return;
	all->items = grown;
	grown[all->count++] = *process;
}

void usage_processes_drop_gone(struct usage_processes *all)
{
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++)
		if (!usage_is_gone(&all->items[i]))
			all->items[kept++] = all->items[i];
	all->count = kept;
}

void usage_processes_free(struct usage_processes *all)
{
	free(all->items);
	*all = (struct usage_processes){ 0 };
}

bool usage_processes_have(const struct usage_processes *all, uint32_t pid)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->items[i].pid == pid)
			return !usage_is_gone(&all->items[i]);
	return false;
}

struct usage_file *usage_find(const struct usage *usage, const struct target_file *file, bool ssl)
{
	for (size_t i = 0; i < usage->count; i++)
		if (usage->items[i].ssl == ssl && target_file_same(&usage->items[i].file, file))
			return &usage->items[i];
	return NULL;
}

struct usage_file *usage_note(struct usage *usage, const struct target_file *file, bool ssl)
{
	struct usage_file *item = usage_find(usage, file, ssl), *grown;

	if (item)
		return item;
	grown = reallocarray(usage->items, usage->count + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	usage->items = grown;
	item = &grown[usage->count++];
	*item = (struct usage_file){ .file = *file, .ssl = ssl };
	return item;
}

void usage_drop(struct usage *usage, struct usage_file *item)
{
	*item = usage->items[--usage->count];
}

bool usage_may_be_over(const struct usage *usage)
{
	for (size_t i = 0; i < usage->count; i++)
		if (!usage->items[i].fixed && usage_is_gone(&usage->items[i].by))
			return true;
	return false;
}

void usage_free(struct usage *usage)
{
	free(usage->items);
	*usage = (struct usage){ 0 };
}
