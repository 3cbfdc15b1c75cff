/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handshakes of the probe with a server of libssl, and what the rules say of each.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>
#include <openssl/ocsp.h>

#include "probe/handshake.h"
#include "probe/judge.h"
#include "probing.h"
#include "server.h"

static struct probing_pki pki;
static struct pki_cert other_root, expired, early, self_signed;
static SSL_CTX *server_ctx;
static struct handshake h;
static struct finding finding;
static struct diagnose_work work;
static struct client client;

static int certificates_make(void **state)
{
	(void)state;
	probing_pki_make(&pki);
	other_root = pki_make(&(struct pki_spec){ .subject = "Other Root", .authority = true });
	expired = pki_make(&(struct pki_spec){ .subject = PROBING_NAME,
					       .dns = "DNS:" PROBING_NAME,
					       .issuer = &pki.root,
					       .begins = -20 * PKI_DAY,
					       .ends = -10 * PKI_DAY });
	early = pki_make(&(struct pki_spec){ .subject = PROBING_NAME,
					     .dns = "DNS:" PROBING_NAME,
					     .issuer = &pki.root,
					     .begins = 10 * PKI_DAY,
					     .ends = 20 * PKI_DAY });
	self_signed =
		pki_make(&(struct pki_spec){ .subject = PROBING_NAME, .dns = "DNS:" PROBING_NAME });
	return 0;
}

static int certificates_free(void **state)
{
	(void)state;
	probing_pki_free(&pki);
	pki_free(&other_root);
	pki_free(&expired);
	pki_free(&early);
	pki_free(&self_signed);
	return 0;
}

/* A server with that certificate, and a client with nginx's defaults. */
static void begin(const struct pki_cert *cert)
{
	server_ctx = probing_server(cert);
	probing_client(&client);
}

static void judge_it(void)
{
	const struct judge_place nowhere = { 0 };

	memset(&finding, 0, sizeof(finding));
	judge(&h, &nowhere, &work, &finding);
}

static void ask_peer(struct dial_peer peer, uint64_t timeout_ns)
{
	handshake_clear(&h);
	handshake_make(&client, &peer, &(struct dial_patience){ .timeout_ns = timeout_ns }, NULL,
		       &h);
	judge_it();
}

static void ask(server_serve *serve, void *context, uint64_t timeout_ns)
{
	struct server *server = server_start(serve, context);

	ask_peer(server_peer(server), timeout_ns);
	server_stop(server);
}

static void ask_tls(void)
{
	ask(server_tls, server_ctx, PROBING_PATIENT);
}

/* What the test has begun with. */
static int end(void **state)
{
	(void)state;
	handshake_clear(&h);
	client_free(&client);
	SSL_CTX_free(server_ctx);
	server_ctx = NULL;
	return 0;
}

static void assert_works(void)
{
	assert_int_equal(h.end, HANDSHAKE_WORKS);
	assert_null(finding.cause);
	assert_true(finding.established);
}

static void assert_fails(const char *cause)
{
	assert_int_equal(h.end, HANDSHAKE_FAILS);
	assert_non_null(finding.cause);
	assert_string_equal(finding.cause, cause);
}

/* -- what is agreed ---------------------------------------------------------------------------- */

