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
#include "diagnose/causes.h"
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

/* The next line that begins in the first column. */
static const char *next_entry(const char *line)
{
	do {
		line = strchr(line, '\n');
		assert_non_null(line);
		line++;
	} while (*line == ' ');
	return line;
}

/* In the order of the table, the evidence of all in one column. */
static void test_index(void **state)
{
	const char *line = list(NULL);
	size_t column = 0;

	(void)state;
	assert_lines(line);
	for (size_t i = 0; i < cause_count(); i++) {
		const char *slug = cause_at(i)->slug;
		size_t len = strlen(slug);
		size_t gap;

		assert_memory_equal(line, slug, len);
		gap = strspn(line + len, " ");
		assert_true(gap >= 2);
		if (i == 0)
			column = len + gap;
		assert_int_equal(len + gap, column);
		/* what the lines after the first hang under */
		for (const char *more = strchr(line, '\n') + 1; *more == ' ';
		     more = strchr(more, '\n') + 1)
			assert_int_equal(strspn(more, " "), column);
		line = next_entry(line);
	}
	assert_string_equal(
		line, "\ntlsfail causes SLUG shows what one of them means and how to fix it.\n");
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
		"  in doubt    What the alert means depends on the server's implementation.\n"
		"  confidence  medium\n"
		"  or          client-cert-required, client-cert-untrusted, client-cert-expired\n"
		"  fix         check the client certificate (proxy_ssl_certificate): key usage\n"
		"              clientAuth, revocation, and the subject that the upstream expects\n"
		"\n"
		"Words in braces are filled in from the failure.\n");
}

static void test_every_cause(void **state)
{
	(void)state;
	for (size_t i = 0; i < cause_count(); i++) {
		const struct cause *cause = cause_at(i);
		const char *output = list(cause->slug);

		assert_lines(output);
		assert_memory_equal(output, cause->slug, strlen(cause->slug));
		assert_int_equal(!!strstr(output, "\n  in detail   "), !!cause->with_cert);
		assert_int_equal(!!strstr(output, "\n  in doubt    "), !!cause->doubt);
		assert_int_equal(!!strstr(output, "\n  or          "), !!cause->candidates[0].slug);
		assert_int_equal(!!strstr(output, ", high with more evidence\n"), !!cause->high_if);
		assert_int_equal(!!strstr(output, "\n  if "), !!cause->wordings[0].when);
		assert_int_equal(!!strstr(output, "\n  if always   "),
				 cause->wordings[0].when == O_PEER_FAILS);
		assert_int_equal(!!strstr(output, "\n  if at times "), !!cause->wordings[1].when);
		assert_non_null(strstr(output, "\n  fix         "));
	}
}

static void test_unknown_cause(void **state)
{
	struct options options = { .argument = "no-such-cause" };
	int status;

	(void)state;
	capture_begin(STDERR_FILENO);
	status = listing_run(&options);
	assert_string_equal(capture_end(), "tlsfail: no cause is named 'no-such-cause'; tlsfail "
					   "causes lists them\n");
	assert_int_equal(status, EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_one_cause),
		cmocka_unit_test(test_every_cause),
		cmocka_unit_test(test_unknown_cause),
	};

	return cmocka_run_group_tests_name("listing", tests, NULL, NULL);
}
