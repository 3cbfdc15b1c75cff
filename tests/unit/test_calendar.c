/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dates: as the C library computes them, and back; and the hash that finds things again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/hash.h"
#include "system/clock.h"

#define FIRST (-62167219200)
#define LAST  253402300799

static void assert_date(int64_t seconds)
{
	const time_t time = (time_t)seconds;
	struct calendar date;
	struct tm tm;

	assert_true(calendar_of(seconds, &date));
	assert_non_null(gmtime_r(&time, &tm));
	assert_int_equal(date.year, tm.tm_year + 1900);
	assert_int_equal(date.month, tm.tm_mon + 1);
	assert_int_equal(date.day, tm.tm_mday);
	assert_int_equal(date.hour, tm.tm_hour);
	assert_int_equal(date.minute, tm.tm_min);
	assert_int_equal(date.second, tm.tm_sec);
	assert_int_equal(calendar_seconds(&date), seconds);
}

/* A day of each month and more, over all years, at any time of the day. */
static void test_as_libc(void **state)
{
	(void)state;
	for (int64_t s = FIRST; s <= LAST; s += 1234567)
		assert_date(s);
	assert_date(0);
	assert_date(-1);
	assert_date(FIRST);
	assert_date(LAST);
	assert_date(951782400); /* 2000-02-29 */
}

static const char *words(int64_t seconds)
{
	static char buf[64];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	calendar_add_words(&t, seconds);
	return buf;
}

static void test_words(void **state)
{
	(void)state;
	assert_string_equal(words(0), "1970-01-01 00:00:00 UTC");
	assert_string_equal(words(LAST), "9999-12-31 23:59:59 UTC");
	assert_string_equal(words(LAST + 1), "after 9999");
	assert_string_equal(words(INT64_MAX), "after 9999");
	assert_string_equal(words(FIRST), "0000-01-01 00:00:00 UTC");
	assert_string_equal(words(FIRST - 1), "before our era");
	assert_string_equal(words(INT64_MIN), "before our era");
}

static void test_rfc3339(void **state)
{
	char buf[64];
	struct text t;

	(void)state;
	text_init(&t, buf, sizeof(buf));
	assert_true(calendar_add(&t, 951827696));
	assert_string_equal(buf, "2000-02-29T12:34:56Z");
	text_init(&t, buf, sizeof(buf));
	assert_true(calendar_add_ns(&t, 951827696012345678, 9));
	assert_string_equal(buf, "2000-02-29T12:34:56.012345678Z");
	text_init(&t, buf, sizeof(buf));
	assert_true(calendar_add_ns(&t, 951827696999999999, 6));
	assert_string_equal(buf, "2000-02-29T12:34:56.999999Z");
	text_init(&t, buf, sizeof(buf));
	assert_false(calendar_add(&t, LAST + 1));
	assert_int_equal(t.len, 0);
}

/* Appendix C of draft-eastlake-fnv: 64 bits. */
static void test_hash(void **state)
{
	(void)state;
	assert_true(hash_add(HASH_EMPTY, "", 0) == 0xcbf29ce484222325);
	assert_true(hash_add(HASH_EMPTY, "a", 1) == 0xaf63dc4c8601ec8c);
	assert_true(hash_add(HASH_EMPTY, "foobar", 6) == 0x85944171f73967e8);
	assert_true(hash_add(hash_add(HASH_EMPTY, "foo", 3), "bar", 3) == 0x85944171f73967e8);
}

static void test_clock(void **state)
{
	uint64_t before = clock_monotonic();
	struct timespec t = clock_timespec(5 * NS_PER_S + 7);

	(void)state;
	assert_true(clock_monotonic() >= before);
	assert_int_equal(t.tv_sec, 5);
	assert_int_equal(t.tv_nsec, 7);
}

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
		uint64_t ns;
	} good[] = {
		{ "1970-01-01T00:00:00Z", 0, 0 },
		{ "2000-02-29T12:34:56Z", 951827696, 0 },
		{ "2000-02-29T12:34:56.012345678Z", 951827696, 12345678 },
		{ "2000-02-29T12:34:56.5Z", 951827696, 500000000 },
		{ "2000-02-29T12:34:56.0123456789Z", 951827696, 12345678 },
		{ "1969-12-31T23:59:59Z", -1, 0 },
		{ "9999-12-31T23:59:59Z", LAST, 0 },
	};
	static const char *const bad[] = {
		"",
		"2000",
		"2000-02-29",
		"2000-02-29 12:34:56Z",
		"2000-02-29T12:34:56",
		"2000-02-29T12:34:56z",
		"2000-02-29T12:34:56Z ",
		"2000-02-29T12:34:56.5",
		"2000-02-29T12:34:56+00:00",
		"2000-13-01T00:00:00Z",
		"2000-00-01T00:00:00Z",
		"2000-01-32T00:00:00Z",
		"2000-01-00T00:00:00Z",
		"2000-01-01T24:00:00Z",
		"2000-01-01T00:60:00Z",
		"2000-01-01T00:00:61Z",
		"200x-01-01T00:00:00Z",
		"-200-01-01T00:00:00Z",
	};
	int64_t seconds;
	uint64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(calendar_parse(good[i].text, &seconds, &ns));
		assert_int_equal(seconds, good[i].seconds);
		assert_int_equal(ns, good[i].ns);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(calendar_parse(bad[i], &seconds, &ns));
	assert_false(calendar_parse(NULL, &seconds, &ns));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_libc), cmocka_unit_test(test_words),
		cmocka_unit_test(test_rfc3339), cmocka_unit_test(test_hash),
		cmocka_unit_test(test_clock),	cmocka_unit_test(test_parse),
	};

	return cmocka_run_group_tests_name("calendar", tests, NULL, NULL);
}
