/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections and lines of error.log brought together: whichever comes first, in order, each line
 * once, within bounds of time and number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "came.h"
#include "program/nginx/logmatch.h"
#include "base/text.h"

#define PID 4242
#define MS  1000000ULL
/* than the lines say: 2026-11-21 18:01:00 UTC, in ns */
#define A_MINUTE_LATER 1795284060000000000ULL

/* More than either queue holds. */
#define MANY 8000

static struct logmatch *match;
static uint64_t now;

static int setup(void **state)
{
	(void)state;
	now = 1000 * MS;
	match = logmatch_new(1 << TLSFAIL_ROLE_CLIENT | 1 << TLSFAIL_ROLE_SERVER);
	return match ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	logmatch_free(match);
	return 0;
}

/* The port tells peers apart. */
static void conn_add(uint64_t id, uint16_t port)
{
	struct tlsfail_conn conn = came_upstream(PID, id, port, now);

	assert_int_equal(logmatch_record(match, &conn, sizeof(conn), now), 0);
}

static void clock_add(uint64_t realtime)
{
	struct tlsfail_clock clock = {
		.h = { TLSFAIL_REC_CLOCK, TLSFAIL_ABI_VERSION, sizeof(clock) },
		.monotonic = now,
		.realtime = realtime,
	};

	assert_int_equal(logmatch_record(match, &clock, sizeof(clock), now), 0);
}

/* nginx's connection number is what tells lines apart. */
static void line_add_words(const char *words, unsigned int number, uint16_t port)
{
	struct errorlog_line line;
	char buf[512];
	struct text text;

	text_init(&text, buf, sizeof(buf));
	text_addf(
		&text,
		"2026/11/21 18:00:00 [error] %d#1: *%u %s, client: 127.0.0.1, server: , upstream: "
		"\"https://192.0.2.88:%u/\"",
		PID, number, words, port);
	assert_true(errorlog_parse(buf, text.len, &line));
	assert_int_equal(logmatch_line(match, "/error.log", &line, now), 0);
	memset(buf, 'x', sizeof(buf)); /* it has to be kept */
}

static void line_add(unsigned int number, uint16_t port)
{
	line_add_words("peer closed connection in SSL handshake while SSL handshaking to upstream",
		       number, port);
}

static void assert_none(void)
{
	size_t len;

	assert_null(logmatch_next(match, now, &len));
}

static void assert_conn(uint64_t id)
{
	size_t len;
	const struct tlsfail_conn *conn = logmatch_next(match, now, &len);

	assert_non_null(conn);
	assert_int_equal(conn->h.type, TLSFAIL_REC_CONN);
	assert_int_equal(len, sizeof(*conn));
	assert_int_equal(conn->id, id);
}

static void assert_line(uint64_t id, unsigned int number)
{
	static const char data[] = "/error.logpeer closed connection in SSL handshake while SSL "
				   "handshaking to upstream";
	size_t len;
	const struct tlsfail_log_line *line = logmatch_next(match, now, &len);

	assert_non_null(line);
	assert_int_equal(line->h.type, TLSFAIL_REC_LOG_LINE);
	assert_int_equal(line->h.version, TLSFAIL_ABI_VERSION);
	assert_int_equal(line->h.len, len);
	assert_int_equal(line->id, id);
	assert_int_equal(line->connection, number);
	assert_int_equal(line->pid, PID);
	assert_int_equal(line->level, 4);
	assert_int_equal(line->file_len, strlen("/error.log"));
	assert_int_equal(line->file_len + line->text_len, sizeof(data) - 1);
	assert_memory_equal(line->data, data, sizeof(data) - 1);
}

static void test_line_first(void **state)
{
	(void)state;
	line_add(5, 443);
	assert_none();
	conn_add(7, 443);
	assert_line(7, 5);
	assert_conn(7);
	assert_none();
	assert_false(logmatch_waits(match));
}

static void test_connection_first(void **state)
{
	(void)state;
	conn_add(7, 443);
	assert_none();
	assert_true(logmatch_waits(match));
	now += LOGMATCH_HOLD_NS - 1;
	assert_none();
	line_add(5, 443);
	assert_line(7, 5);
	assert_conn(7);
	assert_none();
}

static void test_no_line(void **state)
{
	(void)state;
	conn_add(7, 443);
	now += LOGMATCH_HOLD_NS;
	assert_conn(7);
	assert_none();
	assert_false(logmatch_waits(match));
}

