/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The language of nginx.conf: words and what ends them, blocks, includes, Lua, what is wrong, and
 * the limits.
 */
#define _GNU_SOURCE /* mempcpy() */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conffiles.h"

static struct nginxconf *conf;
static char problem_buf[512];

static int teardown(void **state)
{
	(void)state;
	nginxconf_free(conf);
	conf = NULL;
	return 0;
}

static int read_files(const struct conffile *files)
{
	struct text problem;

	text_init(&problem, problem_buf, sizeof(problem_buf));
	return conffiles_read(files, NULL, &conf, &problem);
}

static int read_text(const char *text)
{
	const struct conffile files[] = { { CONFFILES_MAIN, text }, { 0 } };

	return read_files(files);
}

/* The only directive of the text has these words. */
static void assert_words(const char *text, const char *const *words)
{
	const struct nginxconf_directive *d;
	uint32_t count = 0;

	if (read_text(text))
		fail_msg("%s: %s", text, problem_buf);
	d = conf->first;
	assert_non_null(d);
	assert_null(d->next);
	for (; words[count]; count++)
		assert_string_equal(nginxconf_word(d, count), words[count]);
	assert_int_equal(d->word_count, count);
	nginxconf_free(conf);
	conf = NULL;
}
#define ASSERT_WORDS(text, ...) assert_words(text, (const char *const[]){ __VA_ARGS__, NULL })

static void assert_bad(const char *text, int err, const char *problem)
{
	nginxconf_free(conf);
	conf = NULL;
	assert_int_equal(read_text(text), err);
	assert_null(conf);
	assert_string_equal(problem_buf, problem);
}

static void test_words(void **state)
{
	(void)state;
	ASSERT_WORDS("daemon off;", "daemon", "off");
	ASSERT_WORDS("  daemon\t\r\n  off  ;\n", "daemon", "off");
	ASSERT_WORDS("# a; comment {\n#another\ndaemon # here\n off;# end", "daemon", "off");
	ASSERT_WORDS("a b#c;", "a", "b#c");
	ASSERT_WORDS("a b}c;", "a", "b}c");
	ASSERT_WORDS("daemon;", "daemon");
}

static void test_quotes(void **state)
{
	(void)state;
	ASSERT_WORDS("a 'b c' \"d;{}#e\";", "a", "b c", "d;{}#e");
	ASSERT_WORDS("a '' \"\";", "a", "", "");
	ASSERT_WORDS("a 'it\\'s' \"\\\"q\\\"\" '\"';", "a", "it's", "\"q\"", "\"");
	ASSERT_WORDS("'a' b;", "a", "b");
	ASSERT_WORDS("a b'c d;", "a", "b'c", "d");
	ASSERT_WORDS("log_format x '$a '\n  \"$b\";", "log_format", "x", "$a ", "$b");
	ASSERT_WORDS("if ('a');", "if", "('a')");
	ASSERT_WORDS("if 'a');", "if", "a", ")");
	assert_bad("a 'b'c;", -EBADMSG,
		   CONFFILES_MAIN ":1: a word continues after its closing quote");
	assert_bad("a\n'b;\n", -EBADMSG, CONFFILES_MAIN ":3: the file ends inside a directive");
}

static void test_escapes(void **state)
{
	(void)state;
	ASSERT_WORDS("a \\.php$ b\\ c \\;d;", "a", "\\.php$", "b\\ c", "\\;d");
	ASSERT_WORDS("a '\\t\\r\\n' \\\\;", "a", "\t\r\n", "\\");
	ASSERT_WORDS("a 'b\\q';", "a", "b\\q");
	assert_bad("a \\", -EBADMSG, CONFFILES_MAIN ":1: the file ends inside a directive");
}

static void test_variables(void **state)
{
	(void)state;
	ASSERT_WORDS("a ${b}c $d;", "a", "${b}c", "$d");
	ASSERT_WORDS("return 200 $host;", "return", "200", "$host");
	/* Only right behind the '$' is a brace part of the word. */
	assert_int_equal(read_text("if $ab{ c d; }"), 0);
	assert_true(conf->first->is_block);
	assert_string_equal(nginxconf_word(conf->first, 1), "$ab");
}

