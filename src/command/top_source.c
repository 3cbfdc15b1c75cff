// SPDX-License-Identifier: BSD-2-Clause
/*
 * The process that traces is this one, forked: so the one with the terminal can give up its
 * privileges, and whatever becomes of either does not harm the other.
 */
#define _GNU_SOURCE /* struct ucred */
#include "command/top_source.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "command/replay.h"
#include "command/trace.h"
#include "finding/reader.h"
#include "output/sink_view.h"
#include "record/recording.h"

#define READ_BYTES  (256 * 1024) /* in a turn */
#define FOLD_NS	    5000000000ULL
#define MESSAGE_LEN 4096
#define END_MS	    2000 /* that the process has to end */

#define RECORDS_IN_TURN 1000
#define RECORDS_BUFFER	(2 * 1024 * 1024) /* in the kernel: what comes while nobody looks */

struct source {
	enum source_kind kind;
	const char *path;
	int fd;
	int messages;
	int records;		     /* -1: none come */
	struct recording *recording; /* that is read from it */
	pid_t child;		     /* 0: none, or it has ended */
	bool failed;
	size_t used;
	bool more;     /* the last turn did not take all */
	bool skipping; /* the rest of a line that is too long */
	char buf[READER_LINE_MAX];
	size_t message_used;
	char message[MESSAGE_LEN];
};

/* -- a process ------------------------------------------------------------------------------------ */

/* What the process writes to. */
struct child_ends {
	int lines;
	int messages;
	int records; /* 0: none are wanted */
};

/* In the process: its standard output is the view, its stderr are messages. Does not return. */
static void child_run(const struct options *o, enum source_kind kind, const struct child_ends *ends)
{
	static struct options own;
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* The terminal's signals are for the one that has the terminal. */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	own = *o;
	own.command = kind == SOURCE_TRACE ? COMMAND_TRACE : COMMAND_REPLAY;
	own.sinks[0] = "socket:-";
	own.sink_count = 1;
	own.socket = NULL;
	own.views = true;
	own.records = ends->records;
	/* what is alike is told soon, and is one line all the same */
	if (kind == SOURCE_TRACE)
		own.pipeline.fold_ns = FOLD_NS;
	if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 ||
	    dup2(ends->lines, STDOUT_FILENO) < 0 || dup2(ends->messages, STDERR_FILENO) < 0)
		_exit(EXIT_CANNOT);
	_exit(kind == SOURCE_TRACE ? tracer_run(&own) : replay_run(&own));
}

/* Who traces does not wait for whoever looks: what does not fit ends the recording, on both sides. */
static int records_open(struct source *s, int *end)
{
	static const int bytes = RECORDS_BUFFER;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends))
		return -errno;
	/* without the privilege it is smaller */
	(void)setsockopt(ends[1], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	s->records = ends[0];
	*end = ends[1];
	return recording_adopt(ends[0], "what is traced", &s->recording);
}

static int child_start(struct source *s, const struct options *o)
{
	int lines[2] = { -1, -1 }, messages[2] = { -1, -1 };
	struct child_ends ends = { 0 };
	int err = s->kind == SOURCE_TRACE && !o->record ? records_open(s, &ends.records) : 0;

	if (err)
		return err;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, lines) || pipe2(messages, O_CLOEXEC))
		return -errno;
	ends.lines = lines[1];
	ends.messages = messages[1];
	s->child = fork();
	if (s->child < 0)
		return -errno;
	if (!s->child)
		child_run(o, s->kind, &ends);
	close(ends.lines);
	close(ends.messages);
	if (ends.records)
		close(ends.records);
	s->fd = lines[0];
	s->messages = messages[0];
	return fcntl(s->fd, F_SETFL, O_NONBLOCK) || fcntl(s->messages, F_SETFL, O_NONBLOCK) ? -errno
											    : 0;
}

