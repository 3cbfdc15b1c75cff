/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handshakes that OpenSSL made, read from the wire: whole, cut at every length, with every byte
 * flipped, and in other records.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "tlswire.h"
#include "wire.h"

/* ---- Handshakes of OpenSSL ------------------------------------------------------------------- */

struct exchange {
	struct direction client;
	struct direction server;
	uint16_t cipher; /* negotiated, 0 when the handshake failed */
};

/* What is not given is OpenSSL's default. */
struct scenario {
	int client_min;
	int client_max;
	int server_min;
	int server_max;
	const char *server_name;
	const char *server_groups;
	const char *server_ciphers;
	bool alpn;	      /* the client offers it */
	bool ask_certificate; /* the server asks the client, */
	bool client_certificate;
	bool need_certificate; /* and insists */
	bool verify;	       /* the client verifies the server's */
	bool warn_name;	       /* the server warns that it does not know the name */
	SSL_SESSION *session;  /* to resume */
	SSL_SESSION **ended;   /* gets the session, when there is one */
};

static EVP_PKEY *key;
static X509 *certificate;

static int certificate_make(void **state)
{
	X509_NAME *name;

	(void)state;
	key = EVP_EC_gen("P-256");
	certificate = X509_new();
	if (!key || !certificate)
		return -1;
	name = X509_get_subject_name(certificate);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"test", -1, -1, 0);
	X509_set_issuer_name(certificate, name);
	X509_set_pubkey(certificate, key);
	return X509_sign(certificate, key, EVP_sha256()) > 0 ? 0 : -1;
}

static int certificate_free(void **state)
{
	(void)state;
	X509_free(certificate);
	EVP_PKEY_free(key);
	return 0;
}

static int accept_any(int ok, X509_STORE_CTX *context)
{
	(void)ok;
	(void)context;
	return 1;
}

static int warn_of_name(SSL *ssl, int *alert, void *argument)
{
	(void)ssl;
	(void)argument;
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	return SSL_TLSEXT_ERR_ALERT_WARNING;
}

static void use_certificate(SSL_CTX *context)
{
	assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
}

static SSL_CTX *client_context_make(const struct scenario *scenario)
{
	static const uint8_t alpn[] = "\x02h2\x08http/1.1";
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	SSL_CTX_set_min_proto_version(context, scenario->client_min);
	SSL_CTX_set_max_proto_version(context, scenario->client_max);
	if (scenario->alpn)
		SSL_CTX_set_alpn_protos(context, alpn, sizeof(alpn) - 1);
	if (scenario->client_certificate)
		use_certificate(context);
	if (scenario->verify)
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	return context;
}

static SSL_CTX *server_context_make(const struct scenario *scenario)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	use_certificate(context);
	SSL_CTX_set_min_proto_version(context, scenario->server_min);
	SSL_CTX_set_max_proto_version(context, scenario->server_max);
	SSL_CTX_set_session_id_context(context, (const uint8_t *)"test", 4);
	if (scenario->server_groups)
		SSL_CTX_set1_groups_list(context, scenario->server_groups);
	if (scenario->server_ciphers)
		SSL_CTX_set_cipher_list(context, scenario->server_ciphers);
	if (scenario->need_certificate)
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
				   NULL);
	else if (scenario->ask_certificate)
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER, accept_any);
	if (scenario->warn_name)
		SSL_CTX_set_tlsext_servername_callback(context, warn_of_name);
	return context;
}

static SSL *ssl_make(SSL_CTX *context)
{
	SSL *ssl = SSL_new(context);

	assert_non_null(ssl);
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	return ssl;
}

/* Carries over what `from` has written, and keeps it. */
static bool carry(SSL *from, SSL *to, struct direction *direction)
{
	uint8_t *at = direction->bytes + direction->len;
	int len = BIO_read(SSL_get_wbio(from), at, sizeof(direction->bytes) - direction->len);

	if (len <= 0)
		return false;
	assert_int_equal(BIO_write(SSL_get_rbio(to), at, len), len);
	direction->len += len;
	return true;
}

/* Until both are done, or have nothing more to say. */
static void handshake(SSL *client, SSL *server, struct exchange *exchange)
{
	bool client_spoke;
	bool server_spoke;
	uint8_t byte;

	do {
		SSL_do_handshake(client);
		client_spoke = carry(client, server, &exchange->client);
		SSL_do_handshake(server);
		server_spoke = carry(server, client, &exchange->server);
	} while (client_spoke || server_spoke);
	/* Session tickets and alerts of TLS 1.3 come after the handshake. */
	SSL_read(client, &byte, sizeof(byte));
	carry(client, server, &exchange->client);
}

