/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads back what the JSON sink and the socket of live views write, a line at a time. A line may be
 * anybody's: what it holds is checked, bounded, and made fit for a terminal, as findings are. Pure.
 */
#ifndef TLSFAIL_FINDING_READER_H
#define TLSFAIL_FINDING_READER_H

#include <stddef.h>

#include "finding/finding.h"
#include "finding/standing.h"

#define READER_LINE_MAX	   (512 * 1024)
#define READER_STRINGS_LEN 65536

enum reader_line {
	READER_FINDING,
	READER_STANDING,
	READER_HELLO,	/* of a service: message says who it is */
	READER_GOODBYE, /* and its last one: message says why */
	READER_OTHER,	/* an event that this version does not know */
};

/* What the last line held. Large: not for the stack. */
struct reader {
	struct finding finding;
	struct standing standing;
	char message[FINDING_MESSAGE_LEN];
	/* what the finding's pointers point to */
	size_t strings_used;
	char strings[READER_STRINGS_LEN];
};

/* Reads a line of len bytes, with or without its end. Returns an enum reader_line; -EBADMSG: it is no
 * event of tlsfail. */
int reader_read(struct reader *r, const char *line, size_t len);

#endif
