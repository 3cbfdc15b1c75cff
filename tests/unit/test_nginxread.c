/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of nginx, read from outside: includes, links, what is no regular file, sizes, the files that
 * a running master names, and its root directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fakenginx.h"
#include "fixture.h"
#include "program/nginx/live/read.h"

static struct nginxread read_;
static struct stat stat_;
static char words[1024];
static struct text problem;
static struct fakenginx nginx;

static int setup(void **state)
{
	(void)state;
	text_init(&problem, words, sizeof(words));
	return fixture_run("rm -rf conf && mkdir -p conf/sites");
}

static int teardown(void **state)
{
	(void)state;
	nginxread_close(&read_);
	nginxread_close(&read_);
	fakenginx_stop(&nginx);
	return 0;
}

static void file_write(const char *name, const char *content)
{
	assert_int_equal(fixture_write(name, content, strlen(content)), 0);
}

static int open_whole(void)
{
	return nginxread_open_whole(fixture_path("conf/nginx.conf"), &read_, &problem);
}

/* The first words of the directives, in order. */
static void assert_directives(const char *const *names)
{
	const struct nginxconf_directive *d = read_.conf->first;

	for (; *names; names++, d = d->next) {
		assert_non_null(d);
		assert_string_equal(d->words[0], *names);
	}
	assert_null(d);
}

static void assert_refused(int err, const char *file)
{
	assert_int_equal(open_whole(), err);
	if (!strstr(words, file))
		fail_msg("%s", words);
	assert_null(read_.conf);
	assert_null(read_.hosts);
}

/* -- a configuration --------------------------------------------------------------------------- */

/* In the order in which nginx includes them: sorted. What is not there is none of a pattern's. */
static void test_includes(void **state)
{
	static const char *const names[] = { "user", "first", "second", "third", "last", NULL };

	(void)state;
	file_write("conf/nginx.conf", "user x;\ninclude sites/*.conf;\ninclude absent/*;\n"
				      "include last.conf;\n");
	file_write("conf/sites/b.conf", "second 1;\nthird 1;\n");
	file_write("conf/sites/a.conf", "first 1;\n");
	file_write("conf/sites/.hidden.conf", "hidden 1;\n");
	file_write("conf/sites/c.txt", "other 1;\n");
	file_write("conf/last.conf", "last 1;\n");
	assert_int_equal(open_whole(), 0);
	assert_directives(names);
	assert_string_equal(read_.conf->first->next->next->words[1], "1");
	assert_true(read_.changed_ns > 0);
	assert_non_null(read_.hosts);
}

/* As sites-enabled has them. */
static void test_links(void **state)
{
	static const char *const names[] = { "one", "two", NULL };

	(void)state;
	file_write("conf/real.conf", "include sites/*;\n");
	file_write("conf/one", "one 1;\n");
	file_write("conf/two", "two 1;\n");
	assert_int_equal(
		fixture_run("ln -s \"$PWD\"/conf/one conf/sites/1 && "
			    "ln -s ../two conf/sites/2 && ln -s real.conf conf/nginx.conf"),
		0);
	assert_int_equal(open_whole(), 0);
	assert_directives(names);
}

static void test_missing(void **state)
{
	(void)state;
	assert_refused(-ENOENT, "nginx.conf");
	text_init(&problem, words, sizeof(words));
	file_write("conf/nginx.conf", "include absent.conf;\n");
	assert_refused(-ENOENT, "absent.conf");
	text_init(&problem, words, sizeof(words));
	assert_int_equal(fixture_run("ln -s loop conf/loop"), 0);
	file_write("conf/nginx.conf", "include loop;\n");
	assert_refused(-ELOOP, "loop");
}

/* Nobody waits for a writer of a FIFO, and a directory has no text. */
static void test_no_files(void **state)
{
	static const char *const makers[] = { "mkfifo conf/strange", "mkdir conf/strange",
					      "ln -s /dev/zero conf/strange",
					      "ln -s /proc/self/mem conf/strange" };

	(void)state;
	file_write("conf/nginx.conf", "include strange;\n");
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		assert_int_equal(fixture_run("rm -rf conf/strange"), 0);
		assert_int_equal(fixture_run(makers[i]), 0);
		text_init(&problem, words, sizeof(words));
		assert_true(open_whole() < 0);
		assert_non_null(strstr(words, "strange"));
		assert_null(read_.conf);
	}
}

