// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tables of OpenSSL's numbers: include/openssl/sslerr.h, x509_vfy.h and the SSLfatal() calls of
 * 1.1.1 to 3.6.
 */
#include "tls/openssl.h"

#include <stddef.h>

#include "tls/names.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define NO_ALERT (-1)

struct reason {
	uint16_t number;
	int16_t alert; /* sent by who raises it */
	const char *name;
};

static const struct reason reasons[] = {
	{ 101, TLS_ALERT_HANDSHAKE_FAILURE, "no suitable key share" },
	{ 108, TLS_ALERT_ILLEGAL_PARAMETER, "bad key share" },
	{ 118, TLS_ALERT_HANDSHAKE_FAILURE, "no suitable signature algorithm" },
	{ 123, TLS_ALERT_DECRYPT_ERROR, "bad signature" },
	{ 134, NO_ALERT, "certificate verify failed" },
	{ 149, TLS_ALERT_DECRYPT_ERROR, "digest check failed" },
	{ 155, NO_ALERT, "https proxy request" },
	{ 156, NO_ALERT, "http request" },
	{ 191, TLS_ALERT_PROTOCOL_VERSION, "no protocols available" },
	{ 193, TLS_ALERT_HANDSHAKE_FAILURE, "no shared cipher" },
	/* before TLS 1.3 it is 40, and in clear: then it was seen */
	{ 199, TLS_ALERT_CERTIFICATE_REQUIRED, "peer did not return a certificate" },
	{ 234, NO_ALERT, "callback failed" },
	{ 235, NO_ALERT, "no application protocol" },
	{ 244, TLS_ALERT_UNEXPECTED_MESSAGE, "unexpected message" },
	{ 258, TLS_ALERT_PROTOCOL_VERSION, "unsupported protocol" },
	{ 267, TLS_ALERT_PROTOCOL_VERSION, "wrong version number" },
	{ 281, TLS_ALERT_BAD_RECORD_MAC, "decryption failed or bad record mac" },
	{ 294, NO_ALERT, "unexpected eof while reading" },
	{ 313, NO_ALERT, "record layer failure" },
	{ 333, TLS_ALERT_HANDSHAKE_FAILURE, "legacy sigalg disallowed or unsupported" },
	{ 338, TLS_ALERT_HANDSHAKE_FAILURE, "unsafe legacy renegotiation disabled" },
	{ 373, NO_ALERT, "inappropriate fallback" },
	{ 376, TLS_ALERT_HANDSHAKE_FAILURE, "no shared signature algorithms" },
	{ 377, NO_ALERT, "certificate callback error" },
	{ 394, TLS_ALERT_HANDSHAKE_FAILURE, "dh key too small" },
	{ 396, NO_ALERT, "version too low" },
	{ 397, NO_ALERT, "ca key too small" },
	{ 398, NO_ALERT, "ca md too weak" },
	{ 399, NO_ALERT, "ee key too small" },
	{ 407, NO_ALERT, "shutdown while in init" },
	{ 410, NO_ALERT, "no shared groups" },
};

struct verify {
	uint8_t code;
	uint8_t alert; /* ssl/statem/statem_lib.c, x509table */
	const char *name;
};

static const struct verify verifies[] = {
	{ 2, TLS_ALERT_UNKNOWN_CA, "unable_to_get_issuer_cert" },
	{ 3, TLS_ALERT_UNKNOWN_CA, "unable_to_get_crl" },
	{ 7, TLS_ALERT_DECRYPT_ERROR, "cert_signature_failure" },
	{ 9, TLS_ALERT_BAD_CERTIFICATE, "cert_not_yet_valid" },
	{ 10, TLS_ALERT_CERTIFICATE_EXPIRED, "cert_has_expired" },
	{ 11, TLS_ALERT_BAD_CERTIFICATE, "crl_not_yet_valid" },
	{ 12, TLS_ALERT_CERTIFICATE_EXPIRED, "crl_has_expired" },
	{ 18, TLS_ALERT_UNKNOWN_CA, "depth_zero_self_signed_cert" },
	{ 19, TLS_ALERT_UNKNOWN_CA, "self_signed_cert_in_chain" },
	{ 20, TLS_ALERT_UNKNOWN_CA, "unable_to_get_issuer_cert_locally" },
	{ 21, TLS_ALERT_UNKNOWN_CA, "unable_to_verify_leaf_signature" },
	{ 22, TLS_ALERT_UNKNOWN_CA, "cert_chain_too_long" },
	{ 23, TLS_ALERT_CERTIFICATE_REVOKED, "cert_revoked" },
	{ 26, TLS_ALERT_UNSUPPORTED_CERTIFICATE, "invalid_purpose" },
	{ 27, TLS_ALERT_BAD_CERTIFICATE, "cert_untrusted" },
	{ 28, TLS_ALERT_BAD_CERTIFICATE, "cert_rejected" },
	{ 62, TLS_ALERT_BAD_CERTIFICATE, "hostname_mismatch" },
	{ 64, TLS_ALERT_BAD_CERTIFICATE, "ip_address_mismatch" },
	{ 66, TLS_ALERT_BAD_CERTIFICATE, "ee_key_too_small" },
	{ 67, TLS_ALERT_BAD_CERTIFICATE, "ca_key_too_small" },
	{ 68, TLS_ALERT_BAD_CERTIFICATE, "ca_md_too_weak" },
};

static const struct reason *reason_find(uint32_t number)
{
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (reasons[i].number == number)
			return &reasons[i];
	return NULL;
}

static const struct verify *verify_find(int32_t code)
{
	for (size_t i = 0; i < ARRAY_LEN(verifies); i++)
		if (verifies[i].code == code)
			return &verifies[i];
	return NULL;
}

const char *openssl_reason_name(uint32_t reason)
{
	const struct reason *r = reason_find(reason);

	if (r)
		return r->name;
	return openssl_reason_is_alert(reason, NULL) ? "alert received" : NULL;
}

const char *openssl_verify_name(int32_t code)
{
	const struct verify *v = verify_find(code);

	return v ? v->name : NULL;
}

bool openssl_reason_is_alert(uint32_t reason, uint8_t *alert)
{
	if (reason < OPENSSL_R_ALERT_BASE || reason > OPENSSL_R_ALERT_BASE + UINT8_MAX)
		return false;
	if (alert)
		*alert = reason - OPENSSL_R_ALERT_BASE;
	return true;
}

bool openssl_alert_for(uint32_t reason, bool has_verify_code, int32_t verify_code, uint8_t *alert)
{
	const struct reason *r = reason_find(reason);
	const struct verify *v;

	if (reason == OPENSSL_R_CERTIFICATE_VERIFY_FAILED) {
		v = has_verify_code ? verify_find(verify_code) : NULL;
		if (v)
			*alert = v->alert;
		return v;
	}
	if (!r || r->alert == NO_ALERT)
		return false;
	*alert = r->alert;
	return true;
}
