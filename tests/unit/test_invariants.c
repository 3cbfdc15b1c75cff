/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a finding may never say: each invariant can fail, and no finding of scenes in all combinations
 * of what can be observed breaks one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "diagnose/invariants.h"
#include "diagnosis.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define NOW_S (int64_t)(SCENE_TIME_NS / 1000000000)

/* ---- Each can fail ---- */

#define SET(buf, string) snprintf(buf, sizeof(buf), "%s", string)

static struct tlsfail_conn conn;
static const struct failure failure = { .conn = &conn };

static void good(const char *cause)
{
	memset(&finding, 0, sizeof(finding));
	conn = (struct tlsfail_conn){ 0 };
	finding.time_ns = SCENE_TIME_NS;
	finding.cause = cause;
	SET(finding.message, "Something is so.");
	SET(finding.hint, "mend it");
	finding.certificate.known = true;
	finding.certificate.has_validity = true;
}

static size_t broken_count;

static void assert_broken(const char *words)
{
	const char *broken = invariant_broken(&failure, &finding);

	assert_non_null(broken);
	assert_string_equal(broken, words);
	broken_count++;
}

static void test_certificates(void **state)
{
	(void)state;
	good("verify-expired");
	finding.certificate.not_after = NOW_S - 1;
	assert_null(invariant_broken(&failure, &finding));
	finding.certificate.not_after = NOW_S;
	assert_broken("the certificate has not expired");
	finding.time_ns = 0;
	assert_null(invariant_broken(&failure, &finding));

	good("verify-not-yet-valid");
	finding.certificate.not_before = NOW_S + 1;
	assert_null(invariant_broken(&failure, &finding));
	finding.certificate.not_before = NOW_S;
	assert_broken("the certificate is already valid");

	good("verify-self-signed");
	SET(finding.certificate.subject, "CN=a");
	SET(finding.certificate.issuer, "CN=a");
	assert_null(invariant_broken(&failure, &finding));
	SET(finding.certificate.issuer, "CN=b");
	assert_broken("the certificate was issued by another name");

	good("verify-chain-incomplete");
	finding.certificate.has_issuer_sent = finding.certificate.issuer_sent = true;
	assert_broken("the issuer of the certificate was sent");

	good("verify-untrusted-issuer");
	finding.verify.known = true;
	assert_broken("the certificate was verified and found good");
	finding.verify.code = 20;
	finding.verify.result = TLS_VERIFY_NO_ISSUER_LOCALLY;
	assert_null(invariant_broken(&failure, &finding));
}

static void assert_host(const char *name, const char *host, bool covered)
{
	good("verify-hostname-mismatch");
	finding.certificate.name_count = 1;
	SET(finding.certificate.names[0], name);
	SET(conn.host, host);
	if (covered)
		assert_broken("the certificate is valid for the name");
	else
		assert_null(invariant_broken(&failure, &finding));
}

static void test_names(void **state)
{
	(void)state;
	assert_host("api.test", "API.test", true);
	assert_host("192.0.2.1", "192.0.2.1", false); /* no names are compared with addresses */
	assert_host("2001:db8::1", "2001:db8::1", false);
	assert_host("*.test", "api.test", true);
	assert_host("*.test", "a.api.test", false);
	assert_host("*.test", "test", false);
	assert_host("api.test", "api.test.", false);
	assert_host("*", "test", false);
}

static void test_connection(void **state)
{
	(void)state;
	good("sni-missing");
	finding.hello.has_server_name = true;
	assert_broken("the ClientHello named the server (SNI)");
	good("sni-unrecognized");
	finding.hello.known = true;
	assert_broken("the ClientHello did not name the server (SNI)");
	finding.hello.cut = true;
	assert_null(invariant_broken(&failure, &finding));
	good("client-cert-required");
	finding.has_certificate_sent = finding.certificate_sent = true;
	assert_broken("a client certificate was sent");
	good("peer-closed-in-handshake");
	finding.closed_by = "local";
	assert_broken("this side closed the connection first");
	good("peer-not-tls-http");
	finding.protocol_version = "1.2";
	assert_broken("TLS was spoken");
	good("handshake-blackholed");
	finding.tcp.has_hello_acked = finding.tcp.hello_acked = true;
	assert_broken("the ClientHello was acknowledged");
	good("connection-refused");
	conn.flags = TLSFAIL_F_ESTABLISHED;
	assert_broken("the connection was accepted");
	good("starttls-expected");
	assert_null(invariant_broken(&failure, &finding));
	conn.flags = TLSFAIL_F_CONNECT | TLSFAIL_F_REFUSED;
	assert_broken("TCP was not connected");
	conn.flags |= TLSFAIL_F_ESTABLISHED;
	assert_null(invariant_broken(&failure, &finding));
}

