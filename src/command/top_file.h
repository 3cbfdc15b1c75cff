/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file that a live view writes: a recording, or lines of JSON.
 */
#ifndef TLSFAIL_COMMAND_TOP_FILE_H
#define TLSFAIL_COMMAND_TOP_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct recorder;

struct top_file {
	const char *name;
	int fd;			   /* of lines, or -1 */
	struct recorder *recorder; /* of a recording, or NULL */
};

/* Does somebody who calls it that want lines of JSON? */
bool top_file_is_lines(const char *name);

/* Creates the file, which is not there yet. name outlives it. A negative errno, with a sentence in error. */
int top_file_begin(struct top_file *f, const char *name, bool recording, struct text *error);
bool top_file_is_open(const struct top_file *f);

/* Both do nothing when the file is of the other kind, or none. A negative errno: it is closed. */
int top_file_line(struct top_file *f, const char *line, size_t len);
int top_file_record(struct top_file *f, const void *record, size_t len);

/* What is buffered. */
int top_file_flush(struct top_file *f);

/* A negative errno: not all was written. */
int top_file_end(struct top_file *f);

#endif
