/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The places in nginx's configuration, as the sinks show them: nothing when there are none, one line
 * of text, the diff with -v, and all of it in JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "finding/finding.h"
#include "finding_set.h"
#include "output/sink.h"
#include "base/text.h"

static struct finding finding;
static char output[65536];

/* One place is known. */
static int setup(void **state)
{
	struct finding_config *c = &finding.config;

	(void)state;
	memset(&finding, 0, sizeof(finding));
	finding.cause = "unknown";
	finding.confidence = CONFIDENCE_HIGH;
	finding.role = "client";
	finding.phase = "hello";
	SET(finding.message, "It failed.");
	SET(finding.hint, "mend it");
	c->place_count = 1;
	c->certainty = "certain";
	SET(c->places[0].file, "/etc/nginx/nginx.conf");
	c->places[0].line = 12;
	SET(c->places[0].location, "location = /x");
	SET(c->places[0].upstream, "pool");
	return 0;
}

static void print(const char *format, bool verbose)
{
	const struct sink_type *type = sink_type_find(format);
	struct sink_options options = { .verbose = verbose };
	struct text t;

	assert_non_null(type);
	text_init(&t, output, sizeof(output));
	type->format(&options, &finding, &t);
	assert_false(t.cut);
}

static void assert_has(const char *words)
{
	if (!strstr(output, words))
		fail_msg("no %s in: %s", words, output);
}

static void test_none(void **state)
{
	(void)state;
	memset(&finding.config, 0, sizeof(finding.config));
	print("json", false);
	assert_null(strstr(output, "nginx.config"));
	assert_null(strstr(output, "tlsfail.patch"));
	print("text", true);
	assert_null(strstr(output, "in: "));
}

static void test_text(void **state)
{
	(void)state;
	print("text", false);
	assert_has("\n         in: /etc/nginx/nginx.conf:12, location = /x, upstream pool\n"
		   "         fix: mend it\n");
	finding.config.certainty = "likely";
	finding.config.places[0].upstream[0] = '\0';
	print("text", false);
	assert_has("in: /etc/nginx/nginx.conf:12, location = /x (likely)\n");
	finding.config.certainty = "several";
	finding.config.place_count = 2;
	finding.config.more = 3;
	SET(finding.config.places[1].file, "a.conf");
	finding.config.places[1].line = 3;
	SET(finding.config.places[1].location, "location /y");
	print("text", false);
	assert_has(
		"in: /etc/nginx/nginx.conf:12, location = /x; or a.conf:3, location /y;\n             or 3 more\n");
}

/* Each line as it is, so that patch(1), which takes indented diffs, takes it. */
static void test_text_patch(void **state)
{
	(void)state;
	SET(finding.config.patch, "--- a\n+++ a\n@@ -1,1 +1,1 @@\n-\tb;\n+\tc;\n");
	print("text", false);
	assert_null(strstr(output, "@@"));
	print("text", true);
	assert_null(strstr(output, "review"));
	finding.config.review = "it is not safe";
	print("text", true);
	assert_has(
		"\n         review: it is not safe\n         --- a\n         +++ a\n         @@ -1,1 +1,1 @@\n         -\tb;\n"
		"         +\tc;\n");
}

static void test_json(void **state)
{
	(void)state;
	SET(finding.config.settings[0], "proxy_ssl_verify on");
	finding.config.setting_count = 1;
	SET(finding.config.patch, "+\tc;\n");
	print("json", false);
	assert_has("\"tlsfail.hint\":\"mend it\",\"tlsfail.patch\":\"+\\tc;\\n\","
		   "\"tlsfail.patch_applicability\":\"safe\"");
	finding.config.review = "it is not safe";
	print("json", false);
	assert_has("\"tlsfail.patch_applicability\":\"review\","
		   "\"tlsfail.patch_reason\":\"it is not safe\"");
	assert_has("\"nginx.config.file\":\"/etc/nginx/nginx.conf\",\"nginx.config.line\":12,"
		   "\"nginx.config.location\":\"location = /x\",\"nginx.config.upstream\":\"pool\","
		   "\"nginx.config.certainty\":\"certain\",\"nginx.config.changed\":false,"
		   "\"nginx.config.settings\":[\"proxy_ssl_verify on\"]}");
	assert_null(strstr(output, "nginx.config.places"));
}

static void test_json_several(void **state)
{
	(void)state;
	finding.config.place_count = 2;
	finding.config.more = 7;
	finding.config.places[1] = finding.config.places[0];
	finding.config.places[1].line = 30;
	finding.config.places[1].upstream[0] = '\0';
	print("json", false);
	assert_has("\"nginx.config.places\":["
		   "\"/etc/nginx/nginx.conf:12: location = /x, upstream pool\","
		   "\"/etc/nginx/nginx.conf:30: location = /x\"],\"nginx.config.place_count\":9}");
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_none), TEST(test_text),	  TEST(test_text_patch),
		TEST(test_json), TEST(test_json_several),
	};

	return cmocka_run_group_tests_name("sink_config", tests, NULL, NULL);
}
