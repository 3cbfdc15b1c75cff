/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which error logs are followed, and how their lines come before the connections that they are about:
 * from named files, and from those that a running nginx's configuration names.
 */
#include <linux/types.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "asked.h"
#include "came.h"
#include "fakenginx.h"
#include "fixture.h"
#include "program/nginx/live/logplaces.h"
#include "program/nginx/live/logwatch.h"
#include "system/clock.h"
#include "target/target.h"
#include "tlsfail_abi.h"

#define PID	    4242
#define RECORDS_MAX 64

static struct fakenginx nginx;
static struct target_set targets;
static struct logplaces places;
static struct logwatch *watch;
static char words[1024];
static struct text problem;
static uint64_t now;

static struct {
	uint16_t type;
	uint64_t id; /* of the connection */
	char file[256];
} records[RECORDS_MAX];
static size_t record_count;

static int setup(void **state)
{
	(void)state;
	text_init(&problem, words, sizeof(words));
	record_count = 0;
	now = 1000 * NS_PER_S;
	return fixture_run("rm -rf logs && mkdir logs");
}

static int teardown(void **state)
{
	(void)state;
	logwatch_close(watch);
	watch = NULL;
	logplaces_clear(&places);
	target_set_clear(&targets);
	fakenginx_stop(&nginx);
	return 0;
}

static void conf_write(const char *content)
{
	assert_int_equal(fixture_write("nginx.conf", content, strlen(content)), 0);
}

/* A running nginx with that configuration, and nothing else, is selected. */
static void nginx_start(const char *content)
{
	conf_write(content);
	nginx = fakenginx_start(fixture_path("nginx.conf"), NULL);
	assert_int_equal(target_set_add_pid(&targets, nginx.master), 0);
}

/* -- places ------------------------------------------------------------------------------------ */

static int find_named(const char *const *names, size_t count)
{
	return logplaces_find(names, count, &places, &problem);
}

static int find_auto(void)
{
	static const char *const names[] = { LOGPLACES_AUTO };

	return find_named(names, 1);
}

static void test_named(void **state)
{
	const char *const names[] = { "/a/error.log", "b.log", "/a/error.log" };

	(void)state;
	/* whether they can be opened is found out later */
	assert_int_equal(find_named(names, 3), 0);
	assert_int_equal(places.count, 2);
	assert_true(logplaces_have(&places, "/a/error.log"));
	assert_true(logplaces_have(&places, "b.log"));
	assert_false(logplaces_have(&places, "c.log"));
	assert_int_equal(problem.len, 0);
}

/* Files of every block, each once; nothing that is none, nor what is not there. */
static void test_auto(void **state)
{
	char line[256];

	(void)state;
	assert_int_equal(
		fixture_run("touch logs/a logs/b logs/c && mkfifo logs/fifo && mkdir logs/d && "
			    "ln -s b logs/link && ln -s /dev/stderr logs/err"),
		0);
	snprintf(line, sizeof(line), "%s", fixture_path("logs/c"));
	nginx_start("error_log logs/a warn;\n"
		    "error_log syslog:server=127.0.0.1;\n"
		    "error_log stderr;\n"
		    "error_log memory:32m debug;\n"
		    "error_log /dev/null;\n"
		    "http { error_log logs/link; error_log logs/fifo; error_log logs/d;\n"
		    "  server { error_log logs/a; location / { error_log logs/absent; } } }\n"
		    "stream { server { error_log logs/c; } }\n");
	assert_int_equal(find_auto(), 0);
	assert_int_equal(places.count, 3);
	assert_true(logplaces_have(&places, fixture_path("logs/a")));
	assert_true(logplaces_have(&places, fixture_path("logs/link")));
	assert_true(logplaces_have(&places, line));
}

/* As in the images of containers: where it has gone is said. */
static void test_standard_error(void **state)
{
	(void)state;
	assert_int_equal(fixture_run("ln -s /proc/self/fd/2 logs/err"), 0);
	nginx_start("error_log logs/err;\n");
	/* of the test itself, that may be a regular file */
	if (find_auto() || places.count)
		skip();
	assert_non_null(strstr(words, "standard error"));
	assert_non_null(strstr(words, "logs/err"));
}

