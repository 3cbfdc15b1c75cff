// SPDX-License-Identifier: BSD-2-Clause
/*
 * ClientHellos that are written are read by the reader as what was offered; and answers to them, whole,
 * cut anywhere and hostile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probe/answer.h"
#include "tls/names.h"
#include "tls/offer.h"
#include "tls/wire.h"

static const uint16_t ciphers[] = { 0x1301, 0x1302 };
static const uint16_t groups[] = { 29, 23, 24 };
static const uint16_t schemes[] = { 0x0403, 0x0804 };

static struct tls_offer offer_of(uint16_t version)
{
	return (struct tls_offer){
		.version = version,
		.ciphers = { ciphers, 2 },
		.groups = { groups, 3 },
		.schemes = { schemes, 2 },
		.server_name = "app.test",
		.alpn = "h2,http/1.1",
	};
}

static struct tls_view view;

/* Writes and reads; returns the length of the record. */
static size_t offer_read(const struct tls_offer *offer)
{
	uint8_t buf[4096];
	size_t len = tls_offer_write(offer, buf, sizeof(buf));
	const struct tls_capture client = { .data = buf, .len = len }, server = { 0 };

	tlswire_parse(&client, &server, &view);
	return len;
}

static void test_offer(void **state)
{
	const struct tls_client_hello *hello = &view.client.hello;
	struct tls_offer offer = offer_of(TLS_VERSION_1_3);
	struct tls_bytes list;
	uint16_t number;

	(void)state;
	assert_true(offer_read(&offer) > 0);
	assert_true(hello->present && !hello->cut && !hello->malformed);
	assert_int_equal(hello->max_version, TLS_VERSION_1_3);
	assert_int_equal(hello->server_name.len, strlen("app.test"));
	assert_int_equal(hello->key_share_count, 0);
	list = hello->ciphers;
	assert_true(tls_list_next(&list, &number) && number == 0x1301);
	list = hello->groups;
	assert_true(tls_list_next(&list, &number) && number == 29);
	list = hello->alpn;
	assert_true(tls_names_next(&list, &(struct tls_bytes){ 0 }));
}

static void test_offer_old(void **state)
{
	struct tls_offer offer = offer_of(TLS_VERSION_1_0);

	(void)state;
	assert_true(offer_read(&offer) > 0);
	assert_int_equal(view.client.hello.max_version, TLS_VERSION_1_0);
	assert_false(view.client.hello.versions_listed);
	assert_null(view.client.hello.signature_schemes.data);
	offer.version = TLS_VERSION_SSL3;
	assert_true(offer_read(&offer) > 0);
	assert_int_equal(view.client.hello.max_version, TLS_VERSION_SSL3);
	assert_false(view.client.hello.has_server_name);
}

static void test_offer_key_share_and_length(void **state)
{
	static const uint16_t shares[] = { 29, 23 };
	struct tls_offer offer = offer_of(TLS_VERSION_1_3);

	(void)state;
	offer.key_shares = (struct tls_numbers){ shares, 2 };
	offer.length = 2000;
	assert_true(offer_read(&offer) >= 2000);
	assert_int_equal(view.client.hello.length, 2000);
	assert_int_equal(view.client.hello.key_share_count, 2);
}

static void test_offer_does_not_fit(void **state)
{
	static const uint16_t unknown[] = { 0x11ec };
	struct tls_offer offer = offer_of(TLS_VERSION_1_3);
	uint8_t buf[512];

	(void)state;
	for (size_t size = 0; size < 150; size++)
		assert_int_equal(tls_offer_write(&offer, buf, size), 0);
	offer.key_shares = (struct tls_numbers){ unknown, 1 };
	assert_int_equal(tls_offer_write(&offer, buf, sizeof(buf)), 0);
}

/* ServerHello of TLS 1.2 with ECDHE; a ServerKeyExchange with x25519, signed with 0x0403; Done. */
static const uint8_t flight[] = {
	22,
	3,
	3,
	0,
	42,
	2,
	0,
	0,
	38,
	3,
	3,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0xc0,
	0x2b,
	0,
	/* two messages in one record */
	22,
	3,
	3,
	0,
	50,
	12,
	0,
	0,
	42,
	3,
	0,
	29,
	32,
	1,
	2,
	3,
	4,
	5,
	6,
	7,
	8,
	9,
	10,
	11,
	12,
	13,
	14,
	15,
	16,
	17,
	18,
	19,
	20,
	21,
	22,
	23,
	24,
	25,
	26,
	27,
	28,
	29,
	30,
	31,
	32,
	4,
	3,
	0,
	2,
	9,
	9,
	14,
	0,
	0,
	0,
};

static void test_answer(void **state)
{
	struct answer answer;

	(void)state;
	answer_read(flight, sizeof(flight), &answer);
	assert_int_equal(answer.kind, ANSWER_HELLO);
	assert_int_equal(answer.version, TLS_VERSION_1_2);
	assert_int_equal(answer.cipher, 0xc02b);
	assert_int_equal(answer.group, 29);
	assert_int_equal(answer.scheme, 0x0403);
	assert_true(answer.done);
}

/* More bytes add facts and take none back. */
static void test_answer_cut(void **state)
{
	struct answer whole, part;

	(void)state;
	answer_read(flight, sizeof(flight), &whole);
	for (size_t len = 0; len < sizeof(flight); len++) {
		/* of its own, so that a read past its end is seen */
		uint8_t *copy = malloc(len + 1);

		assert_non_null(copy);
		memcpy(copy, flight, len);
		answer_read(copy, len, &part);
		free(copy);
		assert_false(part.done);
		assert_true(!part.cipher || part.cipher == whole.cipher);
		assert_true(!part.group || part.group == whole.group);
	}
}

static void test_answer_refusals(void **state)
{
	static const uint8_t fatal[] = { 21, 3, 1, 0, 2, 2, 70 };
	static const uint8_t warning[] = { 21, 3, 1, 0, 2, 1, 112 };
	static const uint8_t http[] = "HTTP/1.1 400 Bad Request";
	struct answer answer;

	(void)state;
	answer_read(fatal, sizeof(fatal), &answer);
	assert_int_equal(answer.kind, ANSWER_ALERT);
	assert_int_equal(answer.alert, 70);
	answer_read(warning, sizeof(warning), &answer);
	assert_int_equal(answer.kind, ANSWER_NONE);
	answer_read(http, sizeof(http), &answer);
	assert_int_equal(answer.kind, ANSWER_NOT_TLS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offer),
		cmocka_unit_test(test_offer_old),
		cmocka_unit_test(test_offer_key_share_and_length),
		cmocka_unit_test(test_offer_does_not_fit),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_answer_cut),
		cmocka_unit_test(test_answer_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
