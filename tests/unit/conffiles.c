// SPDX-License-Identifier: BSD-2-Clause
/* Files of nginx.conf in memory: see conffiles.h. */
#include <errno.h>
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conffiles.h"
#include "program/nginx/map.h"

static int files_read(void *context, const char *path, char **text, size_t *len)
{
	for (const struct conffile *f = context; f->path; f++) {
		if (strcmp(f->path, path) != 0)
			continue;
		/* exactly as long as it is, so that a read behind the end is seen */
		*len = strlen(f->text);
		*text = malloc(*len ? *len : 1);
		if (!*text)
			return -ENOMEM;
		memcpy(*text, f->text, *len);
		return 0;
	}
	return -ENOENT;
}

static int files_expand(void *context, const char *pattern, int (*found)(void *, const char *path),
			void *found_context)
{
	int err = 0;

	for (const struct conffile *f = context; f->path && !err; f++)
		if (!fnmatch(pattern, f->path, FNM_PATHNAME | FNM_PERIOD))
			err = found(found_context, f->path);
	return err;
}

int conffiles_read(const struct conffile *files, bool (*wanted)(const char *name),
		   struct nginxconf **conf, struct text *problem)
{
	struct nginxconf_source source = { .read = files_read,
					   .expand = files_expand,
					   .context = (void *)files };
	struct nginxconf_request request = { CONFFILES_MAIN, "/etc/nginx/", wanted };

	return nginxconf_read(&source, &request, conf, problem);
}

struct nginxconf *conffiles_parse(const char *text)
{
	const struct conffile files[] = { { CONFFILES_MAIN, text }, { 0 } };
	struct nginxconf *conf = NULL;
	struct text problem;
	char buf[512];

	text_init(&problem, buf, sizeof(buf));
	if (conffiles_read(files, nginxmap_wants, &conf, &problem))
		fail_msg("%s", buf);
	return conf;
}

void conffiles_unmap(struct nginxconf **conf, struct nginxmap **map)
{
	nginxmap_free(*map);
	nginxconf_free(*conf);
	*map = NULL;
	*conf = NULL;
}

void conffiles_map(const char *text, struct nginxconf **conf, struct nginxmap **map)
{
	conffiles_unmap(conf, map);
	*conf = conffiles_parse(text);
	assert_int_equal(nginxmap_new(*conf, map), 0);
}
