/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks at processes, and what is kept of them: whether one is selected and where its library can be
 * hooked, which files are in use, and which library a process has.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "children.h"
#include "fixture.h"
#include "kernel/library_names.h"
#include "kernel/look.h"
#include "kernel/usage.h"
#include "system/procfs.h"

static struct target_set set;
static struct child child;
static char words[1024];
static struct text error;

static int setup(void **state)
{
	(void)state;
	text_init(&error, words, sizeof(words));
	child.pid = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (child.pid)
		child_end(&child);
	target_set_clear(&set);
	return 0;
}

/* Looks at the child, which is selected. */
static struct look *look_at(uint64_t before)
{
	struct look *look;

	if (!set.count)
		assert_int_equal(target_set_add_pid(&set, child.pid), 0);
	look = look_new(&set, (uint32_t)child.pid, true, before);
	assert_non_null(look);
	look->job.run(&look->job);
	return look;
}

/* -- one process ------------------------------------------------------------------------------- */

static void test_library(void **state)
{
	struct look *look;
	uint64_t started;

	(void)state;
	child_map(&child, (const char *const[]){ "libssl.so.3", "libcrypto.so.3", NULL });
	look = look_at(0);
	assert_int_equal(look->err, 0);
	assert_int_equal(look->tls.outcome, TARGET_TLS_FOUND);
	assert_true(look->trusted);
	assert_false(look_is_wired(look));
	assert_int_equal(look->process.pid, child.pid);
	assert_int_equal(procfs_started(child.pid, &started), 0);
	assert_int_equal(look->started, started);
	/* this libssl tells of handshakes, and of nothing else */
	assert_non_null(look->plan.hooks[LIB_HANDSHAKE]);
	assert_true(look->plan.offsets[LIB_HANDSHAKE] > 0);
	assert_int_not_equal(look->signature, 0);
	look->job.drop(&look->job);
}

static void test_unchanged(void **state)
{
	struct look *look;
	uint64_t signature;

	(void)state;
	child_map(&child, (const char *const[]){ NULL });
	look = look_at(0);
	assert_int_equal(look->err, 0);
	assert_int_equal(look->tls.outcome, TARGET_TLS_NONE);
	signature = look->signature;
	look_free(look);
	look = look_at(signature);
	assert_int_equal(look->err, -EALREADY);
	look_free(look);
	look = look_at(signature + 1);
	assert_int_equal(look->err, 0);
	look_free(look);
}

static void test_not_selected(void **state)
{
	struct look *look;

	(void)state;
	child_map(&child, (const char *const[]){ NULL });
	assert_int_equal(target_set_add_comm(&set, "tlsfail-none"), 0);
	look = look_at(0);
	assert_int_equal(look->err, -ESRCH);
	look_free(look);
}

static void test_gone(void **state)
{
	struct child ended;
	struct look *look;

	(void)state;
	child_map(&child, (const char *const[]){ NULL });
	ended = child;
	assert_int_equal(target_set_add_pid(&set, child.pid), 0);
	child_end(&child);
	look = look_at(0);
	child.pid = 0;
	assert_int_equal(look->err, -ESRCH);
	assert_int_equal(look->job.tag, ended.pid);
	look_free(look);
	look_free(NULL);
}