static void child_status(struct source *s, int flags)
{
	int status;

	if (s->child && waitpid(s->child, &status, flags) == s->child) {
		s->failed = !WIFEXITED(status) || WEXITSTATUS(status);
		s->child = 0;
	}
}

static void child_end(struct source *s)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };

	if (s->child)
		kill(s->child, SIGTERM);
	/* It writes what it has left to nobody. */
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	for (int i = 0; s->child && i < END_MS / 10; i++) {
		child_status(s, WNOHANG);
		nanosleep(&pause, NULL);
	}
	if (s->child) {
		kill(s->child, SIGKILL);
		child_status(s, 0);
	}
}

bool source_failed(struct source *s)
{
	child_status(s, WNOHANG);
	return !s->child && s->failed;
}

/* -- a service ------------------------------------------------------------------------------------ */

/* Is it root's, or our own? Anybody may have put a socket where theirs is not. */
static int server_check(int fd, const char *path, struct text *error)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return -errno;
	if (!peer.uid || peer.uid == geteuid())
		return 0;
	text_addf(error, "%s is served by user %u, not by root", path, (unsigned int)peer.uid);
	return -EPERM;
}

static int socket_connect(struct source *s, struct text *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int err = 0;

	if (strlen(s->path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, s->path, strlen(s->path) + 1);
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&address, sizeof(address)))
		err = -errno;
	if (!err)
		err = server_check(s->fd, s->path, error);
	if (err && s->fd >= 0) {
		close(s->fd);
		s->fd = -1;
	}
	s->used = 0;
	s->skipping = false;
	return err;
}

/* -- opening -------------------------------------------------------------------------------------- */

/* A recording begins with its magic, JSON with a brace. */
static int file_open(struct source *s, struct text *error)
{
	struct stat st;
	char first = 0;
	ssize_t n;

	s->fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (s->fd < 0 || fstat(s->fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode)) {
		text_addf(error, "%s is not a regular file", s->path);
		return -EINVAL;
	}
	n = pread(s->fd, &first, 1, 0);
	s->kind = n == 1 && first != '{' ? SOURCE_RECORDING : SOURCE_FILE;
	return n < 0 ? -errno : 0;
}

/* Has it been said how to trace, so that a service that does so another way will not do? */
static bool wants_own(const struct options *o)
{
	return o->target != OPTION_TARGET_DEFAULT || o->all_users || o->record ||
	       o->error_log_count || o->no_return_probes ||
	       o->pipeline.roles != (PIPELINE_CLIENT | PIPELINE_SERVER);
}

static int source_find(struct source *s, const struct options *o, struct text *error)
{
	int err;

	s->path = o->socket ? o->socket : o->argument;
	if (o->argument) {
		err = file_open(s, error);
		if (err || s->kind == SOURCE_FILE)
			return err;
		close(s->fd);
		s->fd = -1;
		return child_start(s, o);
	}
	s->kind = SOURCE_SOCKET;
	if (o->socket)
		return socket_connect(s, error);
	s->path = VIEW_SOCKET_DEFAULT;
	if (!wants_own(o)) {
		err = socket_connect(s, error);
		if (err != -ENOENT && err != -ECONNREFUSED)
			return err;
	}
	s->kind = SOURCE_TRACE;
	return child_start(s, o);
}

int source_open(const struct options *o, struct source **out, struct text *error)
{
	struct source *s = calloc(1, sizeof(*s));
	int err;

	*out = s;
	if (!s)
		return -ENOMEM;
	s->fd = s->messages = s->records = -1;
	err = source_find(s, o, error);
	if (err == -EACCES && s->kind == SOURCE_SOCKET)
		text_addf(error, "%s is only for root and the group " VIEW_GROUP, s->path);
	else if (err && !error->len)
		text_addf(error, "%s: %s", s->path, strerror(-err));
	return err;
}

