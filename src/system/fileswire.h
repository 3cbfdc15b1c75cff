/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a process that may open nothing asks one that may, and what that answers: one datagram each, a
 * descriptor beside it where there is one. Both sides check what they read: see files.h.
 */
#ifndef TLSFAIL_SYSTEM_FILESWIRE_H
#define TLSFAIL_SYSTEM_FILESWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

enum files_op {
	/* of the files of a process, as that sees them; pid 0: of this host */
	FILES_OPEN,	 /* path -> descriptor, stat, data: its path without symbolic links */
	FILES_DIRECTORY, /* path -> descriptor */
	FILES_STAT,	 /* path, flag: nofollow -> stat */
	FILES_KEY, /* path of a private key, data: a public key in DER -> number: is it its? */
	/* of a process */
	FILES_CMDLINE, /* -> data */
	FILES_CWD,     /* -> data */
	FILES_EXE,     /* -> descriptor */
	FILES_TIMES,   /* -> parent, number: its start in ticks */
	FILES_MATCHES, /* -> number: is it selected? */
	FILES_TARGETS, /* -> data: the pids of those that are selected, 4 bytes each */
	/* a log, by a path of this host, which may begin with /proc/PID/root */
	FILES_LOG_LOOK, /* path -> stat */
	FILES_LOG_OPEN, /* path -> descriptor, stat */
	FILES_LOG_LINK, /* path -> data: what the symbolic link holds */
	/* what tlsfail was told to write to */
	FILES_OWN_OPEN,	   /* path -> descriptor, stat; or a sentence in data */
	FILES_OWN_LOOK,	   /* path -> stat, not followed */
	FILES_OWN_CONNECT, /* path -> descriptor of a datagram socket */
	FILES_OWN_LISTEN, /* path -> descriptor, stat, number: the group that may connect; or a sentence */
	FILES_OWN_UNLISTEN, /* path, data: struct files_identity */
	FILES_OWN_REPLACE,  /* path, and a descriptor of what it is to hold */
	FILES_OPS,
};

/* Which file it has to be. */
struct files_identity {
	uint64_t dev;
	uint64_t ino;
};

#define FILES_PATH_MAX 8192
#define FILES_DATA_MAX 16384

/* The longest of either. */
#define FILESWIRE_MAX (64 + sizeof(struct stat) + FILES_PATH_MAX + FILES_DATA_MAX)

struct files_request {
	enum files_op op;
	bool flag; /* nofollow, on_disk */
	pid_t pid;
	char path[FILES_PATH_MAX]; /* terminated */
	size_t data_len;
	uint8_t data[FILES_DATA_MAX];
};

struct files_reply {
	int err; /* 0 or a negative errno */
	bool has_fd;
	pid_t parent;
	uint64_t number;
	struct stat stat;
	size_t data_len;
	uint8_t data[FILES_DATA_MAX];
};

/* Writes into buf, of FILESWIRE_MAX bytes; the length of it. */
size_t fileswire_request_write(const struct files_request *request, uint8_t *buf);
size_t fileswire_reply_write(const struct files_reply *reply, uint8_t *buf);

/* Reads what the other side has sent. False: it is none. */
bool fileswire_request_read(const uint8_t *buf, size_t len, struct files_request *request);
bool fileswire_reply_read(const uint8_t *buf, size_t len, struct files_reply *reply);

#endif