static int choose_http(SSL *ssl, const uint8_t **out, uint8_t *outlen, const uint8_t *in,
		       unsigned int inlen, void *context)
{
	static const uint8_t ours[] = "\x08http/1.1";

	(void)ssl;
	(void)context;
	return SSL_select_next_proto((uint8_t **)out, outlen, ours, sizeof(ours) - 1, in, inlen) ==
			       OPENSSL_NPN_NEGOTIATED
		       ? SSL_TLSEXT_ERR_OK
		       : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void test_agreement(void **state)
{
	(void)state;
	begin(&pki.leaf);
	SSL_CTX_set_alpn_select_cb(server_ctx, choose_http, NULL);
	memcpy(client.alpn, "h2,http/1.1", sizeof("h2,http/1.1"));
	probing_trust(&client, &pki.root);
	ask_tls();
	assert_works();
	assert_int_equal(h.version, TLS1_3_VERSION);
	assert_string_equal(h.alpn, "http/1.1");
	assert_non_null(strstr(h.cipher, "TLS_AES_"));
	assert_string_equal(h.scheme, "id-ecPublicKey+SHA256");
	assert_non_null(h.session);
	assert_false(h.resumed);
	assert_false(h.certificate_requested);
	assert_int_equal(h.dial.conn.cert_count, 1);
	assert_int_equal(h.cert_lens[0], i2d_X509(pki.leaf.x509, NULL));
	assert_true(h.dial.conn.flags & TLSFAIL_F_HOST_CHECKED);
	assert_false(h.dial.conn.flags & TLSFAIL_F_HOST_REFUSED);
	assert_int_equal(h.staple_status, -1);
}

static void test_alpn_not_shared(void **state)
{
	(void)state;
	begin(&pki.leaf);
	SSL_CTX_set_alpn_select_cb(server_ctx, choose_http, NULL);
	memcpy(client.alpn, "h2", sizeof("h2"));
	ask_tls();
	assert_fails("alpn-mismatch");
	assert_true(finding.alert.known && finding.alert.received);
}

/* Each version alone, and no more than both know. */
static void test_versions(void **state)
{
	static const struct {
		unsigned int client;
		int server;
		uint16_t agreed;
	} rows[] = {
		{ CLIENT_TLS_1_2 | CLIENT_TLS_1_3, TLS1_2_VERSION, TLS1_2_VERSION },
		{ CLIENT_TLS_1_2, TLS1_3_VERSION, TLS1_2_VERSION },
		{ CLIENT_TLS_1_3, TLS1_3_VERSION, TLS1_3_VERSION },
		{ CLIENT_TLS_1_3, TLS1_2_VERSION, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(&pki.leaf);
		client.versions = rows[i].client;
		SSL_CTX_set_max_proto_version(server_ctx, rows[i].server);
		ask_tls();
		if (rows[i].agreed)
			assert_works();
		else
			assert_fails("protocol-version-rejected");
		assert_int_equal(h.version, rows[i].agreed);
		end(NULL);
	}
}

static void test_any_security(void **state)
{
	(void)state;
	begin(&pki.leaf);
	probing_old(server_ctx);
	ask_tls();
	assert_int_equal(h.end, HANDSHAKE_FAILS);
	client.any_security = true;
	client.versions = CLIENT_TLS_ALL;
	ask_tls();
	assert_works();
	assert_int_equal(h.version, TLS1_VERSION);
}

static void test_nothing_shared(void **state)
{
	(void)state;
	begin(&pki.leaf);
	SSL_CTX_set_max_proto_version(server_ctx, TLS1_2_VERSION);
	SSL_CTX_set_cipher_list(server_ctx, "ECDHE-ECDSA-AES128-GCM-SHA256");
	memcpy(client.ciphers, "ECDHE-ECDSA-CHACHA20-POLY1305",
	       sizeof("ECDHE-ECDSA-CHACHA20-POLY1305"));
	client.versions = CLIENT_TLS_1_2;
	ask_tls();
	assert_fails("cipher-mismatch");
	end(NULL);
	begin(&pki.leaf);
	SSL_CTX_set1_groups_list(server_ctx, "P-384");
	memcpy(client.groups, "X25519", sizeof("X25519"));
	client.versions = CLIENT_TLS_1_3;
	ask_tls();
	assert_int_equal(h.end, HANDSHAKE_FAILS);
	assert_true(finding.alert.known && finding.alert.received);
}

static void test_resumption(void **state)
{
	const struct dial_patience patient = { .timeout_ns = PROBING_PATIENT };
	struct server *server;
	struct dial_peer peer;
	SSL_SESSION *session;

	(void)state;
	begin(&pki.leaf);
	server = server_start(server_tls, server_ctx);
	peer = server_peer(server);
	handshake_make(&client, &peer, &patient, NULL, &h);
	session = h.session;
	h.session = NULL;
	assert_non_null(session);
	handshake_clear(&h);
	handshake_make(&client, &peer, &patient, session, &h);
	SSL_SESSION_free(session);
	server_stop(server);
	assert_int_equal(h.end, HANDSHAKE_WORKS);
	assert_true(h.resumed);
}

/* -- the peer's certificate -------------------------------------------------------------------- */

static void verify(const struct pki_cert *cert, const struct pki_cert *ca)
{
	begin(cert);
	client.server_name = true;
	probing_trust(&client, ca);
	ask_tls();
}

static void assert_refused(int code, const char *cause)
{
	assert_fails(cause);
	assert_true(h.dial.conn.flags & TLSFAIL_F_VERIFY_ASKED);
	assert_int_equal(h.dial.conn.verify_code, code);
	end(NULL);
}

static void test_verification(void **state)
{
	(void)state;
	verify(&pki.leaf, &pki.root);
	assert_works();
	end(NULL);
	verify(&expired, &pki.root);
	assert_refused(X509_V_ERR_CERT_HAS_EXPIRED, "verify-expired");
	verify(&early, &pki.root);
	assert_refused(X509_V_ERR_CERT_NOT_YET_VALID, "verify-not-yet-valid");
	verify(&self_signed, &pki.root);
	assert_refused(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "verify-self-signed");
	verify(&pki.leaf, &other_root);
	assert_fails("verify-untrusted-issuer");
	assert_int_not_equal(h.dial.conn.verify_code, X509_V_OK);
}

/* None of it matters to a location that does not verify, as is nginx's default. */
static void test_no_verification(void **state)
{
	(void)state;
	begin(&expired);
	memcpy(client.name, "nobody.test", sizeof("nobody.test"));
	ask_tls();
	assert_works();
	assert_false(h.dial.conn.flags & TLSFAIL_F_VERIFY_ASKED);
}

static void test_host_name(void **state)
{
	(void)state;
	verify(&pki.elsewhere, &pki.root);
	assert_true(h.dial.conn.flags & TLSFAIL_F_HOST_REFUSED);
	assert_string_equal(h.dial.conn.host, PROBING_NAME);
	assert_int_equal(h.dial.conn.verify_code, X509_V_OK);
	assert_fails("verify-hostname-mismatch");
	assert_string_equal(finding.certificate.names[0], "elsewhere.test");
}

/* ngx_ssl_check_host() knows names only. */
static void test_address_is_no_name(void **state)
{
	struct pki_cert by_address = pki_make(
		&(struct pki_spec){ .subject = "x", .dns = "IP:127.0.0.1", .issuer = &pki.root });

	(void)state;
	begin(&by_address);
	probing_trust(&client, &pki.root);
	memcpy(client.name, "127.0.0.1", sizeof("127.0.0.1"));
	client.server_name = true;
	ask_tls();
	assert_false(client_sends_name(&client));
	assert_fails("verify-hostname-mismatch");
	pki_free(&by_address);
}

static void test_intermediate(void **state)
{
	(void)state;
	/* It is not sent: with the one that stands beside the file the chain is complete. */
	verify(&pki.deep, &pki.root);
	assert_int_equal(h.end, HANDSHAKE_FAILS);
	assert_int_not_equal(h.dial.conn.verify_code, X509_V_OK);
	probing_file(&client.neighbours, pki_pem_one(&pki.intermediate));
	client.add_neighbours = true;
	ask_tls();
	assert_works();
	/* The depth counts for it, too. */
	client.depth = 0;
	ask_tls();
	assert_int_equal(h.end, HANDSHAKE_FAILS);
	client.depth = 1;
	/* A stranger beside the file changes nothing, and is not trusted for itself. */
	probing_file(&client.neighbours, pki_pem_one(&other_root));
	ask_tls();
	assert_int_equal(h.end, HANDSHAKE_FAILS);
	end(NULL);
	/* It is sent. */
	begin(&pki.deep);
	SSL_CTX_add1_chain_cert(server_ctx, pki.intermediate.x509);
	probing_trust(&client, &pki.root);
	ask_tls();
	assert_works();
	assert_int_equal(h.dial.conn.cert_count, 2);
	client.depth = 0;
	ask_tls();
	assert_int_equal(h.end, HANDSHAKE_FAILS);
	assert_int_equal(h.dial.conn.cert_count, 2);
}

static void test_revocation(void **state)
{
	(void)state;
	begin(&pki.leaf);
	probing_trust(&client, &pki.root);
	probing_file(&client.crl, pki_pem_crl(&pki.root, NULL));
	ask_tls();
	assert_works();
	probing_file(&client.crl, pki_pem_crl(&pki.root, &pki.leaf));
	ask_tls();
	assert_fails("verify-revoked");
	probing_file(&client.crl, pki_pem_crl(&other_root, NULL));
	ask_tls();
	assert_fails("verify-crl-missing");
}

/* -- our certificate --------------------------------------------------------------------------- */

static void test_certificate_required(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin(&pki.leaf);
		probing_insist(server_ctx, &pki.client_root);
		SSL_CTX_set_max_proto_version(server_ctx, versions[i]);
		ask_tls();
		assert_int_equal(h.end, HANDSHAKE_FAILS);
		assert_true(h.certificate_requested);
		assert_false(h.certificate_sent);
		assert_int_equal(h.ca_name_count, 1);
		assert_string_equal(h.ca_names[0], "/CN=Client Root");
		assert_false(h.ca_names_lack_ours);
		assert_string_equal(finding.cause,
				    i ? "client-cert-required" : "client-cert-required-legacy");
		end(NULL);
	}
}

static void test_certificate_sent(void **state)
{
	(void)state;
	begin(&pki.leaf);
	probing_insist(server_ctx, &pki.client_root);
	probing_certificate(&client, &pki.client_leaf);
	ask_tls();
	assert_works();
	assert_true(h.certificate_requested && h.certificate_sent);
	assert_false(h.ca_names_lack_ours || h.own_expired);
	probing_certificate(&client, &pki.client_expired);
	ask_tls();
	assert_fails("client-cert-expired");
	assert_true(h.own_expired);
	probing_certificate(&client, &self_signed);
	ask_tls();
	assert_fails("client-cert-untrusted");
	assert_true(h.ca_names_lack_ours);
	assert_false(h.own_expired);
}

/* -- stapling ---------------------------------------------------------------------------------- */

static int staple(SSL *ssl, void *context)
{
	const char *response = context;

	SSL_set_tlsext_status_ocsp_resp(ssl, OPENSSL_memdup(response + 1, (size_t)response[0]),
					response[0]);
	return SSL_TLSEXT_ERR_OK;
}

/* A response that cannot be read is one, but says nothing. */
static void test_staple(void **state)
{
	static char unreadable[] = "\x04junk";

	(void)state;
	begin(&pki.leaf);
	SSL_CTX_set_tlsext_status_cb(server_ctx, staple);
	SSL_CTX_set_tlsext_status_arg(server_ctx, unreadable);
	ask_tls();
	assert_int_equal(h.staple_len, 0);
	client.status_request = true;
	ask_tls();
	assert_works();
	assert_int_equal(h.staple_len, 4);
	assert_int_equal(h.staple_status, -1);
}

/* -- peers that do not shake hands ------------------------------------------------------------- */

static void test_nobody_listens(void **state)
{
	(void)state;
	begin(&pki.leaf);
	ask_peer(server_nobody(), PROBING_PATIENT);
	assert_fails("connection-refused");
	assert_int_equal(h.error, ECONNREFUSED);
	assert_true(h.dial.conn.flags & TLSFAIL_F_REFUSED);
}

/* What this host lacks is not told of the peer. */
static void test_no_descriptors(void **state)
{
	struct dial_peer peer = server_nobody();
	struct rlimit limit, none;

	(void)state;
	begin(&pki.leaf);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){ .rlim_max = limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	ask_peer(peer, PROBING_PATIENT);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(h.end, HANDSHAKE_UNTRIED);
	assert_null(finding.cause);
	assert_string_equal(finding.message, "an error of this host: Too many open files");
}

static void test_family_unknown(void **state)
{
	struct dial_peer nowhere = { .addr.ss_family = AF_UNIX, .len = sizeof(nowhere.addr) };

	(void)state;
	begin(&pki.leaf);
	ask_peer(nowhere, PROBING_PATIENT);
	assert_int_equal(h.end, HANDSHAKE_NO_TCP);
	assert_true(h.error > 0);
	assert_int_equal(finding.candidate_count, 0);
	assert_non_null(strstr(finding.message, strerror(h.error)));
}

static void test_closes_at_once(void **state)
{
	(void)state;
	begin(&pki.leaf);
	ask(server_close, NULL, PROBING_PATIENT);
	assert_int_equal(h.end, HANDSHAKE_FAILS);
	assert_true(h.dial.conn.flags & (TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_RST));
	assert_int_equal(h.dial.conn.rx_bytes, 0);
}

static void test_closes_after_hello(void **state)
{
	(void)state;
	begin(&pki.leaf);
	ask(server_close_after, NULL, PROBING_PATIENT);
	assert_int_equal(h.end, HANDSHAKE_FAILS);
	assert_true(h.dial.conn.flags & TLSFAIL_F_PEER_FIN);
	assert_false(h.dial.conn.flags & TLSFAIL_F_LOCAL_FIN);
	assert_true(h.dial.conn.tx_bytes > 100);
	assert_true(finding.hello.known);
}

static void test_resets(void **state)
{
	(void)state;
	begin(&pki.leaf);
	ask(server_reset, NULL, PROBING_PATIENT);
	assert_int_equal(h.end, HANDSHAKE_FAILS);
	assert_true(h.dial.conn.flags & TLSFAIL_F_PEER_RST);
	assert_string_equal(finding.cause, "peer-reset-in-handshake");
}

static void test_hangs(void **state)
{
	(void)state;
	begin(&pki.leaf);
	ask(server_hang, NULL, PROBING_SHORT);
	assert_int_equal(h.end, HANDSHAKE_FAILS);
	assert_true(h.dial.expired);
	assert_int_equal(h.dial.conn.rx_bytes, 0);
	assert_true(h.dial.conn.flags & TLSFAIL_F_LOCAL_FIN);
	assert_true(h.dial.conn.t_close <= h.dial.deadline);
	assert_true(finding.hello.known);
	assert_false(finding.alert.known);
}

static void test_floods(void **state)
{
	(void)state;
	begin(&pki.leaf);
	ask(server_flood, NULL, PROBING_PATIENT);
	assert_int_equal(h.end, HANDSHAKE_FAILS);
	assert_true(h.dial.bytes_read <= 2 * DIAL_BYTES_MAX);
	assert_false(h.dial.expired);
	assert_string_equal(finding.cause, "peer-not-tls-other");
}

static void test_speaks_http(void **state)
{
	static const char bad_request[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	struct server_bytes bytes = { bad_request, sizeof(bad_request) - 1 };

	(void)state;
	begin(&pki.leaf);
	ask(server_answer, &bytes, PROBING_PATIENT);
	assert_fails("peer-not-tls-http");
}

/* A fatal alert in answer to the hello, of each kind that a rule is about. */
static void test_alerts(void **state)
{
	static const struct {
		uint8_t alert;
		const char *cause;
	} rows[] = {
		{ SSL_AD_PROTOCOL_VERSION, "protocol-version-rejected" },
		{ SSL_AD_INTERNAL_ERROR, "peer-internal-error" },
		{ SSL_AD_ACCESS_DENIED, "peer-access-denied" },
		{ SSL_AD_INSUFFICIENT_SECURITY, "insufficient-security" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint8_t record[] = { 21, 3, 3, 0, 2, 2, rows[i].alert };
		struct server_bytes bytes = { record, sizeof(record) };

		begin(&pki.leaf);
		client.server_name = true;
		ask(server_answer, &bytes, PROBING_PATIENT);
		assert_fails(rows[i].cause);
		assert_true(finding.alert.known && finding.alert.received);
		assert_int_equal(finding.alert.code, rows[i].alert);
		end(NULL);
	}
}

/* -- what is in the way here ------------------------------------------------------------------- */

static void assert_untried(const char *words)
{
	unsigned int before;
	struct server *server = server_start(server_hang, NULL);

	before = server_connections(server);
	ask_peer(server_peer(server), PROBING_PATIENT);
	assert_int_equal(server_connections(server), before);
	server_stop(server);
	assert_int_equal(h.end, HANDSHAKE_UNTRIED);
	assert_non_null(strstr(h.words, words));
	assert_null(finding.cause);
	end(NULL);
}

/* What cannot be used is named, and nobody is connected to. */
static void test_untried(void **state)
{
	(void)state;
	begin(&pki.leaf);
	memcpy(client.ciphers, "NONSENSE", sizeof("NONSENSE"));
	assert_untried("NONSENSE");
	begin(&pki.leaf);
	memcpy(client.groups, "P-7", sizeof("P-7"));
	assert_untried("P-7");
	begin(&pki.leaf);
	memcpy(client.schemes, "rot13", sizeof("rot13"));
	assert_untried("rot13");
	begin(&pki.leaf);
	memcpy(client.alpn, "h2,,x", sizeof("h2,,x"));
	assert_untried("h2,,x");
	begin(&pki.leaf);
	client.command_count = 1;
	memcpy(client.commands[0].name, "Nonsense", sizeof("Nonsense"));
	assert_untried("Nonsense");
	begin(&pki.leaf);
	client.verify = true;
	probing_file(&client.ca, strdup("no certificate"));
	assert_untried("it.pem");
	begin(&pki.leaf);
	client.verify = true;
	memcpy(client.ca.path, "gone.pem", sizeof("gone.pem"));
	client.ca.error = ENOENT;
	assert_untried(strerror(ENOENT));
	begin(&pki.leaf);
	probing_trust(&client, &pki.root);
	probing_file(&client.crl, strdup("no list"));
	assert_untried("it.pem");
	begin(&pki.leaf);
	probing_file(&client.certificate, strdup("no certificate"));
	assert_untried("it.pem");
	begin(&pki.leaf);
	probing_certificate(&client, &pki.client_leaf);
	probing_file(&client.key, pki_pem_key(&self_signed));
	assert_untried("key");
}

static void test_commands(void **state)
{
	(void)state;
	begin(&pki.leaf);
	client.command_count = 1;
	memcpy(client.commands[0].name, "MaxProtocol", sizeof("MaxProtocol"));
	memcpy(client.commands[0].value, "TLSv1.2", sizeof("TLSv1.2"));
	ask_tls();
	assert_works();
	assert_int_equal(h.version, TLS1_2_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_agreement, end),
		cmocka_unit_test_teardown(test_no_descriptors, end),
		cmocka_unit_test_teardown(test_alpn_not_shared, end),
		cmocka_unit_test_teardown(test_versions, end),
		cmocka_unit_test_teardown(test_any_security, end),
		cmocka_unit_test_teardown(test_nothing_shared, end),
		cmocka_unit_test_teardown(test_resumption, end),
		cmocka_unit_test_teardown(test_verification, end),
		cmocka_unit_test_teardown(test_no_verification, end),
		cmocka_unit_test_teardown(test_host_name, end),
		cmocka_unit_test_teardown(test_address_is_no_name, end),
		cmocka_unit_test_teardown(test_intermediate, end),
		cmocka_unit_test_teardown(test_revocation, end),
		cmocka_unit_test_teardown(test_certificate_required, end),
		cmocka_unit_test_teardown(test_certificate_sent, end),
		cmocka_unit_test_teardown(test_staple, end),
		cmocka_unit_test_teardown(test_nobody_listens, end),
		cmocka_unit_test_teardown(test_family_unknown, end),
		cmocka_unit_test_teardown(test_closes_at_once, end),
		cmocka_unit_test_teardown(test_closes_after_hello, end),
		cmocka_unit_test_teardown(test_resets, end),
		cmocka_unit_test_teardown(test_hangs, end),
		cmocka_unit_test_teardown(test_floods, end),
		cmocka_unit_test_teardown(test_speaks_http, end),
		cmocka_unit_test_teardown(test_alerts, end),
		cmocka_unit_test_teardown(test_untried, end),
		cmocka_unit_test_teardown(test_commands, end),
	};

	return cmocka_run_group_tests_name("probe_handshake", tests, certificates_make,
					   certificates_free);
}
