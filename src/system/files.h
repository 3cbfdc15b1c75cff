/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that somebody else made, and those that tlsfail was told to write to: opened here, or, in a
 * process that may open nothing, by another one that is asked for them (files_ask()). In the second
 * case what is asked for that the other one does not give is -EACCES, and a private key is never
 * given: it is blanked out of a file that holds one beside other things.
 *
 * Descriptors are the caller's to close. A negative errno on failure; -ETIME: there was no answer.
 */
#ifndef TLSFAIL_SYSTEM_FILES_H
#define TLSFAIL_SYSTEM_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct text;

/* From now on they are asked for: each thread sends, over the socket keeper, one end of a connection of
 * its own, to which files_serve() is to answer. */
void files_ask(int keeper);

/* -- of a process, by a path as that process sees it; pid 0: of this host -- */

/* A regular file, for reading; *stat is that of the file. -ENOEXEC: it is none. */
int files_open(pid_t pid, const char *path, struct stat *stat);
/* The same; real is its path without symbolic links, "" where that is the same or not known. */
int files_open_real(pid_t pid, const char *path, struct stat *stat, char *real, size_t size);
int files_directory(pid_t pid, const char *path);
int files_stat(pid_t pid, const char *path, bool nofollow, struct stat *stat);

/* Is the private key in that file the one to a public key (SubjectPublicKeyInfo, DER)? 1, 0 or a negative
 * errno: that cannot be told. */
int files_key_matches(pid_t pid, const char *path, const void *key, size_t len);

/* -- of a process -- */

/* The beginning of its command line, with the NULs at its end left out; -ENOENT: it has none. */
int files_cmdline(pid_t pid, char *buf, size_t size, size_t *len);
/* Its working directory, terminated. */
int files_cwd(pid_t pid, char *buf, size_t size);
/* Its executable, for reading. */
int files_exe(pid_t pid);
/* As procfs_parent() and procfs_started(). */
pid_t files_parent(pid_t pid);
int files_started(pid_t pid, uint64_t *ticks);

/* -- of those that are traced; these are only asked for -- */

/* Is the process selected? 1, 0, or a negative errno: that cannot be told. */
int files_matches(pid_t pid);
/* The processes that are selected, max at most: how many, or a negative errno. */
int files_targets(pid_t *pids, size_t max);

/* -- a log, as regular_look() takes a path -- */

int files_log_look(const char *path, struct stat *stat);
int files_log_open(const char *path, struct stat *stat);
/* What the symbolic link at path holds, terminated. */
int files_log_link(const char *path, char *buf, size_t size);

/* -- what tlsfail was told to write to -- */

/* As ownfile_open(), for appending, and without waiting for the reader of a FIFO. */
int files_own_open(const char *path, int *fd, struct stat *stat, struct text *error);
int files_own_look(const char *path, struct stat *stat);
/* A datagram socket that is connected to the Unix socket at path. */
int files_own_connect(const char *path, int *fd);
/* As ownsocket_listen() and ownsocket_remove(). */
int files_own_listen(const char *path, int *fd, struct stat *stat, gid_t *group,
		     struct text *error);
void files_own_unlisten(const char *path, dev_t dev, ino_t ino);
/* As ownfile_replace(). */
int files_own_replace(const char *path, const char *page, size_t len, bool on_disk);

#endif