static void test_blocks(void **state)
{
	const struct nginxconf_directive *http, *server, *location;

	(void)state;
	assert_int_equal(read_text("user a;\nhttp {\n\tserver {\n\t\tlisten 80;\n\n\t\tlocation "
				   "/x{ a b; }\n\t}\n\tserver {}\n}\nevents { }\n"),
			 0);
	http = nginxconf_find(conf->first, "http");
	server = http->first;
	location = nginxconf_find(server->first, "location");
	assert_int_equal(http->line, 2);
	assert_int_equal(server->line, 3);
	assert_int_equal(location->line, 6);
	assert_string_equal(nginxconf_word(location, 1), "/x");
	assert_ptr_equal(location->parent, server);
	assert_string_equal(location->first->words[0], "a");
	assert_null(location->first->next);
	assert_null(server->next->first);
	assert_string_equal(http->next->words[0], "events");
	assert_null(nginxconf_find(conf->first, "stream"));
	assert_string_equal(nginxconf_word(http, 1), "");
}

/* start and end are the bytes of the directive. */
static void test_where(void **state)
{
	const char *text = "a;  b \"c\"\n d; e {f;}";
	const struct nginxconf_directive *d;

	(void)state;
	assert_int_equal(read_text(text), 0);
	d = nginxconf_find(conf->first, "b");
	assert_int_equal(d->start, 4);
	assert_memory_equal(text + d->start, "b \"c\"\n d;", d->end - d->start);
	d = nginxconf_find(d, "e");
	assert_memory_equal(text + d->start, "e {", d->end - d->start);
	assert_int_equal(d->line, 2);
	nginxconf_drop_texts(conf);
	assert_null(d->file->text);
}

static void test_pairs_are_skipped(void **state)
{
	(void)state;
	assert_int_equal(read_text("http { types { text/html html; include no.such; } map $a $b { "
				   "default 1; '~^x{2}' 2; } a; }"),
			 0);
	assert_string_equal(conf->first->first->words[0], "a");
	assert_null(conf->first->first->next);
}

static void test_lua(void **state)
{
	(void)state;
	assert_int_equal(read_text("content_by_lua_block {\n"
				   "  local a = \"}\" -- }\n"
				   "  --[[ } \n ]] local b = [==[ ]] } ]==]\n"
				   "  if x then y = { 'it\\'s }' } end\n"
				   "}\nset_by_lua_block $x { return \"#\" }\na;\n"),
			 0);
	/* A block of Lua is a directive without anything inside. */
	assert_string_equal(conf->first->words[0], "content_by_lua_block");
	assert_false(conf->first->is_block);
	assert_string_equal(conf->first->next->next->words[0], "a");
	assert_int_equal(conf->first->next->next->line, 8);
	assert_bad("x_by_lua_block { \"}", -EBADMSG, CONFFILES_MAIN ":1: the file ends inside Lua");
	assert_bad("x_by_lua_block { [[ }\n", -EBADMSG,
		   CONFFILES_MAIN ":2: the file ends inside Lua");
}

static void test_includes(void **state)
{
	const struct conffile files[] = {
		{ CONFFILES_MAIN, "a;\nhttp { include conf.d/*.conf; include /srv/one; z; }\n" },
		{ "/etc/nginx/conf.d/.hidden.conf", "hidden;" },
		{ "/etc/nginx/conf.d/a.conf", "\nserver { include inner; }" },
		{ "/etc/nginx/conf.d/b.conf", "b;" },
		{ "/etc/nginx/inner", "c;" },
		{ "/srv/one", "d;" },
		{ 0 },
	};
	const struct nginxconf_directive *d;

	(void)state;
	assert_int_equal(read_files(files), 0);
	assert_int_equal(conf->file_count, 5);
	d = conf->first->next->first;
	assert_string_equal(d->words[0], "server");
	assert_string_equal(d->file->path, "/etc/nginx/conf.d/a.conf");
	assert_int_equal(d->line, 2);
	assert_string_equal(d->first->file->path, "/etc/nginx/inner");
	assert_ptr_equal(d->first->parent, d);
	assert_string_equal((d = d->next)->words[0], "b");
	assert_string_equal((d = d->next)->words[0], "d");
	assert_string_equal((d = d->next)->words[0], "z");
	assert_null(d->next);
}

