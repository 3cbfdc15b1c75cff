// SPDX-License-Identifier: BSD-2-Clause
/* Opening plain files: see regular.h. */
#define _GNU_SOURCE /* O_PATH */
#include "system/regular.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

/* File systems without files in them: include/uapi/linux/magic.h, and for those that it lacks the
 * sources of the kernel. */
static const uint32_t state_file_systems[] = {
	0x9fa0,	    /* proc */
	0x62656572, /* sysfs */
	0x64626720, /* debugfs */
	0x74726163, /* tracefs */
	0x27e0eb,   /* cgroup */
	0x63677270, /* cgroup2 */
	0xcafe4a11, /* bpf */
	0x73636673, /* securityfs */
	0x62656570, /* configfs */
	0x65735543, /* fusectl, fs/fuse/control.c */
	0x6165676c, /* pstore */
	0xde5e81e4, /* efivarfs */
	0xf97cff8c, /* selinux */
	0x19800202, /* mqueue, ipc/mqueue.c */
	0x42494e4d, /* binfmt_misc */
};

static bool shows_state(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return true;
	for (size_t i = 0; i < sizeof(state_file_systems) / sizeof(state_file_systems[0]); i++)
		if ((uint32_t)fs.f_type == state_file_systems[i])
			return true;
	return false;
}

int regular_reopen(int path, struct stat *stat)
{
	char name[32];
	struct stat st;
	int fd;

	if (path < 0)
		return path;
	if (fstat(path, &st)) {
		fd = -errno;
	} else if (!S_ISREG(st.st_mode) || shows_state(path)) {
		fd = -ENOEXEC;
	} else {
		snprintf(name, sizeof(name), "/proc/self/fd/%d", path);
		fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		fd = fd < 0 ? -errno : fd;
	}
	close(path);
	if (fd >= 0 && stat)
		*stat = st;
	return fd;
}

int regular_open(int dir, const char *path, struct stat *stat)
{
	int fd = openat(dir, path, O_PATH | O_CLOEXEC);

	return regular_reopen(fd < 0 ? -errno : fd, stat);
}

/* The length of "/proc/PID/root" at the beginning of a path that goes on behind it; 0: there is none. */
static size_t root_len(const char *path)
{
	static const char proc[] = "/proc/", root[] = "/root/";
	size_t len = strlen(proc);

	if (strncmp(path, proc, len) != 0)
		return 0;
	len += strspn(path + len, "0123456789");
	return strncmp(path + len, root, strlen(root)) ? 0 : len + strlen(root) - 1;
}

int regular_look(const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	size_t len = root_len(path);
	int root = AT_FDCWD, fd;
	char dir[64];

	if (len && len < sizeof(dir)) {
		snprintf(dir, sizeof(dir), "%.*s", (int)len, path);
		root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (root < 0)
			return -errno;
		fd = (int)syscall(SYS_openat2, root, path + len, &how, sizeof(how));
	} else {
		fd = open(path, O_PATH | O_CLOEXEC);
	}
	fd = fd < 0 ? -errno : fd;
	if (root >= 0)
		close(root);
	return fd;
}
