// SPDX-License-Identifier: BSD-2-Clause
/*
 * A recording holds bytes of handshakes, and is its owner's alone to read, as --record makes it.
 */
#include "command/top_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output/sink.h"
#include "record/recording.h"
#include "system/ownfile.h"

#define LINES_MODE     0640
#define RECORDING_MODE 0600

bool top_file_is_lines(const char *name)
{
	static const char *const ends[] = { ".json", ".ndjson", ".jsonl" };
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t end = strlen(ends[i]);

		if (len > end && !strcmp(name + len - end, ends[i]))
			return true;
	}
	return false;
}

int top_file_begin(struct top_file *f, const char *name, bool recording, struct text *error)
{
	struct stat st;
	int err, fd;

	*f = (struct top_file){ .name = name, .fd = -1 };
	err = ownfile_open(name, O_EXCL, recording ? RECORDING_MODE : LINES_MODE, &fd, &st, error);
	if (err)
		return err;
	if (!recording) {
		f->fd = fd;
		return 0;
	}
	err = recorder_begin(fd, &f->recorder);
	if (err)
		text_addf(error, "%s: %s", name, strerror(-err));
	return err;
}

bool top_file_is_open(const struct top_file *f)
{
	return f->fd >= 0 || f->recorder;
}

static int checked(struct top_file *f, int err)
{
	if (err)
		top_file_end(f);
	return err;
}

int top_file_line(struct top_file *f, const char *line, size_t len)
{
	size_t done;
	int err = 0;

	if (f->fd < 0)
		return 0;
	err = sink_write_all(f->fd, -1, line, len, &done);
	if (!err)
		err = sink_write_all(f->fd, -1, "\n", 1, &done);
	return checked(f, err);
}

int top_file_record(struct top_file *f, const void *record, size_t len)
{
	return f->recorder ? checked(f, recorder_write(f->recorder, record, len)) : 0;
}

int top_file_flush(struct top_file *f)
{
	return f->recorder ? checked(f, recorder_flush(f->recorder)) : 0;
}

int top_file_end(struct top_file *f)
{
	int err = recorder_close(f->recorder);

	if (f->fd >= 0 && close(f->fd) && !err)
		err = -errno;
	f->fd = -1;
	f->recorder = NULL;
	return err;
}
