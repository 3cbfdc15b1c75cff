/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Following a file that is appended to, rotated in both ways, deleted, and filled with anything.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture.h"
#include "fixture.h"
#include "program/nginx/live/logfile.h"
#include "base/text.h"

#define LOG  "error.log"
#define NS_S 1000000000ULL

static struct logfile *file;
static uint64_t now = NS_S;
static char path[256];
static char seen[16384]; /* the lines, each in brackets */
static struct text lines;
static size_t longest;

static void take(void *context, const char *text, size_t len)
{
	assert_ptr_equal(context, &lines);
	if (len > longest)
		longest = len;
	text_add(&lines, "[");
	text_add_hostile(&lines, text, len < 64 ? len : 64);
	text_add(&lines, "]");
}

static void assert_read(const char *want)
{
	text_init(&lines, seen, sizeof(seen));
	assert_false(logfile_read(file, now, take, &lines));
	assert_string_equal(seen, want);
}

static int setup(void **state)
{
	struct text t;
	char buf[256];

	(void)state;
	text_init(&t, path, sizeof(path));
	text_add(&t, fixture_path(LOG));
	text_init(&t, buf, sizeof(buf));
	if (fixture_run("rm -rf " LOG "* && printf 'old\\n' > " LOG))
		return -1;
	return logfile_open(path, &file, &t);
}

static int teardown(void **state)
{
	(void)state;
	logfile_close(file);
	return 0;
}

static void run(const char *command)
{
	assert_int_equal(fixture_run(command), 0);
}

static void test_append(void **state)
{
	(void)state;
	assert_read("");
	run("printf 'one\\ntwo\\nth' >> " LOG);
	assert_read("[one][two]");
	run("printf 'ree' >> " LOG);
	assert_read("");
	run("printf '\\n\\nfour\\n' >> " LOG);
	assert_read("[three][][four]");
	assert_read("");
}

static void test_rename(void **state)
{
	(void)state;
	run("printf 'one\\n' >> " LOG " && mv " LOG " " LOG ".1");
	assert_read("[one]");
	/* nginx has not reopened it yet */
	run("printf 'two\\nth' >> " LOG ".1");
	assert_read("[two]");
	run("printf 'new\\n' > " LOG " && printf 'ree\\n' >> " LOG ".1");
	assert_read("[three][new]");
	/* another worker has not */
	run("printf 'newer\\n' >> " LOG " && printf 'late\\n' >> " LOG ".1");
	assert_read("[late][newer]");
	/* but in the end all have */
	now += 10 * NS_S;
	assert_read("");
	run("printf 'newest\\n' >> " LOG " && printf 'never\\n' >> " LOG ".1");
	assert_read("[newest]");
}

static void test_truncate(void **state)
{
	(void)state;
	run("printf 'one\\ntw' >> " LOG);
	assert_read("[one]");
	run(": > " LOG);
	assert_read("");
	run("printf 'new\\n' >> " LOG);
	assert_read("[new]");
}

static void test_gone_and_back(void **state)
{
	(void)state;
	run("rm " LOG);
	capture_begin(STDERR_FILENO);
	assert_read("");
	now += 10 * NS_S;
	assert_read("");
	now += 10 * NS_S;
	assert_read("");
	run("printf 'back\\n' > " LOG);
	assert_read("[back]");
	assert_read("");
	text_init(&lines, seen, sizeof(seen));
	text_addf(&lines,
		  "tlsfail: %s: No such file or directory; waiting for it\n"
		  "tlsfail: %s is back\n",
		  path, path);
	assert_string_equal(capture_end(), seen);
}

/* A rotation is no reason for words. */
static void test_gone_for_a_moment(void **state)
{
	(void)state;
	run("mv " LOG " " LOG ".1");
	capture_begin(STDERR_FILENO);
	assert_read("");
	now += NS_S;
	run("printf 'new\\n' > " LOG);
	assert_read("[new]");
	assert_string_equal(capture_end(), "");
}

static void test_becomes_something_else(void **state)
{
	(void)state;
	run("rm " LOG " && mkfifo " LOG);
	capture_begin(STDERR_FILENO);
	assert_read("");
	now += 10 * NS_S;
	assert_read("");
	assert_non_null(strstr(capture_end(), "it is no longer a regular file; waiting"));
	run("rm " LOG " && printf 'back\\n' > " LOG);
	capture_begin(STDERR_FILENO);
	assert_read("[back]");
	assert_non_null(strstr(capture_end(), "is back"));
}

static void test_any_bytes(void **state)
{
	(void)state;
	run("printf '\\000\\377\\n\\n\\001' >> " LOG);
	assert_read("[\\x00\\xff][]");
	run("printf '\\n' >> " LOG);
	assert_read("[\\x01]");
}

static void test_long_line(void **state)
{
	(void)state;
	run("head -c 200000 /dev/zero | tr '\\0' a >> " LOG " && printf '\\nnext\\n' >> " LOG);
	longest = 0;
	text_init(&lines, seen, sizeof(seen));
	assert_false(logfile_read(file, now, take, &lines));
	assert_non_null(strstr(seen, "aaaa][next]"));
	assert_in_range(longest, 2048, 65536);
}

/* Not all at once, and what is far behind is left out, which is told. */
static void test_flood(void **state)
{
	int calls = 1;

	(void)state;
	run("yes 'a line' | head -c 4000000 >> " LOG " && printf '\\nend\\n' >> " LOG);
	text_init(&lines, seen, sizeof(seen));
	while (logfile_read(file, now, take, &lines)) {
		text_init(&lines, seen, sizeof(seen));
		calls++;
	}
	assert_in_range(calls, 2, 100);

	run("truncate -s 100M " LOG);
	capture_begin(STDERR_FILENO);
	assert_read("");
	assert_non_null(strstr(capture_end(), "skipping "));
	run("printf 'rest of it\\nnext\\n' >> " LOG);
	assert_read("[][next]");
}

static void assert_refused(const char *command, int want, const char *words)
{
	struct logfile *none;
	char buf[512];
	struct text t;

	run(command);
	text_init(&t, buf, sizeof(buf));
	assert_int_equal(logfile_open(fixture_path("other"), &none, &t), want);
	assert_non_null(strstr(buf, "cannot follow the log /tmp/"));
	assert_non_null(strstr(buf, words));
}

static void test_refused(void **state)
{
	(void)state;
	assert_refused("rm -rf other", -ENOENT, "No such file");
	assert_refused("mkfifo other", -EINVAL, "not a regular file");
	assert_refused("rm other && mkdir other", -EINVAL, "not a regular file");
	assert_refused("rmdir other && ln -s /dev/null other", -EINVAL, "not a regular file");
	logfile_close(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_append),
		TEST(test_rename),
		TEST(test_truncate),
		TEST(test_gone_and_back),
		TEST(test_gone_for_a_moment),
		TEST(test_becomes_something_else),
		TEST(test_any_bytes),
		TEST(test_long_line),
		TEST(test_flood),
		TEST(test_refused),
	};

	return cmocka_run_group_tests_name("logfile", tests, fixture_setup, fixture_teardown);
}
