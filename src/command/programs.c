// SPDX-License-Identifier: BSD-2-Clause
/*
 * A program is known by the name of its executable.
 */
#include "command/programs.h"

#include <string.h>

#include "program/apache/apache.h"
#include "program/curl/curl.h"
#include "program/haproxy/haproxy.h"
#include "program/nginx/nginx.h"

/* nginx-debug is that of nginx.org's packages; Angie is a fork with nginx's configuration. OpenResty
 * and Tengine call theirs nginx. */
static const struct {
	const char *executable;
	const struct program *program;
} table[] = {
	{ "nginx", &program_nginx },	{ "nginx-debug", &program_nginx },
	{ "angie", &program_nginx },	{ "haproxy", &program_haproxy },
	{ "apache2", &program_apache }, { "httpd", &program_apache },
	{ "curl", &program_curl },
};

const struct program *programs_find(const char *executable, const char *comm)
{
	const char *slash = strrchr(executable, '/');
	const char *name = slash ? slash + 1 : comm;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcmp(table[i].executable, name))
			return table[i].program;
	return NULL;
}
