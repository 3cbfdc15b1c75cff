/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Brings failed connections and the lines of nginx's error.log together. Records go in and come out
 * in the same order; a connection without a line is held back for a moment, and what came after it
 * with it. A line that is about a connection comes out right before that, as a record of its own.
 * Pure: time is what the caller says, ns of CLOCK_MONOTONIC.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_LOGMATCH_H
#define TLSFAIL_PROGRAM_NGINX_LOGMATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "program/nginx/errorlog.h"

/* nginx writes before it closes, so that what has to be waited for is a line that was written while
 * we read. */
#define LOGMATCH_HOLD_NS 200000000ULL

struct logmatch;

/* For connections of these roles, bits of enum tlsfail_role. NULL when out of memory. */
struct logmatch *logmatch_new(unsigned int roles);
void logmatch_free(struct logmatch *m);

/* Takes a record of the ABI. -ENOMEM: it was not taken. */
int logmatch_record(struct logmatch *m, const void *data, size_t len, uint64_t now);

/* Takes a line of that file. -ENOMEM: it was not taken. */
int logmatch_line(struct logmatch *m, const char *file, const struct errorlog_line *line,
		  uint64_t now);

/* No more lines will come: nothing is waited for any more. */
void logmatch_end(struct logmatch *m);

/*
 * The next record that is ready, NULL when there is none. It is valid until the next call. Lines
 * about TLS for which no connection came are among them.
 */
const void *logmatch_next(struct logmatch *m, uint64_t now, size_t *len);

/* Is a record being held back? */
bool logmatch_waits(const struct logmatch *m);

#endif
