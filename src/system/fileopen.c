// SPDX-License-Identifier: BSD-2-Clause
/*
 * Paths of a process are resolved by the kernel as if its root were ours (openat2(2),
 * RESOLVE_IN_ROOT, Linux 5.6): absolute symbolic links, such as those in sites-enabled, stay inside.
 */
#define _GNU_SOURCE /* O_PATH */
#include "system/fileopen.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "system/ownfile.h"
#include "system/procfs.h"
#include "system/regular.h"

#define OWN_MODE 0640

static int root_open(pid_t pid)
{
	int dir, fd;

	if (!pid) {
		fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	dir = procfs_open(pid);
	if (dir < 0)
		return dir;
	fd = openat(dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = fd < 0 ? procfs_error(errno) : fd;
	close(dir);
	return fd;
}

static int open_in_root(pid_t pid, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int root = root_open(pid), fd;

	if (root < 0)
		return root;
	fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	fd = fd < 0 ? -errno : fd;
	close(root);
	return fd;
}

int fileopen_regular(pid_t pid, const char *path, struct stat *stat)
{
	return regular_reopen(open_in_root(pid, path, O_PATH), stat);
}

/* A path below the root of the process, as that has it. */
static void root_strip(pid_t pid, char *path)
{
	char root[PATH_MAX];
	int dir = pid ? procfs_open(pid) : -1;
	ssize_t len = dir < 0 ? -1 : readlinkat(dir, "root", root, sizeof(root));

	if (dir >= 0)
		close(dir);
	if (len > 1 && !strncmp(path, root, (size_t)len) && path[len] == '/')
		memmove(path, path + len, strlen(path + len) + 1);
}

size_t fileopen_real(pid_t pid, const char *path, int fd, char *buf, size_t size)
{
	struct stat wanted, found;
	char link[64];
	struct text t;
	ssize_t len;

	text_init(&t, link, sizeof(link));
	text_addf(&t, "/proc/self/fd/%d", fd);
	len = readlink(link, buf, size - 1);
	buf[len > 0 ? len : 0] = '\0';
	root_strip(pid, buf);
	/* That of another mount namespace may lead elsewhere, or nowhere. */
	if (len <= 0 || !strcmp(buf, path) || fstat(fd, &wanted) ||
	    fileopen_stat(pid, buf, true, &found) || wanted.st_dev != found.st_dev ||
	    wanted.st_ino != found.st_ino)
		buf[0] = '\0';
	return strlen(buf);
}

int fileopen_directory(pid_t pid, const char *path)
{
	return open_in_root(pid, path, O_RDONLY | O_DIRECTORY);
}

int fileopen_stat(pid_t pid, const char *path, bool nofollow, struct stat *stat)
{
	int fd = open_in_root(pid, path, O_PATH | (nofollow ? O_NOFOLLOW : 0)), err;

	if (fd < 0)
		return fd;
	err = fstat(fd, stat) ? -errno : 0;
	close(fd);
	return err;
}

/* -- a process ----------------------------------------------------------------------------------- */

static int proc_open(pid_t pid, const char *name)
{
	int dir = procfs_open(pid), fd;

	if (dir < 0)
		return dir;
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	fd = fd < 0 ? procfs_error(errno) : fd;
	close(dir);
	return fd;
}

int fileopen_cmdline(pid_t pid, char *buf, size_t size, size_t *len)
{
	int fd = proc_open(pid, "cmdline");
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, buf, size);
	n = n < 0 ? procfs_error(errno) : n;
	close(fd);
	if (n < 0)
		return (int)n;
	while (n > 0 && buf[n - 1] == '\0')
		n--;
	*len = (size_t)n;
	return n ? 0 : -ENOENT;
}

int fileopen_cwd(pid_t pid, char *buf, size_t size)
{
	int dir = procfs_open(pid);
	ssize_t len;

	if (dir < 0)
		return dir;
	len = readlinkat(dir, "cwd", buf, size - 1);
	len = len < 0 ? procfs_error(errno) : len;
	close(dir);
	if (len < 0)
		return (int)len;
	buf[len] = '\0';
	return 0;
}

int fileopen_exe(pid_t pid)
{
	return proc_open(pid, "exe");
}

int fileopen_times(pid_t pid, pid_t *parent, uint64_t *ticks)
{
	*parent = procfs_parent(pid);
	return procfs_started(pid, ticks);
}

/* -- a log --------------------------------------------------------------------------------------- */

int fileopen_log_look(const char *path, struct stat *stat)
{
	int fd = regular_look(path), err;

	if (fd < 0)
		return fd;
	err = fstat(fd, stat) ? -errno : 0;
	close(fd);
	return err;
}

int fileopen_log(const char *path, struct stat *stat)
{
	return regular_reopen(regular_look(path), stat);
}

int fileopen_log_link(const char *path, char *buf, size_t size)
{
	ssize_t len = readlink(path, buf, size - 1);

	if (len < 0)
		return -errno;
	buf[len] = '\0';
	return 0;
}

/* -- our own --------------------------------------------------------------------------------------- */

int fileopen_own(const char *path, int *fd, struct stat *stat, struct text *error)
{
	/* Not to wait for the reader of a FIFO. */
	return ownfile_open(path, O_APPEND | O_NONBLOCK, OWN_MODE, fd, stat, error);
}

int fileopen_own_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int fileopen_own_replace(const char *path, const char *page, size_t len, bool on_disk)
{
	return ownfile_replace(path, page, len, on_disk);
}
