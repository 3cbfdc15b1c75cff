/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Failures of handshakes in which we are the server: every row of the table, and whose side each fact
 * is told from.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "diagnosis.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define CERTIFICATE_REQUEST 13 /* RFC 5246, section 7.4 */

#define PEER "192.0.2.88:8443"

static void silence(void)
{
	scene_begin(&scene);
	scene_turn(&scene);
}

static void hello(void)
{
	begin_hello();
	scene_turn(&scene);
}

static void hello_answered(void)
{
	begin_hello();
	scene_server_hello(&scene, TLS_VERSION_1_2);
	scene_turn(&scene);
}

static void hello_for_five_seconds(void)
{
	hello();
	scene.conn.t_close = SCENE_MS(5001);
}

static void certificate(void)
{
	static const struct certificate_spec leaf = { "client.test", "Client CA", -60, 3600 };

	hello_answered();
	scene_certificate(&scene, &leaf);
}

/* What is peeked at and read in plain text is no part of the handshake's bytes. */
static void plain(const char *words)
{
	silence();
	scene.conn.flags |= TLSFAIL_F_PLAIN;
	memcpy(scene.received.bytes, words, strlen(words));
	scene.received.len = strlen(words);
}

static void plain_get(void)
{
	plain("GET / HT");
}

static void plain_propfind(void)
{
	plain("PROPFIND");
}

static void plain_connect(void)
{
	plain("CONNECT ");
}

static void plain_proxy(void)
{
	plain("PROXY TC");
}

static void plain_proxy2(void)
{
	silence();
	scene.conn.flags |= TLSFAIL_F_PLAIN;
	memcpy(scene.received.bytes, "\r\n\r\n\0\r\nQ", 8);
	scene.received.len = 8;
}

static void plain_rdp(void)
{
	plain("\x03\x02\x01garbage");
}

static void plain_byte(void)
{
	plain("G");
}

static void plain_ehlo(void)
{
	plain("EHLO mai");
}

static void plain_ehlo_465(void)
{
	plain("EHLO mai");
	scene.conn.lport = 465;
}

/* Its library was the one to find out. */
static void plain_ehlo_in_tls(void)
{
	plain_ehlo_465();
	scene.conn.flags = (scene.conn.flags & ~(uint32_t)TLSFAIL_F_PLAIN) | TLSFAIL_F_TLS;
}

static void plain_rtsp(void)
{
	plain("OPTIONS ");
}

static void plain_user(void)
{
	plain("USER ano");
}

static void hello_without_name(void)
{
	scene_begin(&scene);
	scene_client_hello(&scene, NULL, modern);
	scene_turn(&scene);
}

static void early_data(void)
{
	scene_begin(&scene);
	scene_early_data(&scene);
	scene_turn(&scene);
}

static void hello_of_tls13_only(void)
{
	static const uint16_t newest[] = { TLS_VERSION_1_3, 0 };

	scene_begin(&scene);
	scene_client_hello(&scene, "api.test", newest);
	scene_turn(&scene);
}

static void refused_with_80(void)
{
	hello();
	scene_alert(&scene.sent, 80);
}

static void hello_of_tls11(void)
{
	static const uint16_t old[] = { TLS_VERSION_1_1, TLS_VERSION_1_0, 0 };

	scene_begin(&scene);
	scene_client_hello(&scene, "api.test", old);
	scene_turn(&scene);
}

static void hello_of_tls11_refused(void)
{
	hello_of_tls11();
	scene_alert(&scene.sent, 80);
}

static void old_format(void)
{
	static const uint8_t bytes[] = { 0x80, 0x2b, 1, 3, 1, 0, 0x12, 0, 0, 0, 0x10 };

	silence();
	memcpy(scene.received.bytes, bytes, sizeof(bytes));
	scene.received.len = sizeof(bytes);
}

/* What the configuration of a program says. */
static unsigned int facts;

static unsigned int facts_tell(const struct finding *f, const uint8_t *places, size_t len)
{
	(void)f;
	(void)places;
	(void)len;
	return facts;
}

static void configured(unsigned int what)
{
	static const struct program program = { .facts = facts_tell };
	static const uint8_t places[1];

	facts = what;
	scene.failure.program = &program;
	scene.failure.places = places;
	scene.failure.places_len = sizeof(places);
}

