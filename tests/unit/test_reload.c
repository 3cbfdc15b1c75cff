/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SIGHUP: findings go where the configuration file says now, or, when that is wrong, where they went.
 */
#include <poll.h>
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
#include "scene.h"

static const uint16_t modern[] = { TLS_VERSION_1_3, 0 };

static struct options options;
static struct outputs *outputs;
static struct pipeline *pipeline;
static struct reloader *reloader;
static struct scene scene;
static uint64_t next_id;
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
	const struct pipeline_options all = { .roles = PIPELINE_CLIENT | PIPELINE_SERVER };
	struct outputs_options wanted;
	char buf[256];
	struct text error;
	int argc = 0;

	arguments[argc++] = strdup("trace");
	if (config) {
		arguments[argc++] = strdup("--config");
		arguments[argc++] = strdup(config);
	}
	assert_int_equal(options_parse(COMMAND_TRACE, argc, arguments, &options), 0);
	options_outputs(&options, &wanted);
	text_init(&error, buf, sizeof(buf));
	assert_int_equal(outputs_open(&wanted, &outputs, &error), 0);
	assert_int_equal(pipeline_open(outputs, &all, &pipeline), 0);
	reloader = reloader_new(&options);
	assert_non_null(reloader);
}

static int teardown(void **state)
{
	(void)state;
	pipeline_close(pipeline);
	outputs_close(outputs);
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
	reloader_run(reloader, pipeline, &outputs);
	return capture_end();
}

static void fail_once(void)
{
	char buf[128];
	struct text problem;

	text_init(&problem, buf, sizeof(buf));
	scene_begin(&scene);
	scene_client_hello(&scene, NULL, modern);
	scene.conn.id = ++next_id;
	scene.conn.h = (struct tlsfail_header){ TLSFAIL_REC_CONN, TLSFAIL_ABI_VERSION,
						sizeof(scene.conn) };
	scene_end(&scene);
	assert_int_equal(pipeline_feed(pipeline, &scene.conn, sizeof(scene.conn), &problem), 0);
}

/* In how many lines a finding stands in that file. */
static int findings_in(const char *name)
{
	FILE *file = fopen(fixture_path(name), "re");
	char *line = NULL;
	size_t size = 0;
	int count = 0;

	while (file && getline(&line, &size, file) > 0)
		count += strstr(line, "tls.handshake.failure") != NULL;
	free(line);
	if (file)
		fclose(file);
	return count;
}

/* A thread writes them. */
static void assert_findings(const char *name, int count)
{
	for (int i = 0; i < 500 && findings_in(name) != count; i++)
		poll(NULL, 0, 20);
	assert_int_equal(findings_in(name), count);
}

static void test_other_outputs(void **state)
{
	(void)state;
	config_write("sink = \"json:%s\"\n", "first.json");
	start(fixture_path("tlsfail.conf"));
	fail_once();
	assert_findings("first.json", 1);
	config_write("sink = \"json:%s\"\n", "second.json");
	assert_non_null(strstr(reload(), "reloaded"));
	fail_once();
	assert_findings("second.json", 1);
	assert_findings("first.json", 1);
	/* and once more, from what was reloaded */
	config_write("sink = \"json:%s\"\n", "third.json");
	reload();
	fail_once();
	assert_findings("third.json", 1);
	assert_findings("second.json", 1);
}

/* The same outputs: a file that was moved away is begun anew. */
static void test_same_outputs(void **state)
{
	(void)state;
	config_write("sink = \"json:%s\"\n", "kept.json");
	start(fixture_path("tlsfail.conf"));
	fail_once();
	assert_findings("kept.json", 1);
	assert_int_equal(fixture_run("mv kept.json kept.json.1"), 0);
	assert_non_null(strstr(reload(), "reloaded"));
	fail_once();
	assert_findings("kept.json", 1);
	assert_findings("kept.json.1", 1);
}

static void test_mistakes(void **state)
{
	const char *said;

	(void)state;
	config_write("sink = \"json:%s\"\n", "good.json");
	start(fixture_path("tlsfail.conf"));
	config_write("nonsense = \"%s\"\n", "x");
	said = reload();
	assert_non_null(strstr(said, "nonsense"));
	assert_null(strstr(said, "reloaded"));
	config_write("sink = \"json:%s/x\"\n", "absent");
	said = reload();
	assert_non_null(strstr(said, "absent"));
	assert_null(strstr(said, "reloaded"));
	assert_int_equal(fixture_run("rm tlsfail.conf"), 0);
	assert_non_null(strstr(reload(), "tlsfail.conf"));
	fail_once();
	assert_findings("good.json", 1);
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

/* Without a configuration file it is only files that are begun anew. */
static void test_no_configuration(void **state)
{
	(void)state;
	start(NULL);
	assert_string_equal(reload(), "");
	assert_non_null(outputs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_other_outputs, teardown),
		cmocka_unit_test_teardown(test_same_outputs, teardown),
		cmocka_unit_test_teardown(test_mistakes, teardown),
		cmocka_unit_test_teardown(test_fixed, teardown),
		cmocka_unit_test_teardown(test_no_configuration, teardown),
	};

	return cmocka_run_group_tests_name("reload", tests, fixture_setup, fixture_teardown);
}
