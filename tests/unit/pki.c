/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates for tests: see pki.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "pki.h"

static void extension_add(X509 *x509, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&context, NULL, x509, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(x509, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

struct pki_cert pki_make(const struct pki_spec *spec)
{
	static long serial;
	struct pki_cert cert = { X509_new(), spec->rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256") };
	bool usual = !spec->begins && !spec->ends;
	X509_NAME *name;

	assert_non_null(cert.x509);
	assert_non_null(cert.key);
	name = X509_get_subject_name(cert.x509);
	X509_set_version(cert.x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert.x509), ++serial);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)spec->subject, -1,
				   -1, 0);
	X509_set_issuer_name(cert.x509,
			     spec->issuer ? X509_get_subject_name(spec->issuer->x509) : name);
	X509_gmtime_adj(X509_getm_notBefore(cert.x509), usual ? -PKI_DAY : spec->begins);
	X509_gmtime_adj(X509_getm_notAfter(cert.x509), usual ? 365 * PKI_DAY : spec->ends);
	X509_set_pubkey(cert.x509, cert.key);
	extension_add(cert.x509, NID_basic_constraints,
		      spec->authority ? "critical,CA:TRUE" : "CA:FALSE");
	if (spec->dns)
		extension_add(cert.x509, NID_subject_alt_name, spec->dns);
	if (spec->usage)
		extension_add(cert.x509, NID_ext_key_usage, spec->usage);
	if (spec->stapled)
		extension_add(cert.x509, NID_tlsfeature, "status_request");
	assert_true(X509_sign(cert.x509, spec->issuer ? spec->issuer->key : cert.key,
			      EVP_sha256()) > 0);
	return cert;
}

void pki_free(struct pki_cert *cert)
{
	X509_free(cert->x509);
	EVP_PKEY_free(cert->key);
	*cert = (struct pki_cert){ 0 };
}

/* Frees bio. */
static char *text_of(BIO *bio)
{
	char *data, *text;
	long len = BIO_get_mem_data(bio, &data);

	text = strndup(data, (size_t)len);
	assert_non_null(text);
	BIO_free(bio);
	return text;
}

char *pki_pem(const struct pki_cert *const *certs, int count)
{
	BIO *bio = BIO_new(BIO_s_mem());

	for (int i = 0; i < count; i++)
		assert_int_equal(PEM_write_bio_X509(bio, certs[i]->x509), 1);
	return text_of(bio);
}

char *pki_pem_one(const struct pki_cert *cert)
{
	return pki_pem(&cert, 1);
}

char *pki_pem_key(const struct pki_cert *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_PrivateKey(bio, cert->key, NULL, NULL, 0, NULL, NULL), 1);
	return text_of(bio);
}

static void revoked_add(X509_CRL *crl, const struct pki_cert *cert, const ASN1_TIME *when)
{
	X509_REVOKED *revoked = X509_REVOKED_new();

	X509_REVOKED_set_serialNumber(revoked, X509_get_serialNumber(cert->x509));
	X509_REVOKED_set_revocationDate(revoked, (ASN1_TIME *)when);
	assert_int_equal(X509_CRL_add0_revoked(crl, revoked), 1);
}

char *pki_pem_crl(const struct pki_cert *issuer, const struct pki_cert *revoked)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *before = X509_gmtime_adj(NULL, -PKI_DAY),
		  *after = X509_gmtime_adj(NULL, PKI_DAY);
	BIO *bio = BIO_new(BIO_s_mem());

	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->x509));
	X509_CRL_set1_lastUpdate(crl, before);
	X509_CRL_set1_nextUpdate(crl, after);
	if (revoked)
		revoked_add(crl, revoked, before);
	assert_true(X509_CRL_sign(crl, issuer->key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509_CRL(bio, crl), 1);
	ASN1_TIME_free(before);
	ASN1_TIME_free(after);
	X509_CRL_free(crl);
	return text_of(bio);
}
