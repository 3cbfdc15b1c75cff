/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Follows a log file: what is appended to it from now on, line by line, also when it is rotated, by
 * another file of its name or by truncation.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_LIVE_LOGFILE_H
#define TLSFAIL_PROGRAM_NGINX_LIVE_LOGFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct logfile;
struct text;

/* A line without its end: not terminated, any bytes. Of a very long one it is the beginning. */
typedef void (*logfile_take)(void *context, const char *text, size_t len);

/*
 * Opens the regular file path, which must outlive *out, and goes to its end. Returns a negative
 * errno on failure; error then gets one sentence. *out is the caller's to logfile_close().
 */
int logfile_open(const char *path, struct logfile **out, struct text *error);

/*
 * Hands over the whole lines that were appended since the last call, without blocking and not too
 * many at once. True: there is more. now is CLOCK_MONOTONIC in ns. That the file is gone, and that
 * it is back, is told on stderr.
 */
bool logfile_read(struct logfile *f, uint64_t now, logfile_take take, void *context);

/* NULL is fine. */
void logfile_close(struct logfile *f);

#endif
