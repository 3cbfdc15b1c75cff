/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From options to what is traced, each mistake named; and what a run says of itself as it starts.
 */
#include <errno.h>
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
#include "command/notice.h"
#include "command/selection.h"
#include "fixture.h"

static struct options options;
static struct target_set set;

static int teardown(void **state)
{
	(void)state;
	target_set_clear(&set);
	options = (struct options){ 0 };
	return 0;
}

/* Selects one thing; what is said on stderr is returned. */
static const char *make(enum option_target target, const char *value, int *err)
{
	options = (struct options){ .target = target, .targets = { value }, .target_count = 1 };
	target_set_clear(&set);
	capture_begin(STDERR_FILENO);
	*err = selection_make(&options, &set);
	return capture_end();
}

static void assert_selects(enum option_target target, const char *value, enum target_kind kind)
{
	int err;

	assert_string_equal(make(target, value, &err), "");
	assert_int_equal(err, 0);
	assert_int_equal(set.count, 1);
	assert_int_equal(set.items[0].kind, kind);
}

/* One line that has the value in it. */
static void assert_refuses(enum option_target target, const char *value, int wanted)
{
	int err;
	const char *said = make(target, value, &err);

	assert_int_equal(err, wanted);
	assert_int_equal(set.count, 0);
	assert_non_null(strstr(said, value));
	assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
}

static void test_default(void **state)
{
	(void)state;
	assert_int_equal(selection_make(&options, &set), 0);
	assert_int_equal(set.count, 1);
	assert_int_equal(set.items[0].kind, TARGET_NAME);
	assert_string_equal(set.items[0].text, SELECTION_DEFAULT_NAME);
}

static void test_selected(void **state)
{
	char pid[16];

	(void)state;
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	assert_selects(OPTION_TARGET_PID, pid, TARGET_PID);
	assert_int_equal(set.items[0].pid, getpid());
	assert_selects(OPTION_TARGET_COMM, "nginx", TARGET_COMM);
	assert_selects(OPTION_TARGET_EXE, "/proc/self/exe", TARGET_EXE);
}

/* A name is looked for in PATH, in its order. */
static void test_path(void **state)
{
	char path[512], *kept = strdup(getenv("PATH"));

	(void)state;
	assert_int_equal(fixture_run("mkdir -p first second && cp /proc/self/exe second/program"),
			 0);
	snprintf(path, sizeof(path), "%s:%s", fixture_path("first"), fixture_path("second"));
	setenv("PATH", path, 1);
	assert_selects(OPTION_TARGET_EXE, "program", TARGET_EXE);
	assert_string_equal(set.items[0].text, fixture_path("second/program"));
	assert_refuses(OPTION_TARGET_EXE, "tlsfail-none", -ENOENT);
	unsetenv("PATH");
	assert_refuses(OPTION_TARGET_EXE, "program", -ENOENT);
	setenv("PATH", kept, 1);
	free(kept);
}

static void test_refused(void **state)
{
	(void)state;
	assert_int_equal(fixture_write("script", "#!/bin/sh\n", 10), 0);
	assert_refuses(OPTION_TARGET_EXE, fixture_path("script"), -ENOEXEC);
	assert_refuses(OPTION_TARGET_EXE, "/no/such/file", -ENOENT);
	assert_refuses(OPTION_TARGET_PID, "2147483647", -ESRCH);
	assert_refuses(OPTION_TARGET_COMM, "longer-than-a-comm-can-be", -EINVAL);
}

/* The first that is wrong is named, and nothing is said of the others. */
static void test_several(void **state)
{
	const char *said;

	(void)state;
	options = (struct options){ .target = OPTION_TARGET_EXE,
				    .targets = { "/proc/self/exe", "/no/such/a", "/no/such/b" },
				    .target_count = 3 };
	capture_begin(STDERR_FILENO);
	assert_int_equal(selection_make(&options, &set), -ENOENT);
	said = capture_end();
	assert_non_null(strstr(said, "/no/such/a"));
	assert_null(strstr(said, "/no/such/b"));
}

static void test_check(void **state)
{
	const char *said;

	(void)state;
	options = (struct options){ .config = "it.conf" };
	capture_begin(STDERR_FILENO);
	assert_int_equal(selection_check(&options), 0);
	said = capture_end();
	assert_non_null(strstr(said, "it.conf"));
	options.target = OPTION_TARGET_EXE;
	options.targets[0] = "/no/such/file";
	options.target_count = 1;
	capture_begin(STDERR_FILENO);
	assert_int_equal(selection_check(&options), -ENOENT);
	said = capture_end();
	assert_null(strstr(said, "it.conf"));
	assert_non_null(strstr(said, "/no/such/file"));
}

/* -- notices ----------------------------------------------------------------------------------- */

static void assert_waits(const struct target_selector *selector, const char *words)
{
	capture_begin(STDERR_FILENO);
	notice_waiting(selector);
	assert_non_null(strstr(capture_end(), words));
}

static void test_waiting(void **state)
{
	(void)state;
	assert_waits(NULL, "TLS library");
	assert_waits(&(struct target_selector){ .kind = TARGET_EXE, .text = (char *)"/a/b" },
		     "/a/b");
	assert_waits(&(struct target_selector){ .kind = TARGET_COMM, .text = (char *)"abc" },
		     "abc");
	assert_waits(&(struct target_selector){ .kind = TARGET_NAME, .text = (char *)"abd" },
		     "abd");
	assert_waits(&(struct target_selector){ .kind = TARGET_PID, .pid = 4711 }, "4711");
}

static void test_armed(void **state)
{
	struct hook_choice choice = { 0 };
	const char *said;

	(void)state;
	capture_begin(STDERR_FILENO);
	notice_armed(1, "3.0.1", NULL);
	said = capture_end();
	assert_non_null(strstr(said, "1 process,"));
	assert_non_null(strstr(said, "OpenSSL 3.0.1"));
	capture_begin(STDERR_FILENO);
	notice_armed(2, "", NULL);
	said = capture_end();
	assert_non_null(strstr(said, "2 processes"));
	assert_null(strstr(said, "OpenSSL"));
	for (size_t i = 0; i < hook_table_len; i++)
		if (!choice.rows[hook_table[i].fact])
			choice.rows[hook_table[i].fact] = &hook_table[i];
	capture_begin(STDERR_FILENO);
	notice_armed(2, NULL, &choice);
	said = capture_end();
	assert_non_null(strstr(said, "wire"));
	for (int fact = 0; fact < FACT_COUNT; fact++) {
		char pair[64];

		snprintf(pair, sizeof(pair), " %s=%s", fact_name(fact),
			 hook_kind_name(choice.rows[fact]->kind));
		assert_non_null(strstr(said, pair));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_default, teardown),
		cmocka_unit_test_teardown(test_selected, teardown),
		cmocka_unit_test_teardown(test_path, teardown),
		cmocka_unit_test_teardown(test_refused, teardown),
		cmocka_unit_test_teardown(test_several, teardown),
		cmocka_unit_test_teardown(test_check, teardown),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_armed),
	};

	return cmocka_run_group_tests_name("selection", tests, fixture_setup, fixture_teardown);
}