static void no_proxy_header(void)
{
	hello();
	scene.conn.flags &= ~(uint32_t)TLSFAIL_F_TLS;
	configured(PROGRAM_AWAITS_PROXY);
}

static void hello_to_plain(void)
{
	static const char answer[] = "HTTP/1.1 400 Bad Request\r\n";

	hello();
	scene.conn.first_rx_kept = 3;
	memcpy(scene.conn.first_rx, "\x16\x03\x01", 3);
	memcpy(scene.sent.bytes, answer, strlen(answer));
	scene.sent.len = strlen(answer);
}

/* In TLS 1.3: encrypted records of the client, of these lengths. */
static void hello13_answered(size_t first, size_t second)
{
	static const uint8_t encrypted[64];

	begin_hello();
	scene_server_hello(&scene, TLS_VERSION_1_3);
	scene_turn(&scene);
	record_put(&scene.received, 23, encrypted, first);
	if (second)
		record_put(&scene.received, 23, encrypted, second);
}

static void encrypted_alert(void)
{
	hello13_answered(19, 0);
}

/* A client without a certificate was refused; it hangs up before the server does. */
static void refused_and_gone(void)
{
	static const uint8_t alert[19];

	hello13_answered(25, 53);
	record_put(&scene.sent, 23, alert, sizeof(alert));
	scene.conn.t_peer_fin = scene.conn.t_start + 20000000;
	scene.conn.flights[0] =
		(struct tlsfail_flight){ .t_us = 10000, .len = 24, .dir = TLSFAIL_DIR_SENT };
	scene.conn.flight_count = 1;
}

static void finished_and_notify(void)
{
	hello13_answered(53, 19);
}

static void alert_header(void)
{
	hello_answered();
	record_put(&scene.received, 21, "\x02\x30", 2);
	scene.received.len -= 2;
	scene.unread = 2;
}

static void no_proxy_header_before_get(void)
{
	plain_get();
	scene.conn.flags &= ~(uint32_t)TLSFAIL_F_TLS;
	configured(PROGRAM_AWAITS_PROXY);
}

static void no_group(void)
{
	hello();
	configured(PROGRAM_NO_GROUP);
}

static void plain_imap(void)
{
	plain("a CAPABI");
	configured(PROGRAM_IS_MAIL);
}

static void certificate_by_status(void)
{
	certificate();
	configured(PROGRAM_OCSP);
}

#define AFTER (TLSFAIL_F_DONE | TLSFAIL_F_SESSION_REMOVED | TLSFAIL_F_LOCAL_FIN)