static struct exchange *exchange_make(const struct scenario *scenario)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	SSL_CTX *client_context = client_context_make(scenario);
	SSL_CTX *server_context = server_context_make(scenario);
	SSL *client = ssl_make(client_context);
	SSL *server = ssl_make(server_context);

	assert_non_null(exchange);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	if (scenario->server_name)
		SSL_set_tlsext_host_name(client, scenario->server_name);
	if (scenario->session)
		SSL_set_session(client, scenario->session);
	handshake(client, server, exchange);
	if (SSL_is_init_finished(client))
		exchange->cipher = SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(client));
	if (scenario->ended)
		*scenario->ended = SSL_get1_session(client);
	/* Without this a session that is freed is no longer resumable. */
	SSL_set_shutdown(client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(client);
	SSL_free(server);
	SSL_CTX_free(client_context);
	SSL_CTX_free(server_context);
	return exchange;
}

/* ---- Parsing --------------------------------------------------------------------------------- */

/* A copy that ends where its allocation ends, so that a read past it is caught. */
static uint8_t *copy_exactly(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len);

	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

/* Parses the first client_len and server_len bytes; less than all of them is cut. */
static void parse_part(const struct exchange *exchange, size_t client_len, size_t server_len,
		       struct tls_view *view)
{
	uint8_t *client_bytes = copy_exactly(exchange->client.bytes, client_len);
	uint8_t *server_bytes = copy_exactly(exchange->server.bytes, server_len);
	struct tls_capture client = { client_bytes, client_len, client_len < exchange->client.len };
	struct tls_capture server = { server_bytes, server_len, server_len < exchange->server.len };

	memset(view, 0xa5, sizeof(*view));
	tlswire_parse(&client, &server, view);
	free(client_bytes);
	free(server_bytes);
}

static void parse_whole(const struct exchange *exchange, struct tls_view *view)
{
	parse_part(exchange, exchange->client.len, exchange->server.len, view);
}

/* ---- A fact that a part reports is one that the whole reports -------------------------------- */

static void assert_implies(bool part, bool whole)
{
	if (part)
		assert_true(whole);
}

static void assert_number_kept(uint32_t part, uint32_t whole)
{
	if (part)
		assert_int_equal(part, whole);
}

static void assert_bytes_kept(struct tls_bytes part, struct tls_bytes whole)
{
	if (part.len == 0)
		return;
	assert_int_equal(part.len, whole.len);
	assert_memory_equal(part.data, whole.data, part.len);
}

static void assert_alert_kept(const struct tls_alert *part, const struct tls_alert *whole)
{
	if (!part->seen)
		return;
	assert_true(whole->seen);
	assert_int_equal(part->description, whole->description);
}

static void assert_records_kept(const struct tls_records *part, const struct tls_records *whole)
{
	if (part->framing != TLS_FRAMING_UNKNOWN)
		assert_int_equal(part->framing, whole->framing);
	assert_implies(part->malformed, whole->malformed);
	assert_implies(part->change_cipher_spec, whole->change_cipher_spec);
	assert_implies(part->application_data, whole->application_data);
	assert_implies(part->encrypted_alert, whole->encrypted_alert);
	assert_alert_kept(&part->fatal, &whole->fatal);
	assert_alert_kept(&part->warning, &whole->warning);
}

static void assert_hello_kept(const struct tls_client_hello *part,
			      const struct tls_client_hello *whole)
{
	assert_implies(part->present, whole->present);
	assert_implies(part->malformed, whole->malformed);
	assert_number_kept(part->length, whole->length);
	assert_number_kept(part->legacy_version, whole->legacy_version);
	assert_number_kept(part->max_version, whole->max_version);
	assert_implies(part->versions_listed, whole->versions_listed);
	assert_number_kept(part->version_count, whole->version_count);
	for (unsigned int i = 0; i < part->version_count; i++)
		assert_int_equal(part->versions[i], whole->versions[i]);
	assert_number_kept(part->cipher_count, whole->cipher_count);
	assert_bytes_kept(part->ciphers, whole->ciphers);
	assert_implies(part->has_server_name, whole->has_server_name);
	assert_bytes_kept(part->server_name, whole->server_name);
	assert_bytes_kept(part->alpn, whole->alpn);
	assert_implies(part->has_session_ticket, whole->has_session_ticket);
	assert_implies(part->has_psk, whole->has_psk);
	/* A hello that is here as a whole has all its facts. */
	if (part->present && !part->cut) {
		assert_int_equal(part->has_server_name, whole->has_server_name);
		assert_int_equal(part->max_version, whole->max_version);
	}
}

