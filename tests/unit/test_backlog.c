/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a recording that is begun late begins with: all that fits, whole connections only, and what they
 * need to be understood.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/backlog.h"
#include "record/factory.h"

#define SIZE	 16384
#define WIRE_LEN (TLSFAIL_WIRE_FIXED + 100)

static struct backlog *backlog;
static char given[4096];

static int begin(void **state)
{
	(void)state;
	backlog = backlog_new(SIZE);
	return !backlog;
}

static int end(void **state)
{
	(void)state;
	backlog_free(backlog);
	return 0;
}

static void put(const void *record)
{
	const struct tlsfail_header *h = record;

	assert_true(backlog_put(backlog, record, h->len));
}

static void process_put(uint32_t pid, const char *exe)
{
	struct tlsfail_process *process = record_process(pid, exe, "", "", "");

	put(process);
	free(process);
}

static void place_put(uint32_t slot, uint32_t pid)
{
	struct tlsfail_nginx place = { .slot = slot, .pid = pid };

	place.h = record_header(TLSFAIL_REC_NGINX, sizeof(place));
	put(&place);
}

static void connection_put(uint64_t id)
{
	struct tlsfail_wire wire = { .id = id, .data_len = 100 };
	struct tlsfail_conn conn = { .id = id };

	wire.h = record_header(TLSFAIL_REC_WIRE, WIRE_LEN);
	conn.h = record_header(TLSFAIL_REC_CONN, sizeof(conn));
	put(&wire);
	put(&conn);
}

/* A word for each record. Not aligned as it comes. */
static int word_add(void *context, const void *data, size_t len)
{
	static _Alignas(8) char record[65536];
	const struct tlsfail_header *h = (const void *)record;
	size_t used = strlen(given);
	const char *name = "other";
	unsigned long long number = 0;

	(void)context;
	memcpy(record, data, len);
	assert_int_equal(h->len, len);
	if (h->type == TLSFAIL_REC_CONN) {
		name = "conn";
		number = ((const struct tlsfail_conn *)h)->id;
	} else if (h->type == TLSFAIL_REC_WIRE) {
		name = "wire";
		number = ((const struct tlsfail_wire *)h)->id;
	} else if (h->type == TLSFAIL_REC_PROCESS) {
		name = "process";
		number = ((const struct tlsfail_process *)h)->pid;
	} else if (h->type == TLSFAIL_REC_NGINX) {
		name = "place";
		number = ((const struct tlsfail_nginx *)h)->pid;
	} else if (h->type == TLSFAIL_REC_CLOCK) {
		name = "clock";
		number = ((const struct tlsfail_clock *)h)->realtime;
	}
	snprintf(given + used, sizeof(given) - used, "%s%llu ", name, number);
	return 0;
}

static const char *words(void)
{
	given[0] = '\0';
	assert_int_equal(backlog_give(backlog, word_add, NULL), 0);
	return given;
}

static void clock_put(uint64_t realtime)
{
	struct tlsfail_clock clock = record_clock(1, realtime);

	put(&clock);
}

static void test_all(void **state)
{
	(void)state;
	clock_put(7);
	process_put(1, "/bin/one");
	connection_put(3);
	place_put(0, 1);
	connection_put(4);
	assert_string_equal(words(), "clock7 process1 wire3 conn3 place1 wire4 conn4 ");
	/* and again */
	assert_string_equal(words(), "clock7 process1 wire3 conn3 place1 wire4 conn4 ");
}

/* What is true of later connections stays, in its last form, and before them. */
static void test_room(void **state)
{
	char last[64];

	(void)state;
	clock_put(7);
	process_put(1, "/bin/one");
	process_put(2, "/bin/two");
	place_put(0, 1);
	place_put(0, 2);
	clock_put(8);
	for (uint64_t id = 1; id <= 40; id++)
		connection_put(id);
	assert_true(strstr(words(), "clock8 process1 process2 place2 ") == given);
	snprintf(last, sizeof(last), "wire%d conn%d ", 40, 40);
	assert_non_null(strstr(given, last));
	assert_null(strstr(given, "conn1 "));
}

/* Whatever made room last: no connection without its bytes. */
static void test_whole(void **state)
{
	size_t cut = 0;

	(void)state;
	for (uint64_t id = 1; id <= 200; id++) {
		char *word;

		connection_put(id);
		if (id % 3 == 0)
			process_put(1, "/bin/one");
		for (word = strstr(words(), "conn"); word; word = strstr(word + 1, "conn")) {
			char wire[32];

			snprintf(wire, sizeof(wire), "wire%lu conn", strtoul(word + 4, NULL, 10));
			assert_non_null(strstr(given, wire));
		}
		cut += !strstr(given, "conn1 ");
	}
	assert_true(cut > 100);
}

static int stop(void *context, const void *record, size_t len)
{
	(void)record;
	(void)len;
	return ++*(int *)context == 2 ? -5 : 0;
}

static void test_stop(void **state)
{
	int n = 0;

	(void)state;
	connection_put(1);
	connection_put(2);
	assert_int_equal(backlog_give(backlog, stop, &n), -5);
	assert_int_equal(n, 2);
}

static void test_bad(void **state)
{
	struct tlsfail_clock clock = record_clock(1, 2);
	static char large[2 * SIZE];
	struct tlsfail_header h = record_header(TLSFAIL_REC_WIRE, sizeof(large));

	(void)state;
	assert_false(backlog_put(backlog, &clock, sizeof(clock) - 1));
	assert_false(backlog_put(backlog, &clock, 3));
	connection_put(1);
	memcpy(large, &h, sizeof(h));
	assert_false(backlog_put(backlog, large, sizeof(large)));
	assert_string_equal(words(), "");
	connection_put(2);
	assert_string_equal(words(), "wire2 conn2 ");
}

#define BACKLOG(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BACKLOG(test_all),  BACKLOG(test_room), BACKLOG(test_whole),
		BACKLOG(test_stop), BACKLOG(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
