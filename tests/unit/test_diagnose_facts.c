/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The facts of a finding, each as what was seen on the connection; the evidence in words; and that
 * the same failure always gives the same finding. Causes are in test_diagnose.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diagnosis.h"

#define CHANGE_CIPHER_SPEC  20
#define CERTIFICATE	    11
#define CERTIFICATE_REQUEST 13
#define SERVER_HELLO_DONE   14

static const uint16_t unlisted[] = { 0 };
static const uint8_t no_chain[3];

static const struct certificate_spec leaf = { "leaf.test", "Intermediate", -60, 3600 };

/* ---- Who, where, when ---- */

static void test_connection(void **state)
{
	(void)state;
	begin_hello();
	scene.conn.role = TLSFAIL_ROLE_CLIENT;
	diagnose_kept_scene();
	assert_int_equal(finding.time_ns, SCENE_TIME_NS);
	assert_int_equal(finding.duration_ns, 12000000);
	assert_string_equal(finding.role, "client");
	assert_string_equal(finding.network_type, "ipv4");
	assert_string_equal(finding.local.address, "192.0.2.1");
	assert_int_equal(finding.local.port, 40112);
	assert_string_equal(finding.peer.address, "192.0.2.88");
	assert_int_equal(finding.peer.port, 8443);
	assert_int_equal(finding.pid, SCENE_PID);
	assert_string_equal(finding.executable_path, "/usr/sbin/nginx");
	assert_string_equal(finding.executable_name, "nginx");
	assert_string_equal(finding.host_name, "edge-1");
	assert_string_equal(finding.openssl.version, "OpenSSL 3.0.15");

	scene.conn.role = TLSFAIL_ROLE_SERVER;
	diagnose_kept_scene();
	assert_string_equal(finding.role, "server");
}

static void test_addresses(void **state)
{
	static const uint8_t ipv6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
	static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 192, 0, 2, 88 };

	(void)state;
	begin_hello();
	scene_error(&scene, 1049, "");
	scene.conn.family = 10;
	memcpy(scene.conn.raddr, ipv6, sizeof(ipv6));
	diagnose_kept_scene();
	assert_string_equal(finding.network_type, "ipv6");
	assert_string_equal(finding.peer.address, "2001:db8::1");
	assert_non_null(strstr(finding.message, "[2001:db8::1]:8443"));

	/* what is on the wire counts, not the kind of the socket */
	memcpy(scene.conn.raddr, mapped, sizeof(mapped));
	diagnose_kept_scene();
	assert_string_equal(finding.network_type, "ipv4");
	assert_string_equal(finding.peer.address, "192.0.2.88");
}

static void test_process_names(void **state)
{
	(void)state;
	begin_hello();
	scene.failure.exe = "";
	diagnose_kept_scene();
	assert_string_equal(finding.executable_path, "");
	assert_string_equal(finding.executable_name, "nginx");
	scene.failure.exe = "/opt/with a blank/nginx-debug";
	diagnose_kept_scene();
	assert_string_equal(finding.executable_name, "nginx-debug");
}

/* ---- What was sent and received ---- */

static void test_bytes(void **state)
{
	(void)state;
	begin_hello();
	scene_server_hello(&scene, TLS_VERSION_1_3);
	diagnose_kept_scene();
	assert_int_equal(finding.bytes_sent, scene.sent.len);
	assert_int_equal(finding.bytes_received, scene.received.len);
	assert_int_equal(strlen(finding.first_bytes), 32);
	assert_memory_equal(finding.first_bytes, "160303", 6);

	/* the peer's FIN counts as a byte in the kernel, and is none */
	scene.conn.flags |= TLSFAIL_F_PEER_FIN;
	diagnose_kept_scene();
	assert_int_equal(scene.conn.tcp_bytes_received, scene.received.len + 1);
	assert_int_equal(finding.bytes_received, scene.received.len);

	begin_hello();
	scene.conn.flags |= TLSFAIL_F_PEER_FIN;
	diagnose_kept_scene();
	assert_int_equal(finding.bytes_received, 0);
	assert_string_equal(finding.first_bytes, "");
	scene.conn.tcp_bytes_received = 0;
	diagnose(&scene.failure, &work, &finding);
	assert_int_equal(finding.bytes_received, 0);
}

