/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of nginx.conf for a test, in memory. After cmocka.h.
 */
#ifndef TLSFAIL_TEST_CONFFILES_H
#define TLSFAIL_TEST_CONFFILES_H

#include "program/nginx/conf.h"
#include "program/nginx/map.h"

#define CONFFILES_MAIN "/etc/nginx/nginx.conf"

struct conffile {
	const char *path;
	const char *text;
};

/* Reads CONFFILES_MAIN out of the files, which end with a path of NULL; relative names are below
 * /etc/nginx/. problem is filled in as nginxconf_read() does, or empty. */
int conffiles_read(const struct conffile *files, bool (*wanted)(const char *name),
		   struct nginxconf **conf, struct text *problem);

/* The same for one file that must be good, with the directives that matter to a map. */
struct nginxconf *conffiles_parse(const char *text);

/* The map of such a file, in place of the one that is there; conffiles_unmap() leaves NULL. */
void conffiles_map(const char *text, struct nginxconf **conf, struct nginxmap **map);
void conffiles_unmap(struct nginxconf **conf, struct nginxmap **map);

#endif
