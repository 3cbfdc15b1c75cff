/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the wire tells, as a finding has it: names for numbers, bounds, and words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "finding/tls.h"
#include "wire.h"

static struct tls_view view;
static struct finding finding;

static void view_set_hello(void)
{
	memset(&view, 0, sizeof(view));
	memset(&finding, 0, sizeof(finding));
	view.client.hello.present = true;
	view.client.hello.length = 220;
	view.client.hello.max_version = TLS_VERSION_1_2;
}

/* That add(), with the rest of its arguments, appends want. */
#define assert_words(want, add, ...)                                                               \
	do {                                                                                       \
		char buf[512];                                                                     \
		struct text text;                                                                  \
                                                                                                   \
		text_init(&text, buf, sizeof(buf));                                                \
		add(&text, __VA_ARGS__);                                                           \
		assert_string_equal(buf, want);                                                    \
	} while (0)

static struct tls_bytes numbers(const uint8_t *bytes, size_t len)
{
	struct tls_bytes list = { bytes, len };

	return list;
}

static void test_hello(void **state)
{
	static const uint8_t ciphers[] = { 0x1a, 0x1a, 0x13, 0x01, 0,	 0xfe,
					   0,	 0xff, 0x56, 0x00, 0xc0, 0x2f };
	static const uint8_t groups[] = { 0x11, 0xec, 0, 29 };
	static const uint8_t schemes[] = { 8, 7, 0xfe, 0 };
	static const uint8_t versions[] = { 3, 4, 0x7f, 0x1c, 3, 3 };
	static const uint8_t alpn[] = "\x02h2\x03"
				      "a\x1b"
				      "b";
	struct tls_client_hello *hello = &view.client.hello;
	const struct finding_hello *h = &finding.hello;

	(void)state;
	view_set_hello();
	hello->ciphers = numbers(ciphers, sizeof(ciphers));
	hello->groups = numbers(groups, sizeof(groups));
	hello->signature_schemes = numbers(schemes, sizeof(schemes));
	hello->versions_listed = true;
	hello->versions = numbers(versions, sizeof(versions));
	hello->alpn = numbers(alpn, sizeof(alpn) - 1);
	hello->key_share_count = 1;
	hello->key_shares[0] = 0x11ec;
	hello->has_psk = true;
	hello->session_length = 210;
	hello->record_count = 2;
	finding_tls_fill(&finding, &view);
	assert_true(h->known);
	assert_false(h->cut);
	assert_int_equal(h->version_count, 2);
	assert_string_equal(h->versions[0], "1.3");
	assert_string_equal(h->versions[1], "1.2");
	assert_int_equal(h->cipher_count, 3);
	assert_string_equal(h->ciphers[0].name, "TLS_AES_128_GCM_SHA256");
	assert_int_equal(h->ciphers[1].number, 0x00fe);
	assert_null(h->ciphers[1].name);
	assert_true(h->is_fallback);
	assert_int_equal(h->group_count, 2);
	assert_string_equal(h->groups[0].name, "X25519MLKEM768");
	assert_int_equal(h->scheme_count, 2);
	assert_string_equal(h->schemes[0].name, "ed25519");
	assert_int_equal(h->alpn_count, 2);
	assert_string_equal(h->alpn[0], "h2");
	assert_string_equal(h->alpn[1], "a\\x1bb");
	assert_true(h->offers_session);
	assert_words("TLS_AES_128_GCM_SHA256, 0x00fe, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
		     finding_add_ciphers, h);
	assert_words(", in 2 records, 3 cipher suites, key share X25519MLKEM768, "
		     "a session to resume (210 bytes), marked as a fallback",
		     finding_add_offer, h);
}

