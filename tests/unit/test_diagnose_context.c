/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Causes that the circumstances of a failure show: names, ports, sessions, what the peer did before, and
 * what the program's configuration says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "diagnosis.h"

static void short_ticket(void)
{
	scene_begin(&scene);
	scene_long_hello(&scene, 0x1d, 32, 200);
}

static void odd_name(void)
{
	static const uint16_t versions[] = { TLS_VERSION_1_3, TLS_VERSION_1_2, 0 };

	scene_begin(&scene);
	scene_client_hello(&scene, "my_backend", versions);
}

static void short_name(void)
{
	static const uint16_t versions[] = { TLS_VERSION_1_3, TLS_VERSION_1_2, 0 };

	scene_begin(&scene);
	scene_client_hello(&scene, "backend", versions);
}

static void port_of_postgresql(void)
{
	begin_hello();
	scene.conn.rport = 5432;
}

/* What the configuration of the program says. */
static struct program_facts facts;

static void observe(const struct finding *f, const uint8_t *places, size_t len,
		    struct program_facts *out)
{
	(void)f;
	(void)places;
	(void)len;
	*out = facts;
}

static void configured(struct program_facts said)
{
	static const struct program program = { .observe = observe };
	static const uint8_t places[1];

	facts = said;
	scene.failure.program = &program;
	scene.failure.places = places;
	scene.failure.places_len = sizeof(places);
}

static void moved(void)
{
	begin_hello();
	configured((struct program_facts){ .uses_tls = true, .moved = true });
}

static void header_first(void)
{
	begin_hello();
	configured((struct program_facts){ .uses_tls = true, .sends_header = true });
	scene.conn.tcp_retransmits = 1; /* so that bytes sent twice may hide the header */
}

static void others_send_header(void)
{
	begin_hello();
	configured((struct program_facts){ .uses_tls = true, .others_send_header = true });
}

/* STARTTLS: what goes out before the hello is as long as a PROXY header, and was answered. */
static void dialogue_first(void)
{
	begin_hello();
	scene.conn.flags |= TLSFAIL_F_CONNECT | TLSFAIL_F_PEER_SPOKE;
	scene.conn.tcp_bytes_sent = scene.conn.tx_bytes + 40;
}

/* TCP was not connected: nobody answered, or the network reported an error. */
static void unanswered(void)
{
	scene_begin(&scene);
	scene.conn.flags = TLSFAIL_F_CONNECT;
	scene.conn.tcp_retransmits = 2;
}

static void timed_out(void)
{
	unanswered();
	scene.conn.last_ret = -110; /* ETIMEDOUT */
}

static void unreachable(void)
{
	unanswered();
	scene.conn.last_ret = -113; /* EHOSTUNREACH */
}

/* The error was taken by another before it was read. */
static void unreachable_somehow(void)
{
	unanswered();
	scene.conn.last_ret = -TLSFAIL_E_TAKEN;
}

static void without_port(void)
{
	unanswered();
	scene.conn.tcp_retransmits = 0;
	scene.conn.last_ret = -99; /* EADDRNOTAVAIL */
}

/* The hello of what does not know that its peer speaks gRPC. */
static void grpc_elsewhere(void)
{
	begin_hello();
	configured((struct program_facts){ .uses_tls = true, .speaks_grpc = true });
}

static void grpc_port(void)
{
	begin_hello();
	scene.conn.rport = 50051;
}

/* No name is sent, though there is one. */
static void shy(void)
{
	scene_begin(&scene);
	scene_client_hello(&scene, NULL, modern);
	configured((struct program_facts){
		.uses_tls = true, .can_send_name = true, .name = "api.test" });
}

/* What came is the certificate of another server. */
static void shy_of_a_stranger(void)
{
	static const struct certificate_spec leaf = { "leaf.test", "Intermediate", -60, 3600 };

	shy();
	scene_certificate(&scene, &leaf);
}

