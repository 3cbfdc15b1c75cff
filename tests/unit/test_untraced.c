/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which processes there are to be looked at, and what is said of those that are not traced.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture.h"
#include "kernel/candidates.h"
#include "kernel/untraced.h"
#include "system/procfs.h"

static struct untraced untraced;

static int setup(void **state)
{
	(void)state;
	untraced = (struct untraced){ 0 };
	return 0;
}

static size_t lines_of(const char *text)
{
	size_t lines = 0;

	for (; (text = strchr(text, '\n')); text++)
		lines++;
	return lines;
}

static void test_same_problem_once(void **state)
{
	static const struct target_process process = { .pid = 7, .exe_path = "/opt/x" };

	(void)state;
	capture_begin(STDERR_FILENO);
	untraced_program(&untraced, &process, "no library");
	untraced_program(&untraced, &process, "no library");
	assert_string_equal(capture_end(), "tlsfail: /opt/x (pid 7) is not traced: no library\n");
	assert_string_equal(untraced.problem, "/opt/x (pid 7) is not traced: no library");
}

/* Strangers can start programs without end. */
static void test_so_many_lines(void **state)
{
	char problem[32];
	const char *told;

	(void)state;
	capture_begin(STDERR_FILENO);
	for (int i = 0; i < 100; i++) {
		snprintf(problem, sizeof(problem), "problem %d", i);
		untraced_tell(&untraced, problem);
	}
	told = capture_end();
	assert_int_equal(lines_of(told), 20);
	assert_non_null(strstr(told, "problem 19\n"));
	/* a minute later, the others are a number */
	untraced.tell_until = 0;
	capture_begin(STDERR_FILENO);
	untraced_tell(&untraced, "another");
	assert_string_equal(capture_end(), "tlsfail: 80 more programs are not traced\n"
					   "tlsfail: another\n");
}

static void test_kept_at_the_start(void **state)
{
	(void)state;
	untraced.starting = true;
	capture_begin(STDERR_FILENO);
	untraced_tell(&untraced, "a problem");
	assert_string_equal(capture_end(), "");
	assert_string_equal(untraced.problem, "a problem");
}

static void test_outcomes(void **state)
{
	struct look look = { .process.exe = { 1, 1, true } };

	(void)state;
	look.tls.outcome = TARGET_TLS_NONE;
	assert_false(untraced_is_known(&untraced, &look));
	assert_true(untraced_is_known(&untraced, &look));
	look.tls.outcome = TARGET_TLS_NOT_YET;
	assert_false(untraced_is_known(&untraced, &look));
	for (ino_t i = 2; i < UNTRACED_OUTCOMES_MAX; i++) {
		look.process.exe.ino = i;
		assert_false(untraced_is_known(&untraced, &look));
	}
	/* there is no room: nothing more is said */
	look.process.exe.ino = 9999;
	assert_true(untraced_is_known(&untraced, &look));
}

static void test_foreign(void **state)
{
	struct target_process process = { .pid = 7, .exe_path = "/home/a/nginx" };

	(void)state;
	capture_begin(STDERR_FILENO);
	untraced_foreign(&untraced, &process, "--all");
	process.pid = 8;
	untraced_foreign(&untraced, &process, "--all");
	assert_string_equal(capture_end(),
			    "tlsfail: /home/a/nginx (pid 7) is not traced: root neither runs it "
			    "nor owns the file; --all includes it\n");
}

static size_t place_of(const struct candidates *c, pid_t pid)
{
	size_t i = 0;

	while (i < c->count && c->items[i] != (uint32_t)pid)
		i++;
	return i;
}

/* Two children and this process, which is older; one of the children is traced already. */
static void test_candidates(void **state)
{
	struct candidates c = { 0 };
	struct usage_processes traced = { 0 };
	struct target_set set = { 0 };
	struct usage_process one;
	pid_t children[2];

	(void)state;
	assert_int_equal(target_set_add_comm(&set, "test_untraced"), 0);
	for (size_t i = 0; i < 2; i++) {
		children[i] = fork();
		if (!children[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			pause();
			_exit(0);
		}
	}
	one.pid = (uint32_t)children[0];
	assert_int_equal(candidates_find(&c, &set, &traced), 0);
	assert_in_range(place_of(&c, getpid()), 2, c.count - 1);
	assert_in_range(place_of(&c, children[0]), 0, c.count - 1);
	assert_in_range(place_of(&c, children[1]), 0, c.count - 1);
	assert_int_equal(procfs_started(children[0], &one.started), 0);
	usage_processes_note(&traced, &one);
	assert_int_equal(candidates_find(&c, &set, &traced), 0);
	assert_int_equal(place_of(&c, children[0]), c.count);
	assert_in_range(place_of(&c, children[1]), 0, c.count - 1);
	candidates_free(&c);
	assert_int_equal(c.count, 0);
	for (size_t i = 0; i < 2; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	usage_processes_free(&traced);
	target_set_clear(&set);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_same_problem_once), TEST(test_so_many_lines),
		TEST(test_kept_at_the_start), TEST(test_outcomes),
		TEST(test_foreign),	      TEST(test_candidates),
	};

	return cmocka_run_group_tests_name("untraced", tests, NULL, NULL);
}
