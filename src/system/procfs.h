/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading /proc/PID: everything about one process is opened relative to one descriptor of that
 * directory, so that when the process ends, what follows fails, and never reads about another
 * process that got its number.
 */
#ifndef TLSFAIL_SYSTEM_PROCFS_H
#define TLSFAIL_SYSTEM_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A descriptor (O_PATH) of /proc/PID, the caller's to close. -ESRCH: there is no such process. */
int procfs_open(pid_t pid);

/* The negative errno for an error of a file of /proc/PID. When a process ends while it is looked
 * at, they say ENOENT or ESRCH, by the moment: both are -ESRCH. */
int procfs_error(int error);

/* Reads the beginning of a small file of /proc/PID into buf, terminated. A negative errno on
 * failure. */
int procfs_read_text(int dir, const char *name, char *buf, size_t size);

/* The parent's pid; 0 when there is none, or the process is gone. */
pid_t procfs_parent(pid_t pid);

/* Is it stopped, by a signal or by a debugger? */
bool procfs_is_stopped(pid_t pid);

/*
 * When the process was started, in ticks of the kernel (sysconf(_SC_CLK_TCK)) after the boot: with
 * its pid that names it for good. -ESRCH: it is gone.
 */
int procfs_started(pid_t pid, uint64_t *ticks);

/* That as CLOCK_REALTIME in ns, by the clock as it is set now. */
int64_t procfs_realtime(uint64_t ticks);

/* Removes the " (deleted)" that the kernel adds to the path of a file that has lost its name. Was
 * there one? */
bool procfs_strip_deleted(char *path);

/* A file that a process has mapped, with one of the ranges where it is mapped. */
struct mapped_file {
	uint64_t start;
	uint64_t end;
	dev_t dev;
	ino_t ino;
	bool executable; /* at least one of its mappings */
	char *path;	 /* as the process sees it; NULL where paths were not wanted */
};

/* Each file once, in the order of the addresses. Begins as all zero. */
struct mapped_files {
	struct mapped_file *items;
	size_t count;
};

#define MAPPED_FILES_MAX 1024 /* a bound on what one process can make us do */

/*
 * Reads what the process has mapped, at most the first MAPPED_FILES_MAX files: only what the kernel wrote, numbers
 * before the path, which whoever made the file has chosen, and which ends with the line. For paths see
 * elf_mapped_files(). A negative errno on failure; files is to be freed even then.
 */
int mapped_files_read(int dir, struct mapped_files *files);

/* The same of an open /proc/PID/maps, which it closes, with or without paths. */
int mapped_files_parse(int fd, bool paths, struct mapped_files *files);

/* Adds a file, the path of which is copied, unless there are MAPPED_FILES_MAX. */
int mapped_files_append(struct mapped_files *files, const struct mapped_file *file);

/* Frees what files holds and makes it empty. */
void mapped_files_free(struct mapped_files *files);

#endif