/* It has worked so before. */
static void shy_and_known(void)
{
	shy();
	scene.failure.history =
		(struct peer_history){ .known = true, .state = PEER_FAILING, .last_success = 1 };
}

/* TCP is connected, and closed here without a byte. */
static void silent(void)
{
	scene_begin(&scene);
	scene.conn.flags = TLSFAIL_F_CONNECT | TLSFAIL_F_ESTABLISHED;
}

static void silent_by_variable(void)
{
	silent();
	configured((struct program_facts){ .uses_tls = true, .client_cert_varies = true });
}

/* Plain text was sent. */
static void plain(const char *answer, size_t len)
{
	silent();
	scene.conn.flags |= TLSFAIL_F_PLAIN;
	memcpy(scene.received.bytes, answer, len);
	scene.received.len = len;
}

static void plain_alert(void)
{
	static const char alert[] = { 21, 3, 3, 0, 2, 2, 10 };

	plain(alert, sizeof(alert));
}

static void plain_bad_request(void)
{
	static const char answer[] =
		"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n<html>\r\n<head><title>"
		"400 The plain HTTP request was sent to HTTPS port</title></head>\r\n";

	plain(answer, strlen(answer));
}

static void plain_ignored(void)
{
	plain("", 0);
}

/* The handshake was done, for a certificate of leaf.test. */
static void unused_from(const char *name, long begins, long ends)
{
	const struct certificate_spec leaf = { "leaf.test", "Intermediate", begins, ends };

	scene_begin(&scene);
	scene.failure.time_ns = (uint64_t)time(NULL) * 1000000000;
	scene_client_hello(&scene, name, modern);
	scene_server_hello(&scene, TLS_VERSION_1_3);
	scene_certificate(&scene, &leaf);
}

static void unused(const char *name)
{
	unused_from(name, -60, 3600);
}

static void unused_stranger(void)
{
	unused("api.test");
}

static void unused_expired(void)
{
	unused_from("leaf.test", -7200, -3600);
}

static void unused_early(void)
{
	unused_from("leaf.test", 3600, 7200);
}

static const struct row rows[] = {
	{ "client-cert-unloadable", silent_by_variable, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "plain-text-to-tls", plain_alert, 0, 0, 0 },
	{ "plain-text-to-tls", plain_bad_request, 0, 0, 0 },
	{ "plain-text-to-tls", plain_ignored, TLSFAIL_F_PEER_FIN, 0, 0 },
	{ "verify-hostname-mismatch", unused_stranger, TLSFAIL_F_DONE | TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "verify-hostname-mismatch", unused_stranger, TLSFAIL_F_DONE | TLSFAIL_F_LOCAL_NOTIFY, 0,
	  0 },
	{ "verify-hostname-mismatch", unused_stranger,
	  TLSFAIL_F_DONE | TLSFAIL_F_LOCAL_FIN | TLSFAIL_F_EXITING, 0, 0 },
	{ "verify-expired", unused_expired, TLSFAIL_F_DONE | TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "verify-not-yet-valid", unused_early, TLSFAIL_F_DONE | TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "sni-malformed", odd_name, 0, 1047, 0 },
	{ "starttls-expected", port_of_postgresql, TLSFAIL_F_PEER_FIN, 0, 0 },
	{ "resumption-refused", short_ticket, 0, 1080, 0 },
	{ "peer-moved", moved, TLSFAIL_F_PEER_FIN, 0, 0 },
	{ "proxy-protocol-unexpected", header_first, 0, 267, 0 },
	{ "proxy-protocol-missing", others_send_header, TLSFAIL_F_PEER_FIN, 0, 0 },
	{ "peer-closed-in-handshake", dialogue_first, TLSFAIL_F_PEER_FIN, 0, 0 },
	{ "connect-timeout", unanswered, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "connect-timeout", timed_out, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "connect-unreachable", unreachable, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "connect-unreachable", unreachable_somehow, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "local-ports-exhausted", without_port, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "alpn-missing", grpc_elsewhere, TLSFAIL_F_DONE | TLSFAIL_F_PEER_FIN, 0, 0 },
	{ "alpn-missing", grpc_port, TLSFAIL_F_DONE | TLSFAIL_F_PEER_NOTIFY, 0, 0 },
	{ "prematurely-closed-after-handshake", NULL, TLSFAIL_F_DONE | TLSFAIL_F_PEER_NOTIFY, 0,
	  0 },
	{ "sni-unrecognized", short_name, 0, 1040, 0 },
	{ "sni-missing", shy, TLSFAIL_F_PEER_FIN, 0, 0 },
	{ "sni-missing", shy_of_a_stranger,
	  TLSFAIL_F_DONE | TLSFAIL_F_VERIFY_ASKED | TLSFAIL_F_LOCAL_NOTIFY | TLSFAIL_F_LOCAL_FIN, 0,
	  18 },
	{ "peer-closed-in-handshake", shy_and_known, TLSFAIL_F_PEER_FIN, 0, 0 },
};