/* begin: what came, hello() if NULL. */
static const struct row rows[] = {
	{ "https-proxy-request", plain_connect, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "https-proxy-request", silence, TLSFAIL_F_LOCAL_FIN, 155, 0 },
	{ "proxy-protocol-to-https", plain_proxy, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "proxy-protocol-to-https", plain_proxy2, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "plain-http-to-https", plain_get, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "plain-http-to-https", plain_get, TLSFAIL_F_PEER_FIN, 0, 0 },
	{ "plain-http-to-https", plain_propfind, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "plain-http-to-https", silence, TLSFAIL_F_LOCAL_FIN, 156, 0 },
	{ "client-not-tls", plain_rdp, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "client-not-tls", plain_byte, TLSFAIL_F_PEER_RST, 0, 0 },
	{ "client-not-tls", silence, TLSFAIL_F_LOCAL_FIN, 267, 0 },
	{ "client-rejects-cert", NULL, 0, 1042, 0 },
	{ "client-rejects-status", NULL, 0, 1113, 0 },
	{ "client-rejects-cert", hello_answered, 0, 1048, 0 },
	{ "client-refuses-handshake", hello_answered, 0, 1040, 0 },
	{ "client-protocol-too-old", hello_of_tls11, TLSFAIL_F_LOCAL_FIN, 258, 0 },
	{ "client-protocol-too-old", hello_of_tls11_refused, TLSFAIL_F_LOCAL_FIN, 118, 0 },
	{ "server-protocol-too-old", NULL, TLSFAIL_F_LOCAL_FIN, 258, 0 },
	{ "server-protocol-too-old", refused_with_80, TLSFAIL_F_LOCAL_FIN, 118, 0 },
	{ "server-no-shared-cipher", NULL, TLSFAIL_F_LOCAL_FIN, 193, 0 },
	{ "server-no-shared-group", NULL, TLSFAIL_F_LOCAL_FIN, 101, 0 },
	{ "server-no-shared-group", NULL, TLSFAIL_F_LOCAL_FIN, 410, 0 },
	{ "server-no-shared-signature", NULL, TLSFAIL_F_LOCAL_FIN, 118, 0 },
	{ "server-rejects-sni", NULL, TLSFAIL_F_LOCAL_FIN, 234, 0 },
	{ "server-rejects-no-sni", hello_without_name, TLSFAIL_F_LOCAL_FIN, 234, 0 },
	{ "server-callback-failed", refused_with_80, TLSFAIL_F_LOCAL_FIN, 234, 0 },
	{ "server-protocol-too-old", hello_of_tls13_only, TLSFAIL_F_LOCAL_FIN, 258, 0 },
	{ "client-protocol-too-old", old_format, TLSFAIL_F_LOCAL_FIN, 258, 0 },
	{ "client-protocol-too-old", old_format, TLSFAIL_F_LOCAL_FIN, 267, 0 },
	{ "client-cert-verify-failed", hello_answered, TLSFAIL_F_LOCAL_FIN | TLSFAIL_F_VERIFY_ASKED,
	  0, 10 },
	{ "server-abort", hello_answered, TLSFAIL_F_LOCAL_FIN | TLSFAIL_F_VERIFY_ASKED, 0, 0 },
	{ "client-closed-in-handshake", hello_answered, TLSFAIL_F_PEER_FIN | TLSFAIL_F_VERIFY_ASKED,
	  0, 10 },
	{ "closed-after-early-data", early_data, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "proxy-header-missing", no_proxy_header, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "proxy-header-missing", no_proxy_header_before_get, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "tls-to-plain-port", hello_to_plain, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "server-no-shared-group", no_group, TLSFAIL_F_LOCAL_FIN, 193, 0 },
	{ "plain-mail-to-tls", plain_ehlo_465, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "plain-mail-to-tls", plain_ehlo_in_tls, TLSFAIL_F_LOCAL_FIN, 267, 0 },
	{ "plain-mail-to-tls", plain_imap, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "client-not-tls", plain_ehlo, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "client-not-tls", plain_rtsp, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "client-not-tls", plain_user, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "client-cert-ocsp-refused", certificate_by_status, AFTER, 0, 0 },
	{ "server-alpn-mismatch", NULL, TLSFAIL_F_LOCAL_FIN, 235, 0 },
	{ "inappropriate-fallback", NULL, TLSFAIL_F_LOCAL_FIN, 373, 0 },
	{ "server-certificate-callback-failed", NULL, TLSFAIL_F_LOCAL_FIN, 377, 0 },
	{ "client-cert-missing", NULL, 0, 199, 0 },
	{ "client-cert-missing", hello_answered, AFTER | TLSFAIL_F_VERIFY_ASKED, 0, 0 },
	{ "client-cert-missing", hello_answered, AFTER | TLSFAIL_F_CERT_EMPTY, 0, 0 },
	{ "client-cert-missing", refused_and_gone, TLSFAIL_F_PEER_FIN | TLSFAIL_F_CERT_EMPTY, 0,
	  0 },
	{ "client-cert-verify-failed", NULL, 0, 134, 0 },
	{ "client-cert-verify-failed", certificate, AFTER | TLSFAIL_F_VERIFY_ASKED, 0, 10 },
	{ "client-cert-verify-failed", certificate, AFTER, 0, 0 },
	{ "client-cert-verify-failed", hello_answered, AFTER | TLSFAIL_F_VERIFY_ASKED, 0, 10 },
	{ "client-broken-handshake", NULL, TLSFAIL_F_LOCAL_FIN, 244, 0 },
	{ "client-broken-handshake", NULL, TLSFAIL_F_LOCAL_FIN, 159, 0 },
	{ "server-cert-unusable", NULL, TLSFAIL_F_LOCAL_FIN, 177, 0 },
	{ "local-tls-error", NULL, TLSFAIL_F_LOCAL_FIN, 274, 0 },
	{ "client-handshake-timeout", hello_for_five_seconds, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "server-abort", silence, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "server-no-shared-cipher", NULL, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "server-abort", hello_answered, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "client-rejects-cert", encrypted_alert, TLSFAIL_F_PEER_FIN, 0, 0 },
	{ "client-closed-in-handshake", finished_and_notify, TLSFAIL_F_PEER_FIN, 0, 0 },
	{ "client-rejects-cert", alert_header, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "local-process-exited", NULL, TLSFAIL_F_LOCAL_FIN | TLSFAIL_F_EXITING, 0, 0 },
	{ "port-scan", silence, TLSFAIL_F_PEER_FIN, 0, 0 },
	{ "port-scan", silence, TLSFAIL_F_PEER_RST, 0, 0 },
	{ "client-closed-in-handshake", NULL, TLSFAIL_F_PEER_FIN, 0, 0 },
	{ "client-closed-in-handshake", NULL, TLSFAIL_F_PEER_FIN, 294, 0 },
	{ "client-closed-in-handshake", hello_answered, TLSFAIL_F_PEER_RST, 0, 0 },
	{ "unknown", NULL, TLSFAIL_F_LOCAL_FIN, 5, 0 },
};

