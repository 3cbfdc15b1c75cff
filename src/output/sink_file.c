/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sinks that write lines to standard output or to a file. Each line is one write(2): a reader sees a
 * failure when it happens, and never the half of a line. A file may be moved away at any time; the
 * next line then begins a new one. When the disk is full, the half of a line that it took is cut off
 * again.
 */
#include "output/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/files.h"
#include "base/text.h"

struct sink {
	int fd;
	int stop;
	const char *path; /* NULL: standard output */
	bool regular;
	dev_t dev;
	ino_t ino;
	size_t begun; /* bytes of the next line that are written already */
	bool torn;    /* the half of a line could not be taken back */
};

int sink_file_check(const char *target, struct text *error)
{
	if (sink_is_stdout(target) || target[0] == '/')
		return 0;
	text_addf(error, "'%s' is not a file to write to: give an absolute path, or -", target);
	return -EINVAL;
}

static int path_open(struct sink *sink, struct text *error)
{
	struct stat st;
	int err;

	err = files_own_open(sink->path, &sink->fd, &st, error);
	if (err)
		return err;
	sink->regular = S_ISREG(st.st_mode);
	sink->dev = st.st_dev;
	sink->ino = st.st_ino;
	sink->begun = 0;
	sink->torn = false;
	return 0;
}

static void path_close(struct sink *sink)
{
	if (sink->path && sink->fd >= 0)
		close(sink->fd);
	sink->fd = -1;
}

int sink_file_open(const struct sink_options *options, const char *target, struct sink **sink,
		   struct text *error)
{
	struct sink *s = malloc(sizeof(*s));
	int err = 0;

	if (!s)
		return -ENOMEM;
	*s = (struct sink){ .fd = options->fd, .stop = options->stop };
	if (!sink_is_stdout(target)) {
		s->path = target;
		err = path_open(s, error);
	}
	if (err)
		free(s);
	else
		*sink = s;
	return err;
}

int sink_file_reopen(struct sink *sink, struct text *error)
{
	if (!sink->path)
		return 0;
	path_close(sink);
	return path_open(sink, error);
}

/* Opens the file again when its name does not lead to it any more. */
static int path_follow(struct sink *sink, struct text *error)
{
	struct stat st;

	if (!sink->path)
		return 0;
	if (sink->fd >= 0 && !files_own_look(sink->path, &st) && st.st_dev == sink->dev &&
	    st.st_ino == sink->ino)
		return 0;
	return sink_file_reopen(sink, error);
}

/* Takes the half of a line off the file again, so that the whole can be written later. */
static void half_take_back(struct sink *sink, size_t written)
{
	struct stat st;

	if (!written)
		return;
	sink->torn = fstat(sink->fd, &st) || st.st_size < (off_t)written ||
		     ftruncate(sink->fd, st.st_size - (off_t)written);
}

static int line_write(struct sink *sink, const struct queue_item *item)
{
	size_t done = 0;
	int err = 0;

	if (sink->torn) {
		err = sink_write_all(sink->fd, sink->stop, "\n", 1, &done);
		sink->torn = err;
	}
	if (!err)
		err = sink_write_all(sink->fd, sink->stop, item->data + sink->begun,
				     item->len - sink->begun, &done);
	if (!err)
		sink->begun = 0;
	else if (sink->regular)
		half_take_back(sink, done);
	else
		sink->begun += done;
	return err;
}

int sink_file_send(struct sink *sink, const struct queue_item *items, size_t count,
		   struct sink_sent *sent, struct text *error)
{
	int err = path_follow(sink, error);

	while (!err && sent->taken < count) {
		err = line_write(sink, &items[sent->taken]);
		if (err)
			text_addf(error, "cannot write: %s", strerror(-err));
		else
			sent->taken++;
	}
	return err;
}

void sink_file_close(struct sink *sink)
{
	path_close(sink);
	free(sink);
}
