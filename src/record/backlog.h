/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last records of a run, of bounded size, so that a recording that is begun late has what was
 * before. What made room is whole connections; what is true of later ones as well (host, clock,
 * processes, places in nginx's configuration) stays.
 */
#ifndef TLSFAIL_RECORD_BACKLOG_H
#define TLSFAIL_RECORD_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>

struct backlog;

/* Of so many bytes beside what stays. NULL when out of memory. */
struct backlog *backlog_new(size_t size);
void backlog_free(struct backlog *b);

/* Takes a copy of a record of len bytes. False: it is no record, or out of memory. */
bool backlog_put(struct backlog *b, const void *record, size_t len);

/* Gives all that is kept to take(), in an order in which it can be replayed, until it returns other
 * than 0, and returns that. */
int backlog_give(struct backlog *b, int (*take)(void *context, const void *record, size_t len),
		 void *context);

#endif
