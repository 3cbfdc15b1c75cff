/* SPDX-License-Identifier: BSD-2-Clause */
/* Identity of files, and the processes that the user selected. */
#define _GNU_SOURCE /* O_PATH, basename() */
#include "target/target.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/container.h"
#include "system/elf.h"
#include "system/procfs.h"
#include "system/regular.h"

#define OVERLAYFS_MAGIC 0x794c7630 /* <linux/magic.h>; some libcs' kernel headers lack these */
#define BTRFS_MAGIC	0x9123683e

#define ANCESTORS_MAX 64 /* a bound; deeper trees of processes are not searched */

/* ---- Identity of a file -------------------------------------------------------------------- */

int target_file_identify(int fd, struct target_file *file)
{
	struct statfs fs;
	struct stat st;

	if (fstat(fd, &st) || fstatfs(fd, &fs))
		return -errno;
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	file->dev_known =
		(uint32_t)fs.f_type != OVERLAYFS_MAGIC && (uint32_t)fs.f_type != BTRFS_MAGIC;
	return 0;
}

bool target_file_same(const struct target_file *a, const struct target_file *b)
{
	return a->ino == b->ino && (a->dev == b->dev || !a->dev_known || !b->dev_known);
}

uint32_t target_kernel_dev(dev_t dev)
{
	return (uint32_t)major(dev) << 20 | (uint32_t)minor(dev);
}

/* ---- Processes ----------------------------------------------------------------------------- */

/* Identity and path through one descriptor: another exec in between must not mix two files. */
static int process_read_exe(int dir, struct target_process *process)
{
	struct stat stat;
	char self[32];
	ssize_t len;
	int fd, err;

	fd = openat(dir, "exe", O_PATH | O_CLOEXEC);
	if (fd < 0)
		return procfs_error(errno);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	len = readlink(self, process->exe_path, sizeof(process->exe_path) - 1);
	if (len < 0) {
		err = -errno;
		goto out;
	}
	process->exe_path[len] = '\0';
	process->exe_deleted = procfs_strip_deleted(process->exe_path);
	err = target_file_identify(fd, &process->exe);
	if (!err && fstat(fd, &stat))
		err = -errno;
	if (!err)
		process->exe_owner = stat.st_uid;
out:
	close(fd);
	return err;
}

int target_process_read(pid_t pid, struct target_process *process)
{
	char comm[sizeof(process->comm) + 1]; /* with the newline */
	int dir, err;

	memset(process, 0, sizeof(*process));
	process->pid = pid;
	dir = procfs_open(pid);
	if (dir < 0)
		return dir;
	err = process_read_exe(dir, process);
	if (err)
		goto out;
	err = procfs_read_text(dir, "comm", comm, sizeof(comm));
	if (err)
		goto out;
	comm[strcspn(comm, "\n")] = '\0';
	memcpy(process->comm, comm, strnlen(comm, sizeof(process->comm) - 1));
out:
	close(dir);
	return err;
}

/* Its real user is root, in our own user namespace. */
static bool is_of_root(pid_t pid)
{
	static const char field[] = "\nUid:\t";
	const char *line = NULL;
	char status[4096];
	int dir;

	dir = procfs_open(pid);
	if (dir < 0)
		return false;
	if (procfs_read_text(dir, "status", status, sizeof(status)) == 0)
		line = strstr(status, field);
	close(dir);
	return line && strtoul(line + strlen(field), NULL, 10) == 0;
}

bool target_is_trusted(const struct target_process *process)
{
	struct target_process parent;
	pid_t pid;

	if (process->exe_owner == 0 || is_of_root(process->pid))
		return true;
	pid = procfs_parent(process->pid);
	return pid && is_of_root(pid) && target_process_read(pid, &parent) == 0 &&
	       target_file_same(&parent.exe, &process->exe);
}

/* started: when the ancestor was, as its number may be another's by now. */
static bool process_descends_from(pid_t pid, pid_t ancestor, uint64_t started)
{
	uint64_t now;
	int i;

	for (i = 0; pid > 0 && i < ANCESTORS_MAX; i++) {
		if (pid == ancestor)
			return !procfs_started(pid, &now) && now == started;
		pid = procfs_parent(pid);
	}
	return false;
}

void target_process_where(pid_t pid, char where[TARGET_WHERE_LEN])
{
	char cgroup[8192], id[CONTAINER_ID_LEN];
	struct stat st;
	int dir = procfs_open(pid);

	where[0] = '\0';
	if (dir < 0)
		return;
	if (!fstatat(dir, "ns/net", &st, 0)) {
		int len = snprintf(where, TARGET_WHERE_LEN, "%llu", (unsigned long long)st.st_ino);

		if (!procfs_read_text(dir, "cgroup", cgroup, sizeof(cgroup)) &&
		    container_id_find(cgroup, id))
			snprintf(where + len, TARGET_WHERE_LEN - (size_t)len, " %s", id);
	}
	close(dir);
}

/* ---- What the user selected ---------------------------------------------------------------- */

/* Takes over selector->text, and frees it on failure. */
static int target_set_add(struct target_set *set, const struct target_selector *selector)
{
	struct target_selector *items;

	items = realloc(set->items, (set->count + 1) * sizeof(*items));
	if (!items) {
		free(selector->text);
		return -ENOMEM;
	}
	items[set->count++] = *selector;
	set->items = items;
	return 0;
}

