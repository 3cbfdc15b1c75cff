/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tlsfail causes: an index of every cause, one cause as a whole, and an unknown name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture.h"
#include "base/text.h"
#include "diagnose/causes.h"
#include "diagnose/titles.h"
#include "command/causes.h"
#include "command/options.h"

#define COLUMNS 80

static const char *list(const char *slug)
{
	struct options options = { .argument = slug };
	int status;
	const char *output;

	capture_begin(STDOUT_FILENO);
	status = listing_run(&options);
	output = capture_end();
	assert_int_equal(status, EXIT_SUCCESS);
	return output;
}

static void assert_lines(const char *output)
{
	while (*output) {
		const char *end = strchr(output, '\n');

		assert_non_null(end);
		if (end - output > COLUMNS)
			fail_msg("%td columns: %.*s", end - output, (int)(end - output), output);
		assert_true(end == output || end[-1] != ' ');
		output = end + 1;
	}
}

/* Each cause once, under a heading of its role, the meaning of all in one column. */
static void test_index(void **state)
{
	const char *output = list(NULL);

	(void)state;
	assert_lines(output);
	assert_memory_equal(output, "As the client of an upstream\n", 29);
	for (size_t i = 0; i < cause_count(); i++) {
		char entry[80];
		struct text t;

		text_init(&t, entry, sizeof(entry));
		text_addf(&t, "\n  %-34s  ", cause_at(i)->slug);
		if (!strstr(output, entry))
			fail_msg("not listed:%s", entry);
		assert_null(strstr(strstr(output, entry) + 1, entry));
	}
	assert_non_null(strstr(output, "\n\ntlsfail causes SLUG shows what one of them means and "
				       "how to fix it.\n"));
}

static void test_every_title(void **state)
{
	const struct cause_title *title;
	size_t count = 0;

	(void)state;
	for (; (title = cause_title_at(count)); count++) {
		if (!cause_find(title->slug))
			fail_msg("%s is no cause", title->slug);
		assert_ptr_equal(cause_title_find(title->slug), title);
	}
	assert_in_range(count, cause_count() / 2, cause_count());
}

/* Of names and meanings, in capitals or not. */
static void test_search(void **state)
{
	(void)state;
	assert_non_null(strstr(list("expired"), "\n  verify-expired "));
	assert_non_null(strstr(list("EXPIRED"), "\n  client-cert-expired "));
	assert_null(strstr(list("expired"), "cipher-mismatch"));
	assert_non_null(strstr(list("Diffie-Hellman"), "\n  dh-key-too-small "));
}

static void test_one_cause(void **state)
{
	(void)state;
	assert_string_equal(
		list("client-cert-rejected"),
		"client-cert-rejected\n"
		"  evidence    fatal alert 42, 43, 44 or 46 received, or 49 after a certificate\n"
		"              was sent\n"
		"  meaning     {peer} refused our client certificate{or_none} (alert {alert}).\n"
		"  in doubt    Servers differ in what they mean by this alert.\n"
		"  confidence  medium\n"
		"  or          client-cert-required, client-cert-untrusted, client-cert-expired\n"
		"  fix         check the client certificate (proxy_ssl_certificate): extended key\n"
		"              usage clientAuth, revocation, and the subject that the upstream\n"
		"              expects\n"
		"\n"
		"Words in braces are filled in from the failure.\n");
}

static bool has_wording(const struct cause *cause, uint64_t when)
{
	for (size_t i = 0; i < CAUSE_WORDINGS_MAX; i++)
		if ((uint64_t)cause->wordings[i].when == when)
			return true;
	return false;
}

static void test_every_cause(void **state)
{
	(void)state;
	for (size_t i = 0; i < cause_count(); i++) {
		const struct cause *cause = cause_at(i);
		const char *output;

		if (cause_find(cause->slug) != cause)
			continue; /* another way to know it */
		output = list(cause->slug);
		assert_lines(output);
		assert_memory_equal(output, cause->slug, strlen(cause->slug));
		assert_int_equal(!!strstr(output, "\n  in detail   "), !!cause->with_cert);
		assert_int_equal(!!strstr(output, "\n  in doubt    "), !!cause->doubt);
		assert_int_equal(!!strstr(output, "\n  or          "), !!cause->candidates[0].slug);
		assert_int_equal(!!strstr(output, "; high with more evidence\n"),
				 (cause->high_if || cause->high_with) && !cause->medium_if);
		assert_int_equal(!!strstr(output, " medium with more evidence\n"),
				 !!cause->medium_if);
		assert_int_equal(!!strstr(output, "\n  if always   "),
				 has_wording(cause, O_PEER_FAILS));
		assert_int_equal(!!strstr(output, "\n  sometimes "),
				 has_wording(cause, O_PEER_SUCCEEDS));
		assert_non_null(strstr(output, "\n  fix         "));
	}
}

static void test_unknown_cause(void **state)
{
	static const struct {
		const char *word;
		const char *says;
	} words[] = {
		{ "no-such-cause", "tlsfail: no cause matches 'no-such-cause'; tlsfail "
				   "causes lists them\n" },
		{ "sni-mising", "tlsfail: no cause is named 'sni-mising'; did you mean "
				"sni-missing?\n" },
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct options options = { .argument = words[i].word };
		int status;

		capture_begin(STDERR_FILENO);
		status = listing_run(&options);
		assert_string_equal(capture_end(), words[i].says);
		assert_int_equal(status, EXIT_USAGE);
	}
}

static void test_log(void **state)
{
	struct options options = {
		.ask = { .log = "SSL alert number 116 (SSL: error:0A00045C:SSL)" }
	};
	const char *output;

	(void)state;
	capture_begin(STDOUT_FILENO);
	assert_int_equal(listing_run(&options), EXIT_SUCCESS);
	output = capture_end();
	assert_non_null(strstr(output, "client-cert-required "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_index),	    cmocka_unit_test(test_one_cause),
		cmocka_unit_test(test_every_cause), cmocka_unit_test(test_every_title),
		cmocka_unit_test(test_search),	    cmocka_unit_test(test_unknown_cause),
		cmocka_unit_test(test_log),
	};

	return cmocka_run_group_tests_name("listing", tests, NULL, NULL);
}
