// SPDX-License-Identifier: BSD-2-Clause
/*
 * Certificates through libcrypto.
 */
#include "tls/x509view.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/text.h"

#define SECONDS_PER_DAY 86400

/* The tag of the version, which is left out when it is 1. */
#define HAS_VERSION (V_ASN1_CONTEXT_SPECIFIC | V_ASN1_CONSTRUCTED)

#define IPV4_LEN 4
#define IPV6_LEN 16
#define AF_INET	 2
#define AF_INET6 10

static void add_string(struct text *t, const ASN1_STRING *s)
{
	text_add_hostile(t, ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

/*
 * RFC 4514, but special characters stand in quotes and not behind backslashes, which
 * text_add_hostile() escapes, as it does all that a terminal should not see.
 */
#define NAME_FLAGS                                                                                 \
	(XN_FLAG_SEP_COMMA_PLUS | XN_FLAG_DN_REV | XN_FLAG_FN_SN | XN_FLAG_DUMP_UNKNOWN_FIELDS |   \
	 ASN1_STRFLGS_ESC_2253 | ASN1_STRFLGS_ESC_QUOTE | ASN1_STRFLGS_UTF8_CONVERT |              \
	 ASN1_STRFLGS_DUMP_UNKNOWN | ASN1_STRFLGS_DUMP_DER)

static void name_read(const X509_NAME *name, char *buf, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct text t;
	char *data;
	long len;

	text_init(&t, buf, size);
	if (bio && X509_NAME_print_ex(bio, name, 0, NAME_FLAGS) >= 0) {
		len = BIO_get_mem_data(bio, &data);
		text_add_hostile(&t, data, len > 0 ? (size_t)len : 0);
	}
	BIO_free(bio);
}

static void common_name_read(const X509_NAME *name, struct x509_view *view)
{
	int at = -1, last = -1;
	unsigned char *utf8 = NULL;
	struct text t;
	int len;

	while ((at = X509_NAME_get_index_by_NID(name, NID_commonName, at)) >= 0)
		last = at;
	if (last < 0)
		return;
	len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, last)));
	if (len < 0)
		return;
	text_init(&t, view->common_name, sizeof(view->common_name));
	text_add_hostile(&t, utf8, (size_t)len);
	OPENSSL_free(utf8);
}

/* Seconds from epoch to t. */
static bool time_read(const ASN1_TIME *epoch, const ASN1_TIME *t, int64_t *seconds)
{
	int days, rest;

	if (!ASN1_TIME_diff(&days, &rest, epoch, t))
		return false;
	*seconds = (int64_t)days * SECONDS_PER_DAY + rest;
	return true;
}

static void validity_read(const ASN1_TIME *begins, const ASN1_TIME *ends, struct x509_view *view)
{
	ASN1_TIME *epoch = ASN1_TIME_new();

	view->has_validity = epoch && ASN1_TIME_set_string(epoch, "19700101000000Z") &&
			     time_read(epoch, begins, &view->not_before) &&
			     time_read(epoch, ends, &view->not_after);
	ASN1_TIME_free(epoch);
}

/* False: of a kind that TLS does not compare. */
static bool general_name_read(const GENERAL_NAME *name, char *buf, size_t size)
{
	struct text t;

	text_init(&t, buf, size);
	if (name->type == GEN_DNS) {
		add_string(&t, name->d.dNSName);
		return true;
	}
	if (name->type != GEN_IPADD)
		return false;
	if (ASN1_STRING_length(name->d.iPAddress) == IPV4_LEN)
		text_add_address(&t, AF_INET, ASN1_STRING_get0_data(name->d.iPAddress));
	else if (ASN1_STRING_length(name->d.iPAddress) == IPV6_LEN)
		text_add_address(&t, AF_INET6, ASN1_STRING_get0_data(name->d.iPAddress));
	else
		return false;
	return true;
}

static void names_read(const X509 *x, struct x509_view *view)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	int count = sk_GENERAL_NAME_num(names);

	for (int i = 0; i < count; i++) {
		char buf[sizeof(view->names[0])] = ""; /* the view has nothing behind an end */

		if (!general_name_read(sk_GENERAL_NAME_value(names, i), buf, sizeof(buf)))
			continue;
		if (view->name_count < X509VIEW_NAMES_MAX)
			memcpy(view->names[view->name_count], buf, sizeof(buf));
		view->name_count++;
	}
	GENERAL_NAMES_free(names);
}

/* What OpenSSL calls them: constants, but for a provider's, which is not to be trusted either. */
static void constant_set(char *buf, size_t size, const char *name)
{
	struct text t;

	text_init(&t, buf, size);
	if (name)
		text_add_hostile(&t, name, strlen(name));
}

