/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a server of libssl accepts, found out by asking; and what is found out of those that are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probe/enumerate.h"
#include "probe/starttls.h"
#include "probing.h"
#include "server.h"
#include "tls/names.h"

static struct pki_cert root, leaf, rsa_leaf, other;
static SSL_CTX *server_ctx;
static struct client client;
static struct enumeration e;
static unsigned int allowed;

static int certificates_make(void **state)
{
	(void)state;
	root = pki_make(&(struct pki_spec){ .subject = "Root", .authority = true });
	leaf = pki_make(&(struct pki_spec){
		.subject = "leaf", .dns = "DNS:" PROBING_NAME, .issuer = &root });
	rsa_leaf = pki_make(&(struct pki_spec){
		.subject = "rsa", .dns = "DNS:" PROBING_NAME, .issuer = &root, .rsa = true });
	other = pki_make(&(struct pki_spec){ .subject = "other", .dns = "DNS:other.test" });
	return 0;
}

static int certificates_free(void **state)
{
	(void)state;
	pki_free(&root);
	pki_free(&leaf);
	pki_free(&rsa_leaf);
	pki_free(&other);
	return 0;
}

static void begin(const struct pki_cert *cert)
{
	server_ctx = probing_server(cert);
	SSL_CTX_set_security_level(server_ctx, 0);
	probing_client(&client);
	client.server_name = true;
	allowed = 1000;
}

static int end(void **state)
{
	(void)state;
	client_free(&client);
	SSL_CTX_free(server_ctx);
	server_ctx = NULL;
	return 0;
}

static bool may_go_on(void *context)
{
	(void)context;
	return allowed && allowed--;
}

static void ask(server_serve *serve, void *context, uint64_t timeout_ns)
{
	const struct vary_options options = { .patience = { .timeout_ns = timeout_ns },
					      .go_on = may_go_on };
	struct server *server = server_start(serve, context);
	struct dial_peer peer = server_peer(server);

	enumerate(&client, &peer, &options, &e);
	assert_int_equal(server_connections(server), e.connections);
	server_stop(server);
}

static const struct enumerated *version_of(uint16_t number)
{
	for (size_t i = 0; i < ENUMERATE_VERSIONS; i++)
		if (e.versions[i].version == number)
			return &e.versions[i];
	fail();
	return NULL;
}

/* Exactly those, in that order; the names end with NULL. */
static void assert_ciphers(uint16_t version, const char *const *names)
{
	const struct enumerated *v = version_of(version);
	unsigned int count = 0;

	while (names[count])
		count++;
	assert_true(v->accepted);
	assert_int_equal(v->cipher_count, count);
	for (unsigned int i = 0; i < count; i++)
		assert_string_equal(tls_cipher_name(v->ciphers[i]), names[i]);
}

static bool has_group(const struct enumerated *v, uint16_t group)
{
	for (unsigned int i = 0; i < v->group_count; i++)
		if (v->groups[i] == group)
			return true;
	return false;
}

