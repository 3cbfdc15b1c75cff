/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Command lines, good and bad, and the help. A bad one is refused with one line on standard error.
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
#include "command/options.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define WORDS_MAX    (2 * OPTIONS_TARGETS_MAX + 8)
#define COLUMNS	     80

static struct options options;
static char line_buf[4096];
static const char *errors;

/* Splits a line at blanks; "''" is an empty word. The words live until the next call. */
static int parse_line(enum command command, const char *line)
{
	char *words[WORDS_MAX + 1] = { NULL };
	int count = 0;
	int result;

	assert_true(strlen(line) < sizeof(line_buf));
	memcpy(line_buf, line, strlen(line) + 1);
	for (char *word = strtok(line_buf, " "); word; word = strtok(NULL, " ")) {
		assert_true(count < WORDS_MAX);
		words[count++] = !strcmp(word, "''") ? word + 2 : word;
	}
	/* what a failed parse leaves undone must not look right */
	memset(&options, 0xa5, sizeof(options));
	capture_begin(STDERR_FILENO);
	result = options_parse(command, count, words, &options);
	errors = capture_end();
	return result;
}

static void assert_good(enum command command, const char *line)
{
	int result = parse_line(command, line);

	if (result || *errors)
		fail_msg("\"%s\" gives %d: %s", line, result, errors);
}

/* The first of count outputs. */
static void assert_outputs(size_t count, const char *first)
{
	struct outputs_options outputs;

	options_outputs(&options, &outputs);
	assert_int_equal(outputs.count, count);
	assert_string_equal(outputs.specs[0], first);
}

static void test_defaults(void **state)
{
	(void)state;
	assert_good(COMMAND_TRACE, "trace");
	assert_int_equal(options.target, OPTION_TARGET_DEFAULT);
	assert_int_equal(options.target_count, 0);
	assert_null(options.format);
	assert_outputs(1, "text:-");
	assert_int_equal(options.pipeline.fold_ns, 60000000000);
	assert_false(options.verbose);
	assert_int_equal(options.duration_s, 0);
	assert_int_equal(options.count, 0);
	assert_null(options.record);
	for (size_t i = 0; i < FACT_COUNT; i++)
		assert_int_equal(options.hooks.kinds[i], HOOK_ANY);
	assert_null(options.argument);
	assert_false(options.help);
	assert_false(options.version);
}

static void test_targets(void **state)
{
	(void)state;
	assert_good(COMMAND_TRACE, "trace --exe /usr/sbin/nginx --exe=/opt/nginx");
	assert_int_equal(options.target, OPTION_TARGET_EXE);
	assert_int_equal(options.target_count, 2);
	assert_string_equal(options.targets[0], "/usr/sbin/nginx");
	assert_string_equal(options.targets[1], "/opt/nginx");

	assert_good(COMMAND_TRACE, "trace -p 1 --pid=4194304 -p2");
	assert_int_equal(options.target, OPTION_TARGET_PID);
	assert_int_equal(options.target_count, 3);
	assert_string_equal(options.targets[1], "4194304");
	assert_string_equal(options.targets[2], "2");

	assert_good(COMMAND_TRACE, "trace --comm fifteen-letters");
	assert_int_equal(options.target, OPTION_TARGET_COMM);
	assert_int_equal(options.target_count, 1);
	assert_string_equal(options.targets[0], "fifteen-letters");
}

static void test_output(void **state)
{
	(void)state;
	assert_good(COMMAND_TRACE, "trace -f json -v");
	assert_outputs(1, "json:-");
	assert_true(options.verbose);
	assert_good(COMMAND_REPLAY, "replay --format=text --verbose x.rec");
	assert_outputs(1, "text:-");
	assert_string_equal(options.argument, "x.rec");
	/* the last one counts */
	assert_good(COMMAND_REPLAY, "replay -f text x.rec -f json");
	assert_outputs(1, "json:-");
	assert_good(COMMAND_REPLAY, "replay --sink json:- x.rec");
	assert_outputs(1, "json:-");
	assert_good(COMMAND_TRACE, "trace --sink json:/x -s text:/y --sink-queue 16");
	assert_outputs(2, "json:/x");
	assert_int_equal(options.sink_queue, 16 * 1024 * 1024);
	assert_good(COMMAND_TRACE, "trace --sink json:/x -f text");
	assert_outputs(2, "text:-");
}

