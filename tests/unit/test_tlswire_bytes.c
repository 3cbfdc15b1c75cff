/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes that no decent TLS library would send, read from the wire.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tls/wire.h"
#include "wire.h"

#define CONTENT_HANDSHAKE 22

static void parse_client(const void *bytes, size_t len, struct tls_view *view)
{
	struct tls_capture client = { bytes, len, false };
	struct tls_capture server = { NULL, 0, false };

	tlswire_parse(&client, &server, view);
}

static void parse_server(const void *bytes, size_t len, struct tls_view *view)
{
	struct tls_capture client = { NULL, 0, false };
	struct tls_capture server = { bytes, len, false };

	tlswire_parse(&client, &server, view);
}

static void test_not_tls(void **state)
{
	static const char *const others[] = { "HTTP/1.1 400 Bad Request\r\n", "SSH-2.0-x",
					      "\x16GET", "\x80\x2e\x01", "\x18\x03\x03" };
	struct tls_view view;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		parse_server(others[i], strlen(others[i]), &view);
		assert_int_equal(view.server.records.framing, TLS_FRAMING_OTHER);
		assert_false(view.server.records.malformed);
		assert_no_alert(&view.server.records);
	}
	parse_server(NULL, 0, &view);
	assert_int_equal(view.server.records.framing, TLS_FRAMING_UNKNOWN);
	assert_false(view.server.records.cut);
	parse_server("\x16", 1, &view);
	assert_int_equal(view.server.records.framing, TLS_FRAMING_UNKNOWN);
	assert_true(view.server.records.cut);
}

static void test_records_malformed(void **state)
{
	static const uint8_t alert[] = { 21, 3, 3, 0, 2, 2, 80 };
	static const uint8_t tails[][5] = { { 'H', 'T', 'T', 'P', '/' },
					    { 22, 2, 0, 0, 1 },
					    { 22, 3, 3, 0x48, 0x01 } };
	uint8_t bytes[sizeof(alert) + 5];
	struct tls_view view;

	(void)state;
	memcpy(bytes, alert, sizeof(alert));
	for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
		memcpy(bytes + sizeof(alert), tails[i], sizeof(tails[i]));
		parse_server(bytes, sizeof(bytes), &view);
		assert_int_equal(view.server.records.framing, TLS_FRAMING_RECORDS);
		assert_true(view.server.records.malformed);
		assert_fatal(&view.server.records, 80);
	}
}

static void test_alerts_by_hand(void **state)
{
	/* warning, fatal, another fatal */
	static const uint8_t three[] = { 21, 3, 1,  0,	2, 1, 0, 21, 3, 1, 0,
					 2,  2, 70, 21, 3, 1, 0, 2,  2, 80 };
	static const uint8_t no_level[] = { 21, 3, 1, 0, 2, 3, 70 };
	static const uint8_t after_keys[] = { 20, 3, 3, 0, 1, 1, 21, 3, 3, 0, 2, 2, 70 };
	static const uint8_t encrypted[] = { 20, 3, 3, 0, 1, 1, 21, 3, 3, 0, 4, 9, 9, 9, 9 };
	struct tls_view view;

	(void)state;
	parse_client(three, sizeof(three), &view);
	assert_true(view.client.records.warning.seen);
	assert_int_equal(view.client.records.warning.description, 0);
	assert_true(view.client.records.fatal.seen);
	assert_int_equal(view.client.records.fatal.description, 70);
	parse_client(three, 6, &view);
	assert_no_alert(&view.client.records);
	assert_true(view.client.records.cut);
	assert_false(view.client.records.alert_unread);
	parse_client(three, 5, &view);
	assert_true(view.client.records.alert_unread);
	parse_client(no_level, sizeof(no_level), &view);
	assert_no_alert(&view.client.records);
	parse_client(after_keys, sizeof(after_keys), &view);
	assert_no_alert(&view.client.records);
	parse_client(encrypted, sizeof(encrypted), &view);
	assert_true(view.client.records.encrypted_alert);
	assert_false(view.client.records.fatal.seen);
	parse_client(encrypted, sizeof(encrypted) - 1, &view);
	assert_false(view.client.records.encrypted_alert);
}

