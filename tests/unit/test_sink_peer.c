/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the sinks make of a peer: its history below a failure, what was folded, its recovery.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "finding/finding.h"
#include "finding_set.h"
#include "output/sink.h"
#include "base/text.h"

static struct finding finding;
static char output[SINK_FINDING_LEN];

static void finding_set_failure(void)
{
	memset(&finding, 0, sizeof(finding));
	finding.kind = FINDING_FAILURE;
	finding.time_ns = TIME_NS;
	finding.cause = "verify-expired";
	finding.confidence = CONFIDENCE_HIGH;
	finding.role = "client";
	finding.phase = "hello";
	SET(finding.message, "The handshake failed.");
	finding.network_type = "ipv4";
	SET(finding.peer.address, "10.0.2.88");
	finding.peer.port = 8443;
	finding.pid = 4242;
}

static void print(const struct sink_type *type)
{
	struct sink_options options = { 0 };
	struct text t;

	text_init(&t, output, sizeof(output));
	type->format(&options, &finding, &t);
	assert_false(t.cut);
}

static void assert_has(const char *part)
{
	if (!strstr(output, part))
		fail_msg("no \"%s\" in:\n%s", part, output);
}

static void finding_set_folded(void)
{
	finding_set_failure();
	finding.kind = FINDING_FOLDED;
	SET(finding.message, "41 more failures of this kind within 59.2 s.");
	finding.duration_ns = 59200000000;
	finding.suppressed = 41;
}

static void test_text_folded(void **state)
{
	(void)state;
	finding_set_folded();
	print(&sink_type_text);
	assert_string_equal(output, "15:04:05 4242    10.0.2.88:8443        verify-expired\n"
				    "         41 more failures of this kind within 59.2 s.\n");
}

/* What the peer did before: nothing for the first, the day for one that is long past. */
static void test_text_history(void **state)
{
	(void)state;
	finding_set_failure();
	finding.history.known = true;
	finding.history.handshakes = 1;
	finding.history.failures = 1;
	finding.history.state = FINDING_PEER_FAILING;
	print(&sink_type_text);
	assert_null(strstr(output, "peer:"));

	finding.history.handshakes = 38;
	finding.history.failures = 37;
	finding.history.failures_in_row = 37;
	finding.history.failing_since_ns = TIME_NS - 65000000000;
	print(&sink_type_text);
	assert_has("\n         peer: always fails since 15:03:00 (37 handshakes)\n");

	finding.history.state = FINDING_PEER_FLAPPING;
	finding.history.handshakes = 400;
	finding.history.failures = 3;
	finding.history.since_ns = TIME_NS - 86400000000000;
	finding.attempt = 2;
	print(&sink_type_text);
	assert_has("\n         peer: 3 of 400 handshakes failed since 2026-01-01 15:04\n"
		   "         attempt 2 of one request (inferred)\n");
}

static void finding_set_recovered(void)
{
	memset(&finding, 0, sizeof(finding));
	finding.kind = FINDING_RECOVERED;
	finding.time_ns = TIME_NS;
	finding.duration_ns = 7000000000;
	finding.cause = "peer-recovered";
	finding.confidence = CONFIDENCE_HIGH;
	finding.role = "client";
	SET(finding.message,
	    "10.0.2.88:8443 works again: 7 of 12 handshakes failed within 7.000 s.");
	SET(finding.peer.address, "10.0.2.88");
	finding.peer.port = 8443;
	finding.network_type = "ipv4";
	finding.history = (struct finding_peer){
		.known = true,
		.state = FINDING_PEER_RECOVERED,
		.since_ns = TIME_NS - 10000000000,
		.handshakes = 12,
		.failures = 7,
		.last_success_ns = TIME_NS - 3000000000,
	};
}