static void test_modern(void **state)
{
	static const char *const modern[] = { "TLS_CHACHA20_POLY1305_SHA256",
					      "TLS_AES_128_GCM_SHA256", NULL };
	static const char *const before[] = { "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
					      "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", NULL };
	const struct enumerated *v;

	(void)state;
	begin(&leaf);
	SSL_CTX_set_min_proto_version(server_ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(server_ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_ciphersuites(server_ctx, "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256");
	SSL_CTX_set_cipher_list(server_ctx,
				"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256");
	SSL_CTX_set1_groups_list(server_ctx, "X25519:P-256");
	ask(server_tls, server_ctx, PROBING_PATIENT);
	assert_false(e.interrupted);
	assert_ciphers(TLS_VERSION_1_3, modern);
	assert_ciphers(TLS_VERSION_1_2, before);
	assert_false(version_of(TLS_VERSION_1_1)->accepted);
	assert_int_equal(version_of(TLS_VERSION_1_1)->refusal.kind, ANSWER_ALERT);
	assert_int_equal(version_of(TLS_VERSION_1_1)->refusal.alert, SSL_AD_PROTOCOL_VERSION);
	v = version_of(TLS_VERSION_1_3);
	assert_int_equal(v->order, ORDER_SERVER);
	assert_int_equal(v->group_count, 2);
	assert_true(has_group(v, 29) && has_group(v, 23));
	/* the key is one of P-256, which signs with one algorithm */
	assert_int_equal(v->scheme_count, 1);
	assert_int_equal(v->schemes[0], 0x0403);
	assert_true(v->resumption_tried && v->resumes);
	v = version_of(TLS_VERSION_1_2);
	assert_int_equal(v->order, ORDER_SERVER);
	assert_true(v->scheme_count > 1);
	assert_true(v->resumption_tried && v->resumes);
}

static void test_handshake_facts(void **state)
{
	STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();

	(void)state;
	begin(&leaf);
	SSL_CTX_set_min_proto_version(server_ctx, TLS1_3_VERSION);
	SSL_CTX_set_verify(server_ctx, SSL_VERIFY_PEER, NULL);
	sk_X509_NAME_push(names, X509_NAME_dup(X509_get_subject_name(root.x509)));
	SSL_CTX_set_client_CA_list(server_ctx, names);
	SSL_CTX_add1_chain_cert(server_ctx, root.x509);
	ask(server_tls, server_ctx, PROBING_PATIENT);
	assert_true(e.shaken);
	assert_true(e.certificate_requested);
	assert_int_equal(e.ca_name_count, 1);
	assert_string_equal(e.ca_names[0], "/CN=Root");
	assert_int_equal(e.sent_count, 2);
	assert_int_equal(e.cert_count, 2);
	assert_true(e.chain_linked && e.chain_complete);
	assert_false(e.stapled);
	assert_true(e.large_tried);
	assert_int_equal(e.large.kind, ANSWER_HELLO);
	assert_int_equal(e.without_name, NAME_SAME);
	assert_int_equal(e.strange_name, NAME_SAME);
	assert_int_equal(e.alpn_count, 0);
}

/* The issuer is not sent, and this host does not know it. */
static void test_chain_incomplete(void **state)
{
	(void)state;
	begin(&leaf);
	SSL_CTX_set_min_proto_version(server_ctx, TLS1_3_VERSION);
	ask(server_tls, server_ctx, PROBING_PATIENT);
	assert_int_equal(e.sent_count, 1);
	assert_true(e.chain_linked);
	assert_false(e.chain_complete);
}

/* Certificates that have nothing to do with each other. */
static void test_chain_broken(void **state)
{
	(void)state;
	begin(&leaf);
	SSL_CTX_set_min_proto_version(server_ctx, TLS1_3_VERSION);
	SSL_CTX_add1_chain_cert(server_ctx, other.x509);
	ask(server_tls, server_ctx, PROBING_PATIENT);
	assert_int_equal(e.cert_count, 2);
	assert_false(e.chain_linked || e.chain_complete);
}

/* -- names and protocols ----------------------------------------------------------------------- */

static SSL_CTX *other_ctx;

static int by_name(SSL *ssl, int *alert, void *context)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)context;
	if (!name) {
		SSL_set_SSL_CTX(ssl, other_ctx);
		return SSL_TLSEXT_ERR_OK;
	}
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	return strcmp(name, PROBING_NAME) ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_OK;
}

static int take_first(SSL *ssl, const uint8_t **out, uint8_t *outlen, const uint8_t *in,
		      unsigned int inlen, void *context)
{
	static const uint8_t ours[] = "\x08http/1.1\x02h2";

	(void)ssl;
	(void)context;
	return SSL_select_next_proto((uint8_t **)out, outlen, ours, sizeof(ours) - 1, in, inlen) ==
			       OPENSSL_NPN_NEGOTIATED
		       ? SSL_TLSEXT_ERR_OK
		       : SSL_TLSEXT_ERR_NOACK;
}

