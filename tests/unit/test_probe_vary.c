/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the probe changes until a handshake works, and what it takes as proven, with servers of libssl
 * that lack exactly one thing.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "probe/starttls.h"
#include "probe/vary.h"
#include "probing.h"
#include "server.h"

static struct probing_pki pki;
static struct pki_cert stranger;
static SSL_CTX *server_ctx;
static struct client client;
static struct verdict verdict;
static unsigned int allowed; /* further connections */

static int certificates_make(void **state)
{
	probing_pki_make(&pki);
	stranger = pki_make(&(struct pki_spec){ .subject = "stranger" });
	return fixture_setup(state);
}

static int certificates_free(void **state)
{
	probing_pki_free(&pki);
	pki_free(&stranger);
	return fixture_teardown(state);
}

static void begin(const struct pki_cert *cert)
{
	server_ctx = probing_server(cert);
	probing_client(&client);
	client.server_name = true;
	allowed = VARY_TRIES_MAX;
}

static int end(void **state)
{
	(void)state;
	vary_clear(&verdict);
	client_free(&client);
	SSL_CTX_free(server_ctx);
	server_ctx = NULL;
	return 0;
}

static bool may_go_on(void *context)
{
	unsigned int *left = context;

	return *left && (*left)--;
}

static void ask_peer(struct dial_peer peer, uint64_t timeout_ns)
{
	const struct judge_place nowhere = { 0 };
	const struct vary_options options = { .patience = { .timeout_ns = timeout_ns },
					      .go_on = may_go_on,
					      .context = &allowed };

	vary_clear(&verdict);
	vary(&client, &peer, &nowhere, &options, &verdict);
}

/* Each try is one connection, and so is the first. */
static void ask(server_serve *serve, void *context, uint64_t timeout_ns)
{
	struct server *server = server_start(serve, context);

	ask_peer(server_peer(server), timeout_ns);
	assert_int_equal(server_connections(server), 1 + verdict.try_count);
	server_stop(server);
}

static void ask_tls(void)
{
	ask(server_tls, server_ctx, PROBING_PATIENT);
}

/* The change has been found, it is the last try, and it is the proof of the cause. */
static void assert_proven(const char *cause, const char *words)
{
	const struct vary_try *last = &verdict.tries[verdict.try_count - 1];

	assert_int_equal(verdict.end, HANDSHAKE_FAILS);
	assert_true(verdict.settled);
	assert_true(verdict.try_count > 0);
	assert_true(last->works);
	assert_string_equal(last->what, verdict.works);
	if (strcmp(verdict.finding.cause, cause) != 0 || !strstr(verdict.works, words))
		fail_msg("%s, %s", verdict.finding.cause, verdict.works);
	assert_non_null(strstr(verdict.finding.confirmed, verdict.works));
	for (unsigned int i = 0; i + 1 < verdict.try_count; i++) {
		assert_false(verdict.tries[i].works);
		assert_non_null(verdict.tries[i].cause);
	}
}

static void assert_nothing_helps(void)
{
	assert_int_equal(verdict.end, HANDSHAKE_FAILS);
	assert_false(verdict.settled);
	assert_string_equal(verdict.works, "");
	assert_string_equal(verdict.finding.confirmed, "");
}

static void test_works(void **state)
{
	(void)state;
	begin(&pki.leaf);
	ask_tls();
	assert_int_equal(verdict.end, HANDSHAKE_WORKS);
	assert_int_equal(verdict.try_count, 0);
	assert_false(verdict.settled);
}

/* -- the server name --------------------------------------------------------------------------- */

static int want_name(SSL *ssl, int *alert, void *context)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	const char *wanted = context;

	*alert = SSL_AD_HANDSHAKE_FAILURE;
	if (wanted)
		return name && !strcmp(name, wanted) ? SSL_TLSEXT_ERR_OK
						     : SSL_TLSEXT_ERR_ALERT_FATAL;
	return name ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_OK;
}

static void test_name_missing(void **state)
{
	(void)state;
	begin(&pki.leaf);
	client.server_name = false;
	SSL_CTX_set_tlsext_servername_callback(server_ctx, want_name);
	SSL_CTX_set_tlsext_servername_arg(server_ctx, (void *)PROBING_NAME);
	ask_tls();
	assert_proven("sni-missing", PROBING_NAME);
	assert_int_equal(verdict.finding.confidence, CONFIDENCE_PROVEN);
	assert_int_equal(verdict.try_count, 1);
}