static void test_text_recovered(void **state)
{
	(void)state;
	finding_set_recovered();
	print(&sink_type_text);
	assert_string_equal(
		output,
		"15:04:05 -       10.0.2.88:8443        peer-recovered\n"
		"         10.0.2.88:8443 works again: 7 of 12 handshakes failed within 7.000 s.\n");
}

static void test_json_folded(void **state)
{
	(void)state;
	finding_set_folded();
	print(&sink_type_json);
	assert_string_equal(output,
			    "{\"@timestamp\":\"2026-01-02T15:04:05.000000042Z\","
			    "\"event.name\":\"tlsfail.folded\",\"event.duration\":59200000000,"
			    "\"error.type\":\"verify-expired\","
			    "\"message\":\"41 more failures of this kind within 59.2 s.\","
			    "\"tlsfail.schema_version\":1,\"tlsfail.role\":\"client\","
			    "\"tlsfail.confidence\":\"high\",\"tlsfail.suppressed\":41,"
			    "\"network.transport\":\"tcp\",\"network.type\":\"ipv4\","
			    "\"network.peer.address\":\"10.0.2.88\",\"network.peer.port\":8443,"
			    "\"process.pid\":4242}\n");
}

static void test_json_recovered(void **state)
{
	(void)state;
	finding_set_recovered();
	print(&sink_type_json);
	assert_string_equal(
		output,
		"{\"@timestamp\":\"2026-01-02T15:04:05.000000042Z\","
		"\"event.name\":\"tlsfail.peer.recovered\",\"event.duration\":7000000000,"
		"\"message\":\"10.0.2.88:8443 works again: 7 of 12 handshakes failed within "
		"7.000 s.\",\"tlsfail.schema_version\":1,\"tlsfail.role\":\"client\","
		"\"tlsfail.peer.state\":\"recovered\","
		"\"tlsfail.peer.since\":\"2026-01-02T15:03:55.000000042Z\","
		"\"tlsfail.peer.handshakes\":12,\"tlsfail.peer.failures\":7,"
		"\"tlsfail.peer.last_success\":\"2026-01-02T15:04:02.000000042Z\","
		"\"network.transport\":\"tcp\",\"network.type\":\"ipv4\","
		"\"network.peer.address\":\"10.0.2.88\",\"network.peer.port\":8443}\n");
}

static void test_json_history(void **state)
{
	(void)state;
	finding_set_failure();
	finding.group = 0xbb2067d691a00;
	finding.attempt = 2;
	finding.history = (struct finding_peer){
		.known = true,
		.state = FINDING_PEER_FLAPPING,
		.since_ns = TIME_NS,
		.handshakes = 400,
		.failures = 3,
		.failing_since_ns = TIME_NS,
		.failures_in_row = 1,
	};
	print(&sink_type_json);
	assert_has("\"tlsfail.group\":\"000bb2067d691a00\",\"tlsfail.attempt\":2,"
		   "\"tlsfail.peer.state\":\"flapping\","
		   "\"tlsfail.peer.since\":\"2026-01-02T15:04:05.000000042Z\","
		   "\"tlsfail.peer.handshakes\":400,\"tlsfail.peer.failures\":3,"
		   "\"tlsfail.peer.failing_since\":\"2026-01-02T15:04:05.000000042Z\","
		   "\"tlsfail.peer.failures_in_row\":1,\"tls.established\"");
}