/* A ClientHello with the given ciphers and extensions, in one record. */
struct hello_bytes {
	uint8_t bytes[512];
	size_t len;
};

static void hello_put(struct hello_bytes *hello, const void *bytes, size_t len)
{
	assert_true(hello->len + len <= sizeof(hello->bytes));
	if (len > 0)
		memcpy(hello->bytes + hello->len, bytes, len);
	hello->len += len;
}

static void hello_vector(struct hello_bytes *hello, const void *bytes, size_t len)
{
	uint8_t length[] = { len >> 8, len & 0xff };

	hello_put(hello, length, sizeof(length));
	hello_put(hello, bytes, len);
}

static void parse_hello(uint16_t legacy_version, const void *ciphers, size_t ciphers_len,
			const void *extensions, size_t extensions_len, struct tls_view *view)
{
	static const uint8_t random[32] = { 1 };
	static const uint8_t compression[] = { 1, 0 };
	uint8_t version[] = { legacy_version >> 8, legacy_version & 0xff };
	struct hello_bytes body = {};
	struct hello_bytes message = {};
	struct direction records = {};
	uint8_t header[] = { 1, 0 };

	hello_put(&body, version, sizeof(version));
	hello_put(&body, random, sizeof(random));
	hello_put(&body, "", 1); /* no session id */
	hello_vector(&body, ciphers, ciphers_len);
	hello_put(&body, compression, sizeof(compression));
	if (extensions)
		hello_vector(&body, extensions, extensions_len);
	hello_put(&message, header, sizeof(header));
	hello_vector(&message, body.bytes, body.len);
	record_put(&records, CONTENT_HANDSHAKE, message.bytes, message.len);
	parse_client(records.bytes, records.len, view);
	assert_true(view->client.hello.present);
	assert_false(view->client.hello.cut);
}

static const uint8_t two_ciphers[] = { 0xc0, 0x2f, 0x00, 0xff };

static void parse_extensions(const uint8_t *extensions, size_t len, struct tls_view *view)
{
	parse_hello(TLS_VERSION_1_2, two_ciphers, sizeof(two_ciphers), extensions, len, view);
	assert_list(view->client.hello.ciphers, 2, 0xc02f, TLS_CIPHER_RENEGOTIATION_SCSV);
}

static void test_hello_without_extensions(void **state)
{
	static const uint16_t offered[] = { 0x0300, 0x0301, 0x0303, 0x0304, 0x0399 };
	static const uint16_t max[] = { 0x0300, 0x0301, 0x0303, 0x0303, 0x0303 };
	struct tls_view view;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(offered); i++) {
		parse_hello(offered[i], two_ciphers, sizeof(two_ciphers), NULL, 0, &view);
		assert_false(view.client.hello.malformed);
		assert_int_equal(view.client.hello.legacy_version, offered[i]);
		assert_int_equal(view.client.hello.max_version, max[i]);
		assert_memory_equal(view.client.hello.ciphers.data, two_ciphers,
				    sizeof(two_ciphers));
	}
	parse_hello(TLS_VERSION_1_2, two_ciphers, 3, NULL, 0, &view);
	assert_true(view.client.hello.malformed);
	assert_int_equal(view.client.hello.max_version, 0);
}

static void test_hello_versions(void **state)
{
	/* GREASE, a draft of TLS 1.3, TLS 1.3, nearly GREASE, TLS 1.1; the extension again */
	static const uint8_t versions[] = { 0,	  43,	0,    11,   10,	  0x3a, 0x3a, 0x7f,
					    0x1c, 0x03, 0x04, 0x0a, 0x1a, 0x03, 2,    0,
					    43,	  0,	3,    2,    0x03, 0x03 };
	static const uint8_t odd[] = { 0, 43, 0, 4, 3, 0x03, 0x03, 0x03 };
	static const uint8_t grease_only[] = { 0, 43, 0, 3, 2, 0x0a, 0x0a };
	struct tls_view view;

	(void)state;
	parse_extensions(versions, sizeof(versions), &view);
	assert_false(view.client.hello.malformed);
	assert_list(view.client.hello.versions, 4, 0x7f1c, TLS_VERSION_1_3, 0x0a1a,
		    TLS_VERSION_1_1);
	assert_int_equal(view.client.hello.max_version, TLS_VERSION_1_3);
	parse_extensions(odd, sizeof(odd), &view);
	assert_true(view.client.hello.malformed);
	parse_extensions(grease_only, sizeof(grease_only), &view);
	assert_true(view.client.hello.versions_listed);
	assert_list(view.client.hello.versions, 0);
	assert_int_equal(view.client.hello.max_version, 0);
}