void source_close(struct source *s)
{
	if (!s)
		return;
	child_end(s);
	if (s->messages >= 0)
		close(s->messages);
	recording_close(s->recording);
	free(s);
}

enum source_kind source_kind(const struct source *s)
{
	return s->kind;
}

int source_fd(const struct source *s)
{
	/* a file is always readable: it is looked at once a second */
	return s->kind == SOURCE_FILE ? -1 : s->fd;
}

int source_message_fd(const struct source *s)
{
	return s->messages;
}

/* -- lines ---------------------------------------------------------------------------------------- */

/* Takes the lines of the buffer that are whole. One that does not fit is none of ours. */
static void lines_take(struct source *s, void (*take)(void *, const char *, size_t), void *context)
{
	size_t start = 0;
	char *end;

	while ((end = memchr(s->buf + start, '\n', s->used - start))) {
		size_t len = (size_t)(end - s->buf) - start;

		if (!s->skipping && len)
			take(context, s->buf + start, len);
		s->skipping = false;
		start += len + 1;
	}
	s->used -= start;
	memmove(s->buf, s->buf + start, s->used);
	if (s->used == sizeof(s->buf)) {
		s->skipping = true;
		s->used = 0;
	}
}

bool source_read(struct source *s, void (*take)(void *context, const char *line, size_t len),
		 void *context)
{
	size_t sum = 0;

	while (s->fd >= 0 && sum < READ_BYTES) {
		ssize_t n = read(s->fd, s->buf + s->used, sizeof(s->buf) - s->used);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0 && s->kind == SOURCE_FILE && !n)
			break;
		if (n <= 0) {
			close(s->fd);
			s->fd = -1;
			break;
		}
		s->used += (size_t)n;
		sum += (size_t)n;
		lines_take(s, take, context);
	}
	s->more = sum >= READ_BYTES;
	return s->fd >= 0;
}

bool source_has_more(const struct source *s)
{
	return s->more;
}

bool source_message(struct source *s, char *buf, size_t size)
{
	char *end = memchr(s->message, '\n', s->message_used);
	size_t len;
	struct text t;

	if (!end && s->messages >= 0) {
		ssize_t n = read(s->messages, s->message + s->message_used,
				 sizeof(s->message) - s->message_used);

		if (n > 0) {
			s->message_used += (size_t)n;
		} else if (!n) {
			close(s->messages);
			s->messages = -1;
		}
		end = memchr(s->message, '\n', s->message_used);
	}
	if (!end && s->message_used < sizeof(s->message))
		return false;
	len = end ? (size_t)(end - s->message) : s->message_used;
	text_init(&t, buf, size);
	text_addf(&t, "%.*s", (int)len, s->message);
	s->message_used -= len + (end != NULL);
	memmove(s->message, s->message + len + (end != NULL), s->message_used);
	return true;
}

/* -- records -------------------------------------------------------------------------------------- */

bool source_has_records(const struct source *s)
{
	return s->recording;
}

int source_records_fd(const struct source *s)
{
	return s->records;
}

void source_records(struct source *s, void (*take)(void *context, const void *record, size_t len),
		    void *context)
{
	char words[MESSAGE_LEN];
	struct text error;
	const void *record;
	int ret = 1;
	size_t len;

	for (int i = 0; s->recording && ret > 0 && i < RECORDS_IN_TURN; i++) {
		text_init(&error, words, sizeof(words));
		ret = recording_next(s->recording, &record, &len, &error);
		if (ret > 0)
			take(context, record, len);
	}
	if (ret > 0 || ret == -EAGAIN || !s->recording)
		return;
	recording_close(s->recording);
	s->recording = NULL;
	s->records = -1;
}

bool source_again(struct source *s)
{
	char words[256];
	struct text error;

	text_init(&error, words, sizeof(words));
	if (s->kind == SOURCE_FILE)
		return true;
	return s->kind == SOURCE_SOCKET && s->fd < 0 && !socket_connect(s, &error);
}
