/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process that may open files answers one that may not: see files.h. It opens, and hands over; but
 * for looking for private keys it reads nothing.
 */
#ifndef TLSFAIL_SYSTEM_FILESERVER_H
#define TLSFAIL_SYSTEM_FILESERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Regular files that are larger are not handed over, logs excepted. */
#define FILESERVER_BYTES_MAX (16U << 20)

/* What may be asked for. */
struct fileserver_policy {
	bool (*process)(void *context, pid_t pid);    /* of that process and its files */
	bool (*log)(void *context, const char *path); /* a log of this host */
	bool (*own)(void *context, const char *path); /* a file that is written to */
	int (*matches)(void *context, pid_t pid);     /* as files_matches() */
	int (*targets)(void *context, pid_t *pids, size_t max);
	/* as files_key_matches(), of what fd has open */
	int (*key)(void *context, int fd, const void *key, size_t len);
	bool keys_too; /* files are handed over with the private keys that they hold */
	void *context;
};

/* Answers what comes over the socket fd, until the other side is gone. */
void fileserver_run(int fd, const struct fileserver_policy *policy);

#endif
