/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration file: what is taken from it, what the command line has before it, and that each
 * mistake is refused with the file and the line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture.h"
#include "fixture.h"
#include "command/options.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static struct options options;

/* trace --config FILE with that content, and one more option or two. */
static int parse(const char *content, char *option, char *value)
{
	char path[4096], *argv[] = { (char *)"trace", (char *)"--config", path, option, value };
	int argc = value ? 5 : option ? 4 : 3;

	assert_int_equal(fixture_write("tlsfail.conf", content, strlen(content)), 0);
	snprintf(path, sizeof(path), "%s", fixture_path("tlsfail.conf"));
	return options_parse(COMMAND_TRACE, argc, argv, &options);
}

static void test_taken(void **state)
{
	(void)state;
	assert_int_equal(parse("# whom\n"
			       "exe = [ \"/usr/sbin/nginx\", \"/opt/nginx\" ]\n"
			       "sink = \"json:-\";\n"
			       "certs = true\n"
			       "verbose = false\n"
			       "cert-warn = 30\n"
			       "duration = 7\n",
			       NULL, NULL),
			 0);
	assert_int_equal(options.target, OPTION_TARGET_EXE);
	assert_int_equal(options.target_count, 2);
	assert_string_equal(options.targets[1], "/opt/nginx");
	assert_int_equal(options.sink_count, 1);
	assert_string_equal(options.sinks[0], "json:-");
	assert_true(options.pipeline.certs.seen);
	assert_int_equal(options.pipeline.certs.warn_s, 30 * 24 * 3600);
	assert_false(options.verbose);
	assert_int_equal(options.duration_s, 7);
	options_release(&options);
}

static void test_empty(void **state)
{
	(void)state;
	assert_int_equal(parse("", NULL, NULL), 0);
	assert_int_equal(options.target, OPTION_TARGET_DEFAULT);
	options_release(&options);
}

static void test_command_line_comes_first(void **state)
{
	static const char content[] =
		"exe = \"/usr/sbin/nginx\"\nformat = \"json\"\nduration = 7\n";

	(void)state;
	assert_int_equal(parse(content, (char *)"--duration", (char *)"9"), 0);
	assert_int_equal(options.duration_s, 9);
	assert_ptr_equal(options.format, &sink_type_json);
	options_release(&options);
	/* whatever kind of target it is, it replaces those of the file */
	assert_int_equal(parse(content, (char *)"--pid", (char *)"1"), 0);
	assert_int_equal(options.target, OPTION_TARGET_PID);
	assert_int_equal(options.target_count, 1);
	options_release(&options);
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *content;
		const char *words;
	} mistakes[] = {
		{ "\nformt = \"json\"\n",
		  "tlsfail.conf:2: unknown setting 'formt'; did you mean format?" },
		{ "\n\nformat = \"xml\"\n",
		  "tlsfail.conf:3: --format takes text, json or line, not 'xml'" },
		{ "certs = \"yes\"\n", "tlsfail.conf:1: certs is true or false" },
		{ "format = true\n", "tlsfail.conf:1: format needs a value" },
		{ "duration = 1.5\n", "tlsfail.conf:1: a value is" },
		{ "duration = -1\n", "tlsfail.conf:1: --duration takes a time" },
		{ "exe = { path = \"/a\" }\n", "tlsfail.conf:1: a value is" },
		{ "exe = [ \"/a\", 1 ]\n", "tlsfail.conf:1: mismatched element type in array" },
		{ "exe = \"/a\"\npid = 3\n", "tlsfail.conf:2: --exe, --pid and --comm" },
		{ "format = \"text\"\nformat = \"json\"\n", "tlsfail.conf:2: duplicate setting" },
		{ "format = \n", "tlsfail.conf:2: syntax error" },
		{ "config = \"/etc/other\"\n", "tlsfail.conf:1: unknown setting 'config'" },
		{ "help = true\n", "tlsfail.conf:1: unknown setting 'help'; they are" },
		{ "format = \"json\"\nsink = \"text:-\"\n", "standard output takes one of" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
		const char *said;
		int ret;

		capture_begin(STDERR_FILENO);
		ret = parse(mistakes[i].content, NULL, NULL);
		said = capture_end();
		options_release(&options);
		if (ret != EXIT_USAGE || !strstr(said, mistakes[i].words) ||
		    strchr(said, '\n') != said + strlen(said) - 1)
			fail_msg("%s gives %d: %s", mistakes[i].content, ret, said);
	}
}

static void test_no_such_file(void **state)
{
	char missing[] = "/nonexistent/tlsfail.conf", directory[] = "/tmp";
	char *paths[] = { missing, directory };
	static const char *const words[] = { "No such file", "not a regular file" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		char *argv[] = { (char *)"trace", (char *)"--config", paths[i] };
		const char *said;
		int ret;

		capture_begin(STDERR_FILENO);
		ret = options_parse(COMMAND_TRACE, 3, argv, &options);
		said = capture_end();
		options_release(&options);
		assert_int_equal(ret, EXIT_USAGE);
		assert_non_null(strstr(said, paths[i]));
		assert_non_null(strstr(said, words[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_command_line_comes_first),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_no_such_file),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