static void test_hello_server_name(void **state)
{
	/* a name of another type, then a host name with a NUL in it */
	static const uint8_t second[] = { 0,   0,   0, 13, 0, 11,  9, 0,  2,
					  'x', 'x', 0, 0,  3, 'a', 0, 'b' };
	static const uint8_t twice[] = { 0, 0, 0, 6, 0, 4, 0, 0, 1, 'a',
					 0, 0, 0, 6, 0, 4, 0, 0, 1, 'b' };
	static const uint8_t empty[] = { 0, 0, 0, 0 };
	static const uint8_t too_long[] = { 0, 0, 0, 6, 0, 4, 0, 0, 9, 'a' };
	static const uint8_t none[] = { 0, 0, 0, 2, 0, 0 };
	struct tls_view view;

	(void)state;
	parse_extensions(second, sizeof(second), &view);
	assert_false(view.client.hello.malformed);
	assert_true(view.client.hello.has_server_name);
	assert_int_equal(view.client.hello.server_name.len, 3);
	assert_memory_equal(view.client.hello.server_name.data, "a\0b", 3);
	parse_extensions(twice, sizeof(twice), &view);
	assert_server_name(&view.client.hello, "a");
	parse_extensions(empty, sizeof(empty), &view);
	assert_true(view.client.hello.malformed);
	assert_false(view.client.hello.has_server_name);
	parse_extensions(too_long, sizeof(too_long), &view);
	assert_true(view.client.hello.malformed);
	assert_false(view.client.hello.has_server_name);
	parse_extensions(none, sizeof(none), &view);
	assert_false(view.client.hello.malformed);
	assert_false(view.client.hello.has_server_name);
}

/* Values of RFC 8701 among the real ones, in every list. */
static void test_hello_grease(void **state)
{
	static const uint8_t ciphers[] = { 0x1a, 0x1a, 0x13, 0x01, 0xfa, 0xfa };
	static const uint8_t extensions[] = {
		0xda, 0xda, 0, 0,					    /* of its own */
		0,    10,   0, 6,  0, 4,  0x2a, 0x2a, 0,    29,		    /* groups */
		0,    13,   0, 6,  0, 4,  8,	4,    0x3a, 0x3a,	    /* signature schemes */
		0,    16,   0, 8,  0, 6,  2,	0x4a, 0x4a, 2,	  'h', '2', /* ALPN */
		0,    43,   0, 5,  4, 3,  4,	0x5a, 0x5a,		    /* versions */
		0,    51,   0, 12, 0, 10, 0x6a, 0x6a, 0,    1,	  0,   0,
		29,   0,    1, 9, /* key shares */
	};
	struct tls_client_hello *hello;
	struct tls_view view;

	(void)state;
	parse_hello(TLS_VERSION_1_2, ciphers, sizeof(ciphers), extensions, sizeof(extensions),
		    &view);
	hello = &view.client.hello;
	assert_false(hello->malformed);
	assert_list(hello->ciphers, 1, 0x1301);
	assert_list(hello->groups, 1, 29);
	assert_list(hello->signature_schemes, 1, 0x0804);
	assert_list(hello->versions, 1, TLS_VERSION_1_3);
	assert_name(hello->alpn, "h2");
	assert_int_equal(hello->key_share_count, 1);
	assert_int_equal(hello->key_shares[0], 29);
}