static void test_name_unwanted(void **state)
{
	(void)state;
	begin(&pki.leaf);
	SSL_CTX_set_tlsext_servername_callback(server_ctx, want_name);
	ask_tls();
	assert_proven("sni-unrecognized", "SNI");
	assert_non_null(strstr(verdict.finding.confirmed, PROBING_NAME));
}

/* -- versions, suites, groups ------------------------------------------------------------------ */

static void test_versions(void **state)
{
	(void)state;
	begin(&pki.leaf);
	SSL_CTX_set_min_proto_version(server_ctx, TLS1_3_VERSION);
	client.versions = CLIENT_TLS_1_2;
	ask_tls();
	assert_proven("protocol-version-rejected", "TLS 1.3");
}

static void test_ciphers(void **state)
{
	(void)state;
	begin(&pki.leaf);
	SSL_CTX_set_max_proto_version(server_ctx, TLS1_2_VERSION);
	SSL_CTX_set_cipher_list(server_ctx, "ECDHE-ECDSA-AES128-GCM-SHA256");
	memcpy(client.ciphers, "ECDHE-ECDSA-CHACHA20-POLY1305",
	       sizeof("ECDHE-ECDSA-CHACHA20-POLY1305"));
	ask_tls();
	assert_proven("cipher-mismatch", "cipher");
}

static void command_add(const char *name, const char *value)
{
	struct text t;

	text_init(&t, client.commands[client.command_count].name, sizeof(client.commands[0].name));
	text_add(&t, name);
	text_init(&t, client.commands[client.command_count].value,
		  sizeof(client.commands[0].value));
	text_add(&t, value);
	client.command_count++;
}

static void test_groups(void **state)
{
	(void)state;
	begin(&pki.leaf);
	SSL_CTX_set1_groups_list(server_ctx, "P-384");
	command_add("Groups", "X25519");
	command_add("Options", "-SessionTicket");
	ask_tls();
	assert_proven("group-mismatch", "groups");
}

static void test_old_server(void **state)
{
	(void)state;
	begin(&pki.leaf);
	probing_old(server_ctx);
	client.versions = CLIENT_TLS_1_2;
	ask_tls();
	assert_int_equal(verdict.end, HANDSHAKE_FAILS);
	assert_true(verdict.settled);
	assert_non_null(strstr(verdict.works, "security level 0"));
	assert_string_equal(verdict.finding.cause, "protocol-version-too-old");
}

/* The same for a server that says no by an alert: that is certain, and so is not the way out. */
static void test_old_server_refuses(void **state)
{
	(void)state;
	begin(&pki.leaf);
	probing_old(server_ctx);
	ask_tls();
	assert_int_equal(verdict.end, HANDSHAKE_FAILS);
	assert_string_equal(verdict.finding.cause, "protocol-version-rejected");
	assert_int_equal(verdict.finding.confidence, CONFIDENCE_HIGH);
	assert_true(verdict.settled);
	assert_int_equal(verdict.try_count, 1);
	assert_non_null(strstr(verdict.works, "security level 0"));
	assert_non_null(strstr(verdict.finding.confirmed, "with secure settings it does not"));
	assert_string_equal(verdict.finding.hint, "upgrade TLS on the upstream");
}

