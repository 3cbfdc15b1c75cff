// SPDX-License-Identifier: BSD-2-Clause
/*
 * Certificates and keys in files that a configuration names. Of a private key only the public part
 * is looked at, and nothing of it is kept.
 */
#include "program/nginx/lint/rules.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/calendar.h"
#include "base/text.h"
#include "tls/pem.h"

static void count_missing(struct lint *lint, directive *d)
{
	for (size_t i = 0; i < lint->missing; i++)
		if (lint->missing_of[i] == d)
			return;
	if (lint->missing < LINT_MISSING_MAX)
		lint->missing_of[lint->missing++] = d;
}

/* The file that a directive names. NULL: it depends on a variable, is no file, or is not here. */
static char *file_read(struct lint *lint, directive *d, size_t *len)
{
	const char *name = nginxconf_word(d, 1);
	char *text = NULL;

	if (!*name || strchr(name, '$') || !strncmp(name, "data:", 5) ||
	    !strncmp(name, "engine:", 7) || !strncmp(name, "store:", 6) || !lint_goes_on(lint))
		return NULL;
	if (lint->settings->read(lint->settings->context, name, &text, len)) {
		count_missing(lint, d);
		return NULL;
	}
	return text;
}

static void sha256_of(const unsigned char *der, int len, unsigned char id[32])
{
	memset(id, 0, 32);
	if (len > 0)
		EVP_Digest(der, (size_t)len, id, NULL, EVP_sha256(), NULL);
}

static void cert_add(struct lint_certs *certs, X509 *x509)
{
	unsigned char *der = NULL, *key = NULL;
	int len = i2d_X509(x509, &der), key_len;

	if (certs->count == LINT_CERTS_MAX) {
		certs->more++;
	} else if (len > 0 &&
		   x509_view_read(der, (size_t)len, false, &certs->items[certs->count])) {
		key_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &key);
		sha256_of(key, key_len, certs->key_ids[certs->count++]);
		OPENSSL_free(key);
	}
	OPENSSL_free(der);
}

struct lint_certs *lint_certs_read(struct lint *lint, directive *d)
{
	struct lint_certs *certs = calloc(1, sizeof(*certs));
	size_t len;
	char *text;
	BIO *bio;
	X509 *x509;

	if (!certs) {
		lint->failed = true;
		return NULL;
	}
	text = file_read(lint, d, &len);
	bio = text ? BIO_new_mem_buf(text, (int)len) : NULL;
	certs->read = bio != NULL;
	while (bio && (x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		cert_add(certs, x509);
		X509_free(x509);
	}
	ERR_clear_error();
	BIO_free(bio);
	free(text);
	return certs;
}

static void secret_free(char *text, size_t len)
{
	if (text)
		OPENSSL_cleanse(text, len);
	free(text);
}

int lint_key_fits(struct lint *lint, directive *d, const unsigned char key_id[32])
{
	size_t len = 0;
	char *text = file_read(lint, d, &len);
	BIO *bio = text ? BIO_new_mem_buf(text, (int)len) : NULL;
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, pem_no_password, NULL) : NULL;
	unsigned char *der = NULL, id[32];
	int der_len = key ? i2d_PUBKEY(key, &der) : 0;
	int fits = -1;

	if (der_len > 0) {
		sha256_of(der, der_len, id);
		fits = !memcmp(id, key_id, sizeof(id));
	}
	ERR_clear_error();
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	BIO_free(bio);
	secret_free(text, len);
	return fits;
}

bool lint_key_has_password(struct lint *lint, directive *d)
{
	size_t len = 0;
	char *text = file_read(lint, d, &len);
	bool encrypted = text && (strstr(text, "BEGIN ENCRYPTED PRIVATE KEY") ||
				  strstr(text, "Proc-Type: 4,ENCRYPTED"));

	secret_free(text, len);
	return encrypted;
}

void lint_day(int64_t seconds, char day[16])
{
	char buf[64];
	struct text time, t;

	text_init(&time, buf, sizeof(buf));
	calendar_add_words(&time, seconds);
	text_init(&t, day, 16);
	text_addf(&t, "%.10s", buf);
}