static int executable_identify(const char *path, struct target_file *file)
{
	int fd, err;

	fd = regular_open(AT_FDCWD, path, NULL);
	if (fd < 0)
		return fd;
	err = elf_header_check(fd);
	if (!err)
		err = target_file_identify(fd, file);
	close(fd);
	return err;
}

/*
 * The path by which to find this file again: without symbolic links, as processes are told theirs.
 * Where the way leads through /proc/PID/root or the like, that path is another file's, or nobody's:
 * then the path as it is. Returned: the caller's to free; NULL: no memory.
 */
static char *executable_path(const char *path, const struct target_file *file)
{
	char *real = realpath(path, NULL);
	struct stat st;

	if (real && stat(real, &st) == 0 && st.st_dev == file->dev && st.st_ino == file->ino)
		return real;
	free(real);
	return strdup(path);
}

int target_set_add_exe(struct target_set *set, const char *path)
{
	struct target_selector selector = { .kind = TARGET_EXE };
	int err;

	err = executable_identify(path, &selector.exe);
	if (err)
		return err;
	selector.text = executable_path(path, &selector.exe);
	if (!selector.text)
		return -ENOMEM;
	return target_set_add(set, &selector);
}

static int target_set_add_text(struct target_set *set, enum target_kind kind, const char *text)
{
	struct target_selector selector = { .kind = kind };

	selector.text = strdup(text);
	if (!selector.text)
		return -ENOMEM;
	return target_set_add(set, &selector);
}

int target_set_add_name(struct target_set *set, const char *name)
{
	if (!*name || strchr(name, '/'))
		return -EINVAL;
	return target_set_add_text(set, TARGET_NAME, name);
}

int target_set_add_comm(struct target_set *set, const char *comm)
{
	if (!*comm || strlen(comm) >= sizeof(((struct target_process *)NULL)->comm))
		return -EINVAL;
	return target_set_add_text(set, TARGET_COMM, comm);
}

int target_set_add_pid(struct target_set *set, pid_t pid)
{
	struct target_selector selector = { .kind = TARGET_PID, .pid = pid };
	int err = procfs_started(pid, &selector.started);

	return err ? err : target_set_add(set, &selector);
}

void target_set_clear(struct target_set *set)
{
	size_t i;

	for (i = 0; i < set->count; i++)
		free(set->items[i].text);
	free(set->items);
	memset(set, 0, sizeof(*set));
}

static bool executable_matches(const struct target_selector *selector,
			       const struct target_process *process)
{
	struct target_file now = { 0 };
	bool same;
	int fd;

	if (process->exe_deleted && strcmp(process->exe_path, selector->text) == 0)
		return true;
	fd = open(selector->text, O_PATH | O_CLOEXEC);
	if (fd < 0) /* removed; or below the /proc/PID of a process that has ended */
		return target_file_same(&selector->exe, &process->exe);
	same = target_file_identify(fd, &now) == 0 && target_file_same(&now, &process->exe);
	close(fd);
	return same;
}

static bool selector_matches(const struct target_selector *selector,
			     const struct target_process *process)
{
	switch (selector->kind) {
	case TARGET_EXE:
		return executable_matches(selector, process);
	case TARGET_NAME:
		return strcmp(basename(process->exe_path), selector->text) == 0;
	case TARGET_COMM:
		return strcmp(process->comm, selector->text) == 0;
	case TARGET_PID:
		return process_descends_from(process->pid, selector->pid, selector->started);
	}
	return false;
}

bool target_matches(const struct target_set *set, const struct target_process *process)
{
	size_t i;

	for (i = 0; i < set->count; i++) {
		if (selector_matches(&set->items[i], process))
			return true;
	}
	return false;
}

bool target_may_match(const struct target_set *set, pid_t pid)
{
	char link[64], target[PATH_MAX];
	ssize_t len;
	size_t i;

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	len = readlink(link, target, sizeof(target) - 1);
	if (len < 0)
		return errno != ENOENT && errno != ESRCH;
	target[len] = '\0';
	procfs_strip_deleted(target);
	for (i = 0; i < set->count; i++) {
		if (set->items[i].kind != TARGET_NAME ||
		    strcmp(basename(target), set->items[i].text) == 0)
			return true;
	}
	return false;
}

int target_scan(const struct target_set *set, target_found_fn found, void *context)
{
	struct target_process process;
	struct dirent *entry;
	int result = 0;
	DIR *proc;

	proc = opendir("/proc");
	if (!proc)
		return -errno;
	while (result == 0 && (entry = readdir(proc))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		if (target_process_read((pid_t)strtol(entry->d_name, NULL, 10), &process) == 0 &&
		    target_matches(set, &process))
			result = found(&process, context);
	}
	closedir(proc);
	return result;
}

struct pids {
	pid_t *items;
	size_t count;
	size_t max;
};

static int pid_add(const struct target_process *process, void *context)
{
	struct pids *pids = context;

	pids->items[pids->count++] = process->pid;
	return pids->count == pids->max;
}

int target_pids(const struct target_set *set, pid_t *items, size_t max)
{
	struct pids pids = { items, 0, max };
	int ret = target_scan(set, pid_add, &pids);

	return ret < 0 ? ret : (int)pids.count;
}
