// SPDX-License-Identifier: BSD-2-Clause
/* What a worker does for discovery: see look.h. Nothing here is shared with another thread. */
#include "kernel/look.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "system/elf.h"
#include "system/procfs.h"
#include "system/regular.h"
#include "target/stack.h"

/* -- one process ------------------------------------------------------------------------------- */

static int process_examine(struct look *look)
{
	pid_t pid = (pid_t)look->job.tag;
	int err;

	if (target_code_signature(pid, &look->signature) == 0 && look->before &&
	    look->signature == look->before)
		return -EALREADY;
	err = procfs_started(pid, &look->started);
	if (!err)
		err = target_process_read(pid, &look->process);
	/* What may not be looked at is selected only if its name says so. */
	if (!target_matches(look->set, &look->process))
		return -ESRCH;
	if (err)
		return err;
	look->trusted = look->any_user || target_is_trusted(&look->process);
	if (!look->trusted)
		return 0;
	err = target_tls_find(&look->process, &look->tls);
	if (!err && look->tls.outcome == TARGET_TLS_FOUND)
		err = library_examine(&look->tls, &look->plan);
	return err;
}

static void look_run(struct worker_job *job)
{
	struct look *look = (struct look *)job;

	look->err = process_examine(look);
}

static void look_drop(struct worker_job *job)
{
	look_free((struct look *)job);
}

struct look *look_new(const struct target_set *set, uint32_t pid, bool any_user, uint64_t before)
{
	struct look *look = calloc(1, sizeof(*look));

	if (!look)
		return NULL;
	look->job = (struct worker_job){ .run = look_run, .drop = look_drop, .tag = pid };
	look->set = set;
	look->any_user = any_user;
	look->before = before;
	look->tls.ssl.fd = -1;
	look->tls.crypto.fd = -1;
	return look;
}

void look_free(struct look *look)
{
	if (!look)
		return;
	target_tls_close(&look->tls);
	free(look);
}

bool look_is_wired(const struct look *look)
{
	switch (look->tls.outcome) {
	case TARGET_TLS_NO_SYMBOL:
	case TARGET_TLS_STRIPPED:
	case TARGET_TLS_FOREIGN:
		return true;
	case TARGET_TLS_NONE:
		return look->tls.stack[0];
	default:
		return false;
	}
}

/* -- an executable ------------------------------------------------------------------------------ */

/* Says why nothing of the executable can be traced, if that is so. */
static bool exe_is_closed(struct elf_file *elf, const char *path, struct text *error)
{
	char name[64];
	uint64_t offset;
	bool linked_in;

	if (!elf_file_function(elf, "SSL_do_handshake", &offset) ||
	    elf_file_dynamic_string(elf, DT_NEEDED, 0, name, sizeof(name)))
		return false;
	if (!stack_of_executable(elf, name, sizeof(name), &linked_in))
		text_addf(error,
			  "%s is linked statically and has no symbol SSL_do_handshake: either it "
			  "does not use TLS, or its symbols were stripped; use a build with "
			  "symbols, or one linked with libssl.so",
			  path);
	else if (linked_in)
		text_addf(error,
			  "%s has %s linked in with its symbols stripped: use a build with "
			  "symbols, or one linked with libssl.so",
			  path, name);
	else
		text_addf(error,
			  "%s uses %s for TLS, which tlsfail cannot inspect the way it can "
			  "OpenSSL and its forks",
			  path, name);
	return true;
}

int look_at_exe(const char *path, struct text *error)
{
	int fd = regular_open(AT_FDCWD, path, NULL), err;
	struct elf_file *elf = NULL;

	if (fd < 0)
		return fd;
	err = elf_file_open(fd, NULL, &elf);
	if (!err && exe_is_closed(elf, path, error))
		err = -ENOENT;
	elf_file_close(elf);
	elf_ask_another();
	close(fd);
	return err;
}

/* -- all processes ----------------------------------------------------------------------------- */

static void item_mark(struct sweep_item *item, const struct target_file *file,
		      const struct target_process *process, uint64_t started)
{
	if (item->used || !target_file_same(&item->file, file))
		return;
	item->used = true;
	item->pid = (uint32_t)process->pid;
	item->started = started;
}

static void libraries_mark(struct sweep *sweep, const struct target_process *process,
			   uint64_t started)
{
	struct mapped_files files = { 0 };
	int dir = procfs_open(process->pid);

	if (dir < 0)
		return;
	(void)mapped_files_read(dir, &files); /* what was read counts */
	close(dir);
	for (size_t i = 0; i < files.count; i++) {
		/* stat() may tell another device for it than the kernel, see target_file */
		const struct target_file file = { files.items[i].dev, files.items[i].ino, true };

		for (size_t n = 0; n < sweep->library_count; n++)
			item_mark(&sweep->items[sweep->exe_count + n], &file, process, started);
	}
	mapped_files_free(&files);
}

static int process_mark(const struct target_process *process, void *context)
{
	struct sweep *sweep = context;
	uint64_t started;

	if (procfs_started(process->pid, &started))
		return 0;
	for (size_t i = 0; i < sweep->exe_count; i++)
		item_mark(&sweep->items[i], &process->exe, process, started);
	/* Linked statically, it is the library, too; it may not be mapped yet. */
	for (size_t i = 0; i < sweep->library_count; i++)
		item_mark(&sweep->items[sweep->exe_count + i], &process->exe, process, started);
	libraries_mark(sweep, process, started);
	return 0;
}

static void sweep_run(struct worker_job *job)
{
	struct sweep *sweep = (struct sweep *)job;

	if (target_scan(sweep->set, process_mark, sweep) == 0)
		return;
	/* Nothing is known, so nothing is let go. */
	for (size_t i = 0; i < sweep->exe_count + sweep->library_count; i++)
		sweep->items[i].used = true;
}

static void sweep_drop(struct worker_job *job)
{
	sweep_free((struct sweep *)job);
}

struct sweep *sweep_new(const struct target_set *set, size_t exe_count, size_t library_count)
{
	size_t count = exe_count + library_count;
	struct sweep *sweep = calloc(1, sizeof(*sweep) + count * sizeof(sweep->items[0]));

	if (!sweep)
		return NULL;
	sweep->job = (struct worker_job){ .run = sweep_run, .drop = sweep_drop };
	sweep->set = set;
	sweep->exe_count = exe_count;
	sweep->library_count = library_count;
	return sweep;
}

void sweep_free(struct sweep *sweep)
{
	free(sweep);
}