static void test_words(void **state)
{
	(void)state;
	good("local-abort");
	SET(finding.message, "It closed. Others succeed: it is overloaded.");
	assert_broken("no handshake with this peer is known to have succeeded");
	finding.history = (struct finding_peer){ .known = true, .handshakes = 3, .failures = 3 };
	assert_broken("no handshake with this peer is known to have succeeded");
	finding.history.failures = 2;
	assert_null(invariant_broken(&failure, &finding));

	SET(finding.message, "It closed. It does so every time: it is broken.");
	assert_broken("handshakes with this peer succeed");
	finding.history.failures_in_row = 3;
	assert_null(invariant_broken(&failure, &finding));

	good("sni-missing");
	finding.config.place_count = 1;
	finding.config.setting_count = 1;
	SET(finding.config.settings[0], "proxy_ssl_server_name on");
	SET(finding.hint, "at nginx.conf:4 set proxy_ssl_server_name on;");
	assert_broken("the suggested setting is already in place");
	SET(finding.hint, "try it; proxy_ssl_server_name is not set");
	assert_broken("a setting reported as not set is set");
	SET(finding.hint, "try it; grpc_proxy_ssl_server_name is not set");
	assert_null(invariant_broken(&failure, &finding));

	good("local-abort");
	finding.config.place_count = 2;
	finding.config.certainty = "certain";
	SET(finding.config.patch, "--- a");
	assert_broken("more than one place remains");
	finding.config.review = "there are two";
	assert_null(invariant_broken(&failure, &finding));

	good("local-abort");
	SET(finding.hint, "set {setting:nothing}");
	assert_broken("a placeholder was not filled in");
}

static void test_all_were_broken(void **state)
{
	size_t count = 0;

	(void)state;
	while (invariant_words(count))
		count++;
	assert_true(broken_count >= count);
}

/* ---- None does ---- */

static const uint32_t flag_sets[] = {
	0,
	TLSFAIL_F_DONE,
	TLSFAIL_F_DONE | TLSFAIL_F_VERIFY_ASKED | TLSFAIL_F_LOCAL_FIN,
	TLSFAIL_F_PEER_FIN,
	TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_RST,
	TLSFAIL_F_PEER_RST,
	TLSFAIL_F_LOCAL_FIN,
	TLSFAIL_F_LOCAL_FIN | TLSFAIL_F_LOCAL_NOTIFY | TLSFAIL_F_VERIFY_ASKED,
	TLSFAIL_F_DONE | TLSFAIL_F_HOST_CHECKED | TLSFAIL_F_HOST_REFUSED | TLSFAIL_F_LOCAL_FIN,
	TLSFAIL_F_REFUSED,
	TLSFAIL_F_EXITING | TLSFAIL_F_LOCAL_FIN,
	TLSFAIL_F_FIN_BEFORE_TX | TLSFAIL_F_PEER_FIN,
	TLSFAIL_F_PLAIN | TLSFAIL_F_PEER_FIN,
	TLSFAIL_F_DONE | TLSFAIL_F_SESSION_REMOVED | TLSFAIL_F_LOCAL_FIN,
	TLSFAIL_F_DONE | TLSFAIL_F_LOCAL_FIN,
};

static const struct {
	const char *subject, *issuer;
	long begins, ends; /* from now on */
} certificates[] = {
	{ NULL, NULL, 0, 0 },
	{ "api.test", "Intermediate", -7200, 3600 },
	{ "api.test", "Intermediate", -7200, -3600 },
	{ "api.test", "Intermediate", 3600, 7200 },
	{ "other.test", "other.test", -7200, 3600 },
};

static const uint32_t reasons[] = { 0, 134, 258, 267, 294, 333, 394, 407, 1040, 1048, 1112, 1116 };
static const int32_t codes[] = { 0, 2, 7, 9, 10, 18, 19, 20, 21, 22, 23, 26, 62, 79, 200 };

enum wire {
	WIRE_NO_NAME,
	WIRE_NAME,
	WIRE_SERVER_HELLO,
	WIRE_OLD_SERVER_HELLO,
	WIRE_ALERT_SENT,
	WIRE_ALERT_RECEIVED,
	WIRE_HTTP,
	WIRE_COUNT,
};

