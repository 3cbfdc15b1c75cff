/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of the libraries' numbers against OpenSSL itself: its headers, of which every number has
 * to be there, and handshakes for the alert that a failed verification sends.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ssl.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>

#include "certificate.h"
#include "tls/backend.h"
#include "tls/library.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* More than any reason or code is; larger ones are alerts. */
#define REASONS_END 1000
#define VERIFY_END  200

#define NO_ALERT -1

struct number {
	uint32_t number;
	const char *macro; /* without its prefix */
	int alert;	   /* sent by a client that raises it */
};

/* since OpenSSL 3.2 */
#ifndef SSL_R_RECORD_LAYER_FAILURE
#define SSL_R_RECORD_LAYER_FAILURE 313
#endif

static const struct number reasons[] = {
#define R(name, alert)                                                                             \
	{                                                                                          \
		SSL_R_##name, #name, alert                                                         \
	}
#define R_SENDS(name, sent) R(name, SSL_AD_##sent)
#define R_MUTE(name)	    R(name, NO_ALERT)
	R_SENDS(BAD_KEY_SHARE, ILLEGAL_PARAMETER),
	R_SENDS(BAD_SIGNATURE, DECRYPT_ERROR),
	R_MUTE(CALLBACK_FAILED),
	R_MUTE(CA_KEY_TOO_SMALL),
	R_MUTE(CA_MD_TOO_WEAK),
	R_MUTE(CERTIFICATE_VERIFY_FAILED), /* depends on the verify code */
	R_SENDS(DECRYPTION_FAILED_OR_BAD_RECORD_MAC, BAD_RECORD_MAC),
	R_SENDS(DH_KEY_TOO_SMALL, HANDSHAKE_FAILURE),
	R_SENDS(DIGEST_CHECK_FAILED, DECRYPT_ERROR),
	R_MUTE(EE_KEY_TOO_SMALL),
	R_MUTE(HTTPS_PROXY_REQUEST),
	R_MUTE(HTTP_REQUEST),
	R_MUTE(INAPPROPRIATE_FALLBACK),
	R_MUTE(NO_APPLICATION_PROTOCOL),
	R_SENDS(NO_PROTOCOLS_AVAILABLE, PROTOCOL_VERSION),
	R_SENDS(NO_SHARED_CIPHER, HANDSHAKE_FAILURE),
	R_SENDS(NO_SHARED_SIGNATURE_ALGORITHMS, HANDSHAKE_FAILURE),
	R_SENDS(NO_SUITABLE_KEY_SHARE, HANDSHAKE_FAILURE),
	R_SENDS(NO_SUITABLE_SIGNATURE_ALGORITHM, HANDSHAKE_FAILURE),
	R_MUTE(RECORD_LAYER_FAILURE),
	R_SENDS(PEER_DID_NOT_RETURN_A_CERTIFICATE, CERTIFICATE_REQUIRED),
	R_SENDS(UNEXPECTED_MESSAGE, UNEXPECTED_MESSAGE),
	R_SENDS(UNSUPPORTED_PROTOCOL, PROTOCOL_VERSION),
	R_MUTE(VERSION_TOO_LOW),
	R_SENDS(WRONG_VERSION_NUMBER, PROTOCOL_VERSION),
	R_SENDS(LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED, HANDSHAKE_FAILURE),
	R_MUTE(NO_SHARED_GROUPS),
	R_MUTE(SHUTDOWN_WHILE_IN_INIT),
	R_MUTE(UNEXPECTED_EOF_WHILE_READING),
	R_SENDS(UNSAFE_LEGACY_RENEGOTIATION_DISABLED, HANDSHAKE_FAILURE),
#undef R
#undef R_SENDS
#undef R_MUTE
};

/* Is name what the macro is called, in lower case and with blanks in the place of '_'? */
static bool is_macro(const char *name, const char *macro, char blank)
{
	size_t len = strlen(macro);

	if (strlen(name) != len)
		return false;
	for (size_t i = 0; i < len; i++) {
		char want = macro[i] == '_' ? blank : (char)tolower(macro[i]);

		if (name[i] != want)
			return false;
	}
	return true;
}

#define OPENSSL TLS_LIBRARY_OPENSSL

