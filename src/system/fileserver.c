// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whoever asks may be anybody by now: a request is checked, and what it is about has to be allowed. What
 * does not answer (NFS, FUSE) stops this process, and nobody else.
 */
#define _GNU_SOURCE /* memfd_create() */
#include "system/fileserver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "system/fileopen.h"
#include "system/fileswire.h"
#include "system/keyblank.h"
#include "system/ownsocket.h"
#include "system/passfd.h"

#define LOG_HEAD (64U << 10) /* of a log, looked at for a key */
#define PAGE_MAX (64U << 20)

struct service {
	const struct fileserver_policy *policy;
	struct files_request request;
	struct files_reply reply;
	uint8_t buf[FILESWIRE_MAX];
	int got; /* the descriptor that came, or -1 */
	int fd;	 /* the one that goes, or -1 */
};

/* -- files without keys ---------------------------------------------------------------------------- */

/* Reads size bytes from the beginning, or as many as there are. */
static int text_read(int fd, size_t size, char **text, size_t *len)
{
	char *buf = malloc(size ? size : 1);
	ssize_t n = 1;

	*len = 0;
	if (!buf)
		return -ENOMEM;
	while (n > 0 && *len < size) {
		n = pread(fd, buf + *len, size - *len, (off_t)*len);
		if (n > 0)
			*len += (size_t)n;
	}
	if (n < 0) {
		n = -errno;
		free(buf);
		return (int)n;
	}
	*text = buf;
	return 0;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n <= 0)
			return n ? -errno : -EIO;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A file in memory that holds text, at its beginning. */