static void assert_kept(const struct tls_view *part, const struct tls_view *whole)
{
	assert_records_kept(&part->client.records, &whole->client.records);
	assert_hello_kept(&part->client.hello, &whole->client.hello);
	assert_implies(part->client.certificate_sent, whole->client.certificate_sent);
	if (part->client.certificate_sent)
		assert_int_equal(part->client.certificate_empty, whole->client.certificate_empty);
	assert_records_kept(&part->server.records, &whole->server.records);
	assert_implies(part->server.server_hello, whole->server.server_hello);
	assert_implies(part->server.hello_retry_request, whole->server.hello_retry_request);
	assert_number_kept(part->server.version, whole->server.version);
	assert_number_kept(part->server.cipher, whole->server.cipher);
	assert_implies(part->server.certificate, whole->server.certificate);
	assert_number_kept(part->server.certificate_length, whole->server.certificate_length);
	assert_implies(part->server.certificate_request, whole->server.certificate_request);
	assert_implies(part->server.server_hello_done, whole->server.server_hello_done);
}

static void cut_everywhere(const struct exchange *exchange, const struct tls_view *whole)
{
	struct tls_view part;

	for (size_t len = 0; len < exchange->client.len; len++) {
		parse_part(exchange, len, exchange->server.len, &part);
		assert_true(part.client.records.cut);
		assert_kept(&part, whole);
		parse_part(exchange, len, 0, &part);
		assert_kept(&part, whole);
	}
	for (size_t len = 0; len < exchange->server.len; len++) {
		parse_part(exchange, exchange->client.len, len, &part);
		assert_true(part.server.records.cut);
		assert_kept(&part, whole);
	}
}

static void flip_everywhere(struct exchange *exchange, struct direction *direction)
{
	struct tls_view view;

	for (size_t i = 0; i < direction->len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			direction->bytes[i] ^= 1 << bit;
			parse_whole(exchange, &view);
			direction->bytes[i] ^= 1 << bit;
		}
	}
}

/* Puts the handshake messages of consecutive records into records of `size` bytes each. */
static void refragment(const struct direction *in, size_t size, struct direction *out)
{
	uint8_t messages[sizeof(in->bytes)];
	size_t messages_len = 0;
	size_t len;

	out->len = 0;
	for (size_t at = 0; at < in->len; at += 5 + len) {
		uint8_t type = in->bytes[at];
		bool last;

		len = in->bytes[at + 3] << 8 | in->bytes[at + 4];
		last = at + 5 + len == in->len || in->bytes[at + 5 + len] != type;
		if (type != SSL3_RT_HANDSHAKE) {
			record_put(out, type, in->bytes + at + 5, len);
			continue;
		}
		memcpy(messages + messages_len, in->bytes + at + 5, len);
		messages_len += len;
		if (!last)
			continue;
		for (size_t done = 0; done < messages_len; done += size)
			record_put(out, type, messages + done,
				   messages_len - done < size ? messages_len - done : size);
		messages_len = 0;
	}
}

/* Other records, same facts: messages do not care where records end. */
static void fragment_everywhere(const struct exchange *exchange, const struct tls_view *whole)
{
	static const size_t sizes[] = { 3, 4, 5, 7, 33, 100, SSL3_RT_MAX_PLAIN_LENGTH };
	static struct exchange other;
	struct tls_view view;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		refragment(&exchange->client, sizes[i], &other.client);
		refragment(&exchange->server, sizes[i], &other.server);
		parse_whole(&other, &view);
		assert_kept(&view, whole);
		if (other.client.len > TLSWIRE_MAX || other.server.len > TLSWIRE_MAX)
			continue;
		assert_kept(whole, &view);
		assert_int_equal(view.client.records.cut, whole->client.records.cut);
		assert_int_equal(view.server.records.cut, whole->server.records.cut);
	}
}