static void test_none(void **state)
{
	(void)state;
	assert_int_equal(target_set_add_comm(&targets, "tlsfail-none"), 0);
	assert_int_equal(find_auto(), 0);
	assert_int_equal(places.count, 0);
	assert_true(problem.len > 0);
	target_set_clear(&targets);
	text_init(&problem, words, sizeof(words));
	nginx_start("http { }\n");
	assert_int_equal(find_auto(), 0);
	assert_int_equal(places.count, 0);
	assert_non_null(strstr(words, "error_log"));
}

static void test_unreadable(void **state)
{
	const char *const names[] = { LOGPLACES_AUTO, "/a/error.log" };

	(void)state;
	nginx_start("http {");
	assert_int_equal(find_named(names, 2), 0);
	assert_int_equal(places.count, 1);
	assert_non_null(strstr(words, "nginx.conf"));
}

static void test_too_many(void **state)
{
	const char *names[LOGPLACES_MAX + 1];
	char texts[LOGPLACES_MAX + 1][16];

	(void)state;
	for (size_t i = 0; i <= LOGPLACES_MAX; i++) {
		snprintf(texts[i], sizeof(texts[i]), "/%zu.log", i);
		names[i] = texts[i];
	}
	assert_int_equal(find_named(names, LOGPLACES_MAX + 1), 0);
	assert_int_equal(places.count, LOGPLACES_MAX);
	assert_true(problem.len > 0);
	assert_true(logplaces_have(&places, "/0.log"));
}

/* -- lines and connections --------------------------------------------------------------------- */

static void emit(void *context, const void *record, size_t len)
{
	const struct tlsfail_header *h = record;
	const struct tlsfail_conn *conn = record;
	const struct tlsfail_log_line *line = record;

	assert_ptr_equal(context, &now);
	assert_int_equal(h->len, len);
	assert_true(record_count < RECORDS_MAX);
	records[record_count].type = (uint16_t)h->type;
	records[record_count].id = h->type == TLSFAIL_REC_CONN ? conn->id : line->id;
	snprintf(records[record_count].file, sizeof(records[0].file), "%.*s",
		 h->type == TLSFAIL_REC_CONN ? 0 : (int)line->file_len, line->data);
	record_count++;
}

static int watch_open(const char *const *names, size_t count)
{
	const struct logwatch_options options = {
		.names = names,
		.count = count,
		.roles = 1U << TLSFAIL_ROLE_CLIENT,
		.emit = emit,
		.context = &now,
	};

	return logwatch_open(&options, &watch, &problem);
}

static void record_give(uint64_t id, uint16_t port)
{
	struct tlsfail_conn conn = came_upstream(PID, id, port, now);

	logwatch_record(watch, &conn, sizeof(conn), now);
}

static void line_write(const char *name, unsigned int number, uint16_t port)
{
	char command[512];

	snprintf(
		command, sizeof(command),
		"echo '2026/11/21 18:00:00 [error] %d#1: *%u peer closed connection in SSL handshake "
		"while SSL handshaking to upstream, client: 127.0.0.1, server: , upstream: "
		"\"https://192.0.2.88:%u/\"' >> %s",
		PID, number, port, name);
	assert_int_equal(fixture_run(command), 0);
}

/* The two that were emitted last: a line of that file, and its connection. */
static void assert_pair(const char *file, uint64_t id)
{
	assert_true(record_count >= 2);
	assert_int_equal(records[record_count - 2].type, TLSFAIL_REC_LOG_LINE);
	assert_int_equal(records[record_count - 2].id, id);
	assert_string_equal(records[record_count - 2].file, file);
	assert_int_equal(records[record_count - 1].type, TLSFAIL_REC_CONN);
	assert_int_equal(records[record_count - 1].id, id);
}

