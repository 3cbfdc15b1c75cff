/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks at processes, as jobs for a worker: their executables and libraries may be on file systems
 * that do not answer, or made to cost.
 */
#ifndef TLSFAIL_KERNEL_LOOK_H
#define TLSFAIL_KERNEL_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/attach.h"
#include "system/worker.h"
#include "target/target.h"

/* Of one process: is it selected, and where is its TLS library? */
struct look {
	struct worker_job job; /* its tag is the pid */
	const struct target_set *set;
	bool any_user;	 /* also programs that root had no say in */
	uint64_t before; /* its code when it was looked at last, 0: it was not */

	/* of looking at it; -ESRCH: it is gone, or is not selected; -EALREADY: its code is the same */
	int err;
	uint64_t signature; /* of its code, see target_code_signature() */
	bool trusted;
	uint64_t started; /* ticks, see procfs_started() */
	struct target_process process;
	struct target_tls tls; /* nothing when it is not trusted */
	struct library_plan plan;
};

/* set must outlive it. NULL: out of memory. */
struct look *look_new(const struct target_set *set, uint32_t pid, bool any_user, uint64_t before);
void look_free(struct look *look);

/* An executable that does not run yet: can it have a TLS library at all? 0, or a negative errno; error
 * gets a sentence when it cannot. */
int look_at_exe(const char *path, struct text *error);

/* Of all processes that are selected: which executables do they run, which libraries do they map? */
struct sweep {
	struct worker_job job; /* its tag is 0 */
	const struct target_set *set;
	uint64_t number; /* the caller's */
	size_t exe_count;
	size_t library_count;
	struct sweep_item {
		struct target_file file;
		bool ssl; /* of a library, see struct library_use */
		bool used;
		uint32_t pid; /* by that one */
		uint64_t started;
	} items[]; /* the executables, then the libraries */
};

struct sweep *sweep_new(const struct target_set *set, size_t exe_count, size_t library_count);
void sweep_free(struct sweep *sweep);

/* Does it do TLS, in a way that shows on the wire alone? */
bool look_is_wired(const struct look *look);

#endif