static void assert_alert_for(uint32_t reason, int32_t verify, int want)
{
	uint8_t alert = 255;
	bool known = tls_alert_for(OPENSSL, reason, verify, &alert);

	if (known != (want != NO_ALERT) || (known && alert != want))
		fail_msg("reason %u, verify %d: alert %d, not %d", reason, verify,
			 known ? alert : NO_ALERT, want);
}

static void test_reasons(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		const struct number *n = &reasons[i];
		const char *words = tls_reason_words(OPENSSL, n->number);

		if (!words || !is_macro(words, n->macro, ' '))
			fail_msg("%u is SSL_R_%s, not \"%s\"", n->number, n->macro, words);
		assert_alert_for(n->number, 0, n->alert);
	}
	/* whose words are not those of the macro */
	assert_string_equal(tls_reason_words(OPENSSL, SSL_R_CERT_CB_ERROR),
			    "certificate callback error");
}

static bool is_tested(uint32_t number)
{
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		if (reasons[i].number == number)
			return true;
	}
	return false;
}

/* An alert that is not compared above would be unproven. */
static void test_alerts_are_all_tested(void **state)
{
	uint8_t alert;

	(void)state;
	for (uint32_t number = 0; number < REASONS_END; number++)
		if (!is_tested(number) && tls_alert_for(OPENSSL, number, 0, &alert))
			fail_msg("the alert of reason %u is not compared", number);
}

/* Calls check for each "#define PREFIXname number" of a header of OpenSSL; returns how many. */
static size_t header_walk(const char *path, const char *prefix,
			  void (*check)(const char *name, uint32_t number))
{
	FILE *file = fopen(path, "r");
	char line[512], name[256];
	unsigned int number;
	size_t count = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "# define %255s %u", name, &number) != 2 ||
		    strncmp(name, prefix, strlen(prefix)) != 0)
			continue;
		check(name + strlen(prefix), number);
		count++;
	}
	fclose(file);
	return count;
}

static void check_reason(const char *name, uint32_t number)
{
	enum tls_reason reason = tls_reason_of(OPENSSL, number);

	if (reason == TLS_REASON_UNLISTED || reason == TLS_REASON_NONE)
		fail_msg("SSL_R_%s %u is not in the table", name, number);
	if (number < REASONS_END && number != SSL_R_CERT_CB_ERROR &&
	    !is_macro(tls_reason_words(OPENSSL, number), name, ' '))
		fail_msg("%u is SSL_R_%s, not \"%s\"", number, name,
			 tls_reason_words(OPENSSL, number));
	if (number > REASONS_END)
		assert_int_equal(reason, TLS_REASON_ALERT);
}

static void check_verify(const char *name, uint32_t number)
{
	const char *ours = tls_verify_name(OPENSSL, (int32_t)number);

	if (!ours || !is_macro(ours, name, '_'))
		fail_msg("%u is X509_V_ERR_%s, not \"%s\"", number, name, ours);
	assert_non_null(tls_verify_words(OPENSSL, (int32_t)number));
	assert_int_not_equal(tls_verify_of(OPENSSL, (int32_t)number), TLS_VERIFY_OK);
}

static void test_headers(void **state)
{
	(void)state;
	assert_true(header_walk("/usr/include/openssl/sslerr.h", "SSL_R_", check_reason) > 250);
	assert_true(header_walk("/usr/include/openssl/x509_vfy.h", "X509_V_ERR_", check_verify) >
		    75);
}

/* No number is twice in a table, which would hide the second. */
static void test_tables(void **state)
{
	static const struct tls_backend *const backends[] = {
		&tls_backend_openssl,
		&tls_backend_openssl_1,
		&tls_backend_boringssl,
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(backends); n++) {
		const struct tls_backend *b = backends[n];

		for (size_t i = 1; i < b->reason_count; i++)
			assert_true(b->reasons[i - 1].number < b->reasons[i].number);
		for (size_t i = 1; i < b->verify_count; i++)
			assert_true(b->verifies[i - 1].code < b->verifies[i].code);
	}
}

