/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of OpenSSL's numbers against OpenSSL itself: its headers for numbers and names, and
 * handshakes for the alert that a failed verification sends.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ssl.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>

#include "certificate.h"
#include "tls/openssl.h"

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

static const struct number verify_codes[] = {
#define V(name)                                                                                    \
	{                                                                                          \
		X509_V_ERR_##name, #name, NO_ALERT                                                 \
	}
	V(CA_KEY_TOO_SMALL),
	V(CA_MD_TOO_WEAK),
	V(CERT_CHAIN_TOO_LONG),
	V(CERT_HAS_EXPIRED),
	V(CERT_NOT_YET_VALID),
	V(CERT_REJECTED),
	V(CERT_REVOKED),
	V(CERT_SIGNATURE_FAILURE),
	V(CERT_UNTRUSTED),
	V(CRL_HAS_EXPIRED),
	V(CRL_NOT_YET_VALID),
	V(DEPTH_ZERO_SELF_SIGNED_CERT),
	V(EE_KEY_TOO_SMALL),
	V(HOSTNAME_MISMATCH),
	V(INVALID_PURPOSE),
	V(IP_ADDRESS_MISMATCH),
	V(SELF_SIGNED_CERT_IN_CHAIN),
	V(UNABLE_TO_GET_CRL),
	V(UNABLE_TO_GET_ISSUER_CERT),
	V(UNABLE_TO_GET_ISSUER_CERT_LOCALLY),
	V(UNABLE_TO_VERIFY_LEAF_SIGNATURE),
#undef V
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

static void assert_alert_for(uint32_t reason, bool has_verify, int32_t verify, int want)
{
	uint8_t alert = 255;
	bool known = openssl_alert_for(reason, has_verify, verify, &alert);

	if (known != (want != NO_ALERT) || (known && alert != want))
		fail_msg("reason %u, verify %d: alert %d, not %d", reason, verify,
			 known ? alert : NO_ALERT, want);
}

static void test_reasons(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		const struct number *n = &reasons[i];
		const char *name = openssl_reason_name(n->number);

		if (!name || !is_macro(name, n->macro, ' '))
			fail_msg("%u is SSL_R_%s, not \"%s\"", n->number, n->macro, name);
		assert_alert_for(n->number, false, 0, n->alert);
	}
	/* whose words are not those of the macro */
	assert_string_equal(openssl_reason_name(SSL_R_CERT_CB_ERROR), "certificate callback error");
}

static bool is_tested(uint32_t number)
{
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		if (reasons[i].number == number)
			return true;
	}
	return number == SSL_R_CERT_CB_ERROR;
}

/* A row of the table that is not compared above would be unproven. */
static void test_reasons_are_all_tested(void **state)
{
	uint8_t alert;

	(void)state;
	for (uint32_t number = 0; number < REASONS_END; number++) {
		if (openssl_reason_name(number) && !is_tested(number))
			fail_msg("reason %u is not compared with OpenSSL's headers", number);
		if (!openssl_reason_name(number))
			assert_false(openssl_alert_for(number, true, X509_V_ERR_CERT_HAS_EXPIRED,
						       &alert));
	}
}

