// SPDX-License-Identifier: BSD-2-Clause
/*
 * The directory is opened first and looked at, the file is opened in it and then looked at: what was
 * checked is what is used.
 */
#define _GNU_SOURCE /* O_PATH */
#include "system/ownfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

/* "cannot VERB PATH: REASON". Returns err. */
static int cannot(struct text *error, const char *verb, const char *path, int err)
{
	text_addf(error, "cannot %s ", verb);
	text_add_hostile(error, path, strlen(path));
	text_addf(error, ": %s", strerror(-err));
	return err;
}

/* "PATH WHAT". Returns err. */
static int reject(struct text *error, const char *path, const char *what, int err)
{
	text_add_hostile(error, path, strlen(path));
	text_addf(error, " %s", what);
	return err;
}

/* Opens the directory of path, for openat(); *name is the rest of path. */
static int directory_open(const char *path, const char **name, int *fd, struct text *error)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) + 1 : 0;
	char directory[PATH_MAX] = ".";
	struct stat st;

	*name = path + len;
	if (len >= sizeof(directory))
		return cannot(error, "create", path, -ENAMETOOLONG);
	if (slash) {
		memcpy(directory, path, len);
		directory[len] = '\0';
	}
	*fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0 || fstat(*fd, &st))
		return cannot(error, "create", path, -errno);
	if (st.st_mode & S_IWOTH && !(st.st_mode & S_ISVTX))
		return reject(error, path,
			      "is in a directory where everybody may replace files: choose "
			      "another one",
			      -EPERM);
	return 0;
}

/* Makes sure that what was opened, and may have been there before, is ours to write to. */
static int file_check(const char *path, const struct stat *st, struct text *error)
{
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return reject(error, path, "belongs to another user: choose another name", -EPERM);
	if (S_ISFIFO(st->st_mode) || S_ISCHR(st->st_mode))
		return 0;
	if (!S_ISREG(st->st_mode))
		return reject(error, path, "is not a regular file, FIFO or character device",
			      -EINVAL);
	if (st->st_nlink > 1)
		return reject(error, path, "has other names (hard links): choose another name",
			      -EPERM);
	return 0;
}

int ownfile_open(const char *path, int flags, mode_t mode, int *fd, struct stat *st,
		 struct text *error)
{
	const char *name;
	int directory = -1;
	int err;

	*fd = -1;
	err = directory_open(path, &name, &directory, error);
	if (err)
		goto out;
	*fd = openat(directory, name,
		     O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | flags, mode);
	if (*fd < 0 && errno == ELOOP)
		err = reject(error, path, "is a symbolic link: choose another name", -ELOOP);
	else if (*fd < 0 || fstat(*fd, st))
		err = cannot(error, "create", path, -errno);
	else
		err = file_check(path, st, error);
out:
	if (err && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	if (directory >= 0)
		close(directory);
	return err;
}

static int page_write(int fd, const char *page, size_t len, bool on_disk)
{
	while (len) {
		ssize_t written = write(fd, page, len);

		if (written <= 0 && errno != EINTR)
			return written ? -errno : -EIO;
		if (written > 0) {
			page += written;
			len -= (size_t)written;
		}
	}
	return on_disk && fsync(fd) ? -errno : 0;
}

/* A new file, forced to the disk where that is wanted, then renamed over the old one. The directory may belong to somebody
 * else, so the new file is never one that was there. */
int ownfile_replace(const char *path, const char *page, size_t len, bool on_disk)
{
	char temporary[PATH_MAX];
	int fd, err;

	/* node_exporter reads what ends with .prom only. */
	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.new", path) >= sizeof(temporary))
		return -ENAMETOOLONG;
	if (unlink(temporary) && errno != ENOENT)
		return -errno;
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	/* Its reader is another user, whatever our umask. */
	err = fchmod(fd, 0644) ? -errno : page_write(fd, page, len, on_disk);
	if (close(fd) && !err)
		err = -errno;
	if (!err && rename(temporary, path))
		err = -errno;
	if (err)
		unlink(temporary);
	return err;
}