static void test_names(void **state)
{
	(void)state;
	begin(&leaf);
	other_ctx = probing_server(&other);
	SSL_CTX_set_min_proto_version(server_ctx, TLS1_3_VERSION);
	SSL_CTX_set_tlsext_servername_callback(server_ctx, by_name);
	SSL_CTX_set_alpn_select_cb(server_ctx, take_first, NULL);
	ask(server_tls, server_ctx, PROBING_PATIENT);
	assert_int_equal(e.without_name, NAME_OTHER);
	assert_non_null(strstr(e.other_subject, "other"));
	assert_int_equal(e.strange_name, NAME_REFUSED);
	assert_int_equal(e.alpn_count, 2);
	assert_string_equal(e.alpn[0], "http/1.1");
	assert_string_equal(e.alpn[1], "h2");
	SSL_CTX_free(other_ctx);
}

/* -- of old ------------------------------------------------------------------------------------ */

/* The client's order counts, there are finite fields, and sessions are not resumed. */
static void test_old(void **state)
{
	const struct enumerated *v;

	(void)state;
	begin(&rsa_leaf);
	SSL_CTX_set_min_proto_version(server_ctx, TLS1_1_VERSION);
	SSL_CTX_set_max_proto_version(server_ctx, TLS1_2_VERSION);
	SSL_CTX_set_cipher_list(server_ctx, "DHE-RSA-AES128-SHA:ECDHE-RSA-AES128-SHA:AES128-SHA");
	SSL_CTX_set_dh_auto(server_ctx, 1);
	SSL_CTX_set_options(server_ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(server_ctx, SSL_SESS_CACHE_OFF);
	ask(server_tls, server_ctx, PROBING_PATIENT);
	assert_false(version_of(TLS_VERSION_1_3)->accepted);
	v = version_of(TLS_VERSION_1_2);
	assert_true(v->accepted);
	assert_int_equal(v->cipher_count, 3);
	assert_int_equal(v->order, ORDER_CLIENT);
	assert_true(v->dh_bits >= 1024);
	assert_true(v->resumption_tried);
	assert_false(v->resumes);
	v = version_of(TLS_VERSION_1_1);
	assert_int_equal(v->cipher_count, 3);
	assert_int_equal(v->scheme_count, 0);
	assert_false(version_of(TLS_VERSION_1_0)->accepted);
	assert_true(e.suite_connections < e.connections);
}

/* -- who is none ------------------------------------------------------------------------------- */

static void assert_refused(enum answer_kind kind)
{
	assert_false(e.shaken || e.large_tried);
	for (size_t i = 0; i < ENUMERATE_VERSIONS; i++) {
		assert_false(e.versions[i].accepted);
		assert_int_equal(e.versions[i].cipher_count, 0);
	}
	assert_int_equal(e.versions[0].refusal.kind, kind);
}

static void test_no_server(void **state)
{
	static const char http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	struct server_bytes bytes = { http, sizeof(http) - 1 };

	(void)state;
	begin(&leaf);
	ask(server_close_after, NULL, PROBING_PATIENT);
	assert_refused(ANSWER_CLOSED);
	assert_int_equal(e.connections, ENUMERATE_VERSIONS);
	ask(server_reset, NULL, PROBING_PATIENT);
	assert_refused(ANSWER_RESET);
	ask(server_hang, NULL, PROBING_SHORT);
	assert_refused(ANSWER_SILENT);
	ask(server_answer, &bytes, PROBING_PATIENT);
	assert_refused(ANSWER_NOT_TLS);
}

/* Handshake messages of a kind that is left out, without end. */
static void messages_forever(int fd, void *context)
{
	static const uint8_t request[] = { 22, 3, 3, 0, 4, 0, 0, 0, 0 };
	uint8_t many[sizeof(request) * 512];

	(void)context;
	for (size_t i = 0; i < 512; i++)
		memcpy(many + i * sizeof(request), request, sizeof(request));
	for (int i = 0; i < 4096; i++)
		server_say(fd, many, sizeof(many));
}

static void test_flood(void **state)
{
	(void)state;
	begin(&leaf);
	ask(messages_forever, NULL, PROBING_PATIENT);
	assert_refused(ANSWER_FLOOD);
}

static void test_nobody(void **state)
{
	const struct vary_options options = { .patience = { .timeout_ns = PROBING_PATIENT } };
	struct dial_peer peer = server_nobody();

	(void)state;
	begin(&leaf);
	enumerate(&client, &peer, &options, &e);
	assert_refused(ANSWER_NO_CONNECTION);
	assert_int_equal(e.connections, 1);
}

/* It picks what nobody offered, and is asked no more. */
static void test_picks_what_it_likes(void **state)
{
	static const uint8_t hello[] = { 22, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3, 1, 1,    1,    1, 1,
					 1,  1, 1, 1, 1,  1, 1, 1, 1,  1, 1, 1, 1,    1,    1, 1,
					 1,  1, 1, 1, 1,  1, 1, 1, 1,  1, 1, 0, 0xde, 0xad, 0 };
	struct server_bytes bytes = { hello, sizeof(hello) };

	(void)state;
	begin(&leaf);
	ask(server_answer, &bytes, PROBING_SHORT);
	assert_false(version_of(TLS_VERSION_1_2)->accepted);
	assert_int_equal(version_of(TLS_VERSION_1_2)->refusal.kind, ANSWER_HELLO);
	assert_int_equal(e.connections, ENUMERATE_VERSIONS);
}

static void test_interrupted(void **state)
{
	(void)state;
	begin(&leaf);
	allowed = 3;
	ask(server_tls, server_ctx, PROBING_PATIENT);
	assert_true(e.interrupted);
	assert_int_equal(e.connections, 3);
	assert_false(e.shaken);
}

/* -- before TLS -------------------------------------------------------------------------------- */

static void pop3(int fd, void *context)
{
	char line[128];

	if (!server_read_line(fd, line, sizeof(line)) || strncmp(line, "PROXY ", 6) != 0)
		return;
	server_say(fd, "+OK\r\n", 5);
	if (server_read_line(fd, line, sizeof(line)) && !strcmp(line, "STLS\r\n")) {
		server_say(fd, "+OK\r\n", 5);
		server_tls(fd, context);
	}
}

static void test_before_tls(void **state)
{
	(void)state;
	begin(&leaf);
	SSL_CTX_set_min_proto_version(server_ctx, TLS1_3_VERSION);
	client.proxy_header = true;
	client.starttls = starttls_find("pop3");
	ask(pop3, server_ctx, PROBING_PATIENT);
	assert_true(version_of(TLS_VERSION_1_3)->accepted);
	assert_true(e.shaken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_modern, end),
		cmocka_unit_test_teardown(test_handshake_facts, end),
		cmocka_unit_test_teardown(test_chain_incomplete, end),
		cmocka_unit_test_teardown(test_chain_broken, end),
		cmocka_unit_test_teardown(test_names, end),
		cmocka_unit_test_teardown(test_old, end),
		cmocka_unit_test_teardown(test_no_server, end),
		cmocka_unit_test_teardown(test_flood, end),
		cmocka_unit_test_teardown(test_nobody, end),
		cmocka_unit_test_teardown(test_picks_what_it_likes, end),
		cmocka_unit_test_teardown(test_interrupted, end),
		cmocka_unit_test_teardown(test_before_tls, end),
	};

	return cmocka_run_group_tests_name("probe_enumerate", tests, certificates_make,
					   certificates_free);
}