static void wire_begin(enum wire wire)
{
	scene_begin(&scene);
	scene_client_hello(&scene, wire == WIRE_NO_NAME ? NULL : "api.test", modern);
	switch (wire) {
	case WIRE_SERVER_HELLO:
		scene_server_hello(&scene, TLS_VERSION_1_3);
		break;
	case WIRE_OLD_SERVER_HELLO:
		scene_server_hello(&scene, TLS_VERSION_1_1);
		break;
	case WIRE_ALERT_SENT:
		scene_alert(&scene.sent, TLS_ALERT_CERTIFICATE_EXPIRED);
		break;
	case WIRE_ALERT_RECEIVED:
		scene_alert(&scene.received, TLS_ALERT_HANDSHAKE_FAILURE);
		break;
	case WIRE_HTTP:
		memcpy(scene.received.bytes, "HTTP/1.1 400 Bad", 16);
		scene.received.len = 16;
		break;
	default:
		break;
	}
}

/* The certificates are made once; the scene borrows them. */
static struct scene made[ARRAY_LEN(certificates)];

static void certificates_make(void)
{
	const long now = (long)time(NULL);

	for (size_t i = 1; i < ARRAY_LEN(certificates); i++) {
		const struct certificate_spec spec = {
			certificates[i].subject,
			certificates[i].issuer,
			certificates[i].begins + (long)NOW_S - now,
			certificates[i].ends + (long)NOW_S - now,
		};

		scene_begin(&made[i]);
		scene_certificate(&made[i], &spec);
	}
}

static void scene_diagnose(size_t flags, size_t certificate, size_t reason, size_t code,
			   enum wire wire, bool server)
{
	wire_begin(wire);
	scene.conn.flags |= flag_sets[flags];
	if (flag_sets[flags] & TLSFAIL_F_REFUSED)
		scene.conn.flags &= ~(uint32_t)TLSFAIL_F_ESTABLISHED;
	scene.conn.verify_code = codes[code];
	SET(scene.conn.host, "api.test");
	if (reasons[reason])
		scene_error(&scene, reasons[reason], "");
	if (certificate) {
		scene.certs[0] = made[certificate].certs[0];
		scene.cert_lens[0] = made[certificate].cert_lens[0];
		scene.conn.cert_count = 1;
	}
	if (server)
		scene_turn(&scene);
	diagnose_kept_scene();
}

#define COMBINATIONS                                                                               \
	(2 * ARRAY_LEN(flag_sets) * ARRAY_LEN(certificates) * ARRAY_LEN(reasons) *                 \
	 ARRAY_LEN(codes) * WIRE_COUNT)

static size_t take(size_t *rest, size_t count)
{
	size_t index = *rest % count;

	*rest /= count;
	return index;
}

static void test_scenes(void **state)
{
	size_t withdrawn = 0, total = 0;

	(void)state;
	certificates_make();
	/* Every 13th of all combinations, which is coprime to the size of each list. */
	for (size_t n = 0; n < COMBINATIONS; n += 13) {
		size_t rest = n, flags, certificate, reason, code, wire;

		flags = take(&rest, ARRAY_LEN(flag_sets));
		certificate = take(&rest, ARRAY_LEN(certificates));
		reason = take(&rest, ARRAY_LEN(reasons));
		code = take(&rest, ARRAY_LEN(codes));
		wire = take(&rest, WIRE_COUNT);
		scene_diagnose(flags, certificate, reason, code, wire, rest);
		total++;
		withdrawn += finding.contradictions != 0;
		if (!finding.nothing && invariant_broken(&scene.failure, &finding))
			fail_msg("%s: %s", finding.cause, finding.message);
	}
	/* Scenes that cannot be are among them, such as code 10 without anything that has expired. */
	assert_in_range(withdrawn, 1, total / 4);
	for (size_t i = 1; i < ARRAY_LEN(certificates); i++)
		scene_free(&made[i]);
}

/* The code says that something is not valid yet, and all that came is: no certificate of the peer is said
 * not to be, and the evidence says why. */
static void test_withdrawn(void **state)
{
	(void)state;
	certificates_make();
	scene_diagnose(2, 1, 0, 3, WIRE_NAME, false);
	assert_string_equal(finding.cause, "verify-refused");
	assert_int_equal(finding.contradictions, 1);
	assert_string_equal(finding.evidence[finding.evidence_count - 1],
			    "not verify-not-yet-valid: the certificate is already valid");
	for (size_t i = 1; i < ARRAY_LEN(certificates); i++)
		scene_free(&made[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificates),	cmocka_unit_test(test_names),
		cmocka_unit_test(test_connection),	cmocka_unit_test(test_words),
		cmocka_unit_test(test_all_were_broken), cmocka_unit_test(test_scenes),
		cmocka_unit_test(test_withdrawn),
	};

	return cmocka_run_group_tests_name("invariants", tests, NULL, NULL);
}
