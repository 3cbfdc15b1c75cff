/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of nginx.conf as diffs, byte for byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "program/nginx/patch.h"

static struct nginxpatch patch;
static char buf[8192];

static int setup(void **state)
{
	(void)state;
	patch = (struct nginxpatch){ 0 };
	return 0;
}

/* The directive in the text, which begins on that line. */
static struct nginx_spot spot(enum nginx_setting setting, uint32_t line, const char *text,
			      const char *directive)
{
	const char *found = strstr(text, directive);
	struct nginx_spot s = { .setting = setting, .line = line };

	assert_non_null(found);
	s.from = (uint32_t)(found - text);
	s.to = s.from + (uint32_t)strlen(directive);
	s.file = (struct nginx_words){ "/n.conf", 7 };
	s.text = (struct nginx_words){ text, (uint32_t)strlen(text) };
	return s;
}

static bool write_patch(void)
{
	struct text t;

	text_init(&t, buf, sizeof(buf));
	return nginxpatch_write(&patch, &t);
}

static void assert_patch(const char *expected)
{
	assert_true(write_patch());
	assert_string_equal(buf, expected);
}

#define HEAD "--- /n.conf\n+++ /n.conf\n"

static void test_insert(void **state)
{
	struct nginx_spot s =
		spot(NGINX_PASS, 10, "a {\n\tb;\n\tpass x;  # why\n\tc;\n}\n", "pass x;");

	(void)state;
	nginxpatch_insert(&patch, &s, "d on;\ne y;");
	assert_patch(HEAD "@@ -11,4 +11,6 @@\n \tb;\n \tpass x;  # why\n"
			  "+\td on;\n+\te y;\n \tc;\n }\n");
}

/* patch(1) takes what is behind a space for a date, unless a tab comes first. */
static void test_space_in_name(void **state)
{
	struct nginx_spot s = spot(NGINX_PASS, 1, "pass x;\n", "pass x;");

	(void)state;
	s.file = (struct nginx_words){ "/a b", 4 };
	nginxpatch_replace(&patch, &s, "pass y;");
	assert_patch("--- /a b\t\n+++ /a b\t\n@@ -1,1 +1,1 @@\n-pass x;\n+pass y;\n");
}

static void test_insert_on_the_line(void **state)
{
	struct nginx_spot s = spot(NGINX_PASS, 1, "a { pass x; b; }\n", "pass x;");

	(void)state;
	nginxpatch_insert(&patch, &s, "d on;\ne y;");
	assert_patch(HEAD "@@ -1,1 +1,1 @@\n-a { pass x; b; }\n+a { pass x; d on; e y; b; }\n");
}

static void test_insert_into_a_block(void **state)
{
	struct nginx_spot s =
		spot(NGINX_BLOCK, 5, "    location / {\n        if ($a) {\n", "location / {");

	(void)state;
	nginxpatch_insert(&patch, &s, "d on;");
	assert_patch(HEAD "@@ -5,2 +5,3 @@\n     location / {\n"
			  "+        d on;\n         if ($a) {\n");
}

static void test_replace(void **state)
{
	struct nginx_spot s =
		spot(NGINX_SSL, 2, "0;\n1;\n2;\n3;\nx\n  y; z;\n6;\n7;\n8;\n", "x\n  y;");

	(void)state;
	nginxpatch_replace(&patch, &s, "new;");
	assert_patch(HEAD
		     "@@ -3,8 +3,7 @@\n 1;\n 2;\n 3;\n-x\n-  y; z;\n+new; z;\n 6;\n 7;\n 8;\n");
}

/* Of the file's last line, which has no end. */
static void test_no_newline(void **state)
{
	struct nginx_spot s = spot(NGINX_SSL, 1, "a;\nb; }", "b;");

	(void)state;
	nginxpatch_replace(&patch, &s, "c;");
	assert_patch(HEAD "@@ -1,2 +1,2 @@\n a;\n-b; }\n\\ No newline at end of file\n+c; }\n"
			  "\\ No newline at end of file\n");
}