static void test_summary(void **state)
{
	(void)state;
	finding_set_recovered();
	finding.kind = FINDING_SUMMARY;
	finding.cause = "verify-expired";
	finding.duration_ns = 60000000000;
	finding.history.state = FINDING_PEER_FAILING;
	finding.history.first = true;
	finding.history.failing_since_ns = TIME_NS - 65000000000;
	finding.history.retried = 4;
	finding.history.cause_count = 6;
	print(&sink_type_text);
	assert_string_equal(output,
			    "SUMMARY  PEER                               STATE       FAILED       "
			    "OF  RETRIED\n"
			    "15:04:05 10.0.2.88:8443                     failing          7       "
			    "12        4\n"
			    "         6 verify-expired, always fails since 15:03:00\n");
	print(&sink_type_json);
	assert_has("\"event.name\":\"tlsfail.summary\",\"event.duration\":60000000000,"
		   "\"error.type\":\"verify-expired\"");
	assert_has("\"tlsfail.peer.state\":\"failing\"");
	assert_has("\"tlsfail.summary.scope\":\"interval\"");
	assert_has("\"tlsfail.peer.retried\":4,\"network.transport\"");
	finding.history.whole = true;
	print(&sink_type_json);
	assert_has("\"tlsfail.summary.scope\":\"run\"");
	print(&sink_type_text);
	assert_has("IN ALL   PEER                               STATE       FAILED       OF  ");
	/* an address that is longer than its column */
	SET(finding.peer.address, "2001:db8:85a3:8d3:1319:8a2e:370:7348");
	finding.cause = NULL;
	finding.history.first = false;
	finding.history.state = FINDING_PEER_OK;
	print(&sink_type_text);
	assert_string_equal(output,
			    "15:04:05 [2001:db8:85a3:8d3..7348]:8443     ok               7 "
			    "      12        4\n");
}

static void print_wide(int columns, bool dated)
{
	const struct sink_options options = { .columns = columns, .dated = dated };
	struct text t;

	text_init(&t, output, sizeof(output));
	sink_type_text.format(&options, &finding, &t);
}

/* Whatever the width of the terminal: all is there, in lines that it has room for. */
static void test_summary_width(void **state)
{
	(void)state;
	finding_set_recovered();
	finding.kind = FINDING_SUMMARY;
	finding.cause = "peer-closed-in-handshake";
	finding.history.state = FINDING_PEER_FAILING;
	finding.history.first = true;
	finding.history.failing_since_ns = TIME_NS - 65000000000;
	finding.history.retried = 4;
	finding.history.cause_count = 6;
	print_wide(40, false);
	assert_string_equal(output, "SUMMARY  PEER\n"
				    "15:04:05 10.0.2.88:8443\n"
				    "         failing: 7 of 12 failed, 4\n"
				    "         retried\n"
				    "         6 peer-closed-in-handshake,\n"
				    "         always fails since 15:03:00\n");
	for (int columns = 36; columns < 250; columns++)
		for (int dated = 0; dated < 2; dated++) {
			print_wide(columns, dated);
			for (const char *line = output; *line; line = strchr(line, '\n') + 1)
				assert_true(strchr(line, '\n') - line <= columns);
			assert_has(" peer-closed-in-handshake,");
		}
	/* the columns stand below their heads with a date as well */
	print_wide(80, true);
	assert_string_equal(output,
			    "SUMMARY             PEER                    STATE       FAILED  "
			    "     OF  RETRIED\n"
			    "2026-01-02 15:04:05 10.0.2.88:8443          failing          7  "
			    "     12        4\n"
			    "         6 peer-closed-in-handshake, always fails since "
			    "15:03:00\n");
	/* a name that does not fit into its column */
	finding.history.first = false;
	finding.history.peers = 2;
	finding.cause = NULL;
	finding.history.state = FINDING_PEER_OK;
	SET(finding.history.upstream, "a-name-that-is-longer-than-its-column");
	print_wide(80, false);
	assert_string_equal(
		output, "15:04:05 upstream a-name-that-is-longer-than-its-column\n"
			"                                            ok               7       12 "
			"       4\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_folded),    cmocka_unit_test(test_text_history),
		cmocka_unit_test(test_text_recovered), cmocka_unit_test(test_json_folded),
		cmocka_unit_test(test_json_recovered), cmocka_unit_test(test_json_history),
		cmocka_unit_test(test_summary),	       cmocka_unit_test(test_summary_width),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests_name("sink_peer", tests, NULL, NULL);
}
