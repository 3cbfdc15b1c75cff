/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a live view has its lines from: a process of this program that traces, or reads a recording; a
 * service, by its socket; or a file of JSON, which may grow.
 */
#ifndef TLSFAIL_COMMAND_TOP_SOURCE_H
#define TLSFAIL_COMMAND_TOP_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "command/options.h"

struct source;

enum source_kind {
	SOURCE_TRACE,
	SOURCE_RECORDING,
	SOURCE_SOCKET,
	SOURCE_FILE,
};

/* Opens what the options ask for. *out is the caller's to source_close(), after an error too, unless it
 * is NULL. A negative errno, with a sentence in error. */
int source_open(const struct options *options, struct source **out, struct text *error);

/* Ends the process, if there is one. */
void source_close(struct source *s);

enum source_kind source_kind(const struct source *s);

/* What to poll(2) for lines, and for messages; -1: nothing. */
int source_fd(const struct source *s);
int source_message_fd(const struct source *s);

/* Gives lines to take(), without their ends, as long as there are some, so many bytes at most. False:
 * nothing comes any more. */
bool source_read(struct source *s, void (*take)(void *context, const char *line, size_t len),
		 void *context);

/* Was there more than that? Then what to poll is not all that there is to wait for. */
bool source_has_more(const struct source *s);

/* The next line that the process has said on its stderr, into buf. False: there is none. */
bool source_message(struct source *s, char *buf, size_t size);

/* Does the recording of what is traced come as well? What to poll(2) for it, or -1: nothing comes any
 * more. */
bool source_has_records(const struct source *s);
int source_records_fd(const struct source *s);

/* Gives records to take(), as long as there are some, so many at most. */
void source_records(struct source *s, void (*take)(void *context, const void *record, size_t len),
		    void *context);

/* Once a second: looks whether a service that went away is there again, and a file has grown. True: it
 * is, or has. */
bool source_again(struct source *s);

/* Of a process that has ended: did it fail? False while it runs. */
bool source_failed(struct source *s);

#endif