/* One of one byte more is refused, and not read on. */
static void test_too_large(void **state)
{
	char command[128];

	(void)state;
	file_write("conf/nginx.conf", "include large;\n");
	snprintf(command, sizeof(command), "truncate -s %u conf/large", NGINXCONF_BYTES_MAX + 1);
	assert_int_equal(fixture_run(command), 0);
	assert_refused(-E2BIG, "large");
}

static void test_circle(void **state)
{
	(void)state;
	file_write("conf/nginx.conf", "include nginx.conf;\n");
	assert_true(open_whole() < 0);
	assert_true(problem.len > 0);
}

/* A pattern that names the same files by very many ways: there is an end to it, and it is said. */
static void test_many_ways(void **state)
{
	(void)state;
	assert_int_equal(fixture_run("mkdir -p conf/g && touch conf/g/a.conf && "
				     "for i in $(seq 20); do ln -s . conf/g/$i; done"),
			 0);
	file_write("conf/nginx.conf", "include g/*/*/*/*/*/*.conf;\n");
	assert_true(open_whole() < 0);
	assert_true(problem.len > 0);
}

static void test_syntax(void **state)
{
	(void)state;
	file_write("conf/nginx.conf", "http {\n\tinclude sites/a;\n}\n");
	file_write("conf/sites/a", "\n\nserver {\n");
	assert_true(open_whole() < 0);
	assert_non_null(strstr(words, "sites/a"));
}

/* Without what says nothing of where it passes to and listens. */
static void test_wanted(void **state)
{
	(void)state;
	file_write("conf/nginx.conf",
		   "worker_processes 4;\nhttp { server { listen 1; gzip on; } }\n");
	assert_int_equal(nginxread_open_path(fixture_path("conf/nginx.conf"), &read_, &problem), 0);
	assert_string_equal(read_.conf->first->words[0], "http");
	assert_null(read_.conf->first->next);
}

/* -- files that it names ----------------------------------------------------------------------- */

