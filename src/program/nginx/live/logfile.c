/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file is looked at whenever a connection has failed, and once a second: then nothing that
 * matters can have been missed. Notifications (inotify) would not tell more, and would not come from
 * network and some overlay file systems.
 */
#include "program/nginx/live/logfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/files.h"
#include "system/log.h"
#include "base/text.h"

#define LINE_MAX_LEN 4096 /* nginx's lines have 2048 bytes at most */
#define READ_LEN     65536
#define READS_MAX    16 /* of READ_LEN in one call */
/* What is further behind is left out: somebody writes faster than we read. */
#define BEHIND_MAX (64LL * 1024 * 1024)
/* A rotation leaves the name unused for a moment. */
#define GONE_NS 5000000000ULL
/* nginx's workers go on writing to a file that was renamed until each of them has reopened it. */
#define AFTERLIFE_NS 5000000000ULL

/* One file under that name. */
struct stream {
	int fd; /* -1: none */
	dev_t dev;
	ino_t ino;
	off_t offset;
	bool skipping; /* the rest of a line that is too long */
	size_t len;    /* of a line whose end has not come */
	char line[LINE_MAX_LEN];
};

struct logfile {
	const char *path;
	struct stream now;
	struct stream before; /* what had the name before */
	uint64_t before_until;
	uint64_t gone_since; /* 0: it is there */
	bool told_gone;
	char buf[READ_LEN];
};

static void stream_close(struct stream *s)
{
	if (s->fd >= 0)
		close(s->fd);
	*s = (struct stream){ .fd = -1 };
}

/* Opens what has the name now. */
static int stream_open(const char *path, struct stream *s)
{
	struct stat st;
	int fd = files_log_open(path, &st);

	*s = (struct stream){ .fd = -1 };
	if (fd < 0)
		return fd == -ENOEXEC ? -EINVAL : fd;
	s->fd = fd;
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	return 0;
}

int logfile_open(const char *path, struct logfile **out, struct text *error)
{
	struct logfile *f = calloc(1, sizeof(*f));
	int err = -ENOMEM;

	if (f) {
		f->path = path;
		f->before.fd = -1;
		err = stream_open(path, &f->now);
	}
	if (!err) {
		f->now.offset = lseek(f->now.fd, 0, SEEK_END);
		*out = f;
		return 0;
	}
	text_add(error, "cannot follow the log ");
	text_add_hostile(error, path, strlen(path));
	text_addf(error, ": %s", err == -EINVAL ? "it is not a regular file" : strerror(-err));
	free(f);
	return err;
}

void logfile_close(struct logfile *f)
{
	if (!f)
		return;
	stream_close(&f->now);
	stream_close(&f->before);
	free(f);
}

/* -- lines ------------------------------------------------------------------------------------ */

static void line_append(struct stream *s, const char *data, size_t len)
{
	size_t room = sizeof(s->line) - s->len;

	if (s->skipping)
		return;
	if (len > room) {
		len = room;
		s->skipping = true;
	}
	memcpy(s->line + s->len, data, len);
	s->len += len;
}

static void bytes_split(struct stream *s, const char *data, size_t len, logfile_take take,
			void *context)
{
	const char *end;

	while ((end = memchr(data, '\n', len))) {
		line_append(s, data, (size_t)(end - data));
		take(context, s->line, s->len);
		s->len = 0;
		s->skipping = false;
		len -= (size_t)(end - data) + 1;
		data = end + 1;
	}
	line_append(s, data, len);
}

/* True: there is more. */
static bool stream_read(struct logfile *f, struct stream *s, logfile_take take, void *context)
{
	for (int i = 0; s->fd >= 0 && i < READS_MAX; i++) {
		ssize_t n = pread(s->fd, f->buf, sizeof(f->buf), s->offset);

		if (n <= 0)
			return false;
		s->offset += n;
		bytes_split(s, f->buf, (size_t)n, take, context);
	}
	return s->fd >= 0;
}

/* -- rotation --------------------------------------------------------------------------------- */

/* Goes to offset, where a line begins or, after a jump, may be in its middle. */
static void stream_seek(struct stream *s, off_t offset, bool inside)
{
	s->offset = offset;
	s->len = 0;
	s->skipping = inside;
}

/* copytruncate; or somebody who writes faster than we read. */
static void size_check(const struct logfile *f, struct stream *s)
{
	struct stat st;

	if (s->fd < 0 || fstat(s->fd, &st))
		return;
	if (st.st_size < s->offset) {
		stream_seek(s, 0, false);
	} else if (st.st_size - s->offset > BEHIND_MAX) {
		log_line("%s is written faster than it can be read: skipping %lld bytes", f->path,
			 (long long)(st.st_size - s->offset));
		stream_seek(s, st.st_size, true);
	}
}

static void is_gone(struct logfile *f, uint64_t now, int err)
{
	if (!f->gone_since)
		f->gone_since = now;
	if (f->told_gone || now - f->gone_since < GONE_NS)
		return;
	log_line("%s: %s; waiting for it", f->path,
		 err == -EINVAL ? "it is no longer a regular file" : strerror(-err));
	f->told_gone = true;
}

static void is_there(struct logfile *f)
{
	if (f->told_gone)
		log_line("%s is back", f->path);
	f->told_gone = false;
	f->gone_since = 0;
}

/* Has another file taken the name? The one that had it is read for a while longer. */
static void name_check(struct logfile *f, uint64_t now)
{
	struct stream next;
	struct stat st;
	int err;

	if (!files_log_look(f->path, &st) && st.st_dev == f->now.dev && st.st_ino == f->now.ino) {
		is_there(f);
		return;
	}
	err = stream_open(f->path, &next);
	if (err) {
		is_gone(f, now, err);
		return;
	}
	is_there(f);
	stream_close(&f->before);
	f->before = f->now;
	f->before_until = now + AFTERLIFE_NS;
	f->now = next;
}

bool logfile_read(struct logfile *f, uint64_t now, logfile_take take, void *context)
{
	bool more;

	name_check(f, now);
	size_check(f, &f->before);
	size_check(f, &f->now);
	more = stream_read(f, &f->before, take, context);
	if (!more && f->before_until <= now)
		stream_close(&f->before);
	return stream_read(f, &f->now, take, context) || more;
}
