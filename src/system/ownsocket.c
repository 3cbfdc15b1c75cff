// SPDX-License-Identifier: BSD-2-Clause
/*
 * Not before it listens anybody can connect: so its mode and group are set before that.
 */
#define _GNU_SOURCE /* struct ucred */
#include "system/ownsocket.h"

#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "system/procfs.h"

#define BACKLOG 16

/* Who listens is a child of the process whose child this is, or this itself: the one that begins anew. */
static bool is_own(pid_t pid)
{
	return pid == getpid() || procfs_parent(pid) == getppid();
}

/* What a run that was killed has left; another one that serves there is not disturbed. */
static int leftover_remove(const struct sockaddr_un *address, struct text *error)
{
	struct ucred peer = { .pid = 0 };
	socklen_t len = sizeof(peer);
	struct stat st;
	int fd, err = 0;

	if (lstat(address->sun_path, &st))
		return 0;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (!S_ISSOCK(st.st_mode)) {
		text_addf(error, "%s is no socket", address->sun_path);
		err = -EEXIST;
	} else if (connect(fd, (const struct sockaddr *)address, sizeof(*address))) {
		/* somebody serves there, and has no time */
		err = errno == EAGAIN ? -EADDRINUSE : 0;
	} else if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) && !is_own(peer.pid)) {
		text_addf(error, "%s is served by another tlsfail (process %d)", address->sun_path,
			  (int)peer.pid);
		err = -EADDRINUSE;
	}
	close(fd);
	if (!err && unlink(address->sun_path) && errno != ENOENT)
		err = -errno;
	return err;
}

/* From the file itself: a static program has no other sources of groups. */
static bool group_find(gid_t *gid)
{
	FILE *file = fopen("/etc/group", "re");
	const struct group *group = NULL;

	while (file && (group = fgetgrent(file)) && strcmp(group->gr_name, OWNSOCKET_GROUP) != 0)
		;
	if (group)
		*gid = group->gr_gid;
	if (file)
		fclose(file);
	return group;
}

static int file_make(int fd, const struct sockaddr_un *address, struct stat *stat, gid_t *group)
{
	const char *path = address->sun_path;
	gid_t gid;

	*group = 0;
	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) || chmod(path, 0660) ||
	    lstat(path, stat))
		return -errno;
	/* It has the group of its directory where that is so set. */
	if (group_find(&gid) && (stat->st_gid == gid || !chown(path, (uid_t)-1, gid)))
		*group = gid;
	return listen(fd, BACKLOG) ? -errno : 0;
}

int ownsocket_listen(const char *path, struct stat *stat, gid_t *group, struct text *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (!strcmp(path, OWNSOCKET_DEFAULT) && mkdir("/run/tlsfail", 0755) && errno != EEXIST)
		return -errno;
	err = leftover_remove(&address, error);
	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	err = file_make(fd, &address, stat, group);
	if (!err)
		return fd;
	close(fd);
	return err;
}

void ownsocket_remove(const char *path, dev_t dev, ino_t ino)
{
	struct stat st;

	if (!lstat(path, &st) && st.st_dev == dev && st.st_ino == ino)
		(void)unlink(path);
}
