/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a failure to a finding: the cause and its words, for every row of the table; confidence,
 * phase, who closed; the evidence; what is hostile. The facts of a finding are in
 * test_diagnose_facts.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diagnosis.h"

/* ---- Every row of the table ---- */

static void no_hello(void)
{
	scene_begin(&scene);
}

static void refused(void)
{
	scene_begin(&scene);
	scene.conn.flags = TLSFAIL_F_CONNECT | TLSFAIL_F_REFUSED;
	scene.conn.t_established = 0;
}

static void no_name(void)
{
	scene_begin(&scene);
	scene_client_hello(&scene, NULL, modern);
}

static void answer_http(void)
{
	begin_hello();
	memcpy(scene.received.bytes, "HTTP/1.1 400 Bad", 16);
	scene.received.len = 16;
}

static void answer_ssh(void)
{
	begin_hello();
	memcpy(scene.received.bytes, "SSH-2.0-x\r\n", 11);
	scene.received.len = 11;
}

static void server_hello(void)
{
	begin_hello();
	scene_server_hello(&scene, TLS_VERSION_1_3);
}

static void server_hello_old(void)
{
	begin_hello();
	scene_server_hello(&scene, TLS_VERSION_1_1);
}

static void eof_and_alert(void)
{
	begin_hello();
	scene_alert(&scene.sent, TLS_ALERT_DECODE_ERROR);
}

static void host_refused(void)
{
	begin_hello();
	memcpy(scene.conn.host, "api.test", 9);
}

static void one_certificate(void)
{
	static const struct certificate_spec leaf = { "leaf.test", "Intermediate", -60, 3600 };

	begin_hello();
	scene_certificate(&scene, &leaf);
}

static void chain_without_issuer(void)
{
	static const struct certificate_spec other = { "Other", "Root", -60, 3600 };

	one_certificate();
	scene_certificate(&scene, &other);
}

static void unacknowledged(void)
{
	begin_hello();
	scene.conn.t_close = SCENE_MS(5001);
	scene.conn.tcp_bytes_acked = 1; /* the SYN */
	scene.conn.tcp_retransmits = 4;
}

/* The hello of OpenSSL 3.5, and one with a session of much state. */
static void post_quantum(void)
{
	scene_begin(&scene);
	scene_long_hello(&scene, 0x11ec, 1216, 0);
}

static void long_ticket(void)
{
	scene_begin(&scene);
	scene_long_hello(&scene, 0x1d, 32, 1500);
}

static void post_quantum_unacknowledged(void)
{
	post_quantum();
	scene.conn.t_close = SCENE_MS(5001);
	scene.conn.tcp_bytes_acked = 1;
	scene.conn.tcp_retransmits = 4;
}

/* Bytes that nobody acknowledges: they came to a socket that was closed. */
static void unread(void)
{
	begin_hello();
	scene.conn.tcp_bytes_acked = 1;
}

static void five_seconds(void)
{
	begin_hello();
	scene.conn.t_close = SCENE_MS(5001);
}

#define REFUSED_VERIFY                                                                             \
	(TLSFAIL_F_DONE | TLSFAIL_F_VERIFY_ASKED | TLSFAIL_F_LOCAL_NOTIFY | TLSFAIL_F_LOCAL_FIN)
#define REFUSED_HOST                                                                               \
	(TLSFAIL_F_DONE | TLSFAIL_F_HOST_CHECKED | TLSFAIL_F_HOST_REFUSED | TLSFAIL_F_LOCAL_FIN)