static void test_folding(void **state)
{
	(void)state;
	assert_good(COMMAND_TRACE, "trace --fold-interval 5");
	assert_int_equal(options.pipeline.fold_ns, 5000000000);
	assert_int_equal(options.pipeline.summary_ns, 0);
	assert_good(COMMAND_TRACE, "trace --summary 60s");
	assert_int_equal(options.pipeline.summary_ns, 60000000000);
	assert_good(COMMAND_REPLAY, "replay --no-fold x.rec");
	assert_int_equal(options.pipeline.fold_ns, 0);
}

static void test_limits(void **state)
{
	(void)state;
	assert_good(COMMAND_TRACE, "trace -d 1 -c 1 -r /tmp/x.rec");
	assert_int_equal(options.duration_s, 1);
	assert_int_equal(options.count, 1);
	assert_string_equal(options.record, "/tmp/x.rec");
	assert_good(COMMAND_TRACE, "trace --duration 1000000000 --count 18446744073709551615");
	assert_int_equal(options.duration_s, 1000000000);
	assert_true(options.count == UINT64_MAX);
}

static void test_what_takes_files_and_asks(void **state)
{
	char line[1024] = "trace";

	(void)state;
	assert_good(COMMAND_TRACE,
		    "trace --error-log auto --error-log /a/error.log --heartbeat 5m");
	assert_int_equal(options.error_log_count, 2);
	assert_string_equal(options.error_logs[1], "/a/error.log");
	assert_int_equal(options.heartbeat_s, 300);
	assert_false(options.confirm || options.no_return_probes);
	assert_good(COMMAND_TRACE, "trace --confirm --confirm-every 2h --no-return-probes");
	assert_true(options.confirm && options.no_return_probes);
	assert_int_equal(options.confirm_every_s, 7200);
	for (int i = 0; i <= OPTIONS_LOGS_MAX; i++)
		strcat(line, " --error-log x");
	assert_int_equal(parse_line(COMMAND_TRACE, line), EXIT_USAGE);
	assert_non_null(strstr(errors, "error log"));
}

static void test_metrics(void **state)
{
	(void)state;
	assert_good(COMMAND_TRACE, "trace");
	assert_null(options.metrics);
	assert_null(options.metrics_file);
	assert_int_equal(options.metrics_peers, 0);
	assert_false(options.probe_stats);
	assert_good(COMMAND_TRACE, "trace --metrics [::1]:9913 --metrics-peers 1000 --probe-stats");
	assert_string_equal(options.metrics, "[::1]:9913");
	assert_int_equal(options.metrics_address.addr.any.sa_family, AF_INET6);
	assert_int_equal(options.metrics_peers, 1000);
	assert_true(options.probe_stats);
	assert_good(COMMAND_REPLAY, "replay --metrics 9913 x.rec");
	assert_good(COMMAND_TRACE, "trace --metrics-file /var/lib/x/tlsfail.prom");
	assert_string_equal(options.metrics_file, "/var/lib/x/tlsfail.prom");
}

static void test_hooks(void **state)
{
	(void)state;
	assert_good(COMMAND_TRACE, "trace --hook close=kprobe --hook=wire=fentry");
	assert_int_equal(options.hooks.kinds[FACT_CLOSE], HOOK_KPROBE);
	assert_int_equal(options.hooks.kinds[FACT_WIRE], HOOK_FENTRY);
	assert_int_equal(options.hooks.kinds[FACT_STATE], HOOK_ANY);
	assert_good(COMMAND_TRACE, "trace --hook state=raw_tp --hook state=tp_btf");
	assert_int_equal(options.hooks.kinds[FACT_STATE], HOOK_TP_BTF);
}

