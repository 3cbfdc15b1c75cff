/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SIGHUP: what the configuration file asks for now, and, when that is wrong, what it asked for before. That
 * findings go there is for the tests with a tracer.
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
#include "command/reload.h"
#include "fixture.h"

static struct options options;
static struct reloader *reloader;
static struct message wanted;
static enum reload result;
static char *arguments[8];

static void config_write(const char *format, const char *name)
{
	char content[512];

	snprintf(content, sizeof(content), format, fixture_path(name));
	assert_int_equal(fixture_write("tlsfail.conf", content, strlen(content)), 0);
}

/* As trace with those arguments does. */
static void start(const char *config)
{
	int argc = 0;

	arguments[argc++] = strdup("trace");
	if (config) {
		arguments[argc++] = strdup("--config");
		arguments[argc++] = strdup(config);
	}
	assert_int_equal(options_parse(COMMAND_TRACE, argc, arguments, &options), 0);
	reloader = reloader_new(&options);
	assert_non_null(reloader);
}

static int teardown(void **state)
{
	(void)state;
	reloader_free(reloader);
	options_release(&options);
	for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
		free(arguments[i]);
		arguments[i] = NULL;
	}
	return 0;
}

static const char *reload(void)
{
	capture_begin(STDERR_FILENO);
	result = reloader_run(reloader, &wanted);
	return capture_end();
}

/* Those outputs are asked for, and that file is the one. */
static void assert_asks_for(const char *name)
{
	assert_int_equal(result, RELOAD_OUTPUTS);
	assert_int_equal(wanted.type, MESSAGE_OUTPUTS);
	assert_int_equal(wanted.outputs.count, 1);
	assert_string_equal(strchr(wanted.outputs.specs[0], '/'), fixture_path(name));
}

static void assert_current(bool changed, const char *name)
{
	assert_int_equal(reloader_current(reloader, &wanted), changed);
	assert_string_equal(strchr(wanted.outputs.specs[0], '/'), fixture_path(name));
}

static void test_other_outputs(void **state)
{
	(void)state;
	config_write("sink = \"json:%s\"\n", "first.json");
	start(fixture_path("tlsfail.conf"));
	assert_current(false, "first.json");
	config_write("sink = \"json:%s\"\nladder = true\n", "second.json");
	reload();
	assert_asks_for("second.json");
	assert_true(wanted.outputs.ladder);
	/* not before they were taken */
	assert_current(false, "first.json");
	assert_true(reloader_waits(reloader));
	reloader_done(reloader, true);
	assert_false(reloader_waits(reloader));
	assert_current(true, "second.json");
	assert_non_null(strstr(reload(), "reloaded"));
	assert_int_equal(result, RELOAD_REOPEN);
	/* they could not be opened: it may be tried again */
	config_write("sink = \"json:%s\"\n", "third.json");
	reload();
	assert_asks_for("third.json");
	reloader_done(reloader, false);
	assert_current(true, "second.json");
	reload();
	assert_asks_for("third.json");
}

static void test_same_outputs(void **state)
{
	(void)state;
	config_write("sink = \"json:%s\"\n", "kept.json");
	start(fixture_path("tlsfail.conf"));
	assert_non_null(strstr(reload(), "reloaded"));
	assert_int_equal(result, RELOAD_REOPEN);
}

static void test_mistakes(void **state)
{
	(void)state;
	config_write("sink = \"json:%s\"\n", "good.json");
	start(fixture_path("tlsfail.conf"));
	config_write("nonsense = \"%s\"\n", "x");
	assert_non_null(strstr(reload(), "nonsense"));
	assert_int_equal(result, RELOAD_NOTHING);
	assert_int_equal(fixture_run("rm tlsfail.conf"), 0);
	assert_non_null(strstr(reload(), "tlsfail.conf"));
	assert_int_equal(result, RELOAD_NOTHING);
	assert_current(false, "good.json");
}

/* What takes a restart is named. */
static void test_fixed(void **state)
{
	const char *said;

	(void)state;
	config_write("sink = \"json:%s\"\n", "a.json");
	start(fixture_path("tlsfail.conf"));
	config_write("sink = \"json:%s\"\nduration = 7\n", "a.json");
	said = reload();
	assert_non_null(strstr(said, "duration"));
	assert_non_null(strstr(said, "reloaded"));
}

/* An analyst that may not connect to others cannot begin to. */
static void test_network(void **state)
{
	const char *said;

	(void)state;
	config_write("sink = \"json:%s\"\n", "a.json");
	start(fixture_path("tlsfail.conf"));
	config_write("sink = [ \"json:%s\", \"syslog+udp://127.0.0.1\" ]\n", "a.json");
	said = reload();
	assert_non_null(strstr(said, "sink \"syslog+udp://127.0.0.1\" connects to another host"));
	assert_non_null(strstr(said, "restarted"));
	assert_int_equal(result, RELOAD_NOTHING);
}

/* Without a configuration file it is only files that are begun anew. */
static void test_no_configuration(void **state)
{
	(void)state;
	start(NULL);
	assert_string_equal(reload(), "");
	assert_int_equal(result, RELOAD_REOPEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_other_outputs, teardown),
		cmocka_unit_test_teardown(test_same_outputs, teardown),
		cmocka_unit_test_teardown(test_mistakes, teardown),
		cmocka_unit_test_teardown(test_fixed, teardown),
		cmocka_unit_test_teardown(test_network, teardown),
		cmocka_unit_test_teardown(test_no_configuration, teardown),
	};

	return cmocka_run_group_tests_name("reload", tests, fixture_setup, fixture_teardown);
}
