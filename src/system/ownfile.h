/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that root writes to by name: opened so that nobody else can have them be something else.
 */
#ifndef TLSFAIL_SYSTEM_OWNFILE_H
#define TLSFAIL_SYSTEM_OWNFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

struct text;

/*
 * Opens path for writing, creating it with mode if it is not there; flags are added to those of
 * open(2). Refused are a symbolic link, what belongs to somebody else than root or this user, a file
 * that has other names, what is no regular file, FIFO or character device, and a directory in which
 * everybody may replace files. Sets *fd, the caller's to close, and *st. Returns 0, or a negative
 * errno with a sentence in error; *fd is then -1.
 */
int ownfile_open(const char *path, int flags, mode_t mode, int *fd, struct stat *st,
		 struct text *error);

/* Replaces the file at path with that page, readable for everybody; a reader sees the old one or the
 * new one; on_disk: also after a crash of the machine. A negative errno on failure. */
int ownfile_replace(const char *path, const char *page, size_t len, bool on_disk);

#endif