/* Makes the handshake, parses it into *view, and damages it in every way. */
static void run(const struct scenario *scenario, struct tls_view *view)
{
	struct exchange *exchange = exchange_make(scenario);
	size_t client_hello_len = exchange->client.bytes[3] << 8 | exchange->client.bytes[4];

	parse_whole(exchange, view);
	assert_int_equal(view->client.records.framing, TLS_FRAMING_RECORDS);
	assert_false(view->client.records.cut);
	assert_false(view->client.records.malformed);
	assert_true(view->client.hello.present);
	assert_false(view->client.hello.cut);
	assert_false(view->client.hello.malformed);
	assert_int_equal(view->client.hello.length, client_hello_len);
	assert_int_equal(view->client.hello.ciphers.len, 2 * view->client.hello.cipher_count);
	assert_int_equal(view->server.records.framing, TLS_FRAMING_RECORDS);
	assert_false(view->server.records.cut);
	assert_false(view->server.records.malformed);
	if (exchange->cipher)
		assert_int_equal(view->server.cipher, exchange->cipher);
	cut_everywhere(exchange, view);
	fragment_everywhere(exchange, view);
	flip_everywhere(exchange, &exchange->client);
	flip_everywhere(exchange, &exchange->server);
	/* The damage was undone, and *view points into itself. */
	parse_whole(exchange, view);
	free(exchange);
}

/* ---- Handshakes that succeed ----------------------------------------------------------------- */

static void test_tls12(void **state)
{
	struct scenario scenario = { .client_max = TLS1_2_VERSION,
				     .server_name = "upstream.example.net" };
	struct tls_view view;

	(void)state;
	run(&scenario, &view);
	assert_server_name(&view.client.hello, "upstream.example.net");
	assert_int_equal(view.client.hello.legacy_version, TLS_VERSION_1_2);
	assert_int_equal(view.client.hello.max_version, TLS_VERSION_1_2);
	assert_false(view.client.hello.versions_listed);
	assert_int_equal(view.client.hello.alpn.len, 0);
	assert_false(view.client.hello.has_session_ticket);
	assert_false(view.client.certificate_sent);
	assert_true(view.client.records.change_cipher_spec);
	assert_false(view.client.records.application_data);
	assert_no_alert(&view.client.records);
	assert_true(view.server.server_hello);
	assert_false(view.server.hello_retry_request);
	assert_int_equal(view.server.version, TLS_VERSION_1_2);
	assert_true(view.server.certificate);
	assert_int_equal(view.server.certificate_length, i2d_X509(certificate, NULL) + 3);
	assert_false(view.server.certificate_request);
	assert_true(view.server.server_hello_done);
	assert_true(view.server.records.change_cipher_spec);
	assert_no_alert(&view.server.records);
}

static void test_tls13(void **state)
{
	static const char alpn[] = "\x02h2\x08http/1.1";
	struct scenario scenario = { .client_min = TLS1_2_VERSION, .alpn = true };
	struct tls_view view;

	(void)state;
	run(&scenario, &view);
	assert_false(view.client.hello.has_server_name);
	assert_int_equal(view.client.hello.max_version, TLS_VERSION_1_3);
	assert_true(view.client.hello.versions_listed);
	assert_int_equal(view.client.hello.version_count, 2);
	assert_int_equal(view.client.hello.versions[0], TLS_VERSION_1_3);
	assert_int_equal(view.client.hello.versions[1], TLS_VERSION_1_2);
	assert_int_equal(view.client.hello.alpn.len, sizeof(alpn) - 1);
	assert_memory_equal(view.client.hello.alpn.data, alpn, sizeof(alpn) - 1);
	assert_false(view.client.hello.has_psk);
	assert_true(view.client.records.change_cipher_spec);
	assert_true(view.client.records.application_data);
	assert_no_alert(&view.client.records);
	assert_true(view.server.server_hello);
	assert_false(view.server.hello_retry_request);
	assert_int_equal(view.server.version, TLS_VERSION_1_3);
	assert_false(view.server.certificate);
	assert_false(view.server.certificate_request);
	assert_false(view.server.server_hello_done);
	assert_no_alert(&view.server.records);
}

static void test_hello_retry_request(void **state)
{
	struct scenario scenario = { .server_groups = "P-521", .server_name = "a" };
	struct tls_view view;

	(void)state;
	run(&scenario, &view);
	assert_server_name(&view.client.hello, "a");
	assert_true(view.server.hello_retry_request);
	assert_true(view.server.server_hello);
	assert_int_equal(view.server.version, TLS_VERSION_1_3);
}