/* A failure for each row; a row may have more. begin: what was on the wire, begin_hello() if NULL. */
static const struct row rows[] = {
	{ "connection-refused", refused, 0, 0, 0 },
	{ "verify-expired", NULL, REFUSED_VERIFY, 0, 10 },
	{ "verify-expired", begin_expired_certificate, REFUSED_VERIFY, 0, 10 },
	{ "trusted-ca-expired", one_certificate, REFUSED_VERIFY, 0, 10 },
	{ "verify-not-yet-valid", NULL, REFUSED_VERIFY, 0, 9 },
	{ "verify-self-signed", NULL, REFUSED_VERIFY, 0, 18 },
	{ "verify-chain-incomplete", chain_without_issuer, REFUSED_VERIFY, 0, 20 },
	{ "verify-untrusted-issuer", NULL, REFUSED_VERIFY, 0, 20 },
	{ "verify-untrusted-issuer", one_certificate, REFUSED_VERIFY, 0, 21 },
	{ "verify-self-signed-in-chain", NULL, REFUSED_VERIFY, 0, 19 },
	{ "verify-self-signed-in-chain", one_certificate, REFUSED_VERIFY, 0, 19 },
	{ "verify-depth-exceeded", NULL, REFUSED_VERIFY, 0, 22 },
	{ "verify-revoked", NULL, REFUSED_VERIFY, 0, 23 },
	{ "verify-revoked", one_certificate, REFUSED_VERIFY, 0, 23 },
	{ "verify-crl-missing", NULL, REFUSED_VERIFY, 0, 3 },
	{ "verify-purpose", NULL, REFUSED_VERIFY, 0, 26 },
	{ "weak-certificate", NULL, REFUSED_VERIFY, 0, 66 },
	{ "verify-root-missing", NULL, REFUSED_VERIFY, 0, 2 },
	{ "verify-root-missing", one_certificate, REFUSED_VERIFY, 0, 2 },
	{ "verify-signature-mismatch", NULL, REFUSED_VERIFY, 0, 7 },
	{ "verify-signature-mismatch", one_certificate, REFUSED_VERIFY, 0, 7 },
	{ "verify-invalid-ca", NULL, REFUSED_VERIFY, 0, 79 },
	{ "verify-invalid-ca", one_certificate, REFUSED_VERIFY, 0, 32 },
	{ "verify-crl-unusable", NULL, REFUSED_VERIFY, 0, 11 },
	{ "verify-ocsp", one_certificate, REFUSED_VERIFY, 0, 74 },
	{ "verify-name-constraints", one_certificate, REFUSED_VERIFY, 0, 47 },
	{ "verify-algorithm", one_certificate, REFUSED_VERIFY, 0, 94 },
	{ "verify-trust-setting", one_certificate, REFUSED_VERIFY, 0, 28 },
	{ "verify-refused", NULL, REFUSED_VERIFY, 0, 92 },
	{ "verify-refused", one_certificate, REFUSED_VERIFY, 0, 150 },
	{ "verify-hostname-mismatch", host_refused, REFUSED_HOST, 0, 0 },
	{ "verify-hostname-mismatch", one_certificate, REFUSED_HOST, 0, 0 },
	{ "verify-hostname-mismatch", NULL, REFUSED_VERIFY, 0, 62 },
	{ "peer-not-tls-http", answer_http, 0, 267, 0 },
	{ "peer-not-tls-other", answer_ssh, 0, 267, 0 },
	{ "sni-unrecognized", NULL, 0, 1112, 0 },
	{ "sni-missing", no_name, 0, 1112, 0 },
	{ "cipher-mismatch", no_name, 0, 1040, 0 }, /* offers one suite */
	{ "client-cert-required", server_hello, TLSFAIL_F_DONE, 1116, 0 },
	{ "client-cert-required-legacy", begin_without_certificate, 0, 1040, 0 },
	{ "client-cert-untrusted", NULL, 0, 1048, 0 },
	{ "client-cert-expired", NULL, 0, 1045, 0 },
	{ "client-cert-rejected", NULL, 0, 1042, 0 },
	{ "alpn-mismatch", NULL, 0, 1120, 0 },
	{ "peer-access-denied", NULL, 0, 1049, 0 },
	{ "corrupt-record", NULL, 0, 1020, 0 },
	{ "peer-internal-error", NULL, 0, 1080, 0 },
	{ "protocol-version-rejected", NULL, 0, 1070, 0 },
	{ "protocol-version-too-old", server_hello_old, 0, 258, 0 },
	{ "protocol-version-too-old", NULL, 0, 258, 0 },
	{ "no-protocols-available", no_hello, 0, 191, 0 },
	{ "dh-key-too-small", NULL, 0, 394, 0 },
	{ "legacy-renegotiation", NULL, 0, 338, 0 },
	{ "legacy-signature", NULL, 0, 333, 0 },
	{ "old-version-signature", server_hello_old, 0, 333, 0 },
	/* the program only showed the code: something else had ended the handshake */
	{ "old-version-signature", server_hello_old, TLSFAIL_F_VERIFY_ASKED, 333, 20 },
	{ "downgrade-detected", server_hello, 0, 373, 0 },
	{ "peer-signature-wrong", server_hello, 0, 123, 0 },
	{ "session-mismatch", server_hello, 0, 197, 0 },
	{ "client-cert-unusable", NULL, 0, 399, 0 },
	{ "no-ciphers-available", no_hello, 0, 181, 0 },
	{ "peer-broken-answer", NULL, 0, 159, 0 },
	{ "insufficient-security", NULL, 0, 1071, 0 },
	{ "peer-ended-handshake", NULL, 0, 1010, 0 },
	{ "peer-ended-handshake", NULL, 0, 1050, 0 },
	{ "peer-ended-handshake", NULL, 0, 1121, 0 },
	{ "peer-broken-answer", NULL, 0, 244, 0 },
	{ "group-mismatch", NULL, 0, 1047, 0 },
	{ "cipher-mismatch", NULL, 0, 1040, 0 },
	{ "prematurely-closed-after-handshake", server_hello, TLSFAIL_F_DONE | TLSFAIL_F_PEER_FIN,
	  0, 0 },
	{ "peer-closed-before-hello", no_hello, TLSFAIL_F_PEER_FIN | TLSFAIL_F_FIN_BEFORE_TX, 0,
	  0 },
	{ "peer-closed-before-hello", unread, TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_RST, 0, 0 },
	{ "peer-closed-in-handshake", post_quantum, TLSFAIL_F_PEER_FIN, 0, 0 },
	{ "pqc-hello-intolerant", post_quantum_unacknowledged, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "large-hello-intolerant", long_ticket, TLSFAIL_F_PEER_RST, 0, 0 },
	{ "peer-closed-mid-handshake", server_hello, TLSFAIL_F_PEER_FIN, 0, 0 },
	{ "peer-closed-mid-handshake", server_hello, TLSFAIL_F_PEER_RST, 0, 0 },
	{ "peer-reset-in-handshake", NULL, TLSFAIL_F_PEER_RST, 0, 0 },
	{ "peer-closed-in-handshake", NULL, TLSFAIL_F_PEER_FIN, 0, 0 },
	{ "peer-closed-in-handshake", NULL, TLSFAIL_F_PEER_FIN, 294, 0 },
	/* OpenSSL 3 answers a FIN with an alert, and is answered with a reset */
	{ "peer-closed-in-handshake", eof_and_alert, TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_RST, 294,
	  0 },
	{ "accept-queue-full", unacknowledged, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "handshake-blackholed", post_quantum_unacknowledged,
	  TLSFAIL_F_LOCAL_FIN | TLSFAIL_F_PEER_DID_TLS, 0, 0 },
	{ "local-process-exited", NULL, TLSFAIL_F_LOCAL_FIN | TLSFAIL_F_EXITING, 0, 0 },
	{ "handshake-timeout", five_seconds, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "handshake-timeout", five_seconds, TLSFAIL_F_LOCAL_FIN, 407, 0 },
	{ "local-abort", NULL, TLSFAIL_F_LOCAL_FIN, 0, 0 },
	{ "unknown", NULL, 0, 0, 0 },
	{ "unknown", NULL, TLSFAIL_F_PEER_FIN, 1200, 0 },
	{ "local-tls-error", NULL, TLSFAIL_F_LOCAL_FIN, 410, 0 },
	{ "local-tls-error", NULL, TLSFAIL_F_LOCAL_FIN, 274, 0 },
	{ "unknown", NULL, TLSFAIL_F_PEER_FIN, 5, 0 },
};