static void test_every_cause(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_row(&rows[i], i, hello);
		assert_string_equal(finding.role, "server");
		assert_int_equal(finding.noise, cause_find(finding.cause)->noise);
	}
	for (size_t i = 0; i < cause_count(); i++) {
		const char *slug = cause_at(i)->slug;

		/* That one is in test_alerts_of_ours(). */
		if (cause_at(i)->when.role != OF_CLIENT &&
		    strcmp(slug, "server-internal-error") != 0 &&
		    !rows_have(rows, ARRAY_LEN(rows), slug))
			fail_msg("no failure for %s", slug);
	}
}

/* A status 400 is about TLS where its words say so. */
static void test_plain_answer(void **state)
{
	static const struct {
		const char *answer;
		bool nothing;
	} answers[] = {
		{ "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
		  false },
		{ "HTTP/1.0 400 Bad Request\r\n\r\nno such parameter\n", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		plain_get();
		scene.conn.flags |= TLSFAIL_F_LOCAL_FIN;
		scene.sent.len = strlen(answers[i].answer);
		memcpy(scene.sent.bytes, answers[i].answer, scene.sent.len);
		diagnose_scene();
		assert_string_equal(finding.cause, "plain-http-to-https");
		assert_int_equal(finding.nothing, answers[i].nothing);
	}
}

/* An alert that we sent is in our direction, whatever the reason. */
static void test_alerts_of_ours(void **state)
{
	(void)state;
	hello();
	scene_error(&scene, 274, "tls_construct_certificate_request");
	scene_alert(&scene.sent, 80);
	diagnose_scene();
	assert_string_equal(finding.cause, "server-internal-error");
	assert_int_equal(finding.alert.code, 80);
	assert_false(finding.alert.received);
	assert_false(finding.alert.inferred);
	hello();
	scene_alert(&scene.received, 48);
	diagnose_scene();
	assert_string_equal(finding.cause, "client-rejects-cert");
	assert_true(finding.alert.received);
	assert_string_equal(finding.closed_by, "peer");
	/* encrypted in TLS 1.3 */
	hello();
	scene_error(&scene, 199, "tls_process_client_certificate");
	diagnose_scene();
	assert_int_equal(finding.alert.code, 116);
	assert_true(finding.alert.inferred);
}

/* One that came with its issuer may be refused for the depth that is allowed. */
static void test_client_depth(void **state)
{
	static const struct certificate_spec issuer = { "Client CA", "Client Root", -60, 3600 };

	(void)state;
	certificate();
	scene.conn.flags |= AFTER | TLSFAIL_F_VERIFY_ASKED;
	scene.conn.verify_code = 20;
	diagnose_scene();
	assert_string_equal(finding.cause, "client-cert-verify-failed");
	assert_null(strstr(finding.hint, "too small"));
	certificate();
	scene_certificate(&scene, &issuer);
	scene.conn.flags |= AFTER | TLSFAIL_F_VERIFY_ASKED;
	scene.conn.verify_code = 20;
	diagnose_scene();
	assert_non_null(strstr(finding.hint, "too small"));
}

/* No version is worth allowing of a client that has but SSL. */
static void test_ssl_only(void **state)
{
	(void)state;
	old_format();
	scene.received.bytes[4] = 0; /* SSL 3.0 */
	scene_error(&scene, 258, "tls_early_post_process_client_hello");
	diagnose_scene();
	assert_string_equal(finding.cause, "client-protocol-too-old");
	assert_null(strstr(finding.hint, "allow"));
	old_format();
	scene_error(&scene, 258, "tls_early_post_process_client_hello");
	diagnose_scene();
	assert_non_null(strstr(finding.hint, "allow"));
}

/* The ClientHello is what was received. */
static void test_hello(void **state)
{
	(void)state;
	hello_answered();
	scene_error(&scene, 1048, "ssl3_read_bytes");
	diagnose_scene();
	assert_true(finding.hello.known);
	assert_string_equal(finding.hello.server_name, "api.test");
	assert_string_equal(finding.protocol_version, "1.2");
	assert_string_equal(finding.message,
			    "Client " PEER " does not accept the certificate it got for "
			    "api.test (alert 48 unknown_ca).");
	assert_string_equal(finding.local.address, "192.0.2.1");
	assert_int_equal(finding.local.port, 40112);
}

static void test_client_certificate(void **state)
{
	(void)state;
	certificate();
	scene.conn.flags |= AFTER | TLSFAIL_F_VERIFY_ASKED;
	scene.conn.verify_code = 10;
	scene_message(&scene.sent, CERTIFICATE_REQUEST, NULL, 0);
	diagnose_scene();
	assert_string_equal(finding.message,
			    "This server refused certificate CN=client.test of client " PEER
			    ", issued by CN=Client CA (verify code 10, cert_has_expired).");
	assert_string_equal(finding.phase, "post_handshake");
	assert_true(finding.verify.enforced);
	assert_true(finding.certificate_requested);
}

/* How far it came is said in words. */
static void test_progress(void **state)
{
	(void)state;
	silence();
	scene.conn.flags |= TLSFAIL_F_PEER_FIN;
	diagnose_scene();
	assert_non_null(strstr(finding.message, "without sending a byte"));
	hello();
	scene.received.len = 3;
	scene.conn.flags |= TLSFAIL_F_PEER_FIN;
	diagnose_scene();
	assert_string_equal(finding.cause, "port-scan");
	assert_non_null(strstr(finding.message, "in the middle of its ClientHello"));
	hello();
	scene.conn.flags |= TLSFAIL_F_PEER_FIN;
	diagnose_scene();
	assert_non_null(strstr(finding.message, "after its ClientHello"));
	assert_int_equal(finding.candidate_count, 0);
	/* half of it: whom it names may be in the other half */
	hello_without_name();
	scene.received.len -= 10;
	scene.conn.rx_bytes = scene.received.len;
	scene.conn.flags |= TLSFAIL_F_PEER_FIN;
	diagnose_scene();
	assert_string_equal(finding.cause, "client-closed-in-handshake");
	assert_non_null(strstr(finding.message, "in the middle of its ClientHello"));
	assert_null(strstr(finding.message, "did not name"));
	hello_answered();
	scene.conn.flags |= TLSFAIL_F_PEER_FIN;
	diagnose_scene();
	assert_non_null(strstr(finding.message, "after receiving the ServerHello"));
	assert_int_equal(finding.candidate_count, 1);
	assert_string_equal(finding.candidates[0], "client-rejects-cert");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cause),  cmocka_unit_test(test_alerts_of_ours),
		cmocka_unit_test(test_hello),	     cmocka_unit_test(test_client_certificate),
		cmocka_unit_test(test_progress),     cmocka_unit_test(test_ssl_only),
		cmocka_unit_test(test_client_depth), cmocka_unit_test(test_plain_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
