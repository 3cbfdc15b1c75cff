/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificates that one CA has signed for the next, for servers and clients of tests. Each has a key of
 * its own. After cmocka.h.
 */
#ifndef TLSFAIL_TEST_PKI_H
#define TLSFAIL_TEST_PKI_H

#include <stdbool.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#define PKI_DAY (24L * 60 * 60)

struct pki_cert {
	X509 *x509;
	EVP_PKEY *key;
};

struct pki_spec {
	const char *subject;	       /* common name */
	const char *dns;	       /* of subjectAltName, "DNS:a,DNS:b"; NULL: none */
	const char *usage;	       /* of extendedKeyUsage; NULL: none */
	const struct pki_cert *issuer; /* NULL: it signs itself */
	bool authority;
	bool stapled; /* its OCSP status is to be stapled (RFC 7633) */
	bool rsa;     /* instead of P-256 */
	long begins;  /* seconds from now; both 0: from yesterday for a year */
	long ends;
};

/* The caller's to pki_free(). */
struct pki_cert pki_make(const struct pki_spec *spec);
void pki_free(struct pki_cert *cert);

/* Of count certificates, one after the other, or of one's key: the caller's to free(). */
char *pki_pem(const struct pki_cert *const *certs, int count);
char *pki_pem_one(const struct pki_cert *cert);
char *pki_pem_key(const struct pki_cert *cert);

/* A revocation list of issuer that names the certificate, or none when that is NULL; the caller's to
 * free(). */
char *pki_pem_crl(const struct pki_cert *issuer, const struct pki_cert *revoked);

#endif
