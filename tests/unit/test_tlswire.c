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

#include "exchange.h"
#include "kept.h"
#include "tls/wire.h"
#include "wire.h"

#define GROUP_SECP384R1 24
#define GROUP_SECP521R1 25
#define GROUP_X448	30

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

static void cut_everywhere(const struct exchange *exchange, const struct tls_view *whole)
{
	struct tls_view part;

	for (size_t len = 0; len < exchange->client.len; len++) {
		parse_part(exchange, len, exchange->server.len, &part);
		assert_true(part.client.records.cut);
		assert_view_kept(&part, whole);
		parse_part(exchange, len, 0, &part);
		assert_view_kept(&part, whole);
	}
	for (size_t len = 0; len < exchange->server.len; len++) {
		parse_part(exchange, exchange->client.len, len, &part);
		assert_true(part.server.records.cut);
		assert_view_kept(&part, whole);
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
		assert_view_kept(&view, whole);
		if (other.client.len > TLSWIRE_MAX || other.server.len > TLSWIRE_MAX)
			continue;
		assert_view_kept(whole, &view);
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
	assert_int_equal(view->client.hello.record_count, 1);
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
	assert_int_equal(view.server.retry_count, 0);
	assert_int_equal(view.server.version, TLS_VERSION_1_2);
	assert_true(view.server.certificate);
	assert_int_equal(view.server.certificate_length, exchange_certificate_len() + 3);
	assert_false(view.server.certificate_request);
	assert_true(view.server.server_hello_done);
	assert_true(view.server.records.change_cipher_spec);
	assert_true(view.server.has_resumed);
	assert_false(view.server.resumed);
	assert_name(view.server.alpn, NULL);
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
	assert_list(view.client.hello.versions, 2, TLS_VERSION_1_3, TLS_VERSION_1_2);
	assert_int_equal(view.client.hello.alpn.len, sizeof(alpn) - 1);
	assert_memory_equal(view.client.hello.alpn.data, alpn, sizeof(alpn) - 1);
	assert_false(view.client.hello.has_psk);
	assert_true(view.client.hello.groups.len > 0);
	assert_int_equal(view.client.hello.key_share_count, 1);
	assert_int_equal(view.server.group, view.client.hello.key_shares[0]);
	assert_int_equal(view.server.retry_group, 0);
	assert_true(view.server.has_resumed);
	assert_false(view.server.resumed);
	assert_true(view.client.records.change_cipher_spec);
	assert_true(view.client.records.application_data);
	assert_no_alert(&view.client.records);
	assert_true(view.server.server_hello);
	assert_int_equal(view.server.retry_count, 0);
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
	assert_int_equal(view.server.retry_count, 1);
	assert_true(view.client.retry.present);
	assert_server_name(&view.client.retry, "a");
	assert_int_equal(view.client.retry.key_share_count, 1);
	assert_int_equal(view.client.retry.key_shares[0], GROUP_SECP521R1);
	assert_true(view.server.server_hello);
	assert_int_equal(view.server.version, TLS_VERSION_1_3);
	assert_int_equal(view.server.retry_group, GROUP_SECP521R1);
	assert_int_equal(view.server.group, GROUP_SECP521R1);
}

static void test_offer(void **state)
{
	struct scenario scenario = { .client_max = TLS1_2_VERSION,
				     .client_groups = "P-384:X448",
				     .client_ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384:AES128-SHA",
				     .fallback = true };
	struct tls_bytes schemes;
	struct tls_view view;
	uint16_t scheme;

	(void)state;
	run(&scenario, &view);
	assert_list(view.client.hello.ciphers, 4, 0xc02c, 0x002f, TLS_CIPHER_RENEGOTIATION_SCSV,
		    TLS_CIPHER_FALLBACK_SCSV);
	assert_list(view.client.hello.groups, 2, GROUP_SECP384R1, GROUP_X448);
	assert_int_equal(view.client.hello.key_share_count, 0);
	schemes = view.client.hello.signature_schemes;
	assert_true(tls_list_next(&schemes, &scheme));
	assert_non_null(tls_scheme_name(scheme));
}

/* TLS 1.2: the curve, or the size of the prime, is in the ServerKeyExchange. */
static void test_key_exchange(void **state)
{
	struct scenario curve = { .client_max = TLS1_2_VERSION, .server_groups = "P-384" };
	struct scenario prime = { .client_max = TLS1_2_VERSION,
				  .client_ciphers = "ADH-AES128-SHA256:@SECLEVEL=0",
				  .server_ciphers = "ADH-AES128-SHA256:@SECLEVEL=0" };
	struct scenario anonymous = { .client_max = TLS1_2_VERSION,
				      .client_ciphers = "AECDH-AES128-SHA:@SECLEVEL=0",
				      .server_ciphers = "AECDH-AES128-SHA:@SECLEVEL=0" };
	struct tls_view view;

	(void)state;
	run(&curve, &view);
	assert_int_equal(view.server.group, GROUP_SECP384R1);
	assert_int_equal(view.server.dh_bits, 0);
	run(&prime, &view);
	assert_int_equal(view.server.group, 0);
	assert_true(view.server.dh_bits >= 1024);
	assert_true(view.server.has_resumed);
	assert_false(view.server.resumed);
	run(&anonymous, &view);
	assert_int_not_equal(view.server.group, 0);
}

static void test_alpn_chosen(void **state)
{
	struct scenario scenario = { .client_max = TLS1_2_VERSION,
				     .alpn = true,
				     .choose_alpn = true };
	struct tls_view view;

	(void)state;
	run(&scenario, &view);
	assert_name(view.server.alpn, "h2");
	scenario.client_max = TLS1_3_VERSION;
	run(&scenario, &view);
	assert_name(view.server.alpn, NULL);
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

/* What became of the client certificate, by messages or by lengths of what is encrypted. */
static void test_client_auth(void **state)
{
	static const struct {
		bool asked;
		bool sent;
		enum tls_client_auth want;
	} rows[] = { { false, false, TLS_CLIENT_AUTH_NOT_ASKED },
		     { false, true, TLS_CLIENT_AUTH_NOT_ASKED },
		     { true, false, TLS_CLIENT_AUTH_NONE },
		     { true, true, TLS_CLIENT_AUTH_SENT } };
	static const char *const suites[] = { "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
					      "TLS_CHACHA20_POLY1305_SHA256" };

	(void)state;
	for (size_t i = 0; i < 3 * sizeof(rows) / sizeof(rows[0]); i++) {
		struct scenario scenario = { .client_suites = suites[i % 3],
					     .ask_certificate = rows[i / 3].asked,
					     .client_certificate = rows[i / 3].sent };
		struct tls_view view;

		run(&scenario, &view);
		assert_int_equal(view.server.version, TLS_VERSION_1_3);
		assert_int_equal(view.client.auth, rows[i / 3].want);
		scenario.client_max = TLS1_2_VERSION;
		run(&scenario, &view);
		assert_int_equal(view.client.auth, rows[i / 3].want);
	}
}

/* A server may refuse a client without a certificate before it reads what comes next. */
static void test_client_auth_unread(void **state)
{
	struct scenario scenario = { .ask_certificate = true };
	struct exchange *exchange = exchange_make(&scenario);
	struct tls_capture client = { exchange->client.bytes, exchange->client.len, false };
	struct tls_capture server = { exchange->server.bytes, exchange->server.len, false };
	struct tls_view view;

	(void)state;
	client.len -= 5 + 4 + 48 + 17; /* of Finished */
	tlswire_parse(&client, &server, &view);
	assert_int_equal(view.client.records.encrypted_count, 1);
	assert_int_equal(view.client.auth, TLS_CLIENT_AUTH_NONE);
	free(exchange);
}

/* By ticket, by session id, by PSK. */
static void test_resumption(void **state)
{
	static const struct {
		int version;
		bool no_tickets;
	} ways[] = { { TLS1_2_VERSION, false },
		     { TLS1_2_VERSION, true },
		     { TLS1_3_VERSION, false } };
	struct tls_view view;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		SSL_SESSION *session = NULL;
		struct scenario first = { .client_max = ways[i].version,
					  .no_tickets = ways[i].no_tickets,
					  .ended = &session };
		struct scenario second = first;

		first.server = exchange_server_make(&first);
		second.server = first.server;
		second.ended = NULL;
		free(exchange_make(&first));
		second.session = session;
		run(&second, &view);
		assert_int_equal(view.client.hello.has_session_ticket,
				 ways[i].version == TLS1_2_VERSION && !ways[i].no_tickets);
		assert_int_equal(view.client.hello.has_psk, ways[i].version == TLS1_3_VERSION);
		assert_true(view.server.has_resumed);
		assert_true(view.server.resumed);
		SSL_SESSION_free(session);
		SSL_CTX_free(first.server);
	}
}

/* The server does not know the session: it has other ticket keys. */
static void test_resumption_refused(void **state)
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
		assert_true(view.client.hello.has_session_ticket || view.client.hello.has_psk);
		assert_true(view.server.has_resumed);
		assert_false(view.server.resumed);
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
		cmocka_unit_test(test_offer),
		cmocka_unit_test(test_key_exchange),
		cmocka_unit_test(test_alpn_chosen),
		cmocka_unit_test(test_client_certificate),
		cmocka_unit_test(test_client_certificate_empty),
		cmocka_unit_test(test_client_auth),
		cmocka_unit_test(test_client_auth_unread),
		cmocka_unit_test(test_resumption),
		cmocka_unit_test(test_resumption_refused),
		cmocka_unit_test(test_alert_protocol_version),
		cmocka_unit_test(test_alert_handshake_failure),
		cmocka_unit_test(test_alert_after_certificate),
		cmocka_unit_test(test_alert_of_client),
		cmocka_unit_test(test_alert_encrypted),
		cmocka_unit_test(test_alert_warning),
	};

	return cmocka_run_group_tests_name("tlswire", tests, exchange_setup, exchange_teardown);
}