static void test_libraries(void **state)
{
	(void)state;
	assert_int_equal(tls_library_of(20, "3.0.19"), TLS_LIBRARY_OPENSSL);
	assert_int_equal(tls_library_of(0, "4.0.0"), TLS_LIBRARY_OPENSSL);
	assert_int_equal(tls_library_of(0, ""), TLS_LIBRARY_OPENSSL);
	assert_int_equal(tls_library_of(20, "1.1.1w"), TLS_LIBRARY_OPENSSL_1);
	assert_int_equal(tls_library_of(16, ""), TLS_LIBRARY_BORINGSSL);
	assert_int_equal(tls_library_of(16, "3.0.19"), TLS_LIBRARY_BORINGSSL);
	assert_int_equal(tls_library_of(0, "BoringSSL"), TLS_LIBRARY_BORINGSSL);
	assert_string_equal(tls_library_name(TLS_LIBRARY_OPENSSL_1), "OpenSSL");
	assert_string_equal(tls_library_name(TLS_LIBRARY_BORINGSSL), "BoringSSL");
}

/* The same number is something else elsewhere. */
static void test_numbers_are_kept_apart(void **state)
{
	const enum tls_library boring = TLS_LIBRARY_BORINGSSL, old = TLS_LIBRARY_OPENSSL_1;

	(void)state;
	assert_int_equal(tls_reason_of(boring, 125), TLS_REASON_VERIFY_FAILED);
	assert_int_equal(tls_reason_of(boring, 184), TLS_REASON_NO_SHARED_CIPHER);
	assert_int_equal(tls_reason_of(boring, 240), TLS_REASON_UNSUPPORTED_VERSION);
	assert_int_equal(tls_reason_of(boring, 247), TLS_REASON_NOT_TLS);
	assert_int_equal(tls_reason_of(boring, 193), TLS_REASON_SIGNATURE_NOT_ACCEPTED);
	assert_int_equal(tls_reason_of(OPENSSL, 193), TLS_REASON_NO_SHARED_CIPHER);
	assert_int_equal(tls_reason_of(boring, 258), TLS_REASON_BAD_KEY_EXCHANGE);
	assert_int_equal(tls_reason_of(boring, 1048), TLS_REASON_ALERT);
	assert_int_equal(tls_verify_of(OPENSSL, 24), TLS_VERIFY_MALFORMED);
	assert_int_equal(tls_verify_of(old, 24), TLS_VERIFY_INVALID_CA);
	assert_int_equal(tls_verify_of(boring, 24), TLS_VERIFY_INVALID_CA);
	assert_int_equal(tls_verify_of(OPENSSL, 79), TLS_VERIFY_INVALID_CA);
	assert_int_equal(tls_verify_of(old, 79), TLS_VERIFY_ALGORITHM);
	assert_int_equal(tls_verify_of(OPENSSL, 66), TLS_VERIFY_KEY_TOO_SMALL);
	assert_int_equal(tls_verify_of(old, 66), TLS_VERIFY_KEY_TOO_SMALL);
	assert_int_equal(tls_verify_of(boring, 66), TLS_VERIFY_LOCAL_FAILURE);
	assert_int_equal(tls_verify_of(boring, 10), TLS_VERIFY_EXPIRED);
}

static void test_reason_is_alert(void **state)
{
	uint8_t alert = 255;

	(void)state;
	assert_int_equal(SSL_AD_REASON_OFFSET, 1000);
	assert_false(tls_reason_is_alert(0, &alert));
	assert_false(tls_reason_is_alert(40, &alert));
	assert_false(tls_reason_is_alert(999, &alert));
	assert_false(tls_reason_is_alert(1256, &alert));
	assert_false(tls_reason_is_alert(UINT32_MAX, &alert));
	assert_int_equal(alert, 255);
	for (uint32_t n = 0; n <= UINT8_MAX; n++) {
		assert_true(tls_reason_is_alert(1000 + n, &alert));
		assert_int_equal(alert, n);
		assert_true(tls_reason_is_alert(1000 + n, NULL));
		assert_string_equal(tls_reason_words(OPENSSL, 1000 + n), "alert received");
		assert_int_equal(tls_reason_of(OPENSSL, 1000 + n), TLS_REASON_ALERT);
		/* it was received, so none was sent */
		assert_false(tls_alert_for(OPENSSL, 1000 + n, 0, &alert));
	}
	assert_null(tls_reason_words(OPENSSL, 0));
	assert_null(tls_reason_words(OPENSSL, 1));
	assert_null(tls_reason_words(OPENSSL, 1256));
	assert_null(tls_reason_words(OPENSSL, UINT32_MAX));
	assert_int_equal(tls_reason_of(OPENSSL, 0), TLS_REASON_NONE);
	assert_int_equal(tls_reason_of(OPENSSL, 1), TLS_REASON_UNLISTED);
	assert_int_equal(tls_reason_of(OPENSSL, UINT32_MAX), TLS_REASON_UNLISTED);
}