static void test_includes_that_fail(void **state)
{
	const struct conffile cycle[] = { { CONFFILES_MAIN, "a;\ninclude nginx.conf;" }, { 0 } };
	const struct conffile unbalanced[] = { { CONFFILES_MAIN, "http { include x; }" },
					       { "/etc/nginx/x", "a; }" },
					       { 0 } };

	(void)state;
	assert_bad("include no.such;", -ENOENT, "/etc/nginx/no.such: No such file or directory");
	assert_int_equal(read_text("include no.*;"), 0);
	nginxconf_free(conf);
	conf = NULL;
	assert_int_equal(read_files(cycle), -E2BIG);
	assert_string_equal(problem_buf,
			    CONFFILES_MAIN ":2: includes are nested too deeply: a cycle?");
	assert_int_equal(read_files(unbalanced), -EBADMSG);
	assert_string_equal(problem_buf, "/etc/nginx/x:1: unexpected \"}\"");
}

static void test_what_is_wrong(void **state)
{
	const struct conffile none[] = { { 0 } };

	(void)state;
	assert_int_equal(read_files(none), -ENOENT);
	assert_string_equal(problem_buf, CONFFILES_MAIN ": No such file or directory");
	assert_bad("a", -EBADMSG, CONFFILES_MAIN ":1: the file ends inside a directive");
	assert_bad("a ", -EBADMSG, CONFFILES_MAIN ":1: the file ends inside a directive");
	assert_bad("a {\n b;\n", -EBADMSG, CONFFILES_MAIN ":3: the file ends inside a block");
	assert_bad("map {\n b;\n", -EBADMSG, CONFFILES_MAIN ":3: the file ends inside a block");
	assert_bad(";", -EBADMSG, CONFFILES_MAIN ":1: unexpected \";\"");
	assert_bad("\n{", -EBADMSG, CONFFILES_MAIN ":2: unexpected \"{\"");
	assert_bad("a }", -EBADMSG, CONFFILES_MAIN ":1: unexpected \"}\"");
	assert_bad("}", -EBADMSG, CONFFILES_MAIN ":1: unexpected \"}\"");
	assert_int_equal(read_text(""), 0);
	assert_null(conf->first);
}

static char *repeat(const char *unit, size_t count)
{
	size_t len = strlen(unit);
	char *text = malloc(len * count + 1), *at = text;

	assert_non_null(text);
	for (size_t i = 0; i < count; i++)
		at = mempcpy(at, unit, len);
	*at = '\0';
	return text;
}

static void test_limits(void **state)
{
	char *text;

	(void)state;
	text = repeat("a{", NGINXCONF_BLOCKS_MAX + 1);
	assert_bad(text, -E2BIG, CONFFILES_MAIN ":1: blocks are nested too deeply");
	free(text);
	text = repeat("a;", NGINXCONF_DIRECTIVES_MAX + 1);
	assert_bad(text, -E2BIG, CONFFILES_MAIN ":1: too many directives");
	free(text);
	text = repeat("# 0123456789abcd", NGINXCONF_BYTES_MAX / 16 + 1);
	assert_bad(text, -E2BIG,
		   CONFFILES_MAIN ": the configuration is too large, or includes itself");
	free(text);
}

static bool is_b(const char *name)
{
	return !strcmp(name, "b");
}

static void test_only_what_is_wanted(void **state)
{
	const struct conffile files[] = { { CONFFILES_MAIN, "a; b; c { a; b; }" }, { 0 } };
	struct text problem;

	(void)state;
	text_init(&problem, problem_buf, sizeof(problem_buf));
	assert_int_equal(conffiles_read(files, is_b, &conf, &problem), 0);
	assert_int_equal(conf->directive_count, 3);
	assert_string_equal(conf->first->words[0], "b");
	assert_string_equal(conf->first->next->first->words[0], "b");
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_words),
		TEST(test_quotes),
		TEST(test_escapes),
		TEST(test_variables),
		TEST(test_blocks),
		TEST(test_where),
		TEST(test_pairs_are_skipped),
		TEST(test_lua),
		TEST(test_includes),
		TEST(test_includes_that_fail),
		TEST(test_what_is_wrong),
		TEST(test_limits),
		TEST(test_only_what_is_wanted),
	};

	return cmocka_run_group_tests_name("nginxconf", tests, NULL, NULL);
}