static void test_arguments(void **state)
{
	(void)state;
	assert_good(COMMAND_REPLAY, "replay -");
	assert_string_equal(options.argument, "-");
	assert_good(COMMAND_REPLAY, "replay -- -v");
	assert_string_equal(options.argument, "-v");
	assert_false(options.verbose);
	assert_good(COMMAND_CAUSES, "causes");
	assert_null(options.argument);
	assert_good(COMMAND_CAUSES, "causes sni-missing");
	assert_string_equal(options.argument, "sni-missing");
}

/* Long options may be shortened as far as they are clear, letters may be put together. */
static void test_spellings(void **state)
{
	(void)state;
	assert_good(COMMAND_TRACE, "trace --dur 5 --verb");
	assert_int_equal(options.duration_s, 5);
	assert_true(options.verbose);
	assert_good(COMMAND_TRACE, "trace -vd5 -fjson");
	assert_true(options.verbose);
	assert_int_equal(options.duration_s, 5);
	assert_string_equal(options.format->name, "json");
}

static void test_help_and_version(void **state)
{
	static const enum command commands[] = { COMMAND_TRACE, COMMAND_REPLAY, COMMAND_CAUSES,
						 COMMAND_DOCTOR };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		assert_good(commands[i], "x --help");
		assert_true(options.help);
		assert_good(commands[i], "x -h");
		assert_true(options.help);
		assert_good(commands[i], "x --version");
		assert_true(options.version);
		assert_good(commands[i], "x -V");
		assert_true(options.version);
	}
}

