/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Folding: what is told at once, what is counted, when the count is told; and that no failure goes
 * uncounted, whatever the table does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "diagnose/fold.h"

#define INTERVAL 60000
#define REAL	 1767366245000000000ULL /* CLOCK_REALTIME at 0 */

static struct fold *fold;
static struct finding failure;
static struct finding out;

static int setup(void **state)
{
	(void)state;
	fold = fold_new(INTERVAL, 0, NULL);
	memset(&failure, 0, sizeof(failure));
	failure.cause = "verify-expired";
	failure.confidence = CONFIDENCE_HIGH;
	failure.role = "client";
	failure.network_type = "ipv4";
	failure.pid = 7;
	failure.peer.port = 8443;
	memcpy(failure.peer.address, "192.0.2.1", sizeof("192.0.2.1"));
	memcpy(failure.executable_path, "/usr/sbin/nginx", sizeof("/usr/sbin/nginx"));
	memcpy(failure.host_name, "edge-1", sizeof("edge-1"));
	return fold ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	fold_free(fold);
	return 0;
}

/* The failure happens at t; is it told? Nothing has to make room for it. */
static bool take(uint64_t t)
{
	bool told, first;

	failure.time_ns = REAL + t;
	first = fold_take(fold, t, &failure, &out, &told);
	assert_false(told);
	return first;
}

static void test_the_first_is_told(void **state)
{
	(void)state;
	assert_int_equal(fold_deadline(fold), 0);
	assert_true(take(1000));
	assert_int_equal(fold_deadline(fold), 1000 + INTERVAL);
	for (uint64_t t = 1001; t < 1500; t++)
		assert_false(take(t));
	assert_false(fold_tell_due(fold, 999 + INTERVAL, &out));
	assert_true(fold_tell_due(fold, 1000 + INTERVAL, &out));
	assert_int_equal(out.kind, FINDING_FOLDED);
	assert_int_equal(out.suppressed, 499);
	assert_int_equal(out.time_ns, REAL + 1499);
	assert_int_equal(out.duration_ns, 499);
	assert_string_equal(out.cause, "verify-expired");
	assert_int_equal(out.confidence, CONFIDENCE_HIGH);
	assert_string_equal(out.peer.address, "192.0.2.1");
	assert_int_equal(out.peer.port, 8443);
	assert_int_equal(out.pid, 7);
	assert_string_equal(out.executable_path, "/usr/sbin/nginx");
	assert_string_equal(out.host_name, "edge-1");
	assert_string_equal(out.role, "client");
	assert_string_equal(out.message, "499 more failures of this kind within 499 ns.");
	assert_false(fold_tell_due(fold, 1000 + INTERVAL, &out));
}

/* A count has the history of the last failure that it counts, and a span in the unit that suits it. */
static void test_what_is_told_of_it(void **state)
{
	(void)state;
	assert_true(take(1000));
	failure.history = (struct finding_peer){ .known = true, .failures = 2, .handshakes = 9 };
	assert_false(take(1001));
	failure.history.failures = 3;
	assert_false(take(41001));
	assert_true(fold_tell_rest(fold, &out));
	assert_true(out.history.known);
	assert_int_equal(out.history.failures, 3);
	assert_int_equal(out.history.handshakes, 9);
	assert_string_equal(out.message, "2 more failures of this kind within 40 us.");
	assert_int_equal(out.suppressed, 2);
}

/* It goes on: a count each interval. It stops: the next one is news again. */
static void test_intervals(void **state)
{
	uint64_t t = 1000;

	(void)state;
	assert_true(take(t));
	for (int i = 0; i < 3; i++) {
		assert_false(take(t + 1));
		t += INTERVAL;
		assert_true(fold_tell_due(fold, t, &out));
		assert_int_equal(out.suppressed, 1);
		assert_string_equal(strchr(out.message, ' '),
				    i ? " more failure of this kind within 60 us."
				      : " more failure of this kind within 1 ns.");
	}
	assert_false(fold_tell_due(fold, t + INTERVAL, &out));
	assert_int_equal(fold_deadline(fold), 0);
	assert_true(take(t + INTERVAL));
}

static void test_kinds(void **state)
{
	(void)state;
	assert_true(take(1));
	failure.cause = "unknown";
	assert_true(take(1));
	failure.peer.port++;
	assert_true(take(1));
	failure.peer.address[0] = '2';
	assert_true(take(1));
	failure.executable_path[1] = 'o';
	assert_true(take(1));
	failure.pid++;
	failure.confidence = CONFIDENCE_LOW;
	assert_false(take(2));
	assert_true(fold_tell_rest(fold, &out));
	assert_int_equal(out.pid, 8);
	assert_int_equal(out.confidence, CONFIDENCE_LOW);
	assert_false(fold_tell_rest(fold, &out));
}

static void test_of_one_peer(void **state)
{
	struct finding_endpoint peer = failure.peer;

	(void)state;
	assert_true(take(1));
	assert_false(take(2));
	failure.cause = "unknown";
	assert_true(take(3));
	assert_false(take(4));
	failure.peer.port++;
	assert_true(take(5));
	assert_false(take(6));
	for (int i = 0; i < 2; i++) {
		assert_true(fold_tell_peer(fold, &peer, &out));
		assert_int_equal(out.peer.port, peer.port);
		assert_int_equal(out.suppressed, 1);
	}
	assert_false(fold_tell_peer(fold, &peer, &out));
	assert_false(take(7));
	failure.peer.port--;
	assert_true(take(8));
}