static void test_hello_least(void **state)
{
	static const uint8_t one[] = { 0, 0x2f };

	(void)state;
	view_set_hello();
	finding_tls_fill(&finding, &view);
	assert_int_equal(finding.hello.version_count, 1);
	assert_string_equal(finding.hello.versions[0], "1.2");
	assert_words(", 0 cipher suites", finding_add_offer, &finding.hello);
	assert_words("0 cipher suites", finding_add_ciphers, &finding.hello);
	view_set_hello();
	view.client.hello.ciphers = numbers(one, sizeof(one));
	finding_tls_fill(&finding, &view);
	assert_words(", 1 cipher suite", finding_add_offer, &finding.hello);
	view_set_hello();
	view.client.hello.cut = true;
	view.client.hello.max_version = 0;
	finding_tls_fill(&finding, &view);
	assert_true(finding.hello.known);
	assert_true(finding.hello.cut);
	assert_int_equal(finding.hello.version_count, 0);
	assert_words(", and more that did not come or was not kept", finding_add_offer,
		     &finding.hello);
}

/* Longer lists than a finding has room for: their numbers are true, and the first are kept. */
static void test_hello_long_lists(void **state)
{
	static uint8_t many[400];
	static uint8_t names[2 * 20];
	struct tls_client_hello *hello = &view.client.hello;
	const struct finding_hello *h = &finding.hello;

	(void)state;
	for (size_t i = 0; i < sizeof(many); i += 2) {
		many[i] = 3;
		many[i + 1] = (uint8_t)(i / 2);
	}
	for (size_t i = 0; i < sizeof(names); i += 2) {
		names[i] = 1;
		names[i + 1] = 'a';
	}
	view_set_hello();
	hello->ciphers = numbers(many, sizeof(many));
	hello->groups = hello->ciphers;
	hello->signature_schemes = hello->ciphers;
	hello->versions = hello->ciphers;
	hello->versions_listed = true;
	hello->alpn = numbers(names, sizeof(names));
	hello->key_share_count = 100;
	finding_tls_fill(&finding, &view);
	assert_int_equal(h->cipher_count, 200);
	assert_int_equal(h->ciphers[FINDING_CIPHERS_MAX - 1].number, 0x0300 + 63);
	assert_int_equal(h->group_count, 200);
	assert_int_equal(h->scheme_count, 200);
	assert_int_equal(h->alpn_count, 20);
	assert_int_equal(h->version_count, 5);
	assert_int_equal(h->key_share_count, 100);
	assert_words("200 cipher suites", finding_add_ciphers, h);
}

/* One that contradicts itself tells nothing. */
static void test_hello_malformed(void **state)
{
	static const struct finding_hello unknown;

	(void)state;
	view_set_hello();
	view.client.hello.malformed = true;
	finding_tls_fill(&finding, &view);
	assert_memory_equal(&finding.hello, &unknown, sizeof(unknown));
}

