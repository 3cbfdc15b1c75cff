/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What files.h promises, done by the process that may: see there. Nothing is read of the files.
 */
#ifndef TLSFAIL_SYSTEM_FILEOPEN_H
#define TLSFAIL_SYSTEM_FILEOPEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct text;

int fileopen_regular(pid_t pid, const char *path, struct stat *stat);
/* Writes the path of the file fd, that path of the process is, without symbolic links: terminated, "" where it
 * is the same or not known. Returns its length. */
size_t fileopen_real(pid_t pid, const char *path, int fd, char *buf, size_t size);
int fileopen_directory(pid_t pid, const char *path);
int fileopen_stat(pid_t pid, const char *path, bool nofollow, struct stat *stat);
int fileopen_cmdline(pid_t pid, char *buf, size_t size, size_t *len);
int fileopen_cwd(pid_t pid, char *buf, size_t size);
int fileopen_exe(pid_t pid);
int fileopen_times(pid_t pid, pid_t *parent, uint64_t *ticks);
int fileopen_log_look(const char *path, struct stat *stat);
int fileopen_log(const char *path, struct stat *stat);
int fileopen_log_link(const char *path, char *buf, size_t size);
int fileopen_own(const char *path, int *fd, struct stat *stat, struct text *error);
int fileopen_own_connect(const char *path);
int fileopen_own_replace(const char *path, const char *page, size_t len, bool on_disk);

#endif