static int refuse_protocols(SSL *ssl, const unsigned char **out, unsigned char *out_len,
			    const unsigned char *in, unsigned int in_len, void *context)
{
	(void)ssl;
	(void)out;
	(void)out_len;
	(void)in;
	(void)in_len;
	(void)context;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void test_alpn(void **state)
{
	(void)state;
	begin(&pki.leaf);
	SSL_CTX_set_alpn_select_cb(server_ctx, refuse_protocols, NULL);
	memcpy(client.alpn, "h2", sizeof("h2"));
	ask_tls();
	assert_proven("alpn-mismatch", "without ALPN");
	assert_non_null(strstr(verdict.finding.confirmed, "with ALPN h2 it does not"));
}

/* -- verification ------------------------------------------------------------------------------ */

static void test_depth(void **state)
{
	(void)state;
	begin(&pki.deep);
	SSL_CTX_add1_chain_cert(server_ctx, pki.intermediate.x509);
	probing_trust(&client, &pki.root);
	client.depth = 0;
	ask_tls();
	assert_proven("verify-depth-exceeded", "depth");
}

static void test_intermediate_not_sent(void **state)
{
	(void)state;
	begin(&pki.deep);
	probing_trust(&client, &pki.root);
	probing_file(&client.neighbours, pki_pem_one(&pki.intermediate));
	ask_tls();
	assert_proven("verify-chain-incomplete", "intermediate");
}

static void test_name_of_certificate(void **state)
{
	(void)state;
	begin(&pki.elsewhere);
	probing_trust(&client, &pki.root);
	ask_tls();
	assert_proven("verify-hostname-mismatch", "elsewhere.test");
}

/* The host trusts a CA that the configured file does not have. */
static void test_system_trust(void **state)
{
	char *pem = pki_pem_one(&pki.root);

	(void)state;
	assert_int_equal(fixture_write("ca.pem", pem, strlen(pem)), 0);
	free(pem);
	setenv("SSL_CERT_FILE", fixture_path("ca.pem"), 1);
	begin(&pki.leaf);
	probing_trust(&client, &pki.client_root);
	ask_tls();
	unsetenv("SSL_CERT_FILE");
	assert_proven("verify-untrusted-issuer", "this host trusts");
	assert_non_null(strstr(verdict.finding.hint, "proxy_ssl_trusted_certificate"));
}

/* What is certain stays the cause; that this host trusts the CA only shows a way. */
static void test_certain_cause_stays(void **state)
{
	(void)state;
	setenv("SSL_CERT_FILE", fixture_path("ca.pem"), 1);
	begin(&pki.leaf);
	SSL_CTX_add1_chain_cert(server_ctx, pki.root.x509);
	probing_trust(&client, &pki.client_root);
	ask_tls();
	unsetenv("SSL_CERT_FILE");
	assert_int_equal(verdict.end, HANDSHAKE_FAILS);
	assert_string_equal(verdict.finding.cause, "verify-self-signed-in-chain");
	assert_true(verdict.settled);
	assert_non_null(strstr(verdict.works, "this host trusts"));
}

/* Nothing of what is tried makes a strange certificate good, and none of it is turning verification off. */
static void test_no_way_out(void **state)
{
	(void)state;
	begin(&stranger);
	probing_trust(&client, &pki.root);
	ask_tls();
	assert_nothing_helps();
	assert_string_equal(verdict.finding.cause, "verify-self-signed");
}

/* -- what the server asks for ------------------------------------------------------------------ */

static void assert_certificate(const char *cause, const char *words)
{
	ask_tls();
	assert_int_equal(verdict.end, HANDSHAKE_FAILS);
	assert_true(verdict.settled);
	assert_int_equal(verdict.try_count, 0);
	assert_string_equal(verdict.finding.cause, cause);
	assert_non_null(strstr(verdict.finding.confirmed, words));
}

static void test_certificate(void **state)
{
	(void)state;
	begin(&pki.leaf);
	probing_insist(server_ctx, &pki.client_root);
	assert_certificate("client-cert-required", "client certificate");
	probing_certificate(&client, &pki.client_expired);
	assert_certificate("client-cert-expired", "expired");
	probing_certificate(&client, &stranger);
	assert_certificate("client-cert-untrusted", "Client Root");
	probing_certificate(&client, &pki.client_leaf);
	ask_tls();
	assert_int_equal(verdict.end, HANDSHAKE_WORKS);
}

static void test_certificate_before_tls_1_3(void **state)
{
	(void)state;
	begin(&pki.leaf);
	SSL_CTX_set_max_proto_version(server_ctx, TLS1_2_VERSION);
	probing_insist(server_ctx, &pki.client_root);
	assert_certificate("client-cert-required-legacy", "client certificate");
}

/* -- the PROXY header -------------------------------------------------------------------------- */

static void proxied(int fd, void *context)
{
	char line[128];

	server_read_line(fd, line, sizeof(line));
	if (!strncmp(line, "PROXY ", 6))
		server_tls(fd, context);
}

static void test_proxy_header(void **state)
{
	(void)state;
	begin(&pki.leaf);
	ask(proxied, server_ctx, PROBING_SHORT);
	assert_int_equal(verdict.end, HANDSHAKE_FAILS);
	assert_true(verdict.settled);
	assert_non_null(strstr(verdict.works, "with a PROXY header"));
	assert_string_equal(verdict.finding.cause, "proxy-protocol-missing");
	client.proxy_header = true;
	ask(proxied, server_ctx, PROBING_PATIENT);
	assert_int_equal(verdict.end, HANDSHAKE_WORKS);
}

/* -- how far it goes --------------------------------------------------------------------------- */

static void test_stops(void **state)
{
	(void)state;
	begin(&pki.leaf);
	allowed = 0;
	ask(server_close_after, NULL, PROBING_PATIENT);
	assert_nothing_helps();
	assert_int_equal(verdict.try_count, 0);
	allowed = 2;
	ask(server_close_after, NULL, PROBING_PATIENT);
	assert_nothing_helps();
	assert_int_equal(verdict.try_count, 2);
}

/* What is certain without it is not tried: nobody listens, whatever we say. */
static void test_nobody(void **state)
{
	(void)state;
	begin(&pki.leaf);
	ask_peer(server_nobody(), PROBING_PATIENT);
	assert_nothing_helps();
	assert_int_equal(verdict.try_count, 0);
	assert_string_equal(verdict.finding.cause, "connection-refused");
	assert_int_equal(verdict.finding.confidence, CONFIDENCE_HIGH);
	assert_null(strstr(verdict.finding.message, "may not speak TLS"));
}

static void refuse_all(int fd, void *context)
{
	server_say(fd, "554 no\r\n", 8);
	server_hang(fd, context);
}

static void test_no_tls(void **state)
{
	(void)state;
	begin(&pki.leaf);
	client.starttls = starttls_find("smtp");
	ask(refuse_all, NULL, PROBING_PATIENT);
	assert_int_equal(verdict.end, HANDSHAKE_NO_TLS);
	assert_int_equal(verdict.try_count, 0);
	assert_non_null(strstr(verdict.finding.message, "554 no"));
}

/* What TCP alone says has words of its own. */
static void test_tcp(void **state)
{
	static const int errors[] = { ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, EACCES };
	const struct judge_place nowhere = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		memset(&verdict, 0, sizeof(verdict));
		verdict.first.end = HANDSHAKE_NO_TCP;
		verdict.first.error = errors[i];
		verdict.first.dial.conn.family = 2;
		verdict.first.dial.conn.rport = 8443;
		memcpy(verdict.first.dial.conn.raddr, "\xc0\0\2\1", 4);
		judge(&verdict.first, &nowhere, &verdict.work, &verdict.finding);
		assert_non_null(strstr(verdict.finding.message, "192.0.2.1:8443"));
		if (errors[i] == EACCES)
			assert_non_null(strstr(verdict.finding.message, strerror(EACCES)));
		assert_int_equal(verdict.finding.candidate_count, 0);
		for (size_t k = 0; k < i; k++) {
			struct finding other;

			verdict.first.error = errors[k];
			judge(&verdict.first, &nowhere, &verdict.work, &other);
			assert_string_not_equal(other.message, verdict.finding.message);
		}
	}
	memset(&verdict, 0, sizeof(verdict));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_works, end),
		cmocka_unit_test_teardown(test_name_missing, end),
		cmocka_unit_test_teardown(test_name_unwanted, end),
		cmocka_unit_test_teardown(test_versions, end),
		cmocka_unit_test_teardown(test_ciphers, end),
		cmocka_unit_test_teardown(test_groups, end),
		cmocka_unit_test_teardown(test_old_server, end),
		cmocka_unit_test_teardown(test_old_server_refuses, end),
		cmocka_unit_test_teardown(test_alpn, end),
		cmocka_unit_test_teardown(test_depth, end),
		cmocka_unit_test_teardown(test_intermediate_not_sent, end),
		cmocka_unit_test_teardown(test_name_of_certificate, end),
		cmocka_unit_test_teardown(test_system_trust, end),
		cmocka_unit_test_teardown(test_certain_cause_stays, end),
		cmocka_unit_test_teardown(test_no_way_out, end),
		cmocka_unit_test_teardown(test_certificate, end),
		cmocka_unit_test_teardown(test_certificate_before_tls_1_3, end),
		cmocka_unit_test_teardown(test_proxy_header, end),
		cmocka_unit_test_teardown(test_stops, end),
		cmocka_unit_test_teardown(test_nobody, end),
		cmocka_unit_test_teardown(test_no_tls, end),
		cmocka_unit_test(test_tcp),
	};

	return cmocka_run_group_tests_name("probe_vary", tests, certificates_make,
					   certificates_free);
}