/* In test_diagnose_context.c. */
static bool is_elsewhere(const char *slug)
{
	/* clang-format off */
	static const char *const slugs[] = {
		"sni-malformed", "starttls-expected", "resumption-refused", "peer-moved",
		"proxy-protocol-unexpected", "proxy-protocol-missing", "session-verify-result",
		"alpn-missing", "connect-timeout", "connect-unreachable", "local-ports-exhausted",
		"plain-text-to-tls", "client-cert-unloadable",
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(slugs); i++)
		if (!strcmp(slugs[i], slug))
			return true;
	return false;
}

/* Of the rows of that cause. */
static enum confidence least_confidence(const char *slug)
{
	enum confidence least = CONFIDENCE_HIGH;

	for (size_t i = 0; i < cause_count(); i++)
		if (!strcmp(cause_at(i)->slug, slug) && cause_at(i)->confidence < least)
			least = cause_at(i)->confidence;
	return least;
}

static void test_every_cause(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_row(&rows[i], i, begin_hello);
		assert_true(finding.confidence >= least_confidence(rows[i].slug));
		assert_int_equal(finding.kind, FINDING_FAILURE);
		assert_non_null(finding.phase);
	}
	for (size_t i = 0; i < cause_count(); i++) {
		const char *slug = cause_at(i)->slug;

		/* The server's are in test_diagnose_server.c. */
		if (cause_at(i)->when.role != OF_SERVER && !is_elsewhere(slug) &&
		    !rows_have(rows, ARRAY_LEN(rows), slug))
			fail_msg("no failure for %s", slug);
	}
}

