// SPDX-License-Identifier: BSD-2-Clause
/*
 * A question and its answer are one datagram each. A thread whose question was not answered in time
 * drops its connection, so that a late answer is not taken for another's.
 */
#define _GNU_SOURCE /* memfd_create() */
#include "system/files.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/text.h"
#include "system/fileopen.h"
#include "system/fileswire.h"
#include "system/ownsocket.h"
#include "system/passfd.h"

/* As long as a file system may take to answer. */
#define ANSWER_S 3

static int keeper_fd = -1;
static pthread_key_t session_key;
static _Thread_local int session = -1;

struct exchange {
	struct files_request request;
	struct files_reply reply;
	uint8_t buf[FILESWIRE_MAX];
	int fd; /* that came with the reply, or -1 */
};

/* -- asking ------------------------------------------------------------------------------------ */

static void session_end(void *context)
{
	(void)context;
	if (session >= 0)
		close(session);
	session = -1;
}

void files_ask(int keeper)
{
	keeper_fd = keeper;
	(void)pthread_key_create(&session_key, session_end);
}

static int session_begin(void)
{
	const struct timeval limit = { .tv_sec = ANSWER_S };
	int ends[2], err;

	if (session >= 0)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	err = passfd_send(keeper_fd, "", 1, ends[1]);
	close(ends[1]);
	if (err) {
		close(ends[0]);
		return err;
	}
	session = ends[0];
	/* so that session_end() is called when the thread ends */
	(void)pthread_setspecific(session_key, &keeper_fd);
	return 0;
}

/* The reply, or why there is none. */
static int answer_wait(struct exchange *x)
{
	ssize_t n = passfd_receive(session, x->buf, sizeof(x->buf), &x->fd);

	if (n == -EAGAIN)
		return -ETIME;
	if (n <= 0)
		return n ? (int)n : -EBUSY;
	if (!fileswire_reply_read(x->buf, (size_t)n, &x->reply) || x->reply.has_fd != (x->fd >= 0))
		return -EBADMSG;
	return 0;
}

/* Asks, with a descriptor or -1. Returns what the answer says. */
static int ask_once(struct exchange *x, int fd)
{
	int err = session_begin();

	x->fd = -1;
	if (!err)
		err = passfd_send(session, x->buf, fileswire_request_write(&x->request, x->buf),
				  fd);
	if (!err)
		err = answer_wait(x);
	if (!err)
		return x->reply.err;
	if (x->fd >= 0)
		close(x->fd);
	x->fd = -1;
	session_end(NULL);
	return err;
}

/* Who answers knows what was allowed when it began: what is allowed now is for another. And so is what one
 * was to be asked that is gone. */
static int ask(struct exchange *x, int fd)
{
	int err = ask_once(x, fd);

	if (err != -EPIPE && (err != -EACCES || x->request.op < FILES_OWN_OPEN))
		return err;
	session_end(NULL);
	return ask_once(x, fd);
}

/* NULL: no memory, or the path is too long. */
static struct exchange *exchange_new(enum files_op op, pid_t pid, const char *path)
{
	size_t len = strlen(path);
	struct exchange *x = len < FILES_PATH_MAX ? calloc(1, sizeof(*x)) : NULL;

	if (!x)
		return NULL;
	x->request.op = op;
	x->request.pid = pid;
	memcpy(x->request.path, path, len + 1);
	return x;
}

/* Asks for a descriptor. */
static int fd_of(struct exchange *x, struct stat *stat)
{
	int err = x ? ask(x, -1) : -ENOMEM;

	if (err)
		return err;
	if (stat)
		*stat = x->reply.stat;
	return x->fd >= 0 ? x->fd : -EBADMSG;
}

/* The same; frees x. */
static int ask_fd(struct exchange *x, struct stat *stat)
{
	int fd = fd_of(x, stat);

	free(x);
	return fd;
}

static int ask_stat(struct exchange *x, struct stat *stat)
{
	int err = x ? ask(x, -1) : -ENOMEM;

	if (!err)
		*stat = x->reply.stat;
	if (x && x->fd >= 0)
		close(x->fd);
	free(x);
	return err;
}

static int ask_number(struct exchange *x, uint64_t *number, pid_t *parent)
{
	int err = x ? ask(x, -1) : -ENOMEM;

	if (!err) {
		*number = x->reply.number;
		*parent = x->reply.parent;
	}
	free(x);
	return err;
}

