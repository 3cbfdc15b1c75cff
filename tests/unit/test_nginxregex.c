// SPDX-License-Identifier: BSD-2-Clause
/*
 * Regular expressions of server_name: what they match, and which are not tried.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "program/nginx/regex.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *expression, *name;
	enum nginxregex expected;
} rows[] = {
	{ "^(www\\.)?(?<domain>.+)$", "www.example.com", NGINXREGEX_YES },
	{ "^(?P<user>[a-z]+)\\.example\\.com$", "bob.example.com", NGINXREGEX_YES },
	{ "^(?P<user>[a-z]+)\\.example\\.com$", "bob1.example.com", NGINXREGEX_NO },
	{ "^(?:a|b)\\.test$", "b.test", NGINXREGEX_YES },
	{ "^www\\d+\\.test$", "WWW12.test", NGINXREGEX_YES },
	{ "^www\\d+\\.test$", "www.test", NGINXREGEX_NO },
	{ "^[\\w.]+?\\.test$", "a_b.c.test", NGINXREGEX_YES },
	{ "^[\\d-]+\\.test$", "2020-01.test", NGINXREGEX_YES },
	{ "^x{2,3}\\.test$", "xxx.test", NGINXREGEX_YES },
	{ "^x{2,3}\\.test$", "xxxx.test", NGINXREGEX_NO },
	{ "^x{2,}$", "xxxx", NGINXREGEX_YES },
	{ "example", "an.example.com", NGINXREGEX_YES },
	{ "a.c", "abc", NGINXREGEX_YES },
	{ "a\\.c", "abc", NGINXREGEX_NO },
	/* what is not tried */
	{ "^(?!www)", "a.test", NGINXREGEX_UNKNOWN },
	{ "(?i)a", "a", NGINXREGEX_UNKNOWN },
	{ "(a)\\1", "aa", NGINXREGEX_UNKNOWN },
	{ "\\bword", "word", NGINXREGEX_UNKNOWN },
	{ "a*+b", "aab", NGINXREGEX_UNKNOWN },
	{ "[]a]", "a", NGINXREGEX_UNKNOWN },
	{ "[^]a]", "b", NGINXREGEX_UNKNOWN },
	{ "[a\\-z]", "b", NGINXREGEX_UNKNOWN },
	{ "[a", "a", NGINXREGEX_UNKNOWN },
	{ "(a", "a", NGINXREGEX_UNKNOWN },
	{ "(?<n", "a", NGINXREGEX_UNKNOWN },
	{ "(?<=a)b", "ab", NGINXREGEX_UNKNOWN },
	{ "a\\", "a", NGINXREGEX_UNKNOWN },
	{ "a{65}", "a", NGINXREGEX_UNKNOWN },
	{ "a{1,65}", "a", NGINXREGEX_UNKNOWN },
	{ "a{1}b{1}c{1}", "abc", NGINXREGEX_UNKNOWN },
	{ "a{", "a", NGINXREGEX_UNKNOWN },
	{ "a{,3}", "a", NGINXREGEX_UNKNOWN },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum nginxregex found = nginxregex_match(rows[i].expression, rows[i].name);

		if (found != rows[i].expected)
			fail_msg("%s, %s: %d", rows[i].expression, rows[i].name, found);
	}
}

static void test_long(void **state)
{
	char expression[1024];

	(void)state;
	memset(expression, 'a', sizeof(expression) - 1);
	expression[sizeof(expression) - 1] = '\0';
	assert_int_equal(nginxregex_match(expression, "a"), NGINXREGEX_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