/* A FIN to which OpenSSL 3 answers with an alert is the peer's close. */
static void test_fin_and_alert(void **state)
{
	(void)state;
	eof_and_alert();
	scene.conn.flags |= TLSFAIL_F_PEER_FIN;
	scene_error(&scene, 294, "");
	diagnose_scene();
	assert_string_equal(finding.cause, "peer-closed-in-handshake");
	assert_string_equal(finding.closed_by, "peer");
	assert_string_equal(finding.close_kind, "fin");
	assert_false(finding.alert.known);
}

/* ---- Words ---- */

/* So short a cause that nothing but the words is tested. */
static void assert_message(uint32_t reason, const char *want)
{
	scene_error(&scene, reason, "tls_function");
	diagnose_scene();
	assert_string_equal(finding.message, want);
}

static void test_words(void **state)
{
	static const uint16_t oldest[] = { TLS_VERSION_1_0, TLS_VERSION_SSL3, 0 };

	(void)state;
	begin_hello();
	assert_message(1112,
		       "192.0.2.88:8443 does not serve the name api.test that it was asked for "
		       "(SNI).");
	begin_hello();
	assert_message(1070, "192.0.2.88:8443 accepts none of the TLS versions offered "
			     "(TLS 1.3, TLS 1.2).");
	scene_begin(&scene);
	scene_client_hello(&scene, NULL, oldest);
	assert_message(1070, "192.0.2.88:8443 accepts none of the TLS versions offered "
			     "(TLS 1.0, SSL 3.0).");
	server_hello_old();
	assert_message(
		258, "192.0.2.88:8443 chose TLS 1.1, which this host does not allow (offered: TLS "
		     "1.3, TLS 1.2).");
	begin_hello();
	scene_server_hello(&scene, TLS_VERSION_SSL3);
	assert_message(
		258, "192.0.2.88:8443 chose SSL 3.0, which this host does not allow (offered: TLS "
		     "1.3, TLS 1.2).");
	no_hello();
	assert_message(1070, "192.0.2.88:8443 accepts none of the TLS versions offered "
			     "(unknown).");
	answer_ssh();
	assert_message(267, "192.0.2.88:8443 does not speak TLS; it answered "
			    "\"SSH-2.0-x\\x0d\\x0a\" (SSH).");
}

/* What was too long, how that ended, and what makes it shorter. */
static void test_long_hellos(void **state)
{
	(void)state;
	/* That it is long is no evidence by itself: others are closed for what is in them. */
	post_quantum();
	scene.conn.flags |= TLSFAIL_F_PEER_FIN;
	diagnose_scene();
	assert_string_equal(finding.cause, "peer-closed-in-handshake");
	assert_string_equal(finding.candidates[finding.candidate_count - 2],
			    "pqc-hello-intolerant");
	assert_string_equal(finding.close_kind, "fin");

	post_quantum_unacknowledged();
	scene.conn.flags |= TLSFAIL_F_LOCAL_FIN;
	diagnose_scene();
	assert_non_null(strstr(finding.message,
			       "192.0.2.88:8443 did not answer a ClientHello of 1481 bytes, of "
			       "which the key share (X25519MLKEM768) takes 1222; it was "
			       "retransmitted, never acknowledged, and nginx gave up after 5.001 "
			       "s."));
	assert_non_null(strstr(finding.hint, "Groups = X25519"));
	assert_string_equal(finding.close_kind, "timeout");
	assert_string_equal(finding.candidates[0], "handshake-blackholed");

	long_ticket();
	scene.conn.flags |= TLSFAIL_F_PEER_RST;
	diagnose_scene();
	assert_non_null(strstr(finding.message, ", of which the session to resume takes 1500; it "
						"reset the connection."));
	assert_non_null(strstr(finding.hint, "turn session resumption off"));
	assert_string_equal(finding.close_kind, "rst");
}