/* Two changes on one line, and one close by, given in any order. */
static void test_several(void **state)
{
	const char *text = "0;\na; b; c;\n2;\n3;\nd;\n5;\n6;\n7;\n8;\n";
	struct nginx_spot a = spot(NGINX_SSL, 10, text, "a;");
	struct nginx_spot c = spot(NGINX_SSL_CRL, 10, text, "c;");
	struct nginx_spot d = spot(NGINX_SSL_NAME, 10, text, "d;");

	(void)state;
	nginxpatch_replace(&patch, &d, "D;");
	nginxpatch_replace(&patch, &c, "C;");
	nginxpatch_replace(&patch, &a, "A;");
	assert_patch(HEAD
		     "@@ -10,6 +10,6 @@\n 0;\n-a; b; c;\n+A; b; C;\n 2;\n 3;\n-d;\n+D;\n 5;\n");
}

/* Changes far from one another are hunks of their own; the second counts the lines of the first. */
static void test_hunks(void **state)
{
	struct nginx_spot near = spot(NGINX_PASS, 3, "a;\npass;\nb;\n", "pass;");
	struct nginx_spot far = spot(NGINX_SSL, 50, "x;\ny;\n", "y;");

	(void)state;
	nginxpatch_insert(&patch, &near, "n;");
	nginxpatch_replace(&patch, &far, "z;");
	assert_patch(HEAD "@@ -4,2 +4,3 @@\n pass;\n+n;\n b;\n"
			  "@@ -51,1 +52,1 @@\n-y;\n+z;\n");
}

/* As many lines of context behind what is added as before it, 3 where they are known. */
static void test_context(void **state)
{
	struct nginx_spot s = spot(NGINX_PASS, 20, "1;\n2;\n3;\npass;\n4;\n5;\n6;\n", "pass;");

	(void)state;
	nginxpatch_insert(&patch, &s, "n;");
	assert_patch(HEAD "@@ -21,6 +21,7 @@\n 2;\n 3;\n pass;\n+n;\n 4;\n 5;\n 6;\n");

	/* Lines behind it are kept back. */
	setup(NULL);
	s = spot(NGINX_PASS, 20, "1;\n2;\n3;\npass;\n4;\n", "pass;");
	nginxpatch_insert(&patch, &s, "n;");
	assert_patch(HEAD "@@ -23,2 +23,3 @@\n pass;\n+n;\n 4;\n");

	setup(NULL);
	s = spot(NGINX_PASS, 20, "pass;\n", "pass;");
	nginxpatch_insert(&patch, &s, "n;");
	assert_patch(HEAD "@@ -20,1 +20,2 @@\n-pass;\n+pass;\n+n;\n");
}

/* No diff is better than one that does not apply. */
static void test_none(void **state)
{
	struct nginx_spot s = spot(NGINX_SSL, 2, "a;\nb;\n", "b;"), other = s;

	(void)state;
	assert_false(write_patch());
	nginxpatch_replace(&patch, &s, "c;");
	other.file.data = "/m.conf";
	nginxpatch_replace(&patch, &other, "c;");
	assert_false(write_patch());
	assert_string_equal(buf, "");

	setup(NULL);
	nginxpatch_replace(&patch, &s, "c;");
	nginxpatch_replace(&patch, &s, "d;"); /* the same bytes */
	assert_false(write_patch());

	setup(NULL);
	s = spot(NGINX_SSL, 2, "a;\nb\033[31m;\n", "b\033[31m;");
	nginxpatch_replace(&patch, &s, "c;");
	assert_false(write_patch());

	/* Two excerpts of one line that differ. */
	setup(NULL);
	s = spot(NGINX_SSL, 2, "a;\n", "a;");
	nginxpatch_replace(&patch, &s, "c;");
	s = spot(NGINX_SSL, 2, "a; and much more b;\n", "b;");
	nginxpatch_replace(&patch, &s, "c;");
	assert_false(write_patch());
}

/* Backslashes and tabs are what regular expressions and indentation are made of. */
static void test_verbatim(void **state)
{
	struct nginx_spot s = spot(NGINX_SSL, 1, "location ~ \\.php$ {\n\tb;\n}\n", "b;");

	(void)state;
	nginxpatch_replace(&patch, &s, "c;");
	assert_patch(HEAD "@@ -1,3 +1,3 @@\n location ~ \\.php$ {\n-\tb;\n+\tc;\n }\n");
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_insert),
		TEST(test_space_in_name),
		TEST(test_insert_on_the_line),
		TEST(test_replace),
		TEST(test_insert_into_a_block),
		TEST(test_hunks),
		TEST(test_no_newline),
		TEST(test_several),
		TEST(test_none),
		TEST(test_verbatim),
		TEST(test_context),
	};

	return cmocka_run_group_tests_name("nginxpatch", tests, NULL, NULL);
}