/* A length that does not fit its content, of each list; and a list that comes twice. */
static void test_hello_lists(void **state)
{
	static const struct {
		uint8_t bytes[12];
		size_t len;
	} bad[] = {
		{ { 0, 10, 0, 5, 0, 3, 0, 29, 0 }, 9 },	    /* groups: odd */
		{ { 0, 10, 0, 4, 0, 4, 0, 29 }, 8 },	    /* groups: too long */
		{ { 0, 13, 0, 1, 0 }, 5 },		    /* signature schemes: no length */
		{ { 0, 16, 0, 5, 0, 3, 3, 'h', '2' }, 9 },  /* ALPN: name too long */
		{ { 0, 51, 0, 6, 0, 4, 0, 29, 0, 2 }, 10 }, /* key share: no share */
		{ { 0, 51, 0, 3, 0, 1, 0 }, 7 },	    /* key share: half a group */
	};
	static const uint8_t twice[] = { 0, 10, 0, 4, 0, 2, 0, 29, 0, 10, 0, 4, 0, 2, 0, 30 };
	static const uint8_t empty[] = { 0, 10, 0, 2, 0, 0, 0, 51, 0, 2, 0, 0, 0, 16, 0, 2, 0, 0 };
	struct tls_view view;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		parse_extensions(bad[i].bytes, bad[i].len, &view);
		assert_true(view.client.hello.malformed);
	}
	parse_extensions(twice, sizeof(twice), &view);
	assert_false(view.client.hello.malformed);
	assert_list(view.client.hello.groups, 1, 29);
	parse_extensions(empty, sizeof(empty), &view);
	assert_false(view.client.hello.malformed);
	assert_list(view.client.hello.groups, 0);
	assert_name(view.client.hello.alpn, NULL);
	assert_int_equal(view.client.hello.key_share_count, 0);
}

/* More key shares than are kept, each of no bytes. */
static void test_hello_many_key_shares(void **state)
{
	uint8_t bytes[6 + 4 * 20] = { 0, 51, 0, 2 + 4 * 20, 0, 4 * 20 };
	struct tls_view view;

	(void)state;
	for (int i = 0; i < 20; i++)
		bytes[6 + 4 * i + 1] = 23 + i;
	parse_extensions(bytes, sizeof(bytes), &view);
	assert_false(view.client.hello.malformed);
	assert_int_equal(view.client.hello.key_share_count, 20);
	assert_int_equal(view.client.hello.key_shares_length, 2 + 4 * 20);
	assert_int_equal(view.client.hello.key_shares[TLS_KEY_SHARES_MAX - 1],
			 23 + TLS_KEY_SHARES_MAX - 1);
}

/* Empty records count for nothing, and what follows the ClientHello in its last record neither. */
static void test_hello_records(void **state)
{
	static const uint8_t hello[44] = { 1, 0, 0, 40, 3, 3, [42] = 1 };
	static const size_t sizes[] = { 1, 3, 7, 43, 44 };
	struct direction records;
	struct tls_view view;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		size_t count = 0;

		records.len = 0;
		for (size_t at = 0; at < sizeof(hello); at += sizes[i], count++) {
			size_t left = sizeof(hello) - at;

			record_put(&records, CONTENT_HANDSHAKE, hello + at,
				   left < sizes[i] ? left : sizes[i]);
			record_put(&records, CONTENT_HANDSHAKE, "", 0);
		}
		record_put(&records, CONTENT_HANDSHAKE, "\x10\0\0", 4);
		parse_client(records.bytes, records.len, &view);
		assert_int_equal(view.client.hello.record_count, count);
		parse_client(records.bytes, 5 + sizes[i] / 2, &view);
		assert_int_equal(view.client.hello.record_count, 0);
	}
}

/* A ServerHello that says it resumed a session which the client did not offer. */
static void test_resumption_not_offered(void **state)
{
	static const uint8_t hello[] = { 2, 0, 0, 40, 3, 3, [39] = 0xc0, 0x2f, 0, 0, 0 };
	static const uint8_t ccs[] = { 1 };
	struct direction records = {};
	struct tls_view view;

	(void)state;
	record_put(&records, CONTENT_HANDSHAKE, hello, sizeof(hello));
	record_put(&records, 20, ccs, sizeof(ccs));
	parse_server(records.bytes, records.len, &view);
	assert_true(view.server.server_hello);
	assert_int_equal(view.server.cipher, 0xc02f);
	assert_false(view.server.has_resumed);
	assert_false(view.server.resumed);
}

