/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificates for tests, made by OpenSSL, with a key that is made for the test program.
 */
#ifndef TLSFAIL_TEST_CERTIFICATE_H
#define TLSFAIL_TEST_CERTIFICATE_H

#include <openssl/ssl.h>
#include <openssl/x509.h>

/* What is in one. Signed with its own key, whoever its issuer is said to be. */
struct certificate_spec {
	const char *subject; /* common names */
	const char *issuer;
	long begins; /* seconds from now */
	long ends;
};

/* The key of all certificates of this program, or NULL. It is not the caller's to free. */
EVP_PKEY *certificate_key(void);

/* The caller's to X509_free(), or NULL. */
X509 *certificate_make(const struct certificate_spec *spec);

#endif
