/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening a file that somebody else has named, without doing anything to what it may be: to open a
 * device can rewind a tape, to read /proc/kmsg takes lines from others, a FIFO waits for its other
 * end. So it is looked at first, through a descriptor that only stands for the path (O_PATH), and
 * opened for reading when it is known to be a plain file.
 */
#ifndef TLSFAIL_SYSTEM_REGULAR_H
#define TLSFAIL_SYSTEM_REGULAR_H

#include <sys/stat.h>

/*
 * Opens for reading what the O_PATH descriptor path stands for; path is closed, whatever is
 * returned, and may be the negative errno of its own open(), which is returned then. *stat, when not
 * NULL, is that of the file. -ENOEXEC: it is no regular file, or one in which the kernel shows its
 * own state, such as those of /proc and /sys.
 */
int regular_reopen(int path, struct stat *stat);

/*
 * An O_PATH descriptor for a path of ours. What is behind /proc/PID/root is resolved as that process
 * would: an absolute symbolic link in there does not lead out of it, nor to a descriptor of ours by way
 * of /proc/self (-ELOOP). The caller's to close; a negative errno on failure.
 */
int regular_look(const char *path);

/* regular_reopen() for a path, seen from the directory dir (AT_FDCWD). */
int regular_open(int dir, const char *path, struct stat *stat);

#endif