static void test_client_certificate(void **state)
{
	struct scenario scenario = { .client_max = TLS1_2_VERSION,
				     .ask_certificate = true,
				     .client_certificate = true };
	struct tls_view view;

	(void)state;
	run(&scenario, &view);
	assert_true(view.server.certificate_request);
	assert_true(view.client.certificate_sent);
	assert_false(view.client.certificate_empty);
}

static void test_client_certificate_empty(void **state)
{
	struct scenario scenario = { .client_max = TLS1_2_VERSION, .ask_certificate = true };
	struct tls_view view;

	(void)state;
	run(&scenario, &view);
	assert_true(view.server.certificate_request);
	assert_true(view.client.certificate_sent);
	assert_true(view.client.certificate_empty);
}

static void test_resumption(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct tls_view view;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		SSL_SESSION *session = NULL;
		struct scenario first = { .client_max = versions[i], .ended = &session };
		struct scenario second = { .client_max = versions[i] };

		free(exchange_make(&first));
		second.session = session;
		run(&second, &view);
		assert_int_equal(view.client.hello.has_session_ticket,
				 versions[i] == TLS1_2_VERSION);
		assert_int_equal(view.client.hello.has_psk, versions[i] == TLS1_3_VERSION);
		SSL_SESSION_free(session);
	}
}

/* ---- Alerts of OpenSSL ----------------------------------------------------------------------- */

static void test_alert_protocol_version(void **state)
{
	struct scenario scenario = { .client_max = TLS1_2_VERSION, .server_min = TLS1_3_VERSION };
	struct tls_view view;

	(void)state;
	run(&scenario, &view);
	assert_fatal(&view.server.records, 70);
	assert_false(view.server.server_hello);
	assert_no_alert(&view.client.records);
}

static void test_alert_handshake_failure(void **state)
{
	struct scenario scenario = { .client_max = TLS1_2_VERSION,
				     .server_ciphers = "ECDHE-RSA-AES128-GCM-SHA256" };
	struct tls_view view;

	(void)state;
	run(&scenario, &view);
	assert_fatal(&view.server.records, 40);
}

static void test_alert_after_certificate(void **state)
{
	struct scenario scenario = { .client_max = TLS1_2_VERSION, .need_certificate = true };
	struct tls_view view;

	(void)state;
	run(&scenario, &view);
	assert_true(view.client.certificate_empty);
	assert_fatal(&view.server.records, 40);
}

/* The client refuses the certificate before it sends its ChangeCipherSpec: in clear. */
static void test_alert_of_client(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct tls_view view;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct scenario scenario = { .client_max = versions[i], .verify = true };

		run(&scenario, &view);
		assert_fatal(&view.client.records, 48);
	}
}

/* TLS 1.3: the server refuses when the client has finished: encrypted. */
static void test_alert_encrypted(void **state)
{
	struct scenario scenario = { .need_certificate = true };
	struct tls_view view;

	(void)state;
	run(&scenario, &view);
	assert_false(view.server.records.fatal.seen);
	assert_true(view.server.records.encrypted_alert);
	assert_false(view.client.records.encrypted_alert);
}

static void test_alert_warning(void **state)
{
	struct scenario scenario = { .client_max = TLS1_2_VERSION,
				     .server_name = "x",
				     .warn_name = true };
	struct tls_view view;

	(void)state;
	run(&scenario, &view);
	assert_true(view.server.records.warning.seen);
	assert_int_equal(view.server.records.warning.description, 112);
	assert_false(view.server.records.fatal.seen);
	assert_true(view.server.server_hello_done);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tls12),
		cmocka_unit_test(test_tls13),
		cmocka_unit_test(test_hello_retry_request),
		cmocka_unit_test(test_client_certificate),
		cmocka_unit_test(test_client_certificate_empty),
		cmocka_unit_test(test_resumption),
		cmocka_unit_test(test_alert_protocol_version),
		cmocka_unit_test(test_alert_handshake_failure),
		cmocka_unit_test(test_alert_after_certificate),
		cmocka_unit_test(test_alert_of_client),
		cmocka_unit_test(test_alert_encrypted),
		cmocka_unit_test(test_alert_warning),
	};

	return cmocka_run_group_tests_name("tlswire", tests, certificate_make, certificate_free);
}