static void test_durations(void **state)
{
	static const struct {
		const char *line;
		uint64_t seconds;
	} lines[] = {
		{ "trace -d 90", 90 },	   { "trace -d 90s", 90 },
		{ "trace -d 10m", 600 },   { "trace -d 1h30m", 5400 },
		{ "trace -d 1h30", 3630 }, { "trace -d 2d", 172800 },
		{ "trace -d 1w", 604800 }, { "trace -d 1000000000", 1000000000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		assert_good(COMMAND_TRACE, lines[i].line);
		assert_int_equal(options.duration_s, lines[i].seconds);
	}
	assert_good(COMMAND_TRACE, "trace --cert-warn 30");
	assert_int_equal(options.pipeline.certs.warn_s, 30 * 86400);
	assert_good(COMMAND_TRACE, "trace --cert-warn 2w --summary 5m");
	assert_int_equal(options.pipeline.certs.warn_s, 14 * 86400);
	assert_int_equal(options.pipeline.summary_ns, 300 * 1000000000ULL);
}

/* What is captured goes to a file. */
static void test_color_needs_a_terminal(void **state)
{
	(void)state;
	capture_begin(STDOUT_FILENO);
	options_parse(COMMAND_TRACE, 1, (char *[]){ line_buf, NULL }, &options);
	capture_end();
	assert_false(options.color);
	assert_good(COMMAND_TRACE, "trace --no-color");
	assert_false(options.color);
	assert_good(COMMAND_TRACE, "trace --color always");
	assert_true(options.color);
	assert_good(COMMAND_TRACE, "trace --color always --color never");
	assert_false(options.color);
}

static const struct bad_line {
	enum command command;
	const char *line;
	const char *says; /* part of what is said about it */
} bad_lines[] = {
	/* options that there are not, or not here */
	{ COMMAND_TRACE, "trace --nonsense", "'--nonsense'" },
	{ COMMAND_TRACE, "trace --recrod x", "did you mean --record?" },
	{ COMMAND_TRACE, "trace --metric-peers=3", "did you mean --metrics-peers?" },
	{ COMMAND_REPLAY, "replay --recrod x", "see tlsfail replay --help" },
	{ COMMAND_TRACE, "trace -x", "'-x'" },
	{ COMMAND_TRACE, "trace -vx", "'-x'" },
	{ COMMAND_TRACE, "trace --co nginx", "'--co'" },
	{ COMMAND_TRACE, "trace --verbose=yes", "'--verbose=yes'" },
	{ COMMAND_REPLAY, "replay --pid 1 x.rec", "'--pid'" },
	{ COMMAND_DOCTOR, "doctor --hook close=kprobe", "'--hook'" },
	{ COMMAND_DOCTOR, "doctor -v", "'-v'" },
	{ COMMAND_DOCTOR, "doctor nginx", "'nginx'" },
	{ COMMAND_REPLAY, "replay -r y.rec x.rec", "'-r'" },
	{ COMMAND_CAUSES, "causes --format json", "'--format'" },
	{ COMMAND_CAUSES, "causes -v", "'-v'" },

	/* values */
	{ COMMAND_TRACE, "trace --duration", "'--duration' needs a value" },
	{ COMMAND_TRACE, "trace -d", "'-d' needs a value" },
	{ COMMAND_TRACE, "trace -vd", "'-d' needs a value" },
	{ COMMAND_TRACE, "trace -d 0", "--duration" },
	{ COMMAND_TRACE, "trace -d -1", "--duration" },
	{ COMMAND_TRACE, "trace -d +1", "--duration" },
	{ COMMAND_TRACE, "trace -d ''", "--duration" },
	{ COMMAND_TRACE, "trace -d 1y", "--duration" },
	{ COMMAND_TRACE, "trace -d m", "--duration" },
	{ COMMAND_TRACE, "trace -d 1h-30m", "--duration" },
	{ COMMAND_TRACE, "trace -d 1000000000m", "--duration" },
	{ COMMAND_TRACE, "trace -d 0x10", "--duration" },
	{ COMMAND_TRACE, "trace -d 1000000001", "--duration" },
	{ COMMAND_TRACE, "trace -c 0", "--count" },
	{ COMMAND_TRACE, "trace -c many", "--count" },
	{ COMMAND_TRACE, "trace -c 18446744073709551616", "--count" },
	{ COMMAND_TRACE, "trace -p 0", "--pid" },
	{ COMMAND_TRACE, "trace -p nginx", "--pid" },
	{ COMMAND_TRACE, "trace -p 4194305", "--pid" },
	{ COMMAND_TRACE, "trace --comm ''", "--comm" },
	{ COMMAND_TRACE, "trace --comm sixteen--letters", "--comm" },
	{ COMMAND_TRACE, "trace -f xml", "'xml'" },
	{ COMMAND_DOCTOR, "doctor -f line", "text or json" },
	{ COMMAND_TRACE, "trace --color yes", "--color takes auto" },
	{ COMMAND_TRACE, "trace --cause verify-expird", "did you mean verify-expired?" },
	{ COMMAND_TRACE, "trace --cause nonsense", "'nonsense'" },
	{ COMMAND_TRACE, "trace -f ''", "--format" },
	{ COMMAND_TRACE, "trace --sink json", "TYPE:TARGET" },
	{ COMMAND_TRACE, "trace --sink xml:-", "types: text, json" },
	{ COMMAND_TRACE, "trace --sink jso:-", "'jso:-'" },
	{ COMMAND_TRACE, "trace --sink ''", "TYPE:TARGET" },
	{ COMMAND_TRACE, "trace --sink json:relative", "absolute path" },
	{ COMMAND_TRACE, "trace --sink-queue 0", "--sink-queue takes" },
	{ COMMAND_TRACE, "trace --rate 5", "'--rate'" },
	{ COMMAND_REPLAY, "replay --rate 0 x.rec", "--rate takes" },
	{ COMMAND_REPLAY, "replay --repeat -1 x.rec", "--repeat takes" },
	{ COMMAND_TRACE, "trace --sink json:- --sink text:-", "standard output takes one" },
	{ COMMAND_TRACE, "trace -f json --sink text:-", "standard output takes one" },

	/* metrics */
	{ COMMAND_REPLAY, "replay --probe-stats x.rec", "'--probe-stats'" },
	{ COMMAND_TRACE, "trace --metrics localhost:9913", "'localhost:9913'" },
	{ COMMAND_TRACE, "trace --metrics unix:x", "'unix:x'" },
	{ COMMAND_TRACE, "trace --metrics-file ''", "--metrics-file" },
	{ COMMAND_TRACE, "trace --metrics 9913 --metrics-peers 1001", "--metrics-peers" },
	{ COMMAND_TRACE, "trace --metrics-peers 5", "need --metrics" },
	{ COMMAND_TRACE, "trace --probe-stats", "need --metrics" },

	/* hooks */
	{ COMMAND_TRACE, "trace --hook close", "'close'" },
	{ COMMAND_TRACE, "trace --hook close=", "'close='" },
	{ COMMAND_TRACE, "trace --hook =kprobe", "'=kprobe'" },
	{ COMMAND_TRACE, "trace --hook open=kprobe", "'open=kprobe'" },
	{ COMMAND_TRACE, "trace --hook close=uprobe", "'close=uprobe'" },
	{ COMMAND_TRACE, "trace --hook clos=kprobe", "'clos=kprobe'" },

	/* targets that do not go together */
	{ COMMAND_TRACE, "trace --exe /usr/sbin/nginx --pid 1", "mixed" },
	{ COMMAND_TRACE, "trace --pid 1 --exe /usr/sbin/nginx", "mixed" },
	{ COMMAND_TRACE, "trace --pid 1 --comm nginx", "--comm" },
	{ COMMAND_TRACE, "trace --comm nginx --pid 1", "mixed" },
	{ COMMAND_TRACE, "trace --comm nginx --comm curl", "--comm" },

	/* arguments */
	{ COMMAND_TRACE, "trace now", "'now'" },
	{ COMMAND_TRACE, "trace -v -- -d", "'-d'" },
	{ COMMAND_REPLAY, "replay", "replay" },
	{ COMMAND_REPLAY, "replay -v", "replay" },
	{ COMMAND_REPLAY, "replay x.rec y.rec", "'y.rec'" },
	{ COMMAND_CAUSES, "causes sni-missing unknown", "'unknown'" },

	/* whose words come back on a terminal */
	{ COMMAND_TRACE, "trace \033[2J\nx", "\\x1b[2J\\x0ax" },
};

static void assert_one_line(const char *text)
{
	const char *end = strchr(text, '\n');

	if (!end || end[1] || strncmp(text, "tlsfail: ", 9) != 0)
		fail_msg("not one line of tlsfail: \"%s\"", text);
}

static void test_bad_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_lines); i++) {
		const struct bad_line *bad = &bad_lines[i];

		if (parse_line(bad->command, bad->line) != EXIT_USAGE)
			fail_msg("\"%s\" is taken", bad->line);
		assert_one_line(errors);
		if (!strstr(errors, bad->says))
			fail_msg("\"%s\": no \"%s\" in: %s", bad->line, bad->says, errors);
	}
}

