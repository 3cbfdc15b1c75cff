/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the peer did before, in the diagnosis: other words and candidates for the same cause, the
 * attempts of one request, the recovery.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diagnosis.h"

/* The peer closes after a ClientHello without a name. */
static void begin_closed(void)
{
	scene_begin(&scene);
	scene_client_hello(&scene, NULL, modern);
	scene.conn.flags |= TLSFAIL_F_PEER_FIN;
}

/* What the peer did before changes the words, and what else it could be. */
static void test_history(void **state)
{
	struct peer_history *history = &scene.failure.history;

	(void)state;
	begin_closed();
	*history = (struct peer_history){
		.known = true,
		.state = PEER_FAILING,
		.since = SCENE_MS(4),
		.handshakes = 37,
		.failures = 37,
		.streak = 37,
		.failing_since = SCENE_MS(4),
	};
	diagnose_scene();
	assert_string_equal(finding.cause, "peer-closed-in-handshake");
	assert_non_null(strstr(finding.message, " It does so every time"));
	assert_null(strstr(finding.message, "all look like this"));
	assert_non_null(strstr(finding.hint, "ACL"));
	assert_string_equal(finding.candidates[0], "sni-missing");
	assert_int_equal(finding.wording, 1);
	assert_true(finding.history.known);
	assert_int_equal(finding.history.state, FINDING_PEER_FAILING);
	assert_int_equal(finding.history.since_ns, SCENE_TIME_NS - 8000000);
	assert_int_equal(finding.history.failing_since_ns, SCENE_TIME_NS - 8000000);
	assert_int_equal(finding.history.last_success_ns, 0);

	begin_closed();
	*history = (struct peer_history){
		.known = true,
		.state = PEER_FLAPPING,
		.handshakes = 400,
		.failures = 3,
		.streak = 1,
		.last_success = SCENE_MS(10),
	};
	diagnose_scene();
	assert_non_null(strstr(finding.message, " Others succeed: "));
	assert_int_equal(finding.candidate_count, 0);
	assert_int_equal(finding.wording, 2);
	assert_int_equal(finding.history.last_success_ns, SCENE_TIME_NS - 2000000);

	/* once is no series */
	begin_closed();
	*history = (struct peer_history){
		.known = true,
		.state = PEER_FAILING,
		.handshakes = 1,
		.failures = 1,
		.streak = 1,
	};
	diagnose_scene();
	assert_non_null(strstr(finding.message, "all look like this"));
	assert_int_equal(finding.wording, 0);
}

static void test_attempt(void **state)
{
	(void)state;
	begin_closed();
	scene.failure.group = 77;
	scene.failure.attempt = 2;
	diagnose_scene();
	assert_int_equal(finding.group, 77);
	assert_int_equal(finding.attempt, 2);
	assert_non_null(strstr(finding.evidence[finding.evidence_count - 1], "attempt 2 of one"));
}

static void test_recovery(void **state)
{
	struct tlsfail_peer peer = { .key = {
					     .family = 2, .port = 443, .addr = { 10, 0, 2, 88 } } };
	struct peer_recovery recovery = { .t = SCENE_MS(9000),
					  .since = SCENE_MS(1000),
					  .handshakes = 12,
					  .failures = 7,
					  .last_failure = SCENE_MS(5000),
					  .last_success = SCENE_MS(8000) };

	(void)state;
	diagnose_recovery(&peer, &recovery, SCENE_TIME_NS, "edge-1", &finding);
	assert_int_equal(finding.kind, FINDING_RECOVERED);
	assert_string_equal(finding.message, "10.0.2.88:443 works again: 7 of 12 handshakes failed "
					     "within 7.000 s.");
	assert_string_equal(finding.peer.address, "10.0.2.88");
	assert_int_equal(finding.time_ns, SCENE_TIME_NS);
	assert_int_equal(finding.history.since_ns, SCENE_TIME_NS - 8000000000);
	assert_int_equal(finding.history.last_success_ns, SCENE_TIME_NS - 1000000000);
	assert_string_equal(finding.host_name, "edge-1");
	diagnose_recovery(&peer, &recovery, 0, "", &finding);
	assert_int_equal(finding.history.since_ns, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_history),
		cmocka_unit_test(test_attempt),
		cmocka_unit_test(test_recovery),
	};

	return cmocka_run_group_tests_name("diagnose_peer", tests, NULL, NULL);
}