/* What does TLS without a library that can be hooked shows on the wire alone. */
static void test_wired(void **state)
{
	static const struct {
		const char *program;
		const char *files[2];
		bool wired;
	} rows[] = {
		{ "./stripped", { NULL }, true },
		{ "./sleeper", { "libssl.so.8", NULL }, true },
		{ "./sleeper", { "libssl.so.3", NULL }, false },
		{ "./sleeper", { NULL }, false },
		{ "./static", { NULL }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct look *look;

		assert_true(child_run(&child, rows[i].program, rows[i].files));
		look = look_at(0);
		assert_int_equal(look->err, 0);
		assert_int_equal(look_is_wired(look), rows[i].wired);
		look_free(look);
		teardown(NULL);
	}
	child.pid = 0;
}

/* -- an executable ----------------------------------------------------------------------------- */

static void test_executables(void **state)
{
	(void)state;
	assert_int_equal(look_at_exe(fixture_path("static"), &error), 0);
	assert_int_equal(look_at_exe(fixture_path("sleeper"), &error), 0);
	assert_int_equal(error.len, 0);
	assert_int_equal(fixture_run("cp sleeper script && printf '#!/bin/sh\\n' > script"), 0);
	assert_true(look_at_exe(fixture_path("script"), &error) < 0);
	assert_int_equal(look_at_exe(fixture_path("absent"), &error), -ENOENT);
	assert_int_equal(error.len, 0);
}

/* One that is linked statically cannot load a library later. */
static void test_closed_executables(void **state)
{
	static const char nothing[] = "int main(void) { return 0; }\n";
	static const char boring[] =
		"const char *volatile a = \"SSLv3/TLS write client hello\";\n"
		"const char *volatile b = \"built with OpenSSL 1.1.1 (compatible; BoringSSL)\";\n"
		"int SSL_do_handshake(void) { return 1; }\n"
		"int main(void) { return 0; }\n";

	(void)state;
	if (fixture_compile("closed", nothing, "-static") ||
	    fixture_compile("linked", boring, "-static -s"))
		skip(); /* there is no static C library here */
	assert_int_equal(look_at_exe(fixture_path("closed"), &error), -ENOENT);
	assert_non_null(strstr(words, fixture_path("closed")));
	text_init(&error, words, sizeof(words));
	assert_int_equal(look_at_exe(fixture_path("linked"), &error), -ENOENT);
	if (!strstr(words, "OpenSSL 1.1.1"))
		fail_msg("%s", words);
}

/* -- all processes ----------------------------------------------------------------------------- */

static void identify(const char *name, struct target_file *file)
{
	struct target_set files = { 0 };

	assert_int_equal(target_set_add_exe(&files, fixture_path(name)), 0);
	*file = files.items[0].exe;
	target_set_clear(&files);
}

static void test_sweep(void **state)
{
	struct sweep *sweep;

	(void)state;
	child_map(&child, (const char *const[]){ "libssl.so.3", "libcrypto.so.3", NULL });
	assert_int_equal(target_set_add_pid(&set, child.pid), 0);
	sweep = sweep_new(&set, 2, 2);
	assert_non_null(sweep);
	identify("sleeper", &sweep->items[0].file);
	identify("static", &sweep->items[1].file);
	identify("libssl.so.3", &sweep->items[2].file);
	identify("libother.so", &sweep->items[3].file);
	sweep->job.run(&sweep->job);
	assert_true(sweep->items[0].used);
	assert_int_equal(sweep->items[0].pid, child.pid);
	assert_false(sweep->items[1].used);
	assert_true(sweep->items[2].used);
	assert_int_equal(sweep->items[2].pid, child.pid);
	assert_false(sweep->items[3].used);
	sweep->job.drop(&sweep->job);
}

/* A program with its library in it uses that, mapped or not. */
static void test_sweep_static(void **state)
{
	struct sweep *sweep;

	(void)state;
	child_exec(&child, "./static");
	assert_int_equal(target_set_add_pid(&set, child.pid), 0);
	sweep = sweep_new(&set, 0, 1);
	identify("static", &sweep->items[0].file);
	sweep->job.run(&sweep->job);
	assert_true(sweep->items[0].used);
	sweep_free(sweep);
}

/* -- files and processes that use them --------------------------------------------------------- */

static struct usage_process of(pid_t pid)
{
	struct usage_process process = { .pid = (uint32_t)pid };

	assert_int_equal(procfs_started(pid, &process.started), 0);
	return process;
}

static void test_processes(void **state)
{
	struct usage_processes all = { 0 };
	struct usage_process us = of(getpid()), other;

	(void)state;
	child_map(&child, (const char *const[]){ NULL });
	other = of(child.pid);
	usage_processes_note(&all, &us);
	usage_processes_note(&all, &other);
	usage_processes_note(&all, &us);
	assert_int_equal(all.count, 2);
	assert_true(usage_processes_have(&all, us.pid));
	assert_true(usage_processes_have(&all, other.pid));
	assert_false(usage_processes_have(&all, 1));
	/* of that number, but another one */
	other.started++;
	assert_true(usage_is_gone(&other));
	usage_processes_note(&all, &other);
	assert_int_equal(all.count, 2);
	assert_false(usage_processes_have(&all, other.pid));
	usage_processes_drop_gone(&all);
	assert_int_equal(all.count, 1);
	assert_true(usage_processes_have(&all, us.pid));
	usage_processes_free(&all);
	assert_int_equal(all.count, 0);
}

static void test_files(void **state)
{
	struct target_file a = { .dev = 1, .ino = 1, .dev_known = true };
	struct target_file b = { .dev = 1, .ino = 2, .dev_known = true };
	struct usage usage = { 0 };
	struct usage_file *item;

	(void)state;
	assert_null(usage_find(&usage, &a, true));
	item = usage_note(&usage, &a, true);
	assert_non_null(item);
	item->by = of(getpid());
	/* as the file of the one symbol, and as that of the other */
	item = usage_note(&usage, &a, false);
	item->by = of(getpid());
	item = usage_note(&usage, &b, true);
	item->by = of(getpid());
	assert_int_equal(usage.count, 3);
	assert_ptr_equal(usage_note(&usage, &b, true), usage_find(&usage, &b, true));
	assert_int_equal(usage.count, 3);
	assert_false(usage_may_be_over(&usage));
	usage_find(&usage, &b, true)->by.started++;
	assert_true(usage_may_be_over(&usage));
	usage_find(&usage, &b, true)->fixed = true;
	assert_false(usage_may_be_over(&usage));
	usage_drop(&usage, usage_find(&usage, &a, true));
	assert_null(usage_find(&usage, &a, true));
	assert_non_null(usage_find(&usage, &a, false));
	assert_non_null(usage_find(&usage, &b, true));
	usage_free(&usage);
}

/* -- the library of a process ------------------------------------------------------------------ */

/* What is traced of the child's library, by that version. */
static void name_note(struct library_names *names, const char *version)
{
	struct look *look = look_at(0);

	assert_int_equal(look->tls.outcome, TARGET_TLS_FOUND);
	assert_true(strlen(version) < sizeof(look->tls.version));
	memcpy(look->tls.version, version, strlen(version) + 1);
	library_names_note(names, &look->tls);
	look_free(look);
}

static void test_names(void **state)
{
	struct library_names names = { 0 };
	const struct library_name *name;

	(void)state;
	child_map(&child, (const char *const[]){ "libssl.so.3", "libcrypto.so.3", NULL });
	assert_null(library_names_find(&names, child.pid));
	name_note(&names, "3.0.1");
	name = library_names_find(&names, child.pid);
	assert_non_null(name);
	assert_string_equal(name->version, "3.0.1");
	assert_string_equal(name->path, fixture_path("libssl.so.3"));
	assert_null(library_names_find(&names, getpid()));
	/* the same file once more is the same library */
	name_note(&names, "3.0.2");
	assert_int_equal(names.count, 1);
	assert_string_equal(library_names_find(&names, child.pid)->version, "3.0.2");
	teardown(NULL);
	child.pid = 0;
	library_names_clear(&names);
	assert_int_equal(names.count, 0);
}

/* A process with two of them: which one it is is not known, unless it makes no difference. */
static void test_two_names(void **state)
{
	struct library_names names = { 0 };

	(void)state;
	child_map(&child, (const char *const[]){ "libother.so", NULL });
	name_note(&names, "1.1.1");
	teardown(NULL);
	child_map(&child, (const char *const[]){ "libssl.so.3", "libcrypto.so.3", NULL });
	name_note(&names, "3.0.1");
	teardown(NULL);
	child_map(&child,
		  (const char *const[]){ "libssl.so.3", "libcrypto.so.3", "libother.so", NULL });
	assert_null(library_names_find(&names, child.pid));
	names.items[0].version[0] = names.items[1].version[0] = '\0';
	assert_non_null(library_names_find(&names, child.pid));
	library_names_clear(&names);
}

/* The one that was noted first makes room. */
static void test_many_names(void **state)
{
	struct library_names names = { 0 };
	struct target_tls tls = { .ssl.path = "/x" };

	(void)state;
	child_map(&child, (const char *const[]){ "libssl.so.3", "libcrypto.so.3", NULL });
	name_note(&names, "3.0.1");
	for (ino_t i = 0; i < LIBRARY_NAMES_MAX; i++) {
		assert_non_null(i + 1 < LIBRARY_NAMES_MAX ? library_names_find(&names, child.pid)
							  : names.items);
		tls.ssl.file = (struct target_file){ .dev = 1, .ino = i + 1, .dev_known = true };
		library_names_note(&names, &tls);
	}
	assert_int_equal(names.count, LIBRARY_NAMES_MAX);
	assert_null(library_names_find(&names, child.pid));
	library_names_clear(&names);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_library),
		TEST(test_unchanged),
		TEST(test_not_selected),
		TEST(test_gone),
		TEST(test_wired),
		TEST(test_executables),
		TEST(test_closed_executables),
		TEST(test_sweep),
		TEST(test_sweep_static),
		TEST(test_processes),
		TEST(test_files),
		TEST(test_names),
		TEST(test_two_names),
		TEST(test_many_names),
	};

	return cmocka_run_group_tests_name("look", tests, children_setup, fixture_teardown);
}