static void test_hello(void **state)
{
	(void)state;
	begin_hello();
	diagnose_kept_scene();
	assert_true(finding.hello.known);
	assert_int_equal(finding.hello.length, scene.sent.len - 5);
	assert_true(finding.hello.has_server_name);
	assert_string_equal(finding.hello.server_name, "api.test");
	assert_int_equal(finding.hello.version_count, 2);
	assert_string_equal(finding.hello.versions[0], "1.3");
	assert_string_equal(finding.hello.versions[1], "1.2");

	/* without the extension the highest version is all that a client says */
	scene_begin(&scene);
	scene_client_hello(&scene, NULL, unlisted);
	diagnose_kept_scene();
	assert_true(finding.hello.known);
	assert_false(finding.hello.has_server_name);
	assert_string_equal(finding.hello.server_name, "");
	assert_int_equal(finding.hello.version_count, 1);
	assert_string_equal(finding.hello.versions[0], "1.2");

	scene_begin(&scene);
	diagnose_kept_scene();
	assert_false(finding.hello.known);
	assert_int_equal(finding.hello.version_count, 0);
}

/* A name that may be in what is not here is not missing. */
static void test_hello_incomplete(void **state)
{
	(void)state;
	scene_begin(&scene);
	scene_client_hello(&scene, NULL, modern);
	scene_error(&scene, 1112, "");
	diagnose_kept_scene();
	assert_string_equal(finding.cause, "sni-missing");
	scene.sent.len -= 2;
	diagnose_kept_scene();
	assert_true(finding.hello.known);
	assert_string_not_equal(finding.cause, "sni-missing");

	scene.sent.len += 2;
	scene.sent.bytes[5 + 4 + 2 + 32] = 0xff; /* a session id of 255 bytes */
	diagnose_kept_scene();
	assert_false(finding.hello.known);
	assert_string_not_equal(finding.cause, "sni-missing");
}

static void test_negotiated_version(void **state)
{
	static const struct {
		uint16_t version;
		const char *name;
	} versions[] = {
		{ TLS_VERSION_SSL3, "SSL 3.0" }, { TLS_VERSION_1_0, "1.0" },
		{ TLS_VERSION_1_1, "1.1" },	 { TLS_VERSION_1_2, "1.2" },
		{ TLS_VERSION_1_3, "1.3" },
	};

	(void)state;
	begin_hello();
	diagnose_kept_scene();
	assert_null(finding.protocol_version);
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		begin_hello();
		scene_server_hello(&scene, versions[i].version);
		diagnose_kept_scene();
		assert_string_equal(finding.protocol_version, versions[i].name);
	}
}

/* Known up to TLS 1.2 only: in TLS 1.3 both are encrypted. */
static void test_client_certificate(void **state)
{
	static const uint8_t chain[] = { 0, 0, 4, 0, 0, 1, 0x30 };

	(void)state;
	begin_hello();
	scene_server_hello(&scene, TLS_VERSION_1_3);
	diagnose_kept_scene();
	assert_false(finding.has_certificate_requested);
	assert_false(finding.has_certificate_sent);

	begin_hello();
	scene_server_hello(&scene, TLS_VERSION_1_2);
	diagnose_kept_scene();
	assert_false(finding.has_certificate_requested);
	scene_message(&scene.received, SERVER_HELLO_DONE, NULL, 0);
	diagnose_kept_scene();
	assert_true(finding.has_certificate_requested);
	assert_false(finding.certificate_requested);
	assert_false(finding.has_certificate_sent);

	begin_hello();
	scene_server_hello(&scene, TLS_VERSION_1_2);
	scene_message(&scene.received, CERTIFICATE_REQUEST, NULL, 0);
	scene_message(&scene.sent, CERTIFICATE, no_chain, sizeof(no_chain));
	diagnose_kept_scene();
	assert_true(finding.has_certificate_requested);
	assert_true(finding.certificate_requested);
	assert_true(finding.has_certificate_sent);
	assert_false(finding.certificate_sent);

	begin_hello();
	scene_server_hello(&scene, TLS_VERSION_1_2);
	scene_message(&scene.sent, CERTIFICATE, chain, sizeof(chain));
	diagnose_kept_scene();
	assert_true(finding.has_certificate_sent);
	assert_true(finding.certificate_sent);
}

/* ---- TCP ---- */

static void test_tcp(void **state)
{
	(void)state;
	begin_hello();
	scene.conn.tcp_retransmits = 3;
	diagnose_kept_scene();
	assert_true(finding.tcp.known);
	assert_true(finding.tcp.has_rtt);
	assert_int_equal(finding.tcp.rtt_ns, 350000);
	assert_int_equal(finding.tcp.retransmits, 3);
	scene.conn.tcp_srtt_us = 0;
	diagnose_kept_scene();
	assert_false(finding.tcp.has_rtt);

	scene.conn.flags &= ~TLSFAIL_F_ESTABLISHED;
	diagnose_kept_scene();
	assert_false(finding.tcp.known);
	assert_false(finding.tcp.has_hello_acked);
}

