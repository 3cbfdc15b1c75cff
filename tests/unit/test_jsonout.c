/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JSON writer against a library's reader: what was written is what is read, whatever the bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/json.h"
#include "base/text.h"

#define STRINGS 20000

static char buf[65536];
static struct text text;
static struct jsonout out;

static void begin(void)
{
	text_init(&text, buf, sizeof(buf));
	out = (struct jsonout){ .text = &text };
}

/* What was written, read; the caller's to json_decref(). */
static json_t *read_back(void)
{
	json_t *value = json_loads(buf, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);

	assert_false(text.cut);
	if (!value)
		fail_msg("does not parse: %s", buf);
	return value;
}

static void test_shapes(void **state)
{
	(void)state;
	begin();
	jsonout_begin(&out, "{");
	jsonout_key(&out, "a");
	jsonout_begin(&out, "[");
	jsonout_end(&out, "]");
	jsonout_key(&out, "b");
	jsonout_begin(&out, "[");
	jsonout_begin(&out, "{");
	jsonout_end(&out, "}");
	jsonout_integer(&out, 1);
	jsonout_boolean(&out, true);
	jsonout_boolean(&out, false);
	jsonout_integer_string(&out, -5);
	jsonout_string(&out, "x");
	jsonout_end(&out, "]");
	jsonout_key(&out, "c");
	jsonout_string(&out, "");
	jsonout_end(&out, "}");
	assert_string_equal(buf, "{\"a\":[],\"b\":[{},1,true,false,\"-5\",\"x\"],\"c\":\"\"}");
}

static void test_integers(void **state)
{
	static const int64_t numbers[] = { 0, 1, -1, 9, 10, 99, 100, INT64_MAX, INT64_MIN };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		json_t *value;

		begin();
		jsonout_integer(&out, numbers[i]);
		value = read_back();
		assert_true(json_integer_value(value) == numbers[i]);
		json_decref(value);
	}
}

/* The escapes are those that the library writes, byte for byte. */
static void assert_like_library(const char *s)
{
	json_t *value = json_string(s);
	char *want;

	assert_non_null(value);
	want = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	begin();
	jsonout_string(&out, s);
	assert_string_equal(buf, want);
	free(want);
	json_decref(value);
}

static void test_escapes(void **state)
{
	char s[2] = "";

	(void)state;
	for (int byte = 1; byte < 0x80; byte++) {
		s[0] = (char)byte;
		assert_like_library(s);
	}
	assert_like_library(
		"\"quoted\" back\\slash \r\n\t\b\f \x01 \x1f\x7f / caf\xc3\xa9 \xe2\x82\xac "
		"\xf0\x9f\x94\x92 \xe2\x80\xa8");
}

static void test_not_utf8(void **state)
{
	(void)state;
	begin();
	jsonout_string(&out, "a\xff\"\\b\xc3");
	assert_string_equal(buf, "\"a\\\\xff\\\"\\\\x5cb\\\\xc3\"");
}

/* Characters that stand where the string is taken apart stay whole. */
static void test_not_utf8_and_long(void **state)
{
	char s[600], want[1200];

	(void)state;
	for (size_t shift = 0; shift < 8; shift++) {
		struct text t;
		json_t *value;

		s[0] = (char)0xff;
		memset(s + 1, 'a', shift);
		for (size_t i = shift + 1; i + 4 < sizeof(s); i += 4)
			memcpy(s + i, "\xf0\x9f\x94\x92", 5);
		begin();
		jsonout_string(&out, s);
		value = read_back();
		text_init(&t, want, sizeof(want));
		text_add_hostile(&t, s, strlen(s));
		assert_string_equal(json_string_value(value), want);
		json_decref(value);
	}
}

static void test_any_bytes(void **state)
{
	uint32_t chance = 1;
	char s[65];

	(void)state;
	for (int i = 0; i < STRINGS; i++) {
		json_t *value;
		size_t len;

		chance = chance * 1664525 + 1013904223;
		len = chance >> 16 & 63;
		for (size_t k = 0; k < len; k++) {
			chance = chance * 1664525 + 1013904223;
			s[k] = (char)(chance >> 24);
			s[k] = s[k] ? s[k] : 'x';
		}
		s[len] = '\0';
		begin();
		jsonout_string(&out, s);
		value = read_back();
		assert_true(json_is_string(value));
		if (text_is_utf8(s, len))
			assert_string_equal(json_string_value(value), s);
		json_decref(value);
	}
}

/* A text that is too short holds the beginning, and says so. */
static void test_cut(void **state)
{
	char small[8];

	(void)state;
	text_init(&text, small, sizeof(small));
	out = (struct jsonout){ .text = &text };
	jsonout_string(&out, "abcdefghij");
	assert_true(text.cut);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_not_utf8),
		cmocka_unit_test(test_not_utf8_and_long),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests_name("jsonout", tests, NULL, NULL);
}