static void test_unknown_verify_codes(void **state)
{
	static const int32_t codes[] = { -1, VERIFY_END, INT32_MAX };

	(void)state;
	assert_int_equal(tls_verify_of(OPENSSL, X509_V_OK), TLS_VERIFY_OK);
	assert_null(tls_verify_name(OPENSSL, X509_V_OK));
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		assert_int_equal(tls_verify_of(OPENSSL, codes[i]), TLS_VERIFY_OTHER);
		assert_null(tls_verify_name(OPENSSL, codes[i]));
		assert_null(tls_verify_words(OPENSSL, codes[i]));
	}
}

/* ---- Alerts of failed verifications, as OpenSSL sends them ------------------------------------ */

static int alert_written;

static int verify_refuse(X509_STORE_CTX *store, void *code)
{
	X509_STORE_CTX_set_error(store, *(const int32_t *)code);
	return 0;
}

static void on_info(const SSL *ssl, int where, int value)
{
	(void)ssl;
	if ((where & SSL_CB_WRITE_ALERT) == SSL_CB_WRITE_ALERT)
		alert_written = value & 0xff;
}

/* Both sides in memory; the client is refused its certificate with that code, and says so. */
static int alert_of_verify_code(int32_t code, X509 *certificate)
{
	SSL_CTX *client_context = SSL_CTX_new(TLS_client_method());
	SSL_CTX *server_context = SSL_CTX_new(TLS_server_method());
	SSL *client, *server;
	BIO *near, *far;

	assert_int_equal(SSL_CTX_use_certificate(server_context, certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(server_context, certificate_key()), 1);
	SSL_CTX_set_verify(client_context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(client_context, verify_refuse, &code);
	SSL_CTX_set_info_callback(client_context, on_info);
	client = SSL_new(client_context);
	server = SSL_new(server_context);
	assert_int_equal(BIO_new_bio_pair(&near, 0, &far, 0), 1);
	SSL_set_bio(client, near, near);
	SSL_set_bio(server, far, far);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);

	alert_written = NO_ALERT;
	SSL_do_handshake(client);
	SSL_do_handshake(server);
	assert_int_equal(SSL_do_handshake(client), -1);
	SSL_free(client);
	SSL_free(server);
	SSL_CTX_free(client_context);
	SSL_CTX_free(server_context);
	return alert_written;
}

static void test_verify_alerts(void **state)
{
	static const struct certificate_spec spec = { "test", "test", -60, 3600 };
	X509 *certificate = certificate_make(&spec);

	(void)state;
	assert_non_null(certificate);
	for (int32_t code = 1; code < VERIFY_END; code++)
		if (tls_verify_name(OPENSSL, code))
			assert_alert_for(SSL_R_CERTIFICATE_VERIFY_FAILED, code,
					 alert_of_verify_code(code, certificate));
	X509_free(certificate);
}

static void test_verify_alert_needs_a_code(void **state)
{
	(void)state;
	assert_alert_for(SSL_R_CERTIFICATE_VERIFY_FAILED, 0, NO_ALERT);
	assert_alert_for(SSL_R_CERTIFICATE_VERIFY_FAILED, -1, NO_ALERT);
	assert_alert_for(SSL_R_CERTIFICATE_VERIFY_FAILED, VERIFY_END, NO_ALERT);
	assert_alert_for(0, 10, NO_ALERT);
	/* it is the reason that tells */
	assert_alert_for(SSL_R_UNSUPPORTED_PROTOCOL, 10, SSL_AD_PROTOCOL_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_alerts_are_all_tested),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_libraries),
		cmocka_unit_test(test_numbers_are_kept_apart),
		cmocka_unit_test(test_reason_is_alert),
		cmocka_unit_test(test_unknown_verify_codes),
		cmocka_unit_test(test_verify_alerts),
		cmocka_unit_test(test_verify_alert_needs_a_code),
	};

	return cmocka_run_group_tests_name("tls_library", tests, NULL, NULL);
}
