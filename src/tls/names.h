/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for the numbers of TLS, as IANA's registry "Transport Layer Security (TLS) Parameters" and
 * the RFCs that it cites have them. Pure. All names are constants; NULL is a number without one.
 */
#ifndef TLSFAIL_TLS_NAMES_H
#define TLSFAIL_TLS_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#define TLS_VERSION_SSL2 0x0002
#define TLS_VERSION_SSL3 0x0300
#define TLS_VERSION_1_0	 0x0301
#define TLS_VERSION_1_1	 0x0302
#define TLS_VERSION_1_2	 0x0303
#define TLS_VERSION_1_3	 0x0304

/* Not ciphers, but signals that a client puts among them. */
#define TLS_CIPHER_RENEGOTIATION_SCSV 0x00ff /* RFC 5746, section 3.3 */
#define TLS_CIPHER_FALLBACK_SCSV      0x5600 /* RFC 7507, section 2 */

/* "SSL 2.0", "SSL 3.0", "1.0" ... "1.3" */
const char *tls_version_name(uint16_t version);

/* A cipher suite, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256". */
const char *tls_cipher_name(uint16_t cipher);

/* A group for the key exchange, "x25519". */
const char *tls_group_name(uint16_t group);

/* Does its key share hold one of ML-KEM or Kyber, alone or in a hybrid? Those are long. */
bool tls_group_is_post_quantum(uint16_t group);

/* A signature scheme, "rsa_pss_rsae_sha256"; for the pairs of hash and signature that only TLS 1.2
 * has, a name made in the same way, "rsa_pkcs1_sha224". */
const char *tls_scheme_name(uint16_t scheme);

/* Alert descriptions: RFC 8446 section 6, RFC 6066 section 3, RFC 7301 section 3.2. */
enum tls_alert_number {
	TLS_ALERT_UNEXPECTED_MESSAGE = 10,
	TLS_ALERT_BAD_RECORD_MAC = 20,
	TLS_ALERT_HANDSHAKE_FAILURE = 40,
	TLS_ALERT_BAD_CERTIFICATE = 42,
	TLS_ALERT_UNSUPPORTED_CERTIFICATE = 43,
	TLS_ALERT_CERTIFICATE_REVOKED = 44,
	TLS_ALERT_CERTIFICATE_EXPIRED = 45,
	TLS_ALERT_CERTIFICATE_UNKNOWN = 46,
	TLS_ALERT_ILLEGAL_PARAMETER = 47,
	TLS_ALERT_UNKNOWN_CA = 48,
	TLS_ALERT_ACCESS_DENIED = 49,
	TLS_ALERT_DECODE_ERROR = 50,
	TLS_ALERT_DECRYPT_ERROR = 51,
	TLS_ALERT_PROTOCOL_VERSION = 70,
	TLS_ALERT_INSUFFICIENT_SECURITY = 71,
	TLS_ALERT_INTERNAL_ERROR = 80,
	TLS_ALERT_INAPPROPRIATE_FALLBACK = 86,
	TLS_ALERT_UNRECOGNIZED_NAME = 112,
	TLS_ALERT_CERTIFICATE_STATUS = 113,
	TLS_ALERT_CERTIFICATE_REQUIRED = 116,
	TLS_ALERT_NO_APPLICATION_PROTOCOL = 120,
};

/* An alert, "handshake_failure". */
const char *tls_alert_name(uint8_t description);

/* What who sends it says with it: "it does not know the CA". */
const char *tls_alert_words(uint8_t description);

#endif