/* What came later does not overtake, whatever it is; and waits no longer than that. */
static void test_order_is_kept(void **state)
{
	size_t len;
	const struct tlsfail_header *h;

	(void)state;
	conn_add(7, 443);
	clock_add(0);
	conn_add(8, 444);
	line_add(5, 444);
	assert_none();
	now += LOGMATCH_HOLD_NS;
	assert_conn(7);
	h = logmatch_next(match, now, &len);
	assert_non_null(h);
	assert_int_equal(h->type, TLSFAIL_REC_CLOCK);
	assert_line(8, 5);
	assert_conn(8);
	assert_none();
}

static void test_each_line_once(void **state)
{
	(void)state;
	line_add(1, 443);
	line_add(2, 443);
	conn_add(7, 443);
	conn_add(8, 443);
	conn_add(9, 443);
	line_add(3, 443);
	conn_add(10, 443);
	assert_line(7, 1);
	assert_conn(7);
	assert_line(8, 2);
	assert_conn(8);
	assert_line(9, 3);
	assert_conn(9);
	assert_none();
	now += LOGMATCH_HOLD_NS;
	assert_conn(10);
}

/* The lines in the middle and at the end are taken out, and others are still added. */
static void test_any_order_of_peers(void **state)
{
	(void)state;
	line_add(1, 443);
	line_add(2, 444);
	line_add(3, 445);
	conn_add(7, 445);
	conn_add(8, 444);
	line_add(4, 446);
	conn_add(9, 446);
	conn_add(10, 443);
	assert_line(7, 3);
	assert_conn(7);
	assert_line(8, 2);
	assert_conn(8);
	assert_line(9, 4);
	assert_conn(9);
	assert_line(10, 1);
	assert_conn(10);
}

/* The clock that went by tells when a connection was closed. */
static void test_time(void **state)
{
	size_t len;

	(void)state;
	clock_add(A_MINUTE_LATER);
	assert_non_null(logmatch_next(match, now, &len));
	line_add(5, 443);
	conn_add(7, 443);
	now += LOGMATCH_HOLD_NS;
	assert_conn(7);
}

/* Lines about TLS without a connection are told; others are not. */
static void test_line_alone(void **state)
{
	(void)state;
	line_add(5, 443);
	line_add_words("upstream prematurely closed connection while reading upstream", 6, 443);
	line_add_words("an upstream response is buffered while reading upstream", 7, 443);
	line_add(8, 443);
	now += 2000 * MS;
	assert_none();
	now += 2000 * MS;
	assert_line(0, 5);
	assert_line(0, 8);
	assert_none();
}

static void test_end(void **state)
{
	(void)state;
	line_add(5, 443);
	now += LOGMATCH_HOLD_NS;
	line_add(6, 443);
	conn_add(7, 444);
	assert_none();
	logmatch_end(match);
	assert_conn(7);
	/* The other one may be of a connection that is not closed yet. */
	assert_line(0, 5);
	assert_none();
}

static void test_too_many_connections(void **state)
{
	size_t len, out = 0;

	(void)state;
	for (uint64_t id = 1; id <= MANY; id++)
		conn_add(id, 443);
	while (logmatch_next(match, now, &len))
		out++;
	assert_in_range(out, 1, MANY - 1);
	now += LOGMATCH_HOLD_NS;
	while (logmatch_next(match, now, &len))
		out++;
	assert_int_equal(out, MANY);
}

static void test_too_many_lines(void **state)
{
	size_t len, out = 0;

	(void)state;
	for (unsigned int number = 1; number <= MANY; number++)
		line_add(number, 443);
	while (logmatch_next(match, now, &len))
		out++;
	assert_in_range(out, 1, MANY - 1);
	/* The oldest have gone. */
	conn_add(7, 443);
	assert_line(7, (unsigned int)out + 1);
	assert_conn(7);
}

/* What is left is freed; and the first record of which the last call gave only the line. */
static void test_nothing_is_left(void **state)
{
	size_t len;

	(void)state;
	line_add(5, 443);
	line_add(6, 444);
	conn_add(7, 443);
	conn_add(8, 445);
	assert_non_null(logmatch_next(match, now, &len));
	logmatch_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_line_first),
		TEST(test_connection_first),
		TEST(test_no_line),
		TEST(test_order_is_kept),
		TEST(test_each_line_once),
		TEST(test_any_order_of_peers),
		TEST(test_time),
		TEST(test_line_alone),
		TEST(test_end),
		TEST(test_too_many_connections),
		TEST(test_too_many_lines),
		TEST(test_nothing_is_left),
	};

	return cmocka_run_group_tests_name("logmatch", tests, NULL, NULL);
}