static void key_read(const EVP_PKEY *key, struct x509_view *view)
{
	int bits = key ? EVP_PKEY_get_bits(key) : 0;

	if (key)
		constant_set(view->key, sizeof(view->key), EVP_PKEY_get0_type_name(key));
	view->key_bits = bits > 0 ? (unsigned int)bits : 0;
}

static void signature_read(int nid, struct x509_view *view)
{
	if (nid != NID_undef)
		constant_set(view->signature, sizeof(view->signature), OBJ_nid2ln(nid));
}

static void hash_read(const X509 *x, struct x509_view *view)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len;
	struct text t;

	text_init(&t, view->sha256, sizeof(view->sha256));
	if (X509_digest(x, EVP_sha256(), digest, &len))
		text_add_hex(&t, digest, len);
}

/* What OpenSSL looks at when it verifies a server: the key usages, extendedKeyUsage and Netscape's. */
static void purposes_read(X509 *x, struct x509_view *view)
{
	view->for_servers = X509_check_purpose(x, X509_PURPOSE_SSL_SERVER, 0) == 1;
}

static void parties_read(const X509_NAME *subject, const X509_NAME *issuer, struct x509_view *view)
{
	name_read(subject, view->subject, sizeof(view->subject));
	name_read(issuer, view->issuer, sizeof(view->issuer));
	common_name_read(subject, view);
	view->self_issued = !X509_NAME_cmp(subject, issuer);
}

static bool whole_read(const uint8_t *der, size_t len, struct x509_view *view)
{
	X509 *x = d2i_X509(NULL, &der, (long)len);

	if (!x)
		return false;
	parties_read(X509_get_subject_name(x), X509_get_issuer_name(x), view);
	validity_read(X509_get0_notBefore(x), X509_get0_notAfter(x), view);
	names_read(x, view);
	key_read(X509_get0_pubkey(x), view);
	signature_read(X509_get_signature_nid(x), view);
	hash_read(x, view);
	purposes_read(x, view);
	X509_free(x);
	return true;
}

/* ---- The beginning of a certificate ---------------------------------------------------------- */

/* Enters the sequence at *at, which may go on behind end, and the one that it begins with ... */
static bool enter(const uint8_t **at, const uint8_t *end, unsigned int levels)
{
	while (levels-- > 0) {
		int tag = 0, class = 0;
		long len = 0;
		int found = ASN1_get_object(at, &len, &tag, &class, end - *at);

		if (!(found & V_ASN1_CONSTRUCTED) || tag != V_ASN1_SEQUENCE ||
		    class != V_ASN1_UNIVERSAL)
			return false;
	}
	return true;
}

/* Skips count values at *at, all of which have to be there. */
static bool skip(const uint8_t **at, const uint8_t *end, unsigned int count)
{
	while (count-- > 0) {
		int tag, class;
		long len;

		if (ASN1_get_object(at, &len, &tag, &class, end - *at) & 0x80)
			return false;
		*at += len;
	}
	return true;
}

static void part_validity_read(const uint8_t **at, const uint8_t *end, struct x509_view *view)
{
	ASN1_TIME *begins = d2i_ASN1_TIME(NULL, at, end - *at);
	ASN1_TIME *ends = begins ? d2i_ASN1_TIME(NULL, at, end - *at) : NULL;

	if (ends)
		validity_read(begins, ends, view);
	ASN1_TIME_free(begins);
	ASN1_TIME_free(ends);
}

/* RFC 5280, section 4.1: version, serial number, signature, issuer, validity, subject, key */
static bool part_read(const uint8_t *der, size_t len, struct x509_view *view)
{
	const uint8_t *at = der, *end = der + len;
	X509_NAME *subject = NULL, *issuer = NULL;
	EVP_PKEY *key = NULL;
	const uint8_t *validity;
	bool found = false;

	if (!enter(&at, end, 2) || !skip(&at, end, at < end && *at == HAS_VERSION ? 3 : 2))
		goto out;
	issuer = d2i_X509_NAME(NULL, &at, end - at);
	validity = at;
	if (!issuer || !skip(&at, end, 1))
		goto out;
	subject = d2i_X509_NAME(NULL, &at, end - at);
	if (!subject)
		goto out;
	found = true;
	view->cut = true;
	parties_read(subject, issuer, view);
	if (enter(&validity, end, 1))
		part_validity_read(&validity, end, view);
	key = d2i_PUBKEY(NULL, &at, end - at);
	key_read(key, view);
out:
	EVP_PKEY_free(key);
	X509_NAME_free(subject);
	X509_NAME_free(issuer);
	return found;
}

bool x509_view_read(const uint8_t *der, size_t len, bool cut, struct x509_view *view)
{
	bool found;

	memset(view, 0, sizeof(*view));
	found = cut ? part_read(der, len, view) : whole_read(der, len, view);
	ERR_clear_error();
	return found;
}
