/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "Did you mean": typing mistakes are recognized, other words are left alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/similar.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static void test_words(void **state)
{
	static const char *const known[] = { "trace",  "replay",  "doctor",
					     "causes", "explain", "lint" };
	static const struct {
		const char *word;
		const char *meant;
	} words[] = {
		{ "repaly", "replay" }, { "lnit", "lint" },	{ "expalin", "explain" },
		{ "tracee", "trace" },	{ "docter", "doctor" }, { "exp", "explain" },
		{ "cause", "causes" },	{ "trac", "trace" },	{ "start", NULL },
		{ "", NULL },		{ "x", NULL },		{ "nginx", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		struct similar similar;

		similar_begin(&similar, words[i].word, strlen(words[i].word));
		for (size_t n = 0; n < ARRAY_LEN(known); n++)
			similar_offer(&similar, known[n]);
		if (words[i].meant && similar.best)
			assert_string_equal(similar.best, words[i].meant);
		else if (words[i].meant || similar.best)
			fail_msg("%s: %s", words[i].word, similar.best ? similar.best : "nothing");
	}
}

/* It is cut nowhere and read beyond nowhere. */
static void test_long(void **state)
{
	char word[300];
	struct similar similar;

	(void)state;
	memset(word, 'a', sizeof(word));
	similar_begin(&similar, word, sizeof(word));
	similar_offer(&similar, "a");
	assert_null(similar.best);
	word[64] = '\0';
	similar_begin(&similar, word, 64);
	similar_offer(&similar, word);
	assert_ptr_equal(similar.best, word);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