/* The SYN is acknowledged as one byte more. */
static void test_hello_acked(void **state)
{
	(void)state;
	begin_hello();
	scene.conn.tcp_bytes_acked = scene.sent.len + 1;
	diagnose_kept_scene();
	assert_true(finding.tcp.has_hello_acked);
	assert_true(finding.tcp.hello_acked);
	scene.conn.tcp_bytes_acked = scene.sent.len;
	diagnose_kept_scene();
	assert_true(finding.tcp.has_hello_acked);
	assert_false(finding.tcp.hello_acked);

	/* whoever did not see the connect does not know what was acknowledged before */
	scene.conn.flags &= ~TLSFAIL_F_CONNECT;
	diagnose_kept_scene();
	assert_false(finding.tcp.has_hello_acked);

	scene_begin(&scene);
	diagnose_kept_scene();
	assert_false(finding.tcp.has_hello_acked);
}

/* ---- Alerts, errors, verification ---- */

static void assert_alert(bool received, bool inferred, uint8_t code, const char *name)
{
	assert_true(finding.alert.known);
	assert_true(finding.alert.fatal);
	assert_int_equal(finding.alert.received, received);
	assert_int_equal(finding.alert.inferred, inferred);
	assert_int_equal(finding.alert.code, code);
	if (name)
		assert_string_equal(finding.alert.name, name);
	else
		assert_null(finding.alert.name);
}

static void test_alert_received(void **state)
{
	(void)state;
	/* on the wire, and nobody read it */
	begin_hello();
	scene_alert(&scene.received, 70);
	diagnose_kept_scene();
	assert_alert(true, false, 70, "protocol_version");
	assert_string_equal(finding.cause, "protocol-version-rejected");

	/* encrypted: OpenSSL tells */
	begin_hello();
	scene_server_hello(&scene, TLS_VERSION_1_3);
	scene.conn.flags |= TLSFAIL_F_DONE;
	scene_error(&scene, 1116, "ssl3_read_bytes");
	diagnose_kept_scene();
	assert_alert(true, false, 116, "certificate_required");

	begin_hello();
	scene_error(&scene, 1200, "");
	diagnose_kept_scene();
	assert_alert(true, false, 200, NULL);

	/* the alert is why, whatever we sent then */
	begin_hello();
	scene_alert(&scene.received, 40);
	scene_alert(&scene.sent, 10);
	diagnose_kept_scene();
	assert_alert(true, false, 40, "handshake_failure");

	begin_hello();
	diagnose_kept_scene();
	assert_false(finding.alert.known);
}

static void test_alert_sent(void **state)
{
	(void)state;
	begin_hello();
	scene_alert(&scene.sent, 47);
	diagnose_kept_scene();
	assert_alert(false, false, 47, "illegal_parameter");
	assert_string_equal(finding.cause, "peer-broken-answer");

	begin_hello();
	scene_error(&scene, 258, "");
	diagnose_kept_scene();
	assert_alert(false, true, 70, "protocol_version");

	/* seen is better than inferred */
	scene_alert(&scene.sent, 40);
	diagnose_kept_scene();
	assert_alert(false, false, 40, "handshake_failure");

	/* a failed verification: by its code */
	begin_hello();
	scene_error(&scene, 134, "");
	diagnose_kept_scene();
	assert_false(finding.alert.known);
	scene.conn.flags |= TLSFAIL_F_VERIFY_ASKED;
	scene.conn.verify_code = 10;
	diagnose_kept_scene();
	assert_alert(false, true, 45, "certificate_expired");
	assert_string_equal(finding.cause, "verify-expired");

	/* after the handshake a refusal is a close_notify */
	begin_hello();
	scene.conn.flags |= TLSFAIL_F_DONE;
	scene_error(&scene, 258, "");
	diagnose_kept_scene();
	assert_false(finding.alert.known);
}