static void assert_raw(uint32_t flags, uint32_t reason, const char *want)
{
	begin_hello();
	scene.conn.flags |= flags;
	if (reason)
		scene_error(&scene, reason, "");
	diagnose_scene();
	assert_string_equal(finding.cause, "unknown");
	if (!strstr(finding.message, want))
		fail_msg("no \"%s\" in: %s", want, finding.message);
}

static void test_raw_facts_of_unknown(void **state)
{
	(void)state;
	assert_raw(0, 1200, "no rule covers: alert 200 received.");
	assert_raw(0, 5, "no rule covers: OpenSSL reason 5.");
	assert_raw(TLSFAIL_F_DONE | TLSFAIL_F_LOCAL_FIN, 0,
		   "no rule covers: fin by the local side.");
	assert_raw(0, 0, "no rule covers: no error and no close were seen.");
}

/* Words that the peer chose are not filled in again. */
static void test_braces_of_others(void **state)
{
	(void)state;
	scene_begin(&scene);
	scene_client_hello(&scene, "{host}", modern);
	assert_message(1112,
		       "192.0.2.88:8443 refused the ClientHello (alert 112); the server name in it "
		       "(SNI), {host}, is not a valid host name: it has characters that host names "
		       "cannot have.");
}

/* ---- Confidence ---- */

static void test_confidence_of_refused(void **state)
{
	(void)state;
	refused();
	diagnose_scene();
	assert_int_equal(finding.confidence, CONFIDENCE_LOW);
	assert_non_null(strstr(finding.message, "No TLS has been seen"));
	assert_string_equal(finding.phase, "connect");

	refused();
	scene.conn.flags |= TLSFAIL_F_PEER_DID_TLS;
	diagnose_scene();
	assert_int_equal(finding.confidence, CONFIDENCE_HIGH);
	assert_null(strstr(finding.message, "No TLS has been seen"));
}

static void assert_timer(uint64_t elapsed_ms, bool repeats, const char *slug,
			 enum confidence confidence)
{
	begin_hello();
	scene.conn.flags |= TLSFAIL_F_LOCAL_FIN;
	scene.conn.t_close = SCENE_MS(elapsed_ms);
	scene.failure.repeats_elapsed = repeats;
	diagnose_scene();
	if (strcmp(finding.cause, slug) != 0)
		fail_msg("%u ms: %s, not %s", (unsigned int)elapsed_ms, finding.cause, slug);
	assert_int_equal(finding.confidence, confidence);
	if (confidence == CONFIDENCE_HIGH) {
		assert_int_equal(finding.candidate_count, 0);
	} else {
		assert_int_equal(finding.candidate_count, 1);
		assert_string_not_equal(finding.candidates[0], slug);
	}
}

/* A whole number of seconds, or near it; or the time that others took. */
static void test_confidence_of_timers(void **state)
{
	(void)state;
	assert_timer(5000, false, "handshake-timeout", CONFIDENCE_MEDIUM);
	assert_timer(4998, false, "handshake-timeout", CONFIDENCE_MEDIUM);
	assert_timer(60050, false, "handshake-timeout", CONFIDENCE_MEDIUM);
	assert_timer(60070, false, "local-abort", CONFIDENCE_MEDIUM);
	assert_timer(4975, false, "local-abort", CONFIDENCE_MEDIUM);
	assert_timer(0, false, "local-abort", CONFIDENCE_MEDIUM);
	assert_timer(5000, true, "handshake-timeout", CONFIDENCE_HIGH);
	assert_timer(750, true, "handshake-timeout", CONFIDENCE_HIGH);
	assert_timer(100, true, "handshake-timeout", CONFIDENCE_HIGH);
	assert_timer(99, true, "local-abort", CONFIDENCE_MEDIUM);
}

