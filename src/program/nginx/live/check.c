// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a file shows is noted as a fact; whether it explains a failure is for advice.c to say.
 */
#include "program/nginx/live/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/units.h"
#include "tls/pem.h"
#include "tls/x509view.h"

#define FILE_BYTES_MAX (1U << 20) /* of a certificate or key; the first counts */

/* A worker begins some ms after its master has read the files; the kernel's time of a file is that
 * of its last tick. */
#define SLACK_NS 100000000LL

struct check {
	const struct nginxread *read;
	int64_t started_ns;
	struct nginx_place *place;
	struct text *buf;
};

static struct nginx_words words_keep(struct text *buf, const char *string)
{
	size_t len = strlen(string);
	const char *start = buf->buf + buf->len;

	if (len >= buf->size - buf->len)
		return (struct nginx_words){ "", 0 };
	text_add(buf, string);
	return (struct nginx_words){ start, (uint32_t)len };
}

static void note(const struct check *c, enum nginx_note_kind kind, enum nginx_setting setting,
		 int64_t number, const char *words)
{
	struct nginx_place *p = c->place;

	if (p->note_count == NGINX_NOTES_MAX)
		return;
	p->notes[p->note_count++] = (struct nginx_note){
		.kind = kind,
		.setting = setting,
		.number = number,
		.words = words_keep(c->buf, words),
	};
}

/* The file that the setting names. False: there is none, or it is no file. */
static bool name_of(const struct check *c, enum nginx_setting setting, char *name, size_t size)
{
	const struct nginx_value *value = nginx_place_value(c->place, setting);

	if (!value || !value->value.len || value->value.len >= size)
		return false;
	memcpy(name, value->value.data, value->value.len);
	name[value->value.len] = '\0';
	return !strchr(name, '$') && strncmp(name, "data:", 5) != 0 &&
	       strncmp(name, "engine:", 7) != 0 && strncmp(name, "store:", 6) != 0;
}

/* Opens the file that the setting names, and says what is to be said of that. -1: there is none, or
 * it is no file. */
static int file_open(const struct check *c, enum nginx_setting setting, bool *changed)
{
	char name[NGINXARGS_PATH_LEN];
	struct stat stat;
	int fd;

	if (!name_of(c, setting, name, sizeof(name)))
		return -1;
	fd = nginxread_file(c->read, name, &stat);
	if (fd < 0) {
		note(c, NGINX_NOTE_MISSING, setting, 0, strerror(-fd));
		return -1;
	}
	if (nginxread_changed(&stat) > c->started_ns + SLACK_NS) {
		note(c, NGINX_NOTE_CHANGED, setting, nginxread_changed(&stat) / (int64_t)NS_PER_S,
		     "");
		*changed = true;
	}
	return fd;
}

/* The beginning of the file, in memory: BIO_new_fd() reads a byte at a time. */
static BIO *file_read(int fd, char **text)
{
	size_t len = 0;

	*text = NULL;
	return nginxread_head(fd, FILE_BYTES_MAX, text, &len) ? NULL
							      : BIO_new_mem_buf(*text, (int)len);
}

static X509 *certificate_read(int fd)
{
	char *text;
	BIO *bio = file_read(fd, &text);
	X509 *cert = bio ? PEM_read_bio_X509_AUX(bio, NULL, pem_no_password, NULL) : NULL;

	BIO_free(bio);
	free(text);
	return cert;
}

/* Its TLS feature extension (RFC 7633) asks for what is not done. */
static bool is_unstapled(const struct check *c, X509 *cert)
{
	const struct nginx_value *stapling = nginx_place_value(c->place, NGINX_SSL_STAPLING);

	return X509_get_ext_by_NID(cert, NID_tlsfeature, -1) >= 0 &&
	       !(stapling && nginx_words_are(&stapling->value, "on"));
}

static void certificate_note(const struct check *c, X509 *cert)
{
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der);
	struct x509_view view;

	if (len > 0 && x509_view_read(der, (size_t)len, false, &view)) {
		if (view.has_validity) {
			note(c, NGINX_NOTE_BEGINS, NGINX_SSL_CERTIFICATE, view.not_before, "");
			note(c, NGINX_NOTE_ENDS, NGINX_SSL_CERTIFICATE, view.not_after, "");
		}
		note(c, NGINX_NOTE_ISSUER, NGINX_SSL_CERTIFICATE, 0, view.issuer);
	}
	OPENSSL_free(der);
	if (nginx_module_is_server(c->place->module) && is_unstapled(c, cert))
		note(c, NGINX_NOTE_STAPLED, NGINX_SSL_CERTIFICATE, 0, "");
	if (!nginx_module_is_server(c->place->module) &&
	    X509_check_purpose(cert, X509_PURPOSE_SSL_CLIENT, 0) == 0)
		note(c, NGINX_NOTE_NO_CLIENT_USE, NGINX_SSL_CERTIFICATE, 0, "");
}

