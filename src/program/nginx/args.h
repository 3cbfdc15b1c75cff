/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which file a running nginx has its configuration from: its command line, as the title of its
 * master process still shows it, over the defaults that it was built with, as `nginx -V` shows
 * them. Pure.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_ARGS_H
#define TLSFAIL_PROGRAM_NGINX_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#define NGINXARGS_PATH_LEN 4096

struct nginxargs {
	char conf[NGINXARGS_PATH_LEN];	 /* -c, or --conf-path; "" not given */
	char prefix[NGINXARGS_PATH_LEN]; /* -p, or --prefix; "" not given */
};

struct nginxargs_paths {
	char conf[NGINXARGS_PATH_LEN];	 /* of the file to begin with */
	char prefix[NGINXARGS_PATH_LEN]; /* before relative names in it; ends with '/' */
};

/*
 * Reads /proc/PID/cmdline of a master: its title, "nginx: master process /usr/sbin/nginx -c ...",
 * in which the arguments stand with one space between, or its arguments as they were, when it has
 * not set one (master_process off). len is without the final NULs. False: it is a worker, or a path
 * is too long.
 */
bool nginxargs_read_cmdline(const char *cmdline, size_t len, struct nginxargs *args);

/*
 * The version in "nginx version: nginx/1.22.1", as nginx_version has it: 1022001. Of OpenResty it
 * is that of its nginx. 0: it is of a kind that counts in another way.
 */
unsigned int nginxargs_read_version(const char *text);

/* Reads "configure arguments: --prefix=..." as it stands in the program. */
void nginxargs_read_configure(const char *text, struct nginxargs *args);

/*
 * The paths that follow from the command line, the program's defaults and the directory that the
 * master is in, which ends with no '/' unless it is "/". False when one is too long.
 */
bool nginxargs_resolve(const struct nginxargs *line, const struct nginxargs *defaults,
		       const char *directory, struct nginxargs_paths *paths);

#endif