static void test_causes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_row(&rows[i], i, begin_hello);
}

static void assert_nothing(void (*make)(void), uint32_t flags)
{
	make();
	scene.conn.flags |= flags;
	diagnose_scene();
	assert_true(finding.nothing);
}

static void unused_right(void)
{
	unused("leaf.test");
}

static void unused_nameless(void)
{
	unused(NULL);
}

static void plain_other(void)
{
	static const char answer[] = "HTTP/1.1 400 Bad Request\r\n\r\nno such thing";

	plain(answer, strlen(answer));
}

/* What has not failed by itself is nothing, where its surroundings say nothing. */
static void test_suspects(void **state)
{
	static const struct program checks_health = { .closes_unused = true };
	static const struct program compares = { .compares_addresses = true };
	const uint32_t closed = TLSFAIL_F_DONE | TLSFAIL_F_LOCAL_FIN;

	(void)state;
	assert_nothing(silent, TLSFAIL_F_LOCAL_FIN);
	assert_nothing(plain_other, 0);
	assert_nothing(unused_right, closed);
	assert_nothing(unused_nameless, closed);
	unused_stranger();
	scene.conn.flags |= closed;
	scene.failure.program = &checks_health;
	diagnose_scene();
	assert_true(finding.nothing);
	unused_nameless();
	scene.conn.flags |= closed;
	scene.failure.program = &compares;
	diagnose_scene();
	assert_false(finding.nothing);
	assert_string_equal(finding.cause, "verify-hostname-mismatch");
	assert_non_null(strstr(finding.message, "not for 192.0.2.88"));
	plain_alert();
	diagnose_scene();
	assert_int_equal(finding.kind, FINDING_PLAINTEXT);
	assert_false(finding.nothing);
	/* What has failed by itself is no suspect. */
	unused_right();
	scene.conn.flags |= closed | TLSFAIL_F_HOST_CHECKED | TLSFAIL_F_HOST_REFUSED;
	strcpy(scene.conn.host, "api.test");
	diagnose_scene();
	assert_false(finding.nothing);
	assert_string_equal(finding.cause, "verify-hostname-mismatch");
}

/* What would have been named without the circumstances is named beside it. */
static void test_candidates(void **state)
{
	(void)state;
	shy_of_a_stranger();
	scene.conn.flags |= TLSFAIL_F_DONE | TLSFAIL_F_VERIFY_ASKED | TLSFAIL_F_LOCAL_FIN;
	scene.conn.verify_code = 18;
	diagnose_scene();
	assert_string_equal(finding.cause, "sni-missing");
	assert_string_equal(finding.candidates[0], "verify-self-signed");
}

