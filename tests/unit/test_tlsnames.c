/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of TLS's numbers, against what OpenSSL says and by samples of each table.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "tls/names.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

typedef const char *(*name_of)(uint16_t number);

/* A table whose rows are out of order hides some of them. */
static unsigned int count_names(name_of name)
{
	unsigned int count = 0;

	for (uint32_t number = 0; number <= UINT16_MAX; number++)
		count += name((uint16_t)number) != NULL;
	return count;
}

static void test_versions(void **state)
{
	(void)state;
	assert_string_equal(tls_version_name(0x0300), "SSL 3.0");
	assert_string_equal(tls_version_name(0x0301), "1.0");
	assert_string_equal(tls_version_name(0x0304), "1.3");
	assert_null(tls_version_name(0x0305));
	assert_null(tls_version_name(0));
}

static void test_alerts(void **state)
{
	unsigned int assigned = 0;

	(void)state;
	assert_string_equal(tls_alert_name(0), "close_notify");
	assert_string_equal(tls_alert_name(40), "handshake_failure");
	assert_string_equal(tls_alert_name(116), "certificate_required");
	assert_null(tls_alert_name(1));
	assert_null(tls_alert_name(255));
	for (int i = 0; i <= UINT8_MAX; i++)
		assigned += tls_alert_name(i) != NULL;
	assert_int_equal(assigned, 37);
}

/* Every cipher suite that OpenSSL has, by the name that it gives as the standard's. */
static void test_ciphers_of_openssl(void **state)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	STACK_OF(SSL_CIPHER) * ciphers;

	(void)state;
	SSL_CTX_set_security_level(context, 0);
	assert_int_equal(SSL_CTX_set_cipher_list(context, "ALL:COMPLEMENTOFALL"), 1);
	ciphers = SSL_CTX_get_ciphers(context);
	assert_true(sk_SSL_CIPHER_num(ciphers) > 100);
	for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
		const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(ciphers, i);
		const char *name = tls_cipher_name(SSL_CIPHER_get_protocol_id(cipher));

		assert_non_null(name);
		assert_string_equal(name, SSL_CIPHER_standard_name(cipher));
	}
	SSL_CTX_free(context);
}

static void test_ciphers(void **state)
{
	(void)state;
	assert_string_equal(tls_cipher_name(0x0003), "TLS_RSA_EXPORT_WITH_RC4_40_MD5");
	assert_string_equal(tls_cipher_name(0x002f), "TLS_RSA_WITH_AES_128_CBC_SHA");
	assert_string_equal(tls_cipher_name(0x1301), "TLS_AES_128_GCM_SHA256");
	assert_string_equal(tls_cipher_name(0xc007), "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA");
	assert_string_equal(tls_cipher_name(0xc031), "TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256");
	assert_string_equal(tls_cipher_name(0xc07d), "TLS_DHE_RSA_WITH_CAMELLIA_256_GCM_SHA384");
	assert_string_equal(tls_cipher_name(0xcca8), "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");
	assert_string_equal(tls_cipher_name(0xd005), "TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256");
	assert_string_equal(tls_cipher_name(TLS_CIPHER_RENEGOTIATION_SCSV),
			    "TLS_EMPTY_RENEGOTIATION_INFO_SCSV");
	assert_string_equal(tls_cipher_name(TLS_CIPHER_FALLBACK_SCSV), "TLS_FALLBACK_SCSV");
	assert_null(tls_cipher_name(0x0000));
	assert_null(tls_cipher_name(0x0a0a));
	assert_null(tls_cipher_name(0xffff));
	assert_int_equal(count_names(tls_cipher_name), 303);
	for (uint32_t number = 0; number <= UINT16_MAX; number++) {
		const char *name = tls_cipher_name((uint16_t)number);

		if (name)
			assert_memory_equal(name, "TLS_", 4);
	}
}

static void test_groups(void **state)
{
	(void)state;
	assert_string_equal(tls_group_name(1), "sect163k1");
	assert_string_equal(tls_group_name(23), "secp256r1");
	assert_string_equal(tls_group_name(29), "x25519");
	assert_string_equal(tls_group_name(256), "ffdhe2048");
	assert_string_equal(tls_group_name(4587), "SecP256r1MLKEM768");
	assert_string_equal(tls_group_name(4588), "X25519MLKEM768");
	assert_string_equal(tls_group_name(25497), "X25519Kyber768Draft00");
	assert_null(tls_group_name(0));
	assert_null(tls_group_name(0xaaaa));
	assert_int_equal(count_names(tls_group_name), 57);
	assert_true(tls_group_is_post_quantum(4588));
	assert_true(tls_group_is_post_quantum(25497));
	assert_false(tls_group_is_post_quantum(29));
	assert_false(tls_group_is_post_quantum(0xaaaa));
}

static void test_schemes(void **state)
{
	(void)state;
	assert_string_equal(tls_scheme_name(0x0101), "rsa_pkcs1_md5");
	assert_string_equal(tls_scheme_name(0x0203), "ecdsa_sha1");
	assert_string_equal(tls_scheme_name(0x0403), "ecdsa_secp256r1_sha256");
	assert_string_equal(tls_scheme_name(0x0804), "rsa_pss_rsae_sha256");
	assert_string_equal(tls_scheme_name(0x0807), "ed25519");
	assert_string_equal(tls_scheme_name(0x0906), "mldsa87");
	assert_null(tls_scheme_name(0));
	assert_null(tls_scheme_name(0xfafa));
	assert_int_equal(count_names(tls_scheme_name), 43);
}

/* docs/event.schema.json promises it. */
static void test_form(void **state)
{
	static const name_of names[] = { tls_cipher_name, tls_group_name, tls_scheme_name };

	(void)state;
	for (uint32_t number = 0; number <= UINT16_MAX; number++) {
		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			const char *name = names[i]((uint16_t)number);

			if (!name)
				continue;
			assert_true(isalpha((unsigned char)name[0]));
			for (const char *c = name; *c; c++)
				assert_true(isalnum((unsigned char)*c) || *c == '_');
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_alerts),
		cmocka_unit_test(test_ciphers_of_openssl),
		cmocka_unit_test(test_ciphers),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_schemes),
		cmocka_unit_test(test_form),
	};

	return cmocka_run_group_tests_name("tlsnames", tests, NULL, NULL);
}