/* The first error is why; later ones are what came of it. */
static void test_openssl(void **state)
{
	(void)state;
	begin_hello();
	diagnose_kept_scene();
	assert_int_equal(finding.openssl.reason_code, 0);
	assert_null(finding.openssl.reason);
	assert_string_equal(finding.openssl.function, "");

	scene_error(&scene, 394, "tls_process_ske_dhe");
	scene_error(&scene, 407, "");
	diagnose_kept_scene();
	assert_int_equal(finding.openssl.reason_code, 394);
	assert_string_equal(finding.openssl.reason, "dh key too small");
	assert_string_equal(finding.openssl.function, "tls_process_ske_dhe");
	assert_string_equal(finding.cause, "dh-key-too-small");

	begin_hello();
	scene_error(&scene, 5, "");
	diagnose_kept_scene();
	assert_int_equal(finding.openssl.reason_code, 5);
	assert_null(finding.openssl.reason);
}

/* OpenSSL verifies even when nobody wants it; a code counts once the program asked. */
static void test_verify(void **state)
{
	(void)state;
	begin_hello();
	scene.conn.verify_code = 10;
	diagnose_kept_scene();
	assert_false(finding.verify.known);
	assert_string_equal(finding.cause, "unknown");

	scene.conn.flags |= TLSFAIL_F_VERIFY_ASKED;
	diagnose_kept_scene();
	assert_true(finding.verify.known);
	assert_true(finding.verify.enforced);
	assert_int_equal(finding.verify.code, 10);
	assert_string_equal(finding.verify.name, "cert_has_expired");

	scene.conn.verify_code = 0;
	diagnose_kept_scene();
	assert_string_equal(finding.verify.name, "ok");
	assert_string_equal(finding.cause, "unknown");
	scene.conn.verify_code = 200;
	diagnose_kept_scene();
	assert_true(finding.verify.known);
	assert_null(finding.verify.name);
}

/* ---- Evidence ---- */

static void assert_evidence(const char *const *want, size_t count)
{
	for (size_t i = 0; i < count && i < finding.evidence_count; i++)
		assert_string_equal(finding.evidence[i], want[i]);
	assert_int_equal(finding.evidence_count, count);
}

#define HELLO_WORDS                                                                                \
	"ClientHello of 73 bytes, offered TLS 1.3, TLS 1.2, 1 cipher suite, "                      \
	"server_name api.test"

/* In the order of things: hello, bytes, flights, errors, the end. */
static void test_evidence_in_order(void **state)
{
	static const char *const want[] = {
		HELLO_WORDS,
		"this peer has sent TLS records before",
		"handshake bytes: 90 sent, 65 received",
		"first bytes received: 160303002a0200002603030102030000",
		"ServerHello: TLS 1.2, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
		"CertificateRequest received, answered with no certificate",
		"OpenSSL reason 407 (shutdown while in init)",
		"fatal alert 40 handshake_failure received, raised in ssl3_read_bytes",
		"FIN received at 10 ms",
		"closed by this side at 12 ms",
		"first flight acknowledged by the peer's kernel, 1 retransmits",
	};

	(void)state;
	begin_hello();
	scene_server_hello(&scene, TLS_VERSION_1_2);
	scene_message(&scene.received, CERTIFICATE_REQUEST, NULL, 0);
	scene_message(&scene.sent, CERTIFICATE, no_chain, sizeof(no_chain));
	scene_message(&scene.received, SERVER_HELLO_DONE, NULL, 0);
	scene.conn.flags |= TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_DID_TLS;
	scene.conn.t_peer_fin = SCENE_MS(10);
	scene.conn.tcp_retransmits = 1;
	scene_error(&scene, 1040, "ssl3_read_bytes");
	scene_error(&scene, 407, "");
	diagnose_kept_scene();
	assert_string_equal(finding.cause, "client-cert-required-legacy");
	assert_evidence(want, ARRAY_LEN(want));
}

static void test_evidence_of_refused(void **state)
{
	static const char *const want[] = { "SYN answered with RST",
					    "closed by this side at 12 ms" };

	(void)state;
	scene_begin(&scene);
	scene.conn.flags = TLSFAIL_F_CONNECT | TLSFAIL_F_REFUSED;
	scene.conn.t_peer_rst = SCENE_MS(12);
	diagnose_kept_scene();
	assert_evidence(want, ARRAY_LEN(want));
}

