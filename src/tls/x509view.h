/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a certificate says, for people: libcrypto parses, this picks and escapes. The bytes are a
 * peer's, so hostile. Pure: no clock; whether a certificate has ended is for the caller to say.
 */
#ifndef TLSFAIL_TLS_X509VIEW_H
#define TLSFAIL_TLS_X509VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define X509VIEW_NAMES_MAX 8

struct x509_view {
	bool cut; /* not all of it was there: names, signature, hash and purposes are not known */
	char subject[256]; /* RFC 4514, values in quotes where needed; escaped, as all texts here */
	char issuer[256];
	char common_name[128]; /* the last CN of the subject, "" none */
	bool self_issued;      /* issuer and subject are the same name */
	bool has_validity;
	int64_t not_before; /* seconds since 1970 */
	int64_t not_after;
	size_t name_count; /* subject alternative names; the first X509VIEW_NAMES_MAX are kept */
	char names[X509VIEW_NAMES_MAX][128];
	char key[32];	       /* "EC", "RSA", "ED25519" ..., "" unknown */
	unsigned int key_bits; /* 0 unknown */
	char signature[64];    /* "ecdsa-with-SHA256", "" unknown */
	char sha256[65];       /* hexadecimal, of the DER */
	bool for_servers;      /* its extensions allow it to be a TLS server's */
};

/*
 * Reads one certificate in DER; cut: these are its first bytes, and what comes before its extensions
 * is read. False when it is none, or when nothing of it can be read; *view is then all zero. The same
 * certificate gives the same bytes of *view.
 */
bool x509_view_read(const uint8_t *der, size_t len, bool cut, struct x509_view *view);

#endif
