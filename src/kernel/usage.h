/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which files are used by which processes: executables that are targets, and files of libraries that
 * uprobes are attached to. What is not used any more is to be let go.
 */
#ifndef TLSFAIL_KERNEL_USAGE_H
#define TLSFAIL_KERNEL_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "target/target.h"

/* A process; its number alone may mean another one later. */
struct usage_process {
	uint32_t pid;
	uint64_t started; /* ticks, see procfs_started() */
};

bool usage_is_gone(const struct usage_process *process);

/* Each once, in no order. Begins as all zero. Without room or memory one is not noted. */
struct usage_processes {
	struct usage_process *items;
	size_t count;
};

void usage_processes_note(struct usage_processes *all, const struct usage_process *process);
void usage_processes_drop_gone(struct usage_processes *all);
void usage_processes_free(struct usage_processes *all);

/* Is a process of that number, and has not ended? */
bool usage_processes_have(const struct usage_processes *all, uint32_t pid);

struct usage_file {
	struct target_file file;
	bool ssl;		 /* of a library, see struct library_use */
	bool fixed;		 /* stays, used or not */
	struct usage_process by; /* one that uses it */
	uint64_t change;	 /* the owner's: when it was noted last */
};

/* Begins as all zero. */
struct usage {
	struct usage_file *items;
	size_t count;
};

/* NULL: it is not there. */
struct usage_file *usage_find(const struct usage *usage, const struct target_file *file, bool ssl);

/* The same, added when it is not there. NULL: out of memory. */
struct usage_file *usage_note(struct usage *usage, const struct target_file *file, bool ssl);

/* Takes out one that is there. */
void usage_drop(struct usage *usage, struct usage_file *item);

/* Has one of the processes ended that the files are noted for? Others may use them. */
bool usage_may_be_over(const struct usage *usage);

void usage_free(struct usage *usage);

#endif