/* Asks for data, size bytes at most. */
static int ask_data(struct exchange *x, void *buf, size_t size, size_t *len)
{
	int err = x ? ask(x, -1) : -ENOMEM;

	if (!err) {
		*len = x->reply.data_len < size ? x->reply.data_len : size;
		memcpy(buf, x->reply.data, *len);
	}
	free(x);
	return err;
}

static bool is_asked(void)
{
	return keeper_fd >= 0;
}

/* -- what is there to be called ------------------------------------------------------------------ */

int files_open(pid_t pid, const char *path, struct stat *stat)
{
	if (!is_asked())
		return fileopen_regular(pid, path, stat);
	return ask_fd(exchange_new(FILES_OPEN, pid, path), stat);
}

int files_open_real(pid_t pid, const char *path, struct stat *stat, char *real, size_t size)
{
	struct exchange *x;
	struct text t;
	int fd;

	text_init(&t, real, size);
	if (!is_asked()) {
		fd = fileopen_regular(pid, path, stat);
		if (fd >= 0)
			fileopen_real(pid, path, fd, real, size);
		return fd;
	}
	x = exchange_new(FILES_OPEN, pid, path);
	fd = fd_of(x, stat);
	if (fd >= 0)
		text_addf(&t, "%.*s", (int)x->reply.data_len, (const char *)x->reply.data);
	if (t.cut)
		real[0] = '\0';
	free(x);
	return fd;
}

int files_directory(pid_t pid, const char *path)
{
	if (!is_asked())
		return fileopen_directory(pid, path);
	return ask_fd(exchange_new(FILES_DIRECTORY, pid, path), NULL);
}

int files_stat(pid_t pid, const char *path, bool nofollow, struct stat *stat)
{
	struct exchange *x;

	if (!is_asked())
		return fileopen_stat(pid, path, nofollow, stat);
	x = exchange_new(FILES_STAT, pid, path);
	if (x)
		x->request.flag = nofollow;
	return ask_stat(x, stat);
}

int files_key_matches(pid_t pid, const char *path, const void *key, size_t len)
{
	struct exchange *x;
	uint64_t number = 0;
	pid_t parent;
	int err;

	if (!is_asked() || len > FILES_DATA_MAX)
		return -EOPNOTSUPP;
	x = exchange_new(FILES_KEY, pid, path);
	if (x) {
		memcpy(x->request.data, key, len);
		x->request.data_len = len;
	}
	err = ask_number(x, &number, &parent);
	return err ? err : number == 1;
}

int files_cmdline(pid_t pid, char *buf, size_t size, size_t *len)
{
	if (!is_asked())
		return fileopen_cmdline(pid, buf, size, len);
	return ask_data(exchange_new(FILES_CMDLINE, pid, ""), buf, size, len);
}

int files_cwd(pid_t pid, char *buf, size_t size)
{
	size_t len = 0;
	int err;

	if (!is_asked())
		return fileopen_cwd(pid, buf, size);
	err = ask_data(exchange_new(FILES_CWD, pid, ""), buf, size - 1, &len);
	buf[err ? 0 : len] = '\0';
	return err;
}

int files_exe(pid_t pid)
{
	if (!is_asked())
		return fileopen_exe(pid);
	return ask_fd(exchange_new(FILES_EXE, pid, ""), NULL);
}

static int times(pid_t pid, pid_t *parent, uint64_t *ticks)
{
	if (!is_asked())
		return fileopen_times(pid, parent, ticks);
	return ask_number(exchange_new(FILES_TIMES, pid, ""), ticks, parent);
}

pid_t files_parent(pid_t pid)
{
	uint64_t ticks;
	pid_t parent;

	return times(pid, &parent, &ticks) ? 0 : parent;
}

int files_started(pid_t pid, uint64_t *ticks)
{
	pid_t parent;

	return times(pid, &parent, ticks);
}

int files_matches(pid_t pid)
{
	uint64_t number = 0;
	pid_t parent;
	int err;

	if (!is_asked())
		return -EOPNOTSUPP;
	err = ask_number(exchange_new(FILES_MATCHES, pid, ""), &number, &parent);
	return err ? err : number == 1;
}

