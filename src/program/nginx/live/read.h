/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of a running nginx, read from outside: its configuration, and what that names, as they
 * are in its own root directory and mount namespace. nginx is never executed, and nothing is
 * written.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_LIVE_READ_H
#define TLSFAIL_PROGRAM_NGINX_LIVE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "program/nginx/args.h"
#include "program/nginx/conf.h"
#include "system/budget.h"
#include "base/text.h"

struct nginxread {
	struct nginxconf *conf;
	unsigned int version; /* as nginxargs_read_version() has it, 0 unknown */
	struct nginxargs_paths paths;
	pid_t pid;		       /* whose files they are; 0: this host's */
	char *hosts;		       /* text of its /etc/hosts, "" none */
	int64_t hosts_changed_ns;      /* CLOCK_REALTIME of its last change, 0: there is none */
	struct budget budget;	       /* of this reading */
	char real[NGINXARGS_PATH_LEN]; /* path of the file that was read last, without links */
	int64_t changed_ns;	       /* CLOCK_REALTIME of the youngest change of a file of the
			     * configuration */
};

/*
 * The master of a process of nginx: its parent, or itself when it runs without workers. *master is
 * then its pid. -ENOENT: it is no nginx, or its master is gone.
 */
int nginxread_master(pid_t pid, pid_t *master);

/*
 * Reads the configuration of the master with all that it includes. On success *read is the
 * caller's to nginxread_close(). On failure, a negative errno, problem says what is wrong.
 */
int nginxread_open(pid_t master, struct nginxread *read, struct text *problem);

/* The same for a file of this host, whether an nginx runs or not. */
int nginxread_open_path(const char *path, struct nginxread *read, struct text *problem);

/* The same with every directive, and not only those that say where nginx passes to and listens. */
int nginxread_open_whole(const char *path, struct nginxread *read, struct text *problem);

/* Reads the hosts file again if it was changed. True: it was. */
bool nginxread_hosts_again(struct nginxread *read);

/* Frees what *read holds. Harmless when done twice. */
void nginxread_close(struct nginxread *read);

/*
 * Opens a file as nginx would by that name in its configuration, for reading; the descriptor is the
 * caller's to close. Only a regular file is opened; *stat is that of it. A negative errno on failure.
 */
struct stat;
int nginxread_file(const struct nginxread *read, const char *name, struct stat *stat);

/* As files_key_matches(), of the private key in the file of that name. */
int nginxread_key_matches(const struct nginxread *read, const char *name, const void *key,
			  size_t len);

/* Reads the first max bytes of a file that was so opened, at most: *text is terminated and the
 * caller's to free(). A negative errno on failure. */
int nginxread_head(int fd, size_t max, char **text, size_t *len);

/* Opens the regular files that stand beside that one, NGINXREAD_NEIGHBOURS at most; each descriptor is
 * found()'s to close. */
#define NGINXREAD_NEIGHBOURS 64
void nginxread_neighbours(const struct nginxread *read, const char *name,
			  void (*found)(void *context, int fd), void *context);

/* CLOCK_REALTIME, ns, when the file was last changed, or came to be where it is. */
int64_t nginxread_changed(const struct stat *stat);

#endif