/* A candidate is named only with what it asks for, a doubt only while there is one. */
static void test_candidates(void **state)
{
	(void)state;
	no_name();
	scene.conn.flags |= TLSFAIL_F_PEER_FIN;
	diagnose_scene();
	assert_string_equal(finding.cause, "peer-closed-in-handshake");
	assert_int_equal(finding.candidate_count, 2);
	assert_string_equal(finding.candidates[0], "sni-missing");
	assert_string_equal(finding.candidates[1], "proxy-protocol-missing");
	assert_non_null(strstr(finding.message, "An ACL"));

	begin_hello();
	scene.conn.flags |= TLSFAIL_F_PEER_FIN;
	diagnose_scene();
	assert_string_equal(finding.cause, "peer-closed-in-handshake");
	assert_int_equal(finding.candidate_count, 2);
	assert_string_equal(finding.candidates[0], "sni-unrecognized");
	assert_string_equal(finding.candidates[1], "proxy-protocol-missing");
}

/* ---- Phase and close ---- */

static void test_phases(void **state)
{
	static const uint8_t change[] = { 1 };

	(void)state;
	refused();
	diagnose_scene();
	assert_string_equal(finding.phase, "connect");
	begin_hello();
	diagnose_scene();
	assert_string_equal(finding.phase, "hello");
	server_hello();
	diagnose_scene();
	assert_string_equal(finding.phase, "certificate");
	server_hello();
	record_put(&scene.sent, 20, change, sizeof(change));
	diagnose_scene();
	assert_string_equal(finding.phase, "finished");
	server_hello();
	scene.conn.flags |= TLSFAIL_F_DONE;
	diagnose_scene();
	assert_string_equal(finding.phase, "post_handshake");
	assert_true(finding.established);
}

static void assert_close(uint32_t flags, uint32_t reason, const char *closed_by, const char *kind)
{
	begin_hello();
	scene.conn.flags |= flags;
	if (reason)
		scene_error(&scene, reason, "tls_function");
	diagnose_scene();
	if (!closed_by) {
		assert_null(finding.closed_by);
		assert_null(finding.close_kind);
		return;
	}
	assert_string_equal(finding.closed_by, closed_by);
	assert_string_equal(finding.close_kind, kind);
}

static void test_closes(void **state)
{
	const uint32_t done = TLSFAIL_F_DONE;

	(void)state;
	assert_close(TLSFAIL_F_PEER_FIN, 0, "peer", "fin");
	assert_close(TLSFAIL_F_PEER_RST, 0, "peer", "rst");
	assert_close(TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_RST, 0, "peer", "fin");
	assert_close(TLSFAIL_F_PEER_FIN, 1040, "peer", "alert");
	assert_close(TLSFAIL_F_LOCAL_FIN, 258, "local", "alert");
	assert_close(done | TLSFAIL_F_LOCAL_FIN, 0, "local", "fin");
	assert_close(done | TLSFAIL_F_LOCAL_FIN | TLSFAIL_F_LOCAL_RST, 0, "local", "rst");
	assert_close(done | TLSFAIL_F_LOCAL_FIN | TLSFAIL_F_LOCAL_NOTIFY, 0, "local",
		     "close_notify");
	assert_close(0, 0, NULL, NULL);
	/* the rule knows better than the socket */
	assert_close(TLSFAIL_F_LOCAL_FIN, 0, "local", "abort");
}

/* The peer closed, and its last bytes were never read: it is this side that ended it. */
static void test_unread_bytes(void **state)
{
	(void)state;
	for (unsigned int unread = 0; unread < 2; unread++) {
		begin_hello();
		scene.conn.flags |= TLSFAIL_F_TLS | TLSFAIL_F_PEER_FIN;
		scene.unread = unread;
		diagnose_scene();
		assert_string_equal(finding.closed_by, unread ? "local" : "peer");
		assert_string_equal(finding.close_kind, unread ? "abort" : "fin");
	}
}

/* ---- Hostile bytes ---- */

#define HOSTILE "\033[31m\xff\xc3\n"
#define ESCAPED "\\x1b[31m\\xff\\xc3\\x0a"

static void assert_clean(const char *words)
{
	for (const uint8_t *c = (const uint8_t *)words; *c; c++) {
		if (*c < ' ' || *c > '~')
			fail_msg("byte 0x%02x in: %s", *c, words);
	}
}

