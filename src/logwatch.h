/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nginx's error logs beside the records of the kernel: follows the files, and puts the line that
 * nginx wrote about a failed connection before its record.
 */
#ifndef TLSFAIL_LOGWATCH_H
#define TLSFAIL_LOGWATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct logwatch;
struct text;

/* What becomes of the records that come out. They are valid during the call. */
typedef void (*logwatch_emit)(void *context, const void *record, size_t len);

/* Follows count files, for connections of these roles (bits of enum tlsfail_role); paths must outlive *out, which is the caller's to logwatch_close(). Returns a
 * negative errno on failure; error then gets one sentence. */
int logwatch_open(const char *const *paths, size_t count, unsigned int roles, logwatch_emit emit,
		  void *context, struct logwatch **out, struct text *error);
void logwatch_close(struct logwatch *w);

/* Takes a record on its way; logwatch_poll() lets it go. Times are CLOCK_MONOTONIC in ns. */
void logwatch_record(struct logwatch *w, const void *record, size_t len, uint64_t now);

/* Reads the files, and emits the records that are ready. */
void logwatch_poll(struct logwatch *w, uint64_t now);

/* In how many ms logwatch_poll() is to be called again, limit at most. */
int logwatch_wait_ms(const struct logwatch *w, int limit);

/* Reads the files for the last time, and emits all that is left. */
void logwatch_finish(struct logwatch *w, uint64_t now);

#endif
