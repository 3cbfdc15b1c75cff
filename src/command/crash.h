/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an analyst has died of is kept: the record that it had at hand, with the bytes of its connection,
 * as a recording that `replay` reads.
 */
#ifndef TLSFAIL_COMMAND_CRASH_H
#define TLSFAIL_COMMAND_CRASH_H

#include "command/feed.h"
#include "system/recqueue.h"

/* Where they are kept, and how many at most. */
#define CRASH_DIRECTORY "/var/lib/tlsfail"
#define CRASH_MAX	16

struct text;

/* Keeps the record that was at hand in the directory, which is made. Appends, to what, the path, or why
 * there is none. */
void crash_keep(const char *directory, struct recqueue *queue, const struct feed *feed,
		struct text *what);

#endif