static void assert_finding_clean(void)
{
	assert_clean(finding.message);
	assert_clean(finding.hint);
	for (unsigned int i = 0; i < finding.evidence_count; i++)
		assert_clean(finding.evidence[i]);
}

static void test_hostile_names(void **state)
{
	static const struct certificate_spec spec = { "a\xc2\x9b\x1b[31m", "b\n\xe2\x80\xae", -60,
						      3600 };

	(void)state;
	scene_begin(&scene);
	scene_client_hello(&scene, HOSTILE, modern);
	scene_error(&scene, 1112, HOSTILE);
	scene_certificate(&scene, &spec);
	scene.conn.flags |= TLSFAIL_F_HOST_CHECKED;
	memcpy(scene.conn.comm, HOSTILE, sizeof(HOSTILE));
	memcpy(scene.conn.host, HOSTILE, sizeof(HOSTILE));
	scene.failure.exe = "/opt/" HOSTILE;
	scene.failure.version = HOSTILE;
	diagnose_scene();
	assert_string_equal(finding.hello.server_name, ESCAPED);
	assert_string_equal(finding.executable_path, "/opt/" ESCAPED);
	assert_string_equal(finding.executable_name, ESCAPED);
	assert_string_equal(finding.openssl.function, ESCAPED);
	assert_string_equal(finding.openssl.version, ESCAPED);
	assert_non_null(strstr(finding.message, ESCAPED));
	assert_clean(finding.certificate.subject);
	assert_clean(finding.certificate.issuer);
	assert_clean(finding.certificate.common_name);
	assert_finding_clean();

	/* the name that was checked, and that of a process whose executable is not known */
	begin_hello();
	scene.conn.flags |= REFUSED_HOST;
	memcpy(scene.conn.host, HOSTILE, sizeof(HOSTILE));
	memcpy(scene.conn.comm, HOSTILE, sizeof(HOSTILE));
	scene.failure.exe = "";
	diagnose_scene();
	assert_string_equal(finding.cause, "verify-hostname-mismatch");
	assert_non_null(strstr(finding.message, ESCAPED));
	assert_string_equal(finding.executable_path, "");
	assert_string_equal(finding.executable_name, ESCAPED);
	assert_finding_clean();
}

static void test_hostile_first_bytes(void **state)
{
	(void)state;
	begin_hello();
	memcpy(scene.received.bytes, HOSTILE, sizeof(HOSTILE) - 1);
	scene.received.len = sizeof(HOSTILE) - 1;
	scene_error(&scene, 267, "");
	diagnose_scene();
	assert_string_equal(finding.cause, "peer-not-tls-other");
	assert_non_null(strstr(finding.message, "it answered \"" ESCAPED "\"."));
	assert_string_equal(finding.first_bytes, "1b5b33316dffc30a");
	assert_finding_clean();
}

/* Fields without a terminator: a recording may hold anything that decode lets through. */
static void test_fields_filled_to_the_end(void **state)
{
	(void)state;
	begin_hello();
	scene_error(&scene, 410, "");
	scene.conn.flags |= TLSFAIL_F_HOST_CHECKED;
	scene.conn.error_count = UINT32_MAX;
	memset(scene.conn.comm, 'c', sizeof(scene.conn.comm));
	memset(scene.conn.host, 'h', sizeof(scene.conn.host));
	memset(scene.conn.error_func, 'f', sizeof(scene.conn.error_func));
	scene.failure.exe = "";
	diagnose_scene();
	assert_int_equal(strlen(finding.executable_name), sizeof(scene.conn.comm));
	assert_int_equal(strlen(finding.openssl.function), sizeof(scene.conn.error_func));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cause),
		cmocka_unit_test(test_fin_and_alert),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_long_hellos),
		cmocka_unit_test(test_raw_facts_of_unknown),
		cmocka_unit_test(test_braces_of_others),
		cmocka_unit_test(test_confidence_of_refused),
		cmocka_unit_test(test_confidence_of_timers),
		cmocka_unit_test(test_candidates),
		cmocka_unit_test(test_phases),
		cmocka_unit_test(test_closes),
		cmocka_unit_test(test_unread_bytes),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_hostile_first_bytes),
		cmocka_unit_test(test_fields_filled_to_the_end),
	};

	return cmocka_run_group_tests_name("diagnose", tests, NULL, NULL);
}
