/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenSSL's numbers, and what they mean: the user-space twin of openssl.bpf.c. Numbers are keys;
 * OpenSSL's texts change between releases, so the words here are our own constants. Pure.
 */
#ifndef TLSFAIL_TLS_OPENSSL_H
#define TLSFAIL_TLS_OPENSSL_H

#include <stdbool.h>
#include <stdint.h>

/* include/openssl/sslerr.h */
enum openssl_reason {
	OPENSSL_R_CERTIFICATE_VERIFY_FAILED = 134,
	OPENSSL_R_HTTPS_PROXY_REQUEST = 155,
	OPENSSL_R_HTTP_REQUEST = 156,
	OPENSSL_R_NO_PROTOCOLS_AVAILABLE = 191,
	OPENSSL_R_NO_PEER_CERTIFICATE = 199,
	OPENSSL_R_UNSUPPORTED_PROTOCOL = 258,
	OPENSSL_R_WRONG_VERSION_NUMBER = 267,
	OPENSSL_R_UNEXPECTED_EOF = 294,
	OPENSSL_R_SHUTDOWN_WHILE_IN_INIT = 407,
	/* SSL_AD_REASON_OFFSET: a received alert N raises 1000 + N */
	OPENSSL_R_ALERT_BASE = 1000,
};

/* include/openssl/x509_vfy.h */
enum openssl_verify {
	OPENSSL_V_NOT_YET_VALID = 9,
	OPENSSL_V_EXPIRED = 10,
	OPENSSL_V_SELF_SIGNED = 18,
	OPENSSL_V_SELF_SIGNED_IN_CHAIN = 19,
	OPENSSL_V_NO_ISSUER_LOCALLY = 20,
	OPENSSL_V_CANNOT_VERIFY_FIRST = 21,
	OPENSSL_V_HOSTNAME_MISMATCH = 62,
};

/* Words for a reason of library 20, NULL for one that is not in the table. */
const char *openssl_reason_name(uint32_t reason);

/* "cert_has_expired" ...: X509_V_ERR_ name in lower case without its prefix, or NULL. */
const char *openssl_verify_name(int32_t code);

/* Is this reason a received alert, and which? */
bool openssl_reason_is_alert(uint32_t reason, uint8_t *alert);

/*
 * The alert that OpenSSL sends when it raises this reason, for when the alert itself
 * was encrypted or not seen: the second argument of SSLfatal() at each place in ssl/statem and
 * ssl/record; for a failed verification ssl_x509err2alert(). False: none, or not known.
 */
bool openssl_alert_for(uint32_t reason, bool has_verify_code, int32_t verify_code, uint8_t *alert);

#endif