static void test_choice(void **state)
{
	struct tls_server_flight *server = &view.server;
	const struct finding_choice *choice = &finding.choice;

	(void)state;
	view_set_hello();
	server->version = TLS_VERSION_1_2;
	server->cipher = 0xc02f;
	server->group = 29;
	server->alpn = numbers((const uint8_t *)"\x02h2", 3);
	server->has_resumed = true;
	server->resumed = true;
	finding_tls_fill(&finding, &view);
	assert_string_equal(finding.protocol_version, "1.2");
	assert_string_equal(choice->cipher.name, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
	assert_string_equal(choice->group.name, "x25519");
	assert_string_equal(choice->next_protocol, "h2");
	assert_true(choice->has_resumed);
	assert_true(choice->resumed);
	assert_int_equal(choice->retry_count, 0);
	assert_words(", TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, x25519, protocol h2, "
		     "session resumed",
		     finding_add_choice, choice);
	view_set_hello();
	server->cipher = 0x009e;
	server->dh_bits = 1024;
	server->retry_count = 1;
	server->retry_group = 0x0fff;
	finding_tls_fill(&finding, &view);
	assert_words(", TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, DH of 1024 bits", finding_add_choice,
		     choice);
	assert_int_equal(choice->retry_count, 1);
	assert_words("0x0fff", finding_add_code, &choice->retry_group);
	view_set_hello();
	finding_tls_fill(&finding, &view);
	assert_null(finding.protocol_version);
	assert_words("", finding_add_choice, choice);
}

/* What a HelloRetryRequest may not ask for. A hello that is not here as a whole accuses nobody. */
static void test_retry(void **state)
{
	static const uint8_t groups[] = { 0, 29, 0, 24 };
	static const struct {
		unsigned int count;
		uint16_t group;
		bool cut;
		enum finding_retry_flaw flaw;
		const char *words;
	} retries[] = {
		{ 1, 24, false, RETRY_RIGHT, "HelloRetryRequest for secp384r1" },
		{ 1, 0, false, RETRY_RIGHT, "HelloRetryRequest" },
		{ 2, 24, false, RETRY_TWICE, "HelloRetryRequest for secp384r1, and another one" },
		{ 1, 29, false, RETRY_NEEDLESS,
		  "HelloRetryRequest for x25519, a group whose key share was there" },
		{ 1, 23, false, RETRY_NOT_OFFERED,
		  "HelloRetryRequest for secp256r1, a group that was not offered" },
		{ 1, 23, true, RETRY_RIGHT, "HelloRetryRequest for secp256r1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(retries); i++) {
		view_set_hello();
		view.client.hello.groups = numbers(groups, sizeof(groups));
		view.client.hello.key_share_count = 1;
		view.client.hello.key_shares[0] = 29;
		view.client.hello.cut = retries[i].cut;
		view.client.retry.present = true;
		view.client.retry.length = 300;
		view.client.retry.key_share_count = 1;
		view.client.retry.key_shares[0] = 24;
		view.server.retry_count = retries[i].count;
		view.server.retry_group = retries[i].group;
		finding_tls_fill(&finding, &view);
		assert_int_equal(finding.choice.retry_flaw, retries[i].flaw);
		assert_words(retries[i].words, finding_add_retry, &finding.choice);
		assert_int_equal(finding.second_hello.length, 300);
		assert_string_equal(finding.second_hello.key_share.name, "secp384r1");
	}
}

/* A list of groups is told as far as it is short. */
static void test_groups(void **state)
{
	static const uint8_t groups[] = { 0, 29, 0, 23, 0, 24, 0, 25, 0, 30, 0x0f, 0xff };

	(void)state;
	view_set_hello();
	view.client.hello.groups = numbers(groups, 2);
	finding_tls_fill(&finding, &view);
	assert_words("x25519", finding_add_groups, &finding.hello);
	view_set_hello();
	view.client.hello.groups = numbers(groups, sizeof(groups));
	finding_tls_fill(&finding, &view);
	assert_words("x25519, secp256r1, secp384r1, secp521r1 and 2 more", finding_add_groups,
		     &finding.hello);
	view_set_hello();
	finding_tls_fill(&finding, &view);
	assert_words("none", finding_add_groups, &finding.hello);
	view_set_hello();
	view.client.hello.cut = true;
	finding_tls_fill(&finding, &view);
	assert_words("unknown", finding_add_groups, &finding.hello);
}

/* A session id offers a session, unless TLS 1.3 is offered too. */
static void test_session_id(void **state)
{
	static const uint8_t id[32] = { 1 };

	(void)state;
	view_set_hello();
	view.client.hello.session_id = numbers(id, sizeof(id));
	finding_tls_fill(&finding, &view);
	assert_true(finding.hello.offers_session);
	view_set_hello();
	view.client.hello.session_id = numbers(id, sizeof(id));
	view.client.hello.max_version = TLS_VERSION_1_3;
	finding_tls_fill(&finding, &view);
	assert_false(finding.hello.offers_session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hello),
		cmocka_unit_test(test_hello_least),
		cmocka_unit_test(test_hello_long_lists),
		cmocka_unit_test(test_hello_malformed),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_retry),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_session_id),
	};

	return cmocka_run_group_tests_name("finding_tls", tests, NULL, NULL);
}
