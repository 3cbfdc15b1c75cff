/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nginx's error logs beside the records of the kernel: follows the files, and puts the line that
 * nginx wrote about a failed connection before its record.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_LIVE_LOGWATCH_H
#define TLSFAIL_PROGRAM_NGINX_LIVE_LOGWATCH_H

#include <stddef.h>
#include <stdint.h>

struct logwatch;
struct text;

/* What becomes of the records that come out. They are valid during the call. */
typedef void (*logwatch_emit)(void *context, const void *record, size_t len);

struct logwatch_options {
	const char *const *names; /* as logplaces_find() takes them */
	size_t count;
	unsigned int roles; /* of the connections: bits of enum tlsfail_role */
	logwatch_emit emit;
	void *context;
};

/* Follows the files; what options point to must outlive *out, which is the caller's to
 * logwatch_close(). That nginx's configuration names none yet is told on stderr. Returns a negative
 * errno on failure; error then gets one sentence. */
int logwatch_open(const struct logwatch_options *options, struct logwatch **out,
		  struct text *error);
void logwatch_close(struct logwatch *w);

/* An nginx has started, or its configuration may be another: some time after it, logwatch_poll()
 * looks again which files are to be followed. Times are CLOCK_MONOTONIC in ns. */
void logwatch_look_again(struct logwatch *w, uint64_t now);

/* Takes a record on its way; logwatch_poll() lets it go. */
void logwatch_record(struct logwatch *w, const void *record, size_t len, uint64_t now);

/* Reads the files, and emits the records that are ready. */
void logwatch_poll(struct logwatch *w, uint64_t now);

/* In how many ms logwatch_poll() is to be called again, limit at most. */
int logwatch_wait_ms(const struct logwatch *w, int limit);

/* Reads the files for the last time, and emits all that is left. */
void logwatch_finish(struct logwatch *w, uint64_t now);

#endif