/* All that can be seen at once, with the longest names: nothing is cut, nothing overwritten. */
static void test_evidence_fits(void **state)
{
	static const uint16_t all[] = { TLS_VERSION_1_3, TLS_VERSION_1_2,  TLS_VERSION_1_1,
					TLS_VERSION_1_0, TLS_VERSION_SSL3, 0 };
	char name[254]; /* the longest host name there is */

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	scene_begin(&scene);
	scene_client_hello(&scene, name, all);
	scene_server_hello(&scene, TLS_VERSION_1_2);
	scene_message(&scene.received, CERTIFICATE_REQUEST, NULL, 0);
	scene_certificate(&scene, &leaf);
	scene_alert(&scene.sent, 47);
	for (size_t i = 0; i < TLSFAIL_ERRORS_MAX + 1; i++)
		scene_error(&scene, 333, "a_function_with_a_name_of_the_longest_that_fits");
	scene.conn.flags = TLSFAIL_F_ALL & ~TLSFAIL_F_REFUSED;
	memset(scene.conn.host, 'h', sizeof(scene.conn.host) - 1);
	scene.conn.verify_code = 10;
	scene.conn.t_done = scene.conn.t_request = scene.conn.t_peer_fin = scene.conn.t_peer_rst =
		scene.conn.t_close = UINT64_MAX;
	diagnose_kept_scene();
	scene_free(&scene);
	assert_true(finding.evidence_count < FINDING_EVIDENCE_MAX);
	assert_string_equal(finding.evidence[0] + strlen(finding.evidence[0]) - 6, "nnnnnn");
	for (size_t i = 0; i < finding.evidence_count; i++)
		assert_true(strlen(finding.evidence[i]) < FINDING_EVIDENCE_LEN - 1);
}

/* ---- All of it ---- */

static void test_same_failure_same_finding(void **state)
{
	static struct finding other;
	static struct diagnose_work other_work;

	(void)state;
	begin_hello();
	scene.conn.flags |= TLSFAIL_F_DONE | TLSFAIL_F_VERIFY_ASKED;
	scene.conn.verify_code = 10;
	scene_server_hello(&scene, TLS_VERSION_1_2);
	scene_certificate(&scene, &leaf);
	scene_error(&scene, 134, "tls_process_server_certificate");
	diagnose_kept_scene();
	memset(&other, 0x5a, sizeof(other));
	memset(&other_work, 0x5a, sizeof(other_work));
	other_work.x509 = NULL; /* not for diagnose() to fill in */
	diagnose(&scene.failure, &other_work, &other);
	assert_memory_equal(&finding, &other, sizeof(finding));
	scene_free(&scene);

	scene_begin(&scene);
	diagnose_kept_scene();
	diagnose(&scene.failure, &other_work, &other);
	assert_memory_equal(&finding, &other, sizeof(finding));
}

static void test_nothing_known(void **state)
{
	struct tlsfail_conn conn = { .family = 2 };
	struct failure failure = { .conn = &conn, .exe = "", .version = "", .host = "" };

	(void)state;
	diagnose(&failure, &work, &finding);
	assert_string_equal(finding.cause, "unknown");
	assert_int_equal(finding.time_ns, 0);
	assert_int_equal(finding.evidence_count, 0);
	assert_string_equal(finding.peer.address, "0.0.0.0");
}

static void test_loss(void **state)
{
	static const struct tlsfail_loss loss = {
		.lost = { .conns = 1, .wires = 2, .untracked = 3, .execs = 4 },
	};

	(void)state;
	memset(&finding, 0xa5, sizeof(finding));
	diagnose_loss(&loss, SCENE_TIME_NS, "edge-1", &finding);
	assert_int_equal(finding.kind, FINDING_LOSS);
	assert_int_equal(finding.time_ns, SCENE_TIME_NS);
	assert_int_equal(finding.loss.findings, 1);
	assert_int_equal(finding.loss.wires, 2);
	assert_int_equal(finding.loss.untracked, 3);
	assert_int_equal(finding.loss.processes, 4);
	assert_string_equal(finding.host_name, "edge-1");
	assert_true(strlen(finding.message) > 0);
	assert_null(finding.cause);
	assert_int_equal(finding.evidence_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connection),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_process_names),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_hello),
		cmocka_unit_test(test_hello_incomplete),
		cmocka_unit_test(test_negotiated_version),
		cmocka_unit_test(test_client_certificate),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_hello_acked),
		cmocka_unit_test(test_alert_received),
		cmocka_unit_test(test_alert_sent),
		cmocka_unit_test(test_openssl),
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_evidence_in_order),
		cmocka_unit_test(test_evidence_of_refused),
		cmocka_unit_test(test_evidence_fits),
		cmocka_unit_test(test_same_failure_same_finding),
		cmocka_unit_test(test_nothing_known),
		cmocka_unit_test(test_loss),
	};

	return cmocka_run_group_tests_name("diagnose_facts", tests, NULL, NULL);
}
