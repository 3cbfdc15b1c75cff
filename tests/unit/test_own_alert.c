/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a fatal alert that this side sent in clear says of the cause, where no error of its TLS library is
 * known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "diagnosis.h"

static void answered_expired(void)
{
	begin_expired_certificate();
	scene_server_hello(&scene, TLS_VERSION_1_2);
}

static void old_hello(void)
{
	static const uint16_t versions[] = { TLS_VERSION_1_1, 0 };

	scene_begin(&scene);
	scene_client_hello(&scene, "api.test", versions);
}

static void assert_own_alert(void (*begin)(void), bool server, uint8_t alert, const char *slug,
			     enum confidence confidence)
{
	begin();
	scene_alert(server ? &scene.received : &scene.sent, alert);
	if (server)
		scene_turn(&scene);
	scene.conn.flags |= TLSFAIL_F_LOCAL_FIN;
	diagnose_scene();
	assert_string_equal(finding.cause, slug);
	assert_int_equal(finding.confidence, confidence);
}

static void test_own_alerts_of_a_server(void **state)
{
	(void)state;
	assert_own_alert(old_hello, true, TLS_ALERT_PROTOCOL_VERSION, "client-protocol-too-old",
			 CONFIDENCE_HIGH);
	assert_own_alert(begin_hello, true, TLS_ALERT_PROTOCOL_VERSION, "server-protocol-too-old",
			 CONFIDENCE_MEDIUM);
	assert_own_alert(begin_hello, true, TLS_ALERT_UNRECOGNIZED_NAME, "server-rejects-sni",
			 CONFIDENCE_HIGH);
	assert_own_alert(begin_hello, true, TLS_ALERT_NO_APPLICATION_PROTOCOL,
			 "server-alpn-mismatch", CONFIDENCE_HIGH);
	assert_own_alert(begin_hello, true, TLS_ALERT_INAPPROPRIATE_FALLBACK,
			 "inappropriate-fallback", CONFIDENCE_HIGH);
	assert_own_alert(begin_hello, true, TLS_ALERT_HANDSHAKE_FAILURE, "server-no-shared-cipher",
			 CONFIDENCE_MEDIUM);
	assert_own_alert(old_hello, true, TLS_ALERT_HANDSHAKE_FAILURE, "client-protocol-too-old",
			 CONFIDENCE_MEDIUM);
	assert_own_alert(begin_without_certificate, true, TLS_ALERT_HANDSHAKE_FAILURE,
			 "client-cert-missing", CONFIDENCE_HIGH);
	assert_own_alert(begin_without_certificate, true, TLS_ALERT_BAD_CERTIFICATE,
			 "client-cert-missing", CONFIDENCE_HIGH);
	/* Nobody was asked for one. */
	assert_own_alert(begin_hello, true, TLS_ALERT_BAD_CERTIFICATE, "unknown", CONFIDENCE_LOW);
}

static void test_own_alerts_of_a_client(void **state)
{
	(void)state;
	assert_own_alert(begin_expired_certificate, false, TLS_ALERT_CERTIFICATE_EXPIRED, "unknown",
			 CONFIDENCE_LOW); /* of which server? it has not answered */
	assert_own_alert(answered_expired, false, TLS_ALERT_CERTIFICATE_EXPIRED, "verify-expired",
			 CONFIDENCE_HIGH);
	assert_own_alert(answered_expired, false, TLS_ALERT_CERTIFICATE_UNKNOWN, "verify-refused",
			 CONFIDENCE_MEDIUM);
	assert_own_alert(begin_hello, false, TLS_ALERT_PROTOCOL_VERSION, "unknown", CONFIDENCE_LOW);
}

/* ---- What is encrypted, or answers a close ---- */

/* Sent at 9 ms. */
static void begin_hidden_alert(void)
{
	static const uint8_t record[] = { 23, 3, 3, 0, 19 };

	begin_hello();
	scene_server_hello(&scene, TLS_VERSION_1_3);
	memcpy(scene.sent.bytes + scene.sent.len, record, sizeof(record));
	memset(scene.sent.bytes + scene.sent.len + sizeof(record), 0xa5, 19);
	scene.sent.len += sizeof(record) + 19;
	scene.conn.flights[0] =
		(struct tlsfail_flight){ 9000, sizeof(record) + 19, TLSFAIL_DIR_SENT, { 0 } };
	scene.conn.flight_count = 1;
}

static void test_hidden_alert(void **state)
{
	(void)state;
	begin_hidden_alert();
	scene.conn.flags |= TLSFAIL_F_LOCAL_FIN;
	diagnose_scene();
	assert_string_equal(finding.cause, "verify-refused");
	assert_int_equal(finding.confidence, CONFIDENCE_MEDIUM);
	assert_int_equal(finding.candidate_count, 3);
	assert_string_equal(finding.closed_by, "local");
	assert_string_equal(finding.close_kind, "alert");
}

/* The peer answers it with its end, before this side has closed; or the alert answers that end. */
static void test_hidden_alert_answered(void **state)
{
	static const uint32_t ends[] = { TLSFAIL_F_PEER_FIN, TLSFAIL_F_PEER_RST };

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(ends); i++) {
		bool answer = i < ARRAY_LEN(ends);

		begin_hidden_alert();
		scene.conn.flags |= ends[i % ARRAY_LEN(ends)];
		scene.conn.t_peer_fin = scene.conn.t_peer_rst = SCENE_MS(answer ? 10 : 8);
		diagnose_scene();
		assert_string_equal(finding.closed_by, answer ? "local" : "peer");
		if (answer)
			assert_string_equal(finding.cause, "verify-refused");
		else
			assert_string_not_equal(finding.cause, "verify-refused");
	}
}

static void test_alert_after_close(void **state)
{
	(void)state;
	begin_hello();
	scene_alert(&scene.sent, TLS_ALERT_HANDSHAKE_FAILURE);
	scene.conn.flags |= TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_RST;
	diagnose_scene();
	assert_string_equal(finding.cause, "peer-closed-in-handshake");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_alerts_of_a_server),
		cmocka_unit_test(test_own_alerts_of_a_client),
		cmocka_unit_test(test_hidden_alert),
		cmocka_unit_test(test_hidden_alert_answered),
		cmocka_unit_test(test_alert_after_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
