// SPDX-License-Identifier: BSD-2-Clause
/*
 * Certificates through libcrypto.
 */
#include "x509view.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "text.h"

#define SECONDS_PER_DAY 86400

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

static void validity_read(const X509 *x, struct x509_view *view)
{
	ASN1_TIME *epoch = ASN1_TIME_new();

	view->has_validity = epoch && ASN1_TIME_set_string(epoch, "19700101000000Z") &&
			     time_read(epoch, X509_get0_notBefore(x), &view->not_before) &&
			     time_read(epoch, X509_get0_notAfter(x), &view->not_after);
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

static void hash_read(const X509 *x, struct x509_view *view)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len;
	struct text t;

	text_init(&t, view->sha256, sizeof(view->sha256));
	if (X509_digest(x, EVP_sha256(), digest, &len))
		text_add_hex(&t, digest, len);
}

bool x509_view_read(const uint8_t *der, size_t len, struct x509_view *view)
{
	const unsigned char *at = der;
	X509 *x;

	memset(view, 0, sizeof(*view));
	x = d2i_X509(NULL, &at, (long)len);
	if (!x) {
		ERR_clear_error();
		return false;
	}
	name_read(X509_get_subject_name(x), view->subject, sizeof(view->subject));
	name_read(X509_get_issuer_name(x), view->issuer, sizeof(view->issuer));
	common_name_read(X509_get_subject_name(x), view);
	view->self_issued = !X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x));
	validity_read(x, view);
	names_read(x, view);
	hash_read(x, view);
	X509_free(x);
	ERR_clear_error();
	return true;
}
