/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The metrics in a file, for the textfile collector of node_exporter.
 */
#ifndef TLSFAIL_METRICS_FILE_H
#define TLSFAIL_METRICS_FILE_H

#include <stdbool.h>

#include "metrics/share.h"

#define METRICS_FILE_INTERVAL_S 10

struct metrics_file;

/* Replaces the file with that page; a reader sees the old one or the new one. on_disk: returns when the
 * page is there, so that it survives a power failure. A negative errno on failure. */
int metrics_file_replace(const char *path, const char *page, size_t len, bool on_disk);

/*
 * Writes the file now, and then again and again in a thread of its own until metrics_file_close(),
 * which writes it for the last time. A reader sees a whole file, the old one or the new one. That
 * it cannot be written later is said on stderr, once, and again when it can be. path lives as long
 * as this does; the share stays the caller's and has something published. Returns 0 or a negative
 * errno.
 */
int metrics_file_open(const char *path, struct metrics_share *share, struct metrics_file **out);
void metrics_file_close(struct metrics_file *file);

#endif