static void test_line_first(void **state)
{
	char path[256];
	const char *names[] = { path };

	(void)state;
	snprintf(path, sizeof(path), "%s", fixture_path("logs/a"));
	assert_int_equal(fixture_run("touch logs/a"), 0);
	assert_int_equal(watch_open(names, 1), 0);
	line_write("logs/a", 1, 443);
	record_give(7, 443);
	assert_int_equal(record_count, 0);
	logwatch_poll(watch, now);
	assert_int_equal(record_count, 2);
	assert_pair(path, 7);
	/* what was there before, or is about another, is no line of it */
	record_give(8, 444);
	logwatch_poll(watch, now);
	assert_int_equal(record_count, 2);
	assert_true(logwatch_wait_ms(watch, 5000) < 5000);
	now += NS_PER_S;
	logwatch_poll(watch, now);
	assert_int_equal(record_count, 3);
	assert_int_equal(records[2].id, 8);
	assert_int_equal(logwatch_wait_ms(watch, 5000), 5000);
}

static void test_finish(void **state)
{
	char path[256];
	const char *names[] = { path };

	(void)state;
	snprintf(path, sizeof(path), "%s", fixture_path("logs/a"));
	assert_int_equal(fixture_run("touch logs/a"), 0);
	assert_int_equal(watch_open(names, 1), 0);
	record_give(7, 443);
	line_write("logs/a", 1, 443);
	record_give(8, 444);
	logwatch_finish(watch, now);
	assert_int_equal(record_count, 3);
	assert_int_equal(records[0].type, TLSFAIL_REC_LOG_LINE);
	assert_int_equal(records[1].id, 7);
	assert_int_equal(records[2].id, 8);
}

static void test_cannot_be_followed(void **state)
{
	char path[256];
	const char *names[] = { path };

	(void)state;
	snprintf(path, sizeof(path), "%s", fixture_path("logs"));
	assert_true(watch_open(names, 1) < 0);
	assert_non_null(strstr(words, path));
	assert_null(watch);
}

/* Polls until the search in the other thread has changed what is followed. */
static void poll_until(const char *name, const char *path, unsigned int number)
{
	for (int i = 0; i < 200; i++) {
		size_t before = record_count;

		record_give(number, (uint16_t)number);
		line_write(name, number, (uint16_t)number);
		logwatch_poll(watch, now);
		now += NS_PER_S;
		logwatch_poll(watch, now);
		if (record_count == before + 2) {
			assert_pair(path, number);
			return;
		}
		record_count = 0;
		number++;
		poll(NULL, 0, 20);
	}
	fail_msg("%s is not followed", path);
}

/* The configuration is another: another file is followed, without a restart. */
static void test_auto_follows(void **state)
{
	static const char *const names[] = { LOGPLACES_AUTO };
	char first[256], second[256];

	(void)state;
	snprintf(first, sizeof(first), "%s", fixture_path("logs/a"));
	snprintf(second, sizeof(second), "%s", fixture_path("logs/b"));
	assert_int_equal(fixture_run("touch logs/a logs/b"), 0);
	nginx_start("error_log logs/a;\n");
	assert_int_equal(watch_open(names, 1), 0);
	poll_until("logs/a", first, 100);
	conf_write("error_log logs/b;\n");
	logwatch_look_again(watch, now);
	now += 2 * NS_PER_S;
	poll_until("logs/b", second, 1000);
}

/* A file that was named needs no second look. */
static void test_named_is_not_looked_for(void **state)
{
	char path[256];
	const char *names[] = { path };

	(void)state;
	snprintf(path, sizeof(path), "%s", fixture_path("logs/a"));
	assert_int_equal(fixture_run("touch logs/a"), 0);
	assert_int_equal(watch_open(names, 1), 0);
	logwatch_look_again(watch, now);
	now += 2 * NS_PER_S;
	logwatch_poll(watch, now);
	assert_int_equal(fixture_run("mv logs/a logs/a.1 && touch logs/a"), 0);
	poll_until("logs/a", path, 100);
}

static int group_setup(void **state)
{
	int err = fakenginx_setup(state);

	return err ? err : asked_begin(&targets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_named, setup, teardown),
		cmocka_unit_test_setup_teardown(test_auto, setup, teardown),
		cmocka_unit_test_setup_teardown(test_standard_error, setup, teardown),
		cmocka_unit_test_setup_teardown(test_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unreadable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_line_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_finish, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cannot_be_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_auto_follows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_named_is_not_looked_for, setup, teardown),
	};

	return cmocka_run_group_tests_name("logwatch", tests, group_setup, fixture_teardown);
}
