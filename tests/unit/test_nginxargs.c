/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the title of a master and the options it was built with to the path of its configuration.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "program/nginx/args.h"

static struct nginxargs line;
static struct nginxargs defaults;
static struct nginxargs_paths paths;

#define MASTER "nginx: master process "

static void assert_line(const char *cmdline, size_t len, const char *conf, const char *prefix)
{
	assert_true(nginxargs_read_cmdline(cmdline, len, &line));
	assert_string_equal(line.conf, conf);
	assert_string_equal(line.prefix, prefix);
}

static void assert_title(const char *title, const char *conf, const char *prefix)
{
	assert_line(title, strlen(title), conf, prefix);
}

static void test_titles(void **state)
{
	(void)state;
	assert_title(MASTER "/usr/sbin/nginx", "", "");
	assert_title(MASTER "nginx -g daemon off;", "", "");
	assert_title(MASTER "nginx -c /a/b.conf", "/a/b.conf", "");
	assert_title(MASTER "nginx -c/a/b.conf -p/p", "/a/b.conf", "/p");
	assert_title(MASTER "nginx -p /p/ -c b.conf -g daemon off; -e stderr", "b.conf", "/p/");
	assert_title(MASTER "nginx -g pid /x -c.pid; -c /a", "/a", "");
	assert_title(MASTER "nginx -qc /a", "/a", "");
	assert_title(MASTER "/with a space/nginx -c /a b/c d.conf -p /e f", "/a b/c d.conf",
		     "/e f");
	assert_title(MASTER "nginx -c /first -c /second", "/second", "");
	assert_title(MASTER "nginx -c /a ", "/a", "");
	assert_title(MASTER "nginx -c", "", "");
	assert_title("openresty: master process nginx -p /o", "", "/o");
}

/* Without a master process there is no title. */
static void test_arguments(void **state)
{
	const char argv[] = "/usr/sbin/nginx\0-c\0/a -p b.conf\0-g\0daemon off; -p\0-p/p";

	(void)state;
	assert_line(argv, sizeof(argv) - 1, "/a -p b.conf", "/p");
	assert_line("nginx", 5, "", "");
	assert_line("", 0, "", "");
}

static void test_others(void **state)
{
	(void)state;
	assert_false(nginxargs_read_cmdline("nginx: worker process", 21, &line));
	assert_false(nginxargs_read_cmdline("nginx: worker process is shutting down", 38, &line));
	assert_false(nginxargs_read_cmdline("nginx: cache manager process", 28, &line));
}

static void test_too_long(void **state)
{
	char title[NGINXARGS_PATH_LEN + 64] = MASTER "nginx -c ";

	(void)state;
	memset(title + strlen(title), 'x', NGINXARGS_PATH_LEN);
	assert_false(nginxargs_read_cmdline(title, strlen(title), &line));
}

static void test_configure(void **state)
{
	(void)state;
	nginxargs_read_configure("configure arguments: --with-cc-opt='-g --prefix=/no' "
				 "--prefix=/usr/share/nginx --conf-path='/etc/my nginx/n.conf'",
				 &defaults);
	assert_string_equal(defaults.prefix, "/usr/share/nginx");
	assert_string_equal(defaults.conf, "/etc/my nginx/n.conf");
	nginxargs_read_configure("configure arguments: --with-debug", &defaults);
	assert_string_equal(defaults.prefix, "/usr/local/nginx");
	assert_string_equal(defaults.conf, "conf/nginx.conf");
	nginxargs_read_configure("configure arguments: --prefix=", &defaults);
	assert_string_equal(defaults.prefix, "");
}

static void assert_paths(const char *conf, const char *prefix, const char *default_prefix,
			 const char *expected)
{
	size_t directory = (size_t)(strrchr(expected, '/') - expected) + 1;

	strcpy(line.conf, conf);
	strcpy(line.prefix, prefix);
	strcpy(defaults.prefix, default_prefix);
	strcpy(defaults.conf, "conf/nginx.conf");
	assert_true(nginxargs_resolve(&line, &defaults, "/cwd", &paths));
	assert_string_equal(paths.conf, expected);
	assert_int_equal(strlen(paths.prefix), directory);
	assert_memory_equal(paths.prefix, expected, directory);
}

static void test_paths(void **state)
{
	(void)state;
	assert_paths("", "", "/usr/local/nginx", "/usr/local/nginx/conf/nginx.conf");
	assert_paths("", "/p", "/usr/local/nginx", "/p/conf/nginx.conf");
	assert_paths("/etc/n.conf", "/p", "/usr/local/nginx", "/etc/n.conf");
	assert_paths("n.conf", "/p/", "/usr/local/nginx", "/p/n.conf");
	assert_paths("n.conf", "rel", "/usr/local/nginx", "/cwd/rel/n.conf");
	assert_paths("n.conf", ".", "/usr/local/nginx", "/cwd/./n.conf");
	assert_paths("n.conf", "", "", "/cwd/n.conf");
}

static void test_paths_too_long(void **state)
{
	(void)state;
	memset(line.conf, 'x', sizeof(line.conf) - 1);
	line.conf[sizeof(line.conf) - 1] = '\0';
	strcpy(line.prefix, "/p");
	assert_false(nginxargs_resolve(&line, &defaults, "/cwd", &paths));
}

static void test_versions(void **state)
{
	(void)state;
	assert_int_equal(nginxargs_read_version("nginx version: nginx/1.22.1"), 1022001);
	assert_int_equal(nginxargs_read_version("nginx version: nginx/1.29.2 (Ubuntu)"), 1029002);
	assert_int_equal(nginxargs_read_version("nginx version: openresty/1.25.3.2"), 1025003);
	assert_int_equal(nginxargs_read_version("nginx version: Angie/1.8.1"), 0);
	assert_int_equal(nginxargs_read_version("nginx version: nginx/1.22"), 0);
	assert_int_equal(nginxargs_read_version("nginx version: nginx/1.99999.1"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_titles),	       cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_others),	       cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_configure),      cmocka_unit_test(test_paths),
		cmocka_unit_test(test_paths_too_long), cmocka_unit_test(test_versions),
	};

	return cmocka_run_group_tests_name("nginxargs", tests, NULL, NULL);
}