/* ServerKeyExchange: of a curve without a name, of a prime with zeros in front, cut, and wrong. */
static void test_key_exchanges(void **state)
{
	static const struct {
		uint16_t cipher;
		uint8_t body[8];
		uint8_t len;
		uint16_t group;
		unsigned int dh_bits;
		bool malformed;
	} rows[] = {
		{ 0xc02f, { 3, 0, 29, 0 }, 4, 29, 0, false },
		{ 0xc02f, { 1, 0, 29, 0 }, 4, 0, 0, false },
		{ 0xc02f, { 3, 0 }, 2, 0, 0, true },
		{ 0x009e, { 0, 4, 0, 0, 0x20, 0xff }, 6, 0, 14, false },
		{ 0x009e, { 0, 2, 0, 0 }, 4, 0, 0, false },
		{ 0x009e, { 0, 9, 0xff }, 3, 0, 0, true },
		{ 0xc035, { 0, 1, 'x', 3, 0, 23 }, 6, 23, 0, false },
		{ 0x002f, { 3, 0, 29, 0 }, 4, 0, 0, false },
		{ 0xffee, { 3, 0, 29, 0 }, 4, 0, 0, false },
	};
	struct tls_view view;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t hello[44] = { 2, 0, 0, 38, 3, 3 };
		uint8_t exchange[12] = { 12, 0, 0, rows[i].len };
		struct direction records = {};

		hello[39] = rows[i].cipher >> 8;
		hello[40] = rows[i].cipher & 0xff;
		memcpy(exchange + 4, rows[i].body, rows[i].len);
		record_put(&records, CONTENT_HANDSHAKE, hello, 42);
		record_put(&records, CONTENT_HANDSHAKE, exchange, 4 + rows[i].len);
		parse_server(records.bytes, records.len, &view);
		assert_true(view.server.server_hello);
		assert_int_equal(view.server.group, rows[i].group);
		assert_int_equal(view.server.dh_bits, rows[i].dh_bits);
		assert_int_equal(view.server.records.malformed, rows[i].malformed);
	}
}

static void test_wrong_first_message(void **state)
{
	static const uint8_t server_hello_done[] = { 22, 3, 3, 0, 4, 14, 0, 0, 0 };
	static const uint8_t empty_hello[] = { 22, 3, 3, 0, 4, 2, 0, 0, 0 };
	struct tls_view view;

	(void)state;
	parse_client(server_hello_done, sizeof(server_hello_done), &view);
	assert_true(view.client.records.malformed);
	assert_false(view.client.hello.present);
	parse_server(server_hello_done, sizeof(server_hello_done), &view);
	assert_true(view.server.records.malformed);
	assert_false(view.server.server_hello_done);
	parse_server(empty_hello, sizeof(empty_hello), &view);
	assert_true(view.server.records.malformed);
	assert_false(view.server.server_hello);
}

/* A message of the largest length there is, in more bytes than are looked at. */
static void test_too_many_bytes(void **state)
{
	static struct direction records;
	static uint8_t payload[10000] = { 1, 0xff, 0xff, 0xff, 3, 3 };
	struct tls_view view;

	(void)state;
	record_put(&records, CONTENT_HANDSHAKE, payload, sizeof(payload));
	parse_client(records.bytes, records.len, &view);
	assert_true(view.client.records.cut);
	assert_true(view.client.hello.present);
	assert_true(view.client.hello.cut);
	assert_int_equal(view.client.hello.length, 0xffffff + 4);
	assert_int_equal(view.client.hello.legacy_version, TLS_VERSION_1_2);
	assert_int_equal(view.client.hello.max_version, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_tls),
		cmocka_unit_test(test_records_malformed),
		cmocka_unit_test(test_alerts_by_hand),
		cmocka_unit_test(test_hello_without_extensions),
		cmocka_unit_test(test_hello_versions),
		cmocka_unit_test(test_hello_server_name),
		cmocka_unit_test(test_hello_grease),
		cmocka_unit_test(test_hello_lists),
		cmocka_unit_test(test_hello_many_key_shares),
		cmocka_unit_test(test_hello_records),
		cmocka_unit_test(test_resumption_not_offered),
		cmocka_unit_test(test_key_exchanges),
		cmocka_unit_test(test_wrong_first_message),
		cmocka_unit_test(test_too_many_bytes),
	};

	return cmocka_run_group_tests_name("tlswire_bytes", tests, NULL, NULL);
}
