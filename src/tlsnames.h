/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for the numbers of TLS, as IANA's registry "Transport Layer Security (TLS) Parameters" and
 * the RFCs that it cites have them. Pure. All names are constants; NULL is a number without one.
 */
#ifndef TLSFAIL_TLSNAMES_H
#define TLSFAIL_TLSNAMES_H

#include <stdint.h>

#define TLS_VERSION_SSL3 0x0300
#define TLS_VERSION_1_0	 0x0301
#define TLS_VERSION_1_1	 0x0302
#define TLS_VERSION_1_2	 0x0303
#define TLS_VERSION_1_3	 0x0304

/* Not ciphers, but signals that a client puts among them. */
#define TLS_CIPHER_RENEGOTIATION_SCSV 0x00ff /* RFC 5746, section 3.3 */
#define TLS_CIPHER_FALLBACK_SCSV      0x5600 /* RFC 7507, section 2 */

/* "SSL 3.0", "1.0" ... "1.3" */
const char *tls_version_name(uint16_t version);

/* A cipher suite, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256". */
const char *tls_cipher_name(uint16_t cipher);

/* A group for the key exchange, "x25519". */
const char *tls_group_name(uint16_t group);

/* A signature scheme, "rsa_pss_rsae_sha256"; for the pairs of hash and signature that only TLS 1.2
 * has, a name made in the same way, "rsa_pkcs1_sha224". */
const char *tls_scheme_name(uint16_t scheme);

/* An alert, "handshake_failure". */
const char *tls_alert_name(uint8_t description);

#endif