/* However many kinds there are, told and counted add up. */
static void test_table_is_full(void **state)
{
	uint64_t happened = 0, told = 0;

	(void)state;
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int kind = 0; kind < FOLD_KINDS_MAX + 100; kind++) {
			bool made_room;

			failure.peer.port = 1000 + kind;
			for (int i = 0; i < 3; i++) {
				happened++;
				told += fold_take(fold, happened, &failure, &out, &made_room);
				told += made_room ? out.suppressed : 0;
				assert_true(!made_room || out.peer.port != failure.peer.port);
			}
		}
	}
	while (fold_tell_due(fold, happened + INTERVAL / 2, &out))
		told += out.suppressed;
	while (fold_tell_rest(fold, &out))
		told += out.suppressed;
	assert_int_equal(told, happened);
}

/* Clients that come from many addresses are one kind, by where they arrive and what they ask for. */
static void test_clients(void **state)
{
	(void)state;
	failure.role = "server";
	memcpy(failure.local.address, "192.0.2.9", sizeof("192.0.2.9"));
	failure.local.port = 443;
	assert_true(take(1));
	for (char i = '0'; i < '8'; i++) {
		failure.peer.address[8] = i;
		failure.peer.port++;
		assert_false(take(2));
		assert_false(take(2));
	}
	assert_true(fold_tell_rest(fold, &out));
	assert_int_equal(out.suppressed, 16);
	assert_string_equal(out.message,
			    "16 more failures of this kind from 8 addresses, such as 192.0.2.0, "
			    "192.0.2.1 and 192.0.2.2 within 1 ns.");
	assert_string_equal(out.peer.address, "");
	assert_int_equal(out.local.port, 443);
	/* of one it is said which */
	assert_true(take(3));
	assert_false(take(4));
	assert_true(fold_tell_rest(fold, &out));
	assert_string_equal(out.peer.address, "192.0.2.7");
	assert_int_equal(out.peer.port, 0);
	assert_string_equal(out.message, "1 more failure of this kind within 1 ns.");
	assert_true(take(5));
	memcpy(failure.hello.server_name, "a.test", sizeof("a.test"));
	assert_true(take(5));
	failure.local.port++;
	assert_true(take(5));
}

static void test_many_addresses(void **state)
{
	(void)state;
	failure.role = "server";
	assert_true(take(1));
	for (char i = '0'; i < '9'; i++)
		for (char j = '0'; j <= '9'; j++) {
			failure.peer.address[7] = i;
			failure.peer.address[8] = j;
			assert_false(take(2));
		}
	assert_true(fold_tell_rest(fold, &out));
	assert_non_null(strstr(out.message, "from at least 64 addresses, such as "));
}

/* Beyond the limit of a program, those of one cause are counted together; then told and counted add
 * up as ever, and another program has its own. */
static void test_limit(void **state)
{
	uint64_t told = 0, happened = 0;
	bool made_room;

	(void)state;
	fold_free(fold);
	fold = fold_new(INTERVAL, 5, NULL);
	for (unsigned int i = 0; i < 5000; i++, happened++) {
		failure.peer.port = (uint16_t)(1000 + i);
		failure.wording = i;
		told += fold_take(fold, 10, &failure, &out, &made_room);
		assert_false(made_room);
	}
	assert_int_equal(told, 5);
	failure.executable_path[1] = 'o';
	assert_true(take(10));
	failure.cause = "unknown";
	assert_true(take(10));
	happened += 2;
	told += 2;
	assert_true(fold_tell_due(fold, 10 + INTERVAL, &out));
	assert_int_equal(out.suppressed, 4995);
	assert_string_equal(out.cause, "verify-expired");
	assert_string_equal(out.peer.address, "192.0.2.1");
	assert_non_null(strstr(out.message, "4995 more failures with this cause within"));
	told += out.suppressed;
	assert_false(fold_tell_due(fold, 10 + INTERVAL, &out));
	assert_int_equal(told, happened);
	/* a new interval */
	failure.peer.port++;
	assert_true(take(20 + INTERVAL));
}

/* And of all programs together. */
static void test_limit_of_all(void **state)
{
	uint64_t told = 0, counted = 0;
	bool made_room;

	(void)state;
	fold_free(fold);
	fold = fold_new(INTERVAL, 5, NULL);
	for (unsigned int i = 0; i < 500; i++) {
		failure.executable_path[1] = (char)('a' + i % 25);
		failure.peer.port++;
		told += fold_take(fold, 10, &failure, &out, &made_room);
	}
	assert_int_equal(told, 20);
	while (fold_tell_rest(fold, &out))
		counted += out.suppressed;
	assert_int_equal(told + counted, 500);
}

static void test_off(void **state)
{
	struct fold *none = fold_new(0, 5, NULL);
	bool told;

	(void)state;
	assert_non_null(none);
	for (int i = 0; i < 3; i++)
		assert_true(fold_take(none, 1, &failure, &out, &told));
	assert_false(told);
	assert_int_equal(fold_deadline(none), 0);
	assert_false(fold_tell_rest(none, &out));
	fold_free(none);
	fold_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* The same address in another network namespace is another peer. */
static void test_namespaces(void **state)
{
	(void)state;
	failure.netns = 1;
	assert_true(take(1));
	assert_false(take(2));
	failure.netns = 2;
	assert_true(take(3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_clients),
		TEST(test_namespaces),
		TEST(test_many_addresses),
		TEST(test_limit),
		TEST(test_limit_of_all),
		TEST(test_the_first_is_told),
		TEST(test_what_is_told_of_it),
		TEST(test_kinds),
		TEST(test_the_first_is_told),
		TEST(test_intervals),
		TEST(test_kinds),
		TEST(test_of_one_peer),
		TEST(test_table_is_full),
		TEST(test_off),
	};

	return cmocka_run_group_tests_name("fold", tests, NULL, NULL);
}