int files_targets(pid_t *pids, size_t max)
{
	size_t len = 0;
	int err;

	if (!is_asked())
		return -EOPNOTSUPP;
	err = ask_data(exchange_new(FILES_TARGETS, 0, ""), pids, max * sizeof(*pids), &len);
	return err ? err : (int)(len / sizeof(*pids));
}

int files_log_look(const char *path, struct stat *stat)
{
	if (!is_asked())
		return fileopen_log_look(path, stat);
	return ask_stat(exchange_new(FILES_LOG_LOOK, 0, path), stat);
}

int files_log_open(const char *path, struct stat *stat)
{
	if (!is_asked())
		return fileopen_log(path, stat);
	return ask_fd(exchange_new(FILES_LOG_OPEN, 0, path), stat);
}

int files_log_link(const char *path, char *buf, size_t size)
{
	size_t len = 0;
	int err;

	if (!is_asked())
		return fileopen_log_link(path, buf, size);
	err = ask_data(exchange_new(FILES_LOG_LINK, 0, path), buf, size - 1, &len);
	buf[err ? 0 : len] = '\0';
	return err;
}

/* Asks for a descriptor; what is wrong is a sentence in the answer. Frees x. */
static int ask_own(struct exchange *x, int *fd, struct stat *stat, uint64_t *number,
		   struct text *error)
{
	int err = x ? ask(x, -1) : -ENOMEM;

	if (!err) {
		*fd = x->fd;
		*stat = x->reply.stat;
		*number = x->reply.number;
		err = *fd < 0 ? -EBADMSG : 0;
	} else if (x && x->reply.err) {
		text_add_hostile(error, (const char *)x->reply.data, x->reply.data_len);
	}
	free(x);
	return err;
}

int files_own_open(const char *path, int *fd, struct stat *stat, struct text *error)
{
	uint64_t number;
	int err;

	*fd = -1;
	if (!is_asked())
		return fileopen_own(path, fd, stat, error);
	err = ask_own(exchange_new(FILES_OWN_OPEN, 0, path), fd, stat, &number, error);
	if (err && !error->len)
		text_addf(error, "cannot create %s: %s", path, strerror(-err));
	return err;
}

int files_own_listen(const char *path, int *fd, struct stat *stat, gid_t *group, struct text *error)
{
	uint64_t number = 0;
	int err;

	*fd = -1;
	if (is_asked()) {
		err = ask_own(exchange_new(FILES_OWN_LISTEN, 0, path), fd, stat, &number, error);
		*group = (gid_t)number;
		return err;
	}
	err = ownsocket_listen(path, stat, group, error);
	*fd = err < 0 ? -1 : err;
	return err < 0 ? err : 0;
}

void files_own_unlisten(const char *path, dev_t dev, ino_t ino)
{
	const struct files_identity identity = { dev, ino };
	struct exchange *x;

	if (!is_asked()) {
		ownsocket_remove(path, dev, ino);
		return;
	}
	x = exchange_new(FILES_OWN_UNLISTEN, 0, path);
	if (x) {
		memcpy(x->request.data, &identity, sizeof(identity));
		x->request.data_len = sizeof(identity);
		(void)ask(x, -1);
	}
	free(x);
}

int files_own_look(const char *path, struct stat *stat)
{
	if (!is_asked())
		return lstat(path, stat) ? -errno : 0;
	return ask_stat(exchange_new(FILES_OWN_LOOK, 0, path), stat);
}

int files_own_connect(const char *path, int *fd)
{
	*fd = is_asked() ? ask_fd(exchange_new(FILES_OWN_CONNECT, 0, path), NULL)
			 : fileopen_own_connect(path);
	return *fd < 0 ? *fd : 0;
}

int files_own_replace(const char *path, const char *page, size_t len, bool on_disk)
{
	struct exchange *x;
	int fd, err = 0;

	if (!is_asked())
		return fileopen_own_replace(path, page, len, on_disk);
	fd = memfd_create("tlsfail-page", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (size_t done = 0; !err && done < len;) {
		ssize_t n = write(fd, page + done, len - done);

		if (n > 0)
			done += (size_t)n;
		else
			err = -EIO;
	}
	x = err ? NULL : exchange_new(FILES_OWN_REPLACE, 0, path);
	if (x)
		x->request.flag = on_disk;
	if (!err)
		err = x ? ask(x, fd) : -ENOMEM;
	free(x);
	close(fd);
	return err;
}
