/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounded text: cuts, exact fits, and bytes that would play tricks on a terminal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/text.h"

#define NS_PER_MS 1000000ULL

/* A buffer with a canary behind what the text may use. */
struct fixture {
	struct text text;
	char buf[128];
};

static struct text *fixture_begin(struct fixture *f, size_t size)
{
	memset(f->buf, '#', sizeof(f->buf));
	text_init(&f->text, f->buf, size);
	return &f->text;
}

static void assert_text(const struct fixture *f, const char *want, bool cut)
{
	assert_string_equal(f->buf, want);
	assert_int_equal(f->text.len, strlen(want));
	assert_int_equal(f->text.cut, cut);
	for (size_t i = f->text.size; i < sizeof(f->buf); i++)
		assert_int_equal(f->buf[i], '#');
}

static void test_add(void **state)
{
	struct fixture f;
	struct text *t = fixture_begin(&f, sizeof(f.buf));

	(void)state;
	assert_text(&f, "", false);
	text_add(t, "abc");
	text_add(t, NULL);
	text_add(t, "");
	text_addf(t, "-%d", 42);
	assert_text(&f, "abc-42", false);
}

static void test_exact_fit(void **state)
{
	struct fixture f;
	struct text *t = fixture_begin(&f, 7);

	(void)state;
	text_add(t, "abc");
	text_addf(t, "%s", "def");
	assert_text(&f, "abcdef", false);
	text_add(t, "");
	text_add_hostile(t, "", 0);
	text_add_hex(t, NULL, 0);
	assert_text(&f, "abcdef", false);
	text_add(t, "g");
	assert_text(&f, "abcdef", true);
}

static void test_size_one(void **state)
{
	struct fixture f;
	struct text *t = fixture_begin(&f, 1);

	(void)state;
	text_add(t, "");
	assert_text(&f, "", false);
	text_addf(t, "%s", "x");
	assert_text(&f, "", true);
}

/* What was cut stays a prefix: later pieces do not slip in behind the gap. */
static void test_nothing_after_a_cut(void **state)
{
	struct fixture f;
	struct text *t = fixture_begin(&f, 6);

	(void)state;
	text_add_hex(t, "\x01\x02\x03", 3);
	assert_text(&f, "0102", true);
	text_add(t, "x");
	text_addf(t, "%c", 'x');
	text_add_hostile(t, "x", 1);
	text_add_hex(t, "", 1);
	text_add_duration(t, 1);
	assert_text(&f, "0102", true);
}