static int text_file(const char *text, size_t len)
{
	int fd = memfd_create("tlsfail-blanked", MFD_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = write_all(fd, text, len);
	if (!err && lseek(fd, 0, SEEK_SET) < 0)
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* fd, or in its place a copy without the keys that it holds, unless they go, too. */
static int handed_over(int fd, const struct stat *stat, bool keys_too)
{
	char *text = NULL;
	size_t len = 0;
	int copy, err;

	if (stat->st_size > (off_t)FILESERVER_BYTES_MAX) {
		close(fd);
		return -E2BIG;
	}
	if (keys_too)
		return fd;
	err = text_read(fd, FILESERVER_BYTES_MAX, &text, &len);
	if (err) {
		close(fd);
		return err;
	}
	copy = fd;
	if (keyblank(text, len)) {
		copy = text_file(text, len);
		close(fd);
	}
	free(text);
	return copy;
}

/* fd, unless it holds a key instead of lines. */
static int log_checked(int fd)
{
	char *text = NULL;
	size_t len = 0;
	int err = text_read(fd, LOG_HEAD, &text, &len);

	if (!err && keyblank(text, len))
		err = -EACCES;
	free(text);
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* -- what is asked ----------------------------------------------------------------------------------- */

/* Behind "/proc/PID/root/" it is of that process. */
static bool may_follow(const struct service *s)
{
	const struct fileserver_policy *policy = s->policy;
	const char *path = s->request.path;
	static const char proc[] = "/proc/";
	char *end;
	long pid;

	if (strncmp(path, proc, strlen(proc)) != 0)
		return policy->log(policy->context, path);
	pid = strtol(path + strlen(proc), &end, 10);
	return pid > 0 && !strncmp(end, "/root/", 6) &&
	       policy->process(policy->context, (pid_t)pid);
}

static bool is_allowed(const struct service *s)
{
	const struct fileserver_policy *policy = s->policy;
	const struct files_request *r = &s->request;

	switch (r->op) {
	case FILES_OPEN:
	case FILES_DIRECTORY:
	case FILES_KEY:
	case FILES_CMDLINE:
	case FILES_CWD:
	case FILES_EXE:
		return r->pid && policy->process(policy->context, r->pid);
	case FILES_STAT:
		return r->pid ? policy->process(policy->context, r->pid) : !strcmp(r->path, "/");
	case FILES_TIMES:
	case FILES_MATCHES:
		return r->pid;
	case FILES_TARGETS:
		return true;
	case FILES_LOG_LOOK:
	case FILES_LOG_OPEN:
	case FILES_LOG_LINK:
		return may_follow(s);
	case FILES_OWN_OPEN:
	case FILES_OWN_LOOK:
	case FILES_OWN_CONNECT:
	case FILES_OWN_LISTEN:
	case FILES_OWN_UNLISTEN:
	case FILES_OWN_REPLACE:
		return policy->own(policy->context, r->path);
	case FILES_OPS:
		break;
	}
	return false;
}

static int key_check(struct service *s)
{
	const struct fileserver_policy *policy = s->policy;
	struct files_request *r = &s->request;
	struct stat stat;
	int fd = fileopen_regular(r->pid, r->path, &stat), ret;

	if (fd < 0)
		return fd;
	ret = policy->key(policy->context, fd, r->data, r->data_len);
	close(fd);
	s->reply.number = ret == 1;
	return ret < 0 ? ret : 0;
}

static int own_open(struct service *s)
{
	struct text error;
	int err;

	text_init(&error, (char *)s->reply.data, sizeof(s->reply.data));
	err = fileopen_own(s->request.path, &s->fd, &s->reply.stat, &error);
	s->reply.data_len = err ? error.len : 0;
	return err;
}

static int own_listen(struct service *s)
{
	gid_t group = 0;
	struct text error;

	text_init(&error, (char *)s->reply.data, sizeof(s->reply.data));
	s->fd = ownsocket_listen(s->request.path, &s->reply.stat, &group, &error);
	s->reply.number = group;
	if (s->fd >= 0)
		return 0;
	s->reply.data_len = error.len;
	return s->fd;
}

static int own_unlisten(const struct service *s)
{
	struct files_identity identity;

	if (s->request.data_len != sizeof(identity))
		return -EINVAL;
	memcpy(&identity, s->request.data, sizeof(identity));
	ownsocket_remove(s->request.path, identity.dev, identity.ino);
	return 0;
}

static int own_replace(const struct service *s)
{
	struct stat stat;
	char *page = NULL;
	size_t len = 0;
	int err;

	if (s->got < 0 || fstat(s->got, &stat) || !S_ISREG(stat.st_mode) ||
	    stat.st_size > (off_t)PAGE_MAX)
		return -EINVAL;
	err = text_read(s->got, (size_t)stat.st_size, &page, &len);
	if (err)
		return err;
	err = fileopen_own_replace(s->request.path, page, len, s->request.flag);
	free(page);
	return err;
}

/* s->fd or an error. */
static int fd_give(struct service *s, int fd)
{
	s->fd = fd < 0 ? -1 : fd;
	return fd < 0 ? fd : 0;
}

static int text_set(struct service *s, int err)
{
	s->reply.data_len = err ? 0 : strlen((char *)s->reply.data);
	return err;
}

static int answer(struct service *s)
{
	const struct files_request *r = &s->request;
	struct files_reply *reply = &s->reply;
	char *text = (char *)reply->data;
	int n;

	switch (r->op) {
	case FILES_OPEN:
		n = fileopen_regular(r->pid, r->path, &reply->stat);
		if (n >= 0)
			reply->data_len =
				fileopen_real(r->pid, r->path, n, text, sizeof(reply->data));
		return fd_give(s, n < 0 ? n : handed_over(n, &reply->stat, s->policy->keys_too));
	case FILES_DIRECTORY:
		return fd_give(s, fileopen_directory(r->pid, r->path));
	case FILES_STAT:
		return fileopen_stat(r->pid, r->path, r->flag, &reply->stat);
	case FILES_KEY:
		return key_check(s);
	case FILES_CMDLINE:
		return fileopen_cmdline(r->pid, text, sizeof(reply->data), &reply->data_len);
	case FILES_CWD:
		return text_set(s, fileopen_cwd(r->pid, text, sizeof(reply->data)));
	case FILES_EXE:
		return fd_give(s, fileopen_exe(r->pid));
	case FILES_TIMES:
		return fileopen_times(r->pid, &reply->parent, &reply->number);
	case FILES_MATCHES:
		n = s->policy->matches(s->policy->context, r->pid);
		reply->number = n == 1;
		return n < 0 ? n : 0;
	case FILES_TARGETS:
		n = s->policy->targets(s->policy->context, (pid_t *)(void *)reply->data,
				       sizeof(reply->data) / sizeof(pid_t));
		reply->data_len = n < 0 ? 0 : (size_t)n * sizeof(pid_t);
		return n < 0 ? n : 0;
	case FILES_LOG_LOOK:
		return fileopen_log_look(r->path, &reply->stat);
	case FILES_LOG_OPEN:
		n = fileopen_log(r->path, &reply->stat);
		return fd_give(s, n < 0 ? n : log_checked(n));
	case FILES_LOG_LINK:
		return text_set(s, fileopen_log_link(r->path, text, sizeof(reply->data)));
	case FILES_OWN_OPEN:
		return own_open(s);
	case FILES_OWN_LOOK:
		return lstat(r->path, &reply->stat) ? -errno : 0;
	case FILES_OWN_CONNECT:
		return fd_give(s, fileopen_own_connect(r->path));
	case FILES_OWN_LISTEN:
		return own_listen(s);
	case FILES_OWN_UNLISTEN:
		return own_unlisten(s);
	case FILES_OWN_REPLACE:
		return own_replace(s);
	case FILES_OPS:
		break;
	}
	return -EINVAL;
}

/* Answers one. False: the other side is gone, or out of its mind. */
static bool serve(int fd, struct service *s)
{
	ssize_t n = passfd_receive(fd, s->buf, sizeof(s->buf), &s->got);
	int err;

	if (n <= 0)
		return false;
	s->fd = -1;
	memset(&s->reply, 0, sizeof(s->reply));
	if (!fileswire_request_read(s->buf, (size_t)n, &s->request))
		err = -EBADMSG;
	else
		err = is_allowed(s) ? answer(s) : -EACCES;
	s->reply.err = err;
	s->reply.has_fd = s->fd >= 0;
	err = passfd_send(fd, s->buf, fileswire_reply_write(&s->reply, s->buf), s->fd);
	if (s->fd >= 0)
		close(s->fd);
	if (s->got >= 0)
		close(s->got);
	return !err;
}

void fileserver_run(int fd, const struct fileserver_policy *policy)
{
	struct service *s = calloc(1, sizeof(*s));

	if (!s)
		return;
	s->policy = policy;
	while (serve(fd, s))
		;
	free(s);
}
