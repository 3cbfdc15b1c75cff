/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates for tests: see certificate.h. */
#include "certificate.h"

#include <openssl/ec.h>

EVP_PKEY *certificate_key(void)
{
	static EVP_PKEY *key;

	if (!key)
		key = EVP_EC_gen("P-256");
	return key;
}

static int add_name(X509_NAME *name, const char *words)
{
	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)words, -1, -1,
					  0);
}

X509 *certificate_make(const struct certificate_spec *spec)
{
	EVP_PKEY *key = certificate_key();
	X509 *certificate = X509_new();

	if (!key || !certificate)
		goto fail;
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	if (!X509_set_version(certificate, X509_VERSION_3) ||
	    !add_name(X509_get_subject_name(certificate), spec->subject) ||
	    !add_name(X509_get_issuer_name(certificate), spec->issuer) ||
	    !X509_gmtime_adj(X509_getm_notBefore(certificate), spec->begins) ||
	    !X509_gmtime_adj(X509_getm_notAfter(certificate), spec->ends) ||
	    !X509_set_pubkey(certificate, key) || !X509_sign(certificate, key, EVP_sha256()))
		goto fail;
	return certificate;
fail:
	X509_free(certificate);
	return NULL;
}
