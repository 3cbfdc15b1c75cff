/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two formats, byte for byte, and which of them a client gets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/exposition.h"

static char page[2048];
static struct text text;
static struct exposition e;

static void begin(enum exposition_format format)
{
	text_init(&text, page, sizeof(page));
	exposition_begin(&e, format, &text);
}

static void test_counter(void **state)
{
	const struct exposition_label labels[] = { { "role", "client" },
						   { "peer", "[::1]:443" },
						   { 0 } };

	(void)state;
	begin(EXPOSITION_TEXT);
	exposition_family(&e, EXPOSITION_COUNTER, "a_seconds", "seconds", "Time.");
	exposition_integer(&e, labels, UINT64_MAX);
	exposition_decimal(&e, NULL, 0.1);
	exposition_end(&e);
	assert_string_equal(page, "# HELP a_seconds_total Time.\n"
				  "# TYPE a_seconds_total counter\n"
				  "a_seconds_total{role=\"client\",peer=\"[::1]:443\"} "
				  "18446744073709551615\n"
				  "a_seconds_total 0.1\n");
	begin(EXPOSITION_OPENMETRICS);
	exposition_family(&e, EXPOSITION_COUNTER, "a_seconds", "seconds", "Time.");
	exposition_integer(&e, NULL, 0);
	exposition_end(&e);
	assert_string_equal(page, "# HELP a_seconds Time.\n"
				  "# TYPE a_seconds counter\n"
				  "# UNIT a_seconds seconds\n"
				  "a_seconds_total 0\n"
				  "# EOF\n");
}

static void test_info(void **state)
{
	const struct exposition_label labels[] = { { "version", "1" }, { 0 } };

	(void)state;
	begin(EXPOSITION_TEXT);
	exposition_family(&e, EXPOSITION_INFO, "a_build", NULL, "It.");
	exposition_integer(&e, labels, 1);
	assert_string_equal(page, "# HELP a_build_info It.\n# TYPE a_build_info gauge\n"
				  "a_build_info{version=\"1\"} 1\n");
	begin(EXPOSITION_OPENMETRICS);
	exposition_family(&e, EXPOSITION_INFO, "a_build", NULL, "It.");
	exposition_integer(&e, labels, 1);
	assert_string_equal(page, "# HELP a_build It.\n# TYPE a_build info\n"
				  "a_build_info{version=\"1\"} 1\n");
}

/* A label that somebody else chose cannot end its own quotes, nor one that is absent be seen. */
static void test_labels(void **state)
{
	const struct exposition_label labels[] = { { "a", NULL }, { "b", "x\"} 1\n\\" }, { 0 } };
	const struct exposition_label none[] = { { "a", NULL }, { 0 } };

	(void)state;
	begin(EXPOSITION_TEXT);
	exposition_family(&e, EXPOSITION_GAUGE, "g", NULL, "G.");
	exposition_integer(&e, labels, 1);
	exposition_integer(&e, none, 2);
	assert_string_equal(page, "# HELP g G.\n# TYPE g gauge\n"
				  "g{b=\"x\\\"} 1\\n\\\\\"} 1\ng 2\n");
}

static void test_histogram(void **state)
{
	static const double bounds[] = { 0.000256, 67.108864 };
	static const uint64_t count[] = { 1, 2, 4 };

	(void)state;
	begin(EXPOSITION_OPENMETRICS);
	exposition_family(&e, EXPOSITION_HISTOGRAM, "h_seconds", "seconds", "H.");
	exposition_histogram(&e, bounds, count, 2, 1.5);
	exposition_end(&e);
	assert_string_equal(page, "# HELP h_seconds H.\n# TYPE h_seconds histogram\n"
				  "# UNIT h_seconds seconds\n"
				  "h_seconds_bucket{le=\"0.000256\"} 1\n"
				  "h_seconds_bucket{le=\"67.108864\"} 3\n"
				  "h_seconds_bucket{le=\"+Inf\"} 7\n"
				  "h_seconds_sum 1.5\nh_seconds_count 7\n# EOF\n");
}

static void test_negotiate(void **state)
{
	/* as Prometheus 2.42 asks */
	static const char prometheus[] =
		"application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
		"version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
	static const char *const openmetrics[] = {
		"application/openmetrics-text",
		prometheus,
		"text/plain;q=0.4, APPLICATION/openmetrics-text ; version=1.0.0 ; q=0.5",
		"text/html, application/openmetrics-text;q=0.1",
	};
	static const char *const plain[] = {
		"",
		"*/*",
		"text/plain",
		"text/plain, application/openmetrics-text; q=0.9",
		"application/openmetrics-text;q=0",
		"application/openmetrics-textual",
		",;,;q=,",
		"q=1;application/openmetrics-text",
	};

	(void)state;
	assert_int_equal(exposition_negotiate(NULL), EXPOSITION_TEXT);
	for (size_t i = 0; i < sizeof(openmetrics) / sizeof(openmetrics[0]); i++)
		if (exposition_negotiate(openmetrics[i]) != EXPOSITION_OPENMETRICS)
			fail_msg("not OpenMetrics: %s", openmetrics[i]);
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (exposition_negotiate(plain[i]) != EXPOSITION_TEXT)
			fail_msg("OpenMetrics: %s", plain[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counter),	  cmocka_unit_test(test_info),
		cmocka_unit_test(test_labels),	  cmocka_unit_test(test_histogram),
		cmocka_unit_test(test_negotiate),
	};

	return cmocka_run_group_tests_name("exposition", tests, NULL, NULL);
}