static void test_file(void **state)
{
	char *text;
	size_t len;
	int fd;

	(void)state;
	file_write("conf/nginx.conf", "");
	file_write("conf/sites/it", "0123456789");
	assert_int_equal(open_whole(), 0);
	/* a relative name is beside the configuration */
	fd = nginxread_file(&read_, "sites/it", &stat_);
	assert_true(fd >= 0);
	assert_int_equal(nginxread_head(fd, 100, &text, &len), 0);
	assert_int_equal(len, 10);
	assert_string_equal(text, "0123456789");
	free(text);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(nginxread_head(fd, 4, &text, &len), 0);
	assert_int_equal(len, 4);
	assert_string_equal(text, "0123");
	free(text);
	close(fd);
	fd = nginxread_file(&read_, fixture_path("conf/sites/it"), &stat_);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(nginxread_file(&read_, "sites", &stat_), -EINVAL);
	assert_int_equal(nginxread_file(&read_, "absent", &stat_), -ENOENT);
	fd = open(fixture_path("conf"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(nginxread_head(fd, 4, &text, &len), -EISDIR);
	close(fd);
}

/* A long one takes more than the first piece. */
static void test_head_grows(void **state)
{
	char *text;
	size_t len;
	int fd;

	(void)state;
	assert_int_equal(fixture_run("seq 20000 > conf/long"), 0);
	fd = open(fixture_path("conf/long"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(nginxread_head(fd, 1U << 20, &text, &len), 0);
	close(fd);
	assert_int_equal(len, 108894);
	assert_int_equal(strlen(text), len);
	assert_string_equal(text + len - 7, "\n20000\n");
	free(text);
}

static void count(void *context, int fd)
{
	struct stat stat;

	assert_int_equal(fstat(fd, &stat), 0);
	assert_true(S_ISREG(stat.st_mode));
	close(fd);
	(*(unsigned int *)context)++;
}

static void test_neighbours(void **state)
{
	unsigned int found = 0;

	(void)state;
	file_write("conf/nginx.conf", "");
	assert_int_equal(open_whole(), 0);
	assert_int_equal(fixture_run("touch conf/sites/1 conf/sites/2 && mkfifo conf/sites/3 && "
				     "mkdir conf/sites/4"),
			 0);
	nginxread_neighbours(&read_, "sites/1", count, &found);
	assert_int_equal(found, 2);
	found = 0;
	nginxread_neighbours(&read_, "absent/1", count, &found);
	assert_int_equal(found, 0);
	assert_int_equal(fixture_run("cd conf/sites && seq 200 | xargs touch"), 0);
	nginxread_neighbours(&read_, fixture_path("conf/sites/1"), count, &found);
	assert_true(found > 0 && found <= NGINXREAD_NEIGHBOURS);
}

/* -- a process --------------------------------------------------------------------------------- */

static void test_master(void **state)
{
	pid_t master = 0;

	(void)state;
	file_write("conf/nginx.conf", "http { server { listen 7; } }\n");
	nginx = fakenginx_start(fixture_path("conf/nginx.conf"), NULL);
	assert_int_equal(nginxread_master(nginx.worker, &master), 0);
	assert_int_equal(master, nginx.master);
	master = 0;
	assert_int_equal(nginxread_master(nginx.master, &master), 0);
	assert_int_equal(master, nginx.master);
	assert_int_equal(nginxread_open(master, &read_, &problem), 0);
	assert_int_equal(read_.version, FAKENGINX_VERSION);
	assert_string_equal(read_.paths.conf, fixture_path("conf/nginx.conf"));
	assert_string_equal(read_.paths.prefix, fixture_path("conf/"));
	assert_string_equal(read_.conf->first->words[0], "http");
}

static void test_no_nginx(void **state)
{
	pid_t master;

	(void)state;
	/* this program has the words in it by which nginx is known */
	assert_int_equal(nginxread_master(1, &master), -ENOENT);
	assert_int_equal(nginxread_master(0, &master), -ENOENT);
	file_write("conf/nginx.conf", "");
	nginx = fakenginx_start(fixture_path("conf/nginx.conf"), NULL);
	master = nginx.master;
	fakenginx_stop(&nginx);
	assert_int_equal(nginxread_master(master, &master), -ENOENT);
	assert_true(nginxread_open(master, &read_, &problem) < 0);
}

static void test_configuration_gone(void **state)
{
	(void)state;
	nginx = fakenginx_start(fixture_path("conf/nginx.conf"), NULL);
	assert_int_equal(nginxread_open(nginx.master, &read_, &problem), -ENOENT);
	assert_non_null(strstr(words, "conf/nginx.conf"));
	assert_null(read_.hosts);
}

/* Paths, absolute links and /etc/hosts are those of its root directory, and nothing leads out of it. */
static void test_root(void **state)
{
	static const char *const names[] = { "http", NULL };

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(fixture_run("mkdir -p jail/etc jail/conf && "
				     "echo '192.0.2.7 inside' > jail/etc/hosts && "
				     "ln -sf /conf/real.conf jail/conf/linked.conf && "
				     "ln -sf ../../../../../conf/real.conf jail/conf/out.conf"),
			 0);
	file_write("jail/conf/nginx.conf", "include linked.conf;\n");
	file_write("jail/conf/real.conf", "http { server { listen 7; } }\n");
	nginx = fakenginx_start("/conf/nginx.conf -p /conf", fixture_path("jail"));
	assert_int_equal(nginxread_open(nginx.master, &read_, &problem), 0);
	assert_directives(names);
	assert_string_equal(read_.hosts, "192.0.2.7 inside\n");
	assert_string_equal(read_.conf->files->path, "/conf/linked.conf");
	assert_string_equal(read_.conf->files->real, "/conf/real.conf");
	assert_false(nginxread_hosts_again(&read_));
	assert_int_equal(fixture_run("sleep 0.02; echo '192.0.2.8 inside' > jail/etc/hosts"), 0);
	assert_true(nginxread_hosts_again(&read_));
	assert_string_equal(read_.hosts, "192.0.2.8 inside\n");
	assert_false(nginxread_hosts_again(&read_));
	assert_int_equal(nginxread_file(&read_, fixture_path("conf"), &stat_), -ENOENT);
	nginxread_close(&read_);
	file_write("jail/conf/nginx.conf", "include /conf/out.conf;\n");
	assert_int_equal(nginxread_open(nginx.master, &read_, &problem), 0);
	assert_directives(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_includes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_large, setup, teardown),
		cmocka_unit_test_setup_teardown(test_circle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_ways, setup, teardown),
		cmocka_unit_test_setup_teardown(test_syntax, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wanted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_head_grows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_neighbours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_master, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_nginx, setup, teardown),
		cmocka_unit_test_setup_teardown(test_configuration_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_root, setup, teardown),
	};

	return cmocka_run_group_tests_name("nginxread", tests, fakenginx_setup, fixture_teardown);
}