/* A session that is refused each time, with success in between, is what is wrong. */
static void test_sessions(void **state)
{
	(void)state;
	short_ticket();
	scene.failure.history = (struct peer_history){
		.known = true, .state = PEER_FLAPPING, .last_success = 1, .failures_with_session = 1
	};
	scene.conn.flags |= TLSFAIL_F_PEER_FIN;
	diagnose_scene();
	assert_string_equal(finding.cause, "resumption-refused");
	short_ticket();
	scene.failure.history = (struct peer_history){ .known = true,
						       .state = PEER_FLAPPING,
						       .last_success = 1,
						       .failures_with_session = 1,
						       .failures_without = 1,
						       .handshakes = 4,
						       .failures = 2 };
	scene.conn.flags |= TLSFAIL_F_PEER_FIN;
	diagnose_scene();
	assert_string_equal(finding.cause, "peer-closed-in-handshake");
}

/* A program that has asked for the verify code has seen the certificate, and may not want its name. */
static void test_abort_after_verify(void **state)
{
	static const uint16_t versions[] = { TLS_VERSION_1_3, 0 };

	(void)state;
	scene_begin(&scene);
	scene_client_hello(&scene, "api.test", versions);
	scene_server_hello(&scene, TLS_VERSION_1_3);
	scene.conn.flags |= TLSFAIL_F_LOCAL_FIN | TLSFAIL_F_VERIFY_ASKED;
	diagnose_scene();
	assert_string_equal(finding.cause, "local-abort");
	assert_string_equal(finding.candidates[0], "verify-hostname-mismatch");
	assert_null(strstr(finding.message, "went away"));
	assert_null(strstr(finding.hint, "went away"));
}

static void begin_unnamed(bool can_send_name)
{
	static const uint16_t versions[] = { TLS_VERSION_1_2, 0 };

	scene_begin(&scene);
	scene_client_hello(&scene, NULL, versions);
	scene_server_hello(&scene, TLS_VERSION_1_2);
	scene.conn.flags |= TLSFAIL_F_DONE | TLSFAIL_F_VERIFY_ASKED | TLSFAIL_F_LOCAL_FIN;
	configured((struct program_facts){
		.uses_tls = true, .place_count = 1, .can_send_name = can_send_name });
}

/* The certificate may be the default one, whatever it is for. */
static void test_no_name_was_sent(void **state)
{
	(void)state;
	begin_unnamed(true);
	scene.conn.verify_code = 18;
	diagnose_scene();
	assert_string_equal(finding.cause, "verify-self-signed");
	assert_non_null(strstr(finding.hint, "then presents another one"));
	begin_unnamed(false);
	scene.conn.verify_code = 18;
	diagnose_scene();
	assert_string_equal(finding.cause, "verify-self-signed");
	assert_null(strstr(finding.hint, "then presents another one"));
}

/* With a session that is resumed no certificate comes, and the name is compared with the old one. */
static void test_resumed_certificate_of_another(void **state)
{
	(void)state;
	begin_unnamed(true);
	scene.conn.flags |= TLSFAIL_F_HOST_CHECKED | TLSFAIL_F_HOST_REFUSED;
	strcpy(scene.conn.host, "api.test");
	diagnose_scene();
	assert_string_equal(finding.cause, "sni-missing");
	assert_int_equal(finding.confidence, CONFIDENCE_MEDIUM);
	assert_string_equal(finding.candidates[0], "verify-hostname-mismatch");
	begin_unnamed(true);
	scene.conn.flags |= TLSFAIL_F_HOST_CHECKED | TLSFAIL_F_HOST_REFUSED;
	strcpy(scene.conn.host, "192.0.2.1");
	diagnose_scene();
	assert_string_equal(finding.cause, "verify-hostname-mismatch");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_suspects),
		cmocka_unit_test(test_candidates),
		cmocka_unit_test(test_abort_after_verify),
		cmocka_unit_test(test_sessions),
		cmocka_unit_test(test_no_name_was_sent),
		cmocka_unit_test(test_resumed_certificate_of_another),
	};

	return cmocka_run_group_tests_name("diagnose_context", tests, NULL, NULL);
}