/* How many certificates of a file are named. */
#define NAMED_MAX   8
#define EXPIRED_MAX 2

/* What is in a file of certificates. */
struct bundle {
	unsigned int count;
	bool has_root;
	unsigned int expired;
	char last_issuer[256];
	struct text names;
};

static void bundle_add(const struct check *c, enum nginx_setting setting, X509 *cert,
		       struct bundle *b)
{
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der);
	struct x509_view view;

	if (len > 0 && x509_view_read(der, (size_t)len, false, &view)) {
		struct text t;

		text_addf(&b->names, "%s%s", b->count ? ", " : "", view.subject);
		b->count++;
		b->has_root |= view.self_issued;
		text_init(&t, b->last_issuer, sizeof(b->last_issuer));
		text_add(&t, view.issuer);
		if (view.has_validity && view.not_after < time(NULL) && b->expired++ < EXPIRED_MAX)
			note(c, NGINX_NOTE_EXPIRED, setting, view.not_after, view.subject);
	}
	OPENSSL_free(der);
}

/* Certificates that others are verified with, or that are sent with one's own. */
static void bundle_check(const struct check *c, enum nginx_setting setting, int fd)
{
	char *text, names[1024];
	BIO *bio = file_read(fd, &text);
	struct bundle b = { 0 };
	X509 *cert;

	text_init(&b.names, names, sizeof(names));
	while (bio && (cert = PEM_read_bio_X509_AUX(bio, NULL, pem_no_password, NULL)) != NULL) {
		bundle_add(c, setting, cert, &b);
		X509_free(cert);
	}
	BIO_free(bio);
	free(text);
	ERR_clear_error();
	if (b.count && !b.has_root)
		note(c, NGINX_NOTE_NO_ROOT, setting, 0, b.last_issuer);
	if (b.count && b.count <= NAMED_MAX && !b.names.cut)
		note(c, NGINX_NOTE_HOLDS, setting, b.count, names);
}

/* The key itself is for others to look at: see files.h. */
static void key_check(const struct check *c, X509 *cert)
{
	unsigned char *der = NULL;
	char name[NGINXARGS_PATH_LEN];
	int len = i2d_PUBKEY(X509_get0_pubkey(cert), &der);

	if (len > 0 && name_of(c, NGINX_SSL_CERTIFICATE_KEY, name, sizeof(name)) &&
	    nginxread_key_matches(c->read, name, der, (size_t)len) == 0)
		note(c, NGINX_NOTE_KEY_MISMATCH, NGINX_SSL_CERTIFICATE_KEY, 0, "");
	OPENSSL_free(der);
}

static void client_certificate_check(const struct check *c)
{
	bool changed = false;
	int fd = file_open(c, NGINX_SSL_CERTIFICATE, &changed);
	int key_fd = file_open(c, NGINX_SSL_CERTIFICATE_KEY, &changed);
	X509 *cert = fd >= 0 ? certificate_read(fd) : NULL;

	if (cert)
		certificate_note(c, cert);
	if (cert && key_fd >= 0 && changed)
		key_check(c, cert);
	if (cert && lseek(fd, 0, SEEK_SET) == 0)
		bundle_check(c, NGINX_SSL_CERTIFICATE, fd);
	X509_free(cert);
	ERR_clear_error();
	if (fd >= 0)
		close(fd);
	if (key_fd >= 0)
		close(key_fd);
}

void nginxcheck_place(const struct nginxread *read, int64_t started_ns, struct nginx_place *place,
		      struct text *buf)
{
	const struct check c = { read, started_ns, place, buf };
	static const enum nginx_setting bundles[] = { NGINX_SSL_TRUSTED_CERTIFICATE,
						      NGINX_SSL_CLIENT_CERTIFICATE, NGINX_SSL_CRL };

	client_certificate_check(&c);
	for (size_t i = 0; i < sizeof(bundles) / sizeof(bundles[0]); i++) {
		bool changed = false;
		int fd = file_open(&c, bundles[i], &changed);

		if (fd >= 0 && bundles[i] != NGINX_SSL_CRL)
			bundle_check(&c, bundles[i], fd);
		if (fd >= 0)
			close(fd);
	}
	place->changed = read->changed_ns > started_ns + SLACK_NS;
}