static void test_cut_keeps_characters_whole(void **state)
{
	static const struct {
		size_t size;
		const char *in;
		const char *want;
	} cases[] = {
		{ 5, "abcd\xc3\xa9", "abcd" },
		{ 6, "abcd\xc3\xa9", "abcd" },
		{ 3, "a\xe2\x82\xac", "a" },
		{ 4, "a\xe2\x82\xac", "a" },
		{ 3, "a\xf0\x9f\x98\x80", "a" },
		{ 5, "a\xf0\x9f\x98\x80", "a" },
		{ 6, "a\xf0\x9f\x98\x80z", "a\xf0\x9f\x98\x80" },
		{ 3, "\xc3\xa9\xc3\xa9", "\xc3\xa9" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;

		text_add(fixture_begin(&f, cases[i].size), cases[i].in);
		assert_text(&f, cases[i].want, true);
		text_addf(fixture_begin(&f, cases[i].size), "%s", cases[i].in);
		assert_text(&f, cases[i].want, true);
		text_add_hostile(fixture_begin(&f, cases[i].size), cases[i].in,
				 strlen(cases[i].in));
		assert_text(&f, cases[i].want, true);
	}
}

static void test_hostile(void **state)
{
	static const struct {
		const char *in;
		const char *want;
	} cases[] = {
		{ "api.example.org ~", "api.example.org ~" },
		{ "back\\slash", "back\\x5cslash" },
		{ "\x1b[2J\x07", "\\x1b[2J\\x07" },
		{ "a\r\n\tb\x7f", "a\\x0d\\x0a\\x09b\\x7f" },
		{ "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
		  "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "\xc2\x9b"
		  "31m",
		  "\\xc2\\x9b31m" },	    /* C1: CSI */
		{ "\xc2\xa0", "\xc2\xa0" }, /* the first after C1 */
		{ "\xe2\x80\xae"
		  "gpj",
		  "\\xe2\\x80\\xaegpj" },			/* U+202E */
		{ "\xe2\x81\xa6", "\\xe2\\x81\\xa6" },		/* U+2066 */
		{ "\xe2\x80\x8f", "\\xe2\\x80\\x8f" },		/* U+200F */
		{ "\xd8\x9c", "\\xd8\\x9c" },			/* U+061C */
		{ "\xe2\x80\xa8", "\\xe2\\x80\\xa8" },		/* U+2028 */
		{ "\xc0\xaf", "\\xc0\\xaf" },			/* overlong */
		{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },		/* overlong */
		{ "\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf" }, /* overlong */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },		/* surrogate */
		{ "\xed\x9f\xbf", "\xed\x9f\xbf" },		/* the last before them */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* above U+10FFFF */
		{ "\xff\xfe", "\\xff\\xfe" },			/* never in UTF-8 */
		{ "\x80", "\\x80" },				/* lone continuation */
		{ "\xe2\x82", "\\xe2\\x82" },			/* begun at the end */
		{ "\xe2"
		  "A",
		  "\\xe2"
		  "A" }, /* begun and left */
		{ "\xf0\x9f\x98"
		  "A",
		  "\\xf0\\x9f\\x98"
		  "A" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;

		text_add_hostile(fixture_begin(&f, sizeof(f.buf)), cases[i].in,
				 strlen(cases[i].in));
		assert_text(&f, cases[i].want, false);
	}
}

static void test_hostile_nul(void **state)
{
	struct fixture f;

	(void)state;
	text_add_hostile(fixture_begin(&f, sizeof(f.buf)), "a\0b", 3);
	assert_text(&f, "a\\x00b", false);
}

/* An escape is there whole or not at all. */
static void test_hostile_escape_at_the_end(void **state)
{
	(void)state;
	for (size_t room = 1; room < 5; room++) {
		struct fixture f;

		text_add_hostile(fixture_begin(&f, 1 + room + 1), "a\x1b", 2);
		assert_text(&f, room < 4 ? "a" : "a\\x1b", room < 4);
	}
}

static void test_hex(void **state)
{
	struct fixture f;

	(void)state;
	text_add_hex(fixture_begin(&f, sizeof(f.buf)), "\x00\x16\xff", 3);
	assert_text(&f, "0016ff", false);
	text_add_hex(fixture_begin(&f, 4), "\x16\x03", 2);
	assert_text(&f, "16", true);
}

static void test_address(void **state)
{
	static const uint8_t v4[] = { 10, 0, 2, 88 };
	static const uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff, [12] = 192, [15] = 7 };
	struct fixture f;

	(void)state;
	text_add_address(fixture_begin(&f, sizeof(f.buf)), AF_INET, v4);
	assert_text(&f, "10.0.2.88", false);
	text_add_address(fixture_begin(&f, sizeof(f.buf)), AF_INET6, v6);
	assert_text(&f, "2001:db8::1", false);
	text_add_address(fixture_begin(&f, sizeof(f.buf)), AF_INET6, mapped);
	assert_text(&f, "192.0.0.7", false);
	text_add_address(fixture_begin(&f, sizeof(f.buf)), AF_UNIX, v4);
	assert_text(&f, "?", false);
}

static void test_duration(void **state)
{
	static const struct {
		uint64_t ns;
		const char *want;
	} cases[] = {
		{ 0, "0 ns" },
		{ 999, "999 ns" },
		{ 1000, "1 us" },
		{ 75400, "75 us" },
		{ 999499, "999 us" },
		{ 999600, "1 ms" },
		{ 350 * NS_PER_MS, "350 ms" },
		{ 999 * NS_PER_MS + 600000, "1.000 s" },
		{ 1002 * NS_PER_MS, "1.002 s" },
		{ 60050 * NS_PER_MS, "60.050 s" },
		{ UINT64_MAX, "18446744073.710 s" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;

		text_add_duration(fixture_begin(&f, sizeof(f.buf)), cases[i].ns);
		assert_text(&f, cases[i].want, false);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_exact_fit),
		cmocka_unit_test(test_size_one),
		cmocka_unit_test(test_nothing_after_a_cut),
		cmocka_unit_test(test_cut_keeps_characters_whole),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_hostile_nul),
		cmocka_unit_test(test_hostile_escape_at_the_end),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_duration),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
