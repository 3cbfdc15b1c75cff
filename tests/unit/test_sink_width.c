/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text sink on terminals of all widths, and in files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"
#include "finding/finding.h"
#include "finding_set.h"
#include "output/sink.h"

#define LONGEST_SLUG "prematurely-closed-after-handshake"

static struct finding finding;
static char output[65536];

static void finding_make(const char *address)
{
	memset(&finding, 0, sizeof(finding));
	finding.kind = FINDING_FAILURE;
	finding.time_ns = TIME_NS;
	finding.cause = LONGEST_SLUG;
	finding.confidence = CONFIDENCE_MEDIUM;
	for (size_t i = 0; i + 1 < sizeof(finding.message); i++)
		finding.message[i] = i % 5 ? 'm' : ' ';
	SET(finding.hint, "renew the certificate on the upstream and reload it");
	finding.role = "client";
	finding.phase = "hello";
	SET(finding.peer.address, address);
	finding.peer.port = 8443;
	finding.pid = 4242;
	finding.timeline_count = 2;
	finding.timeline[0] = (struct finding_event){ .dir = "sent", .what = "ClientHello" };
	finding.timeline[1] = (struct finding_event){ .t_ns = 12345678901, .dir = "received" };
	SET(finding.timeline[1].what, "ServerHello, and much more of what comes in one flight, so "
				      "that it goes on in the next line");
}

static void print_in(int columns, bool dated)
{
	struct sink_options options = {
		.ladder = true, .utf8 = true, .columns = columns, .dated = dated
	};
	struct text t;

	text_init(&t, output, sizeof(output));
	sink_type_find("text")->format(&options, &finding, &t);
	assert_false(t.cut);
}

static size_t widest(void)
{
	size_t most = 0;

	for (const char *line = output; line[0]; line = strchr(line, '\n') + 1) {
		size_t columns = 0;

		for (const char *c = line; *c != '\n'; c++)
			columns += (*c & 0xc0) != 0x80;
		most = columns > most ? columns : most;
	}
	return most;
}

static void assert_widest(size_t columns)
{
	if (widest() > columns)
		fail_msg("more than %zu columns:\n%s", columns, output);
}

static void assert_has(const char *part)
{
	if (!strstr(output, part))
		fail_msg("no \"%s\" in:\n%s", part, output);
}

/* As wide as the terminal, within reason. */
static void test_widths(void **state)
{
	(void)state;
	finding_make("2001:db8:85a3:8d3:1319:8a2e:370:7348");
	for (int columns = 40; columns <= 120; columns++) {
		/* an address is not shortened where it is shown in full */
		finding.timeline_count = columns < 44 ? 0 : 2;
		print_in(columns, false);
		assert_widest((size_t)columns);
	}
	assert_true(widest() > 110);
	print_in(200, false);
	assert_widest(120);
	print_in(0, false);
	assert_widest(80);
}

/* In a narrow one the cause has a line of its own. */
static void test_narrow(void **state)
{
	(void)state;
	finding_make("10.0.2.88");
	print_in(60, false);
	assert_has("15:04:05 4242    10.0.2.88:8443\n         " LONGEST_SLUG " (medium)\n");
	print_in(44, false);
	assert_has("15:04:05 4242    10.0.2.88:8443\n         " LONGEST_SLUG "\n");
}

static void test_dated(void **state)
{
	(void)state;
	finding_make("2001:db8:85a3:8d3:1319:8a2e:370:7348");
	print_in(0, true);
	assert_widest(80);
	assert_has("2026-01-02 15:04:05 4242    [");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_narrow),
		cmocka_unit_test(test_dated),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests_name("sink_width", tests, NULL, NULL);
}