static void test_constants(void **state)
{
	(void)state;
	assert_int_equal(OPENSSL_R_CERTIFICATE_VERIFY_FAILED, SSL_R_CERTIFICATE_VERIFY_FAILED);
	assert_int_equal(OPENSSL_R_HTTP_REQUEST, SSL_R_HTTP_REQUEST);
	assert_int_equal(OPENSSL_R_NO_PROTOCOLS_AVAILABLE, SSL_R_NO_PROTOCOLS_AVAILABLE);
	assert_int_equal(OPENSSL_R_UNSUPPORTED_PROTOCOL, SSL_R_UNSUPPORTED_PROTOCOL);
	assert_int_equal(OPENSSL_R_WRONG_VERSION_NUMBER, SSL_R_WRONG_VERSION_NUMBER);
	assert_int_equal(OPENSSL_R_UNEXPECTED_EOF, SSL_R_UNEXPECTED_EOF_WHILE_READING);
	assert_int_equal(OPENSSL_R_SHUTDOWN_WHILE_IN_INIT, SSL_R_SHUTDOWN_WHILE_IN_INIT);
	assert_int_equal(OPENSSL_R_ALERT_BASE, SSL_AD_REASON_OFFSET);
	assert_int_equal(OPENSSL_V_NOT_YET_VALID, X509_V_ERR_CERT_NOT_YET_VALID);
	assert_int_equal(OPENSSL_V_EXPIRED, X509_V_ERR_CERT_HAS_EXPIRED);
	assert_int_equal(OPENSSL_V_SELF_SIGNED, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
	assert_int_equal(OPENSSL_V_SELF_SIGNED_IN_CHAIN, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN);
	assert_int_equal(OPENSSL_V_NO_ISSUER_LOCALLY, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	assert_int_equal(OPENSSL_V_CANNOT_VERIFY_FIRST, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE);
	assert_int_equal(OPENSSL_V_HOSTNAME_MISMATCH, X509_V_ERR_HOSTNAME_MISMATCH);
}

static void test_reason_is_alert(void **state)
{
	uint8_t alert = 255;

	(void)state;
	assert_false(openssl_reason_is_alert(0, &alert));
	assert_false(openssl_reason_is_alert(40, &alert));
	assert_false(openssl_reason_is_alert(999, &alert));
	assert_false(openssl_reason_is_alert(1256, &alert));
	assert_false(openssl_reason_is_alert(UINT32_MAX, &alert));
	assert_int_equal(alert, 255);
	for (uint32_t n = 0; n <= UINT8_MAX; n++) {
		assert_true(openssl_reason_is_alert(1000 + n, &alert));
		assert_int_equal(alert, n);
		assert_true(openssl_reason_is_alert(1000 + n, NULL));
		assert_string_equal(openssl_reason_name(1000 + n), "alert received");
		/* it was received, so none was sent */
		assert_false(openssl_alert_for(1000 + n, false, 0, &alert));
	}
	assert_null(openssl_reason_name(0));
	assert_null(openssl_reason_name(999));
	assert_null(openssl_reason_name(1256));
	assert_null(openssl_reason_name(UINT32_MAX));
}

static void test_verify_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(verify_codes); i++) {
		const struct number *n = &verify_codes[i];
		const char *name = openssl_verify_name((int32_t)n->number);

		if (!name || !is_macro(name, n->macro, '_'))
			fail_msg("%u is X509_V_ERR_%s, not \"%s\"", n->number, n->macro, name);
	}
	assert_null(openssl_verify_name(X509_V_OK));
	assert_null(openssl_verify_name(-1));
	assert_null(openssl_verify_name(INT32_MAX));
	for (int32_t code = 0; code < VERIFY_END; code++) {
		size_t i = 0;

		while (i < ARRAY_LEN(verify_codes) && verify_codes[i].number != (uint32_t)code)
			i++;
		if (openssl_verify_name(code) && i == ARRAY_LEN(verify_codes))
			fail_msg("verify code %d is not compared with OpenSSL's headers", code);
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
	for (size_t i = 0; i < ARRAY_LEN(verify_codes); i++) {
		int32_t code = (int32_t)verify_codes[i].number;

		assert_alert_for(SSL_R_CERTIFICATE_VERIFY_FAILED, true, code,
				 alert_of_verify_code(code, certificate));
	}
	X509_free(certificate);
}

static void test_verify_alert_needs_a_code(void **state)
{
	(void)state;
	assert_alert_for(SSL_R_CERTIFICATE_VERIFY_FAILED, false, 10, NO_ALERT);
	assert_alert_for(SSL_R_CERTIFICATE_VERIFY_FAILED, true, 0, NO_ALERT);
	assert_alert_for(SSL_R_CERTIFICATE_VERIFY_FAILED, true, -1, NO_ALERT);
	assert_alert_for(SSL_R_CERTIFICATE_VERIFY_FAILED, true, VERIFY_END, NO_ALERT);
	assert_alert_for(0, true, 10, NO_ALERT);
	/* it is the reason that tells */
	assert_alert_for(SSL_R_UNSUPPORTED_PROTOCOL, true, 10, SSL_AD_PROTOCOL_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_reasons_are_all_tested),
		cmocka_unit_test(test_constants),
		cmocka_unit_test(test_reason_is_alert),
		cmocka_unit_test(test_verify_names),
		cmocka_unit_test(test_verify_alerts),
		cmocka_unit_test(test_verify_alert_needs_a_code),
	};

	return cmocka_run_group_tests_name("lib_openssl", tests, NULL, NULL);
}