static void test_too_many_targets(void **state)
{
	char line[1024];
	struct text t;

	(void)state;
	text_init(&t, line, sizeof(line));
	text_add(&t, "trace");
	for (int i = 0; i < OPTIONS_TARGETS_MAX; i++)
		text_add(&t, " -p 7");
	assert_good(COMMAND_TRACE, line);
	assert_int_equal(options.target_count, OPTIONS_TARGETS_MAX);
	text_add(&t, " -p 7");
	assert_int_equal(parse_line(COMMAND_TRACE, line), EXIT_USAGE);
	assert_one_line(errors);
}

static void assert_help_lines(const char *help)
{
	while (*help) {
		const char *end = strchr(help, '\n');

		assert_non_null(end);
		if (end - help > COLUMNS)
			fail_msg("%td columns: %.*s", end - help, (int)(end - help), help);
		assert_true(end > help && end[-1] != ' ');
		help = end + 1;
	}
}

static void test_help_texts(void **state)
{
	static const enum command commands[] = { COMMAND_TRACE, COMMAND_REPLAY, COMMAND_CAUSES };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		char help[8192];
		struct text t;

		text_init(&t, help, sizeof(help));
		options_help(commands[i], COLUMNS, &t);
		assert_false(t.cut);
		assert_help_lines(help);
		assert_non_null(strstr(help, "  -h, --help"));
		assert_int_equal(!!strstr(help, "  -p, --pid PID"), commands[i] == COMMAND_TRACE);
		assert_int_equal(!!strstr(help, "  -f, --format text|json|line"),
				 commands[i] != COMMAND_CAUSES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_folding),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_what_takes_files_and_asks),
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_hooks),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_help_and_version),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_color_needs_a_terminal),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_too_many_targets),
		cmocka_unit_test(test_help_texts),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
