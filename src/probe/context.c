// SPDX-License-Identifier: BSD-2-Clause
/*
 * What ngx_event_openssl.c does, step by step, with the files already read.
 */
#include "probe/context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

/* Never asks for a password. */
static int password_none(char *buf, int size, int writing, void *context)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

static BIO *file_bio(const struct client_file *file)
{
	return file->pem ? BIO_new_mem_buf(file->pem, -1) : NULL;
}

static bool refuse(struct text *problem, const struct client_file *file, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	text_addf(problem, "%s %s: ", what, file->path);
	text_add(problem, file->error ? strerror(file->error) : reason ? reason : "not usable");
	ERR_clear_error();
	return false;
}

static X509 *certificate_next(BIO *bio)
{
	return PEM_read_bio_X509_AUX(bio, NULL, password_none, NULL);
}

X509 *context_certificate(const struct client_file *file)
{
	BIO *bio = file_bio(file);
	X509 *cert = bio ? certificate_next(bio) : NULL;

	BIO_free(bio);
	ERR_clear_error();
	return cert;
}

int context_verify_with(SSL *ssl, const struct client_file *file)
{
	STACK_OF(X509) *untrusted = sk_X509_dup(SSL_get_peer_cert_chain(ssl));
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	STACK_OF(X509) *ours = sk_X509_new_null();
	int result = X509_V_ERR_UNSPECIFIED;
	BIO *bio = file_bio(file);
	X509 *cert;

	while (bio && ours && untrusted && (cert = certificate_next(bio))) {
		sk_X509_push(ours, cert);
		sk_X509_push(untrusted, cert);
	}
	if (context && untrusted && ours &&
	    X509_STORE_CTX_init(context, SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl)),
				SSL_get0_peer_certificate(ssl), untrusted)) {
		X509_STORE_CTX_set_default(context, "ssl_server");
		X509_STORE_CTX_set_depth(context, SSL_get_verify_depth(ssl));
		X509_verify_cert(context);
		result = X509_STORE_CTX_get_error(context);
	}
	X509_STORE_CTX_free(context);
	sk_X509_pop_free(ours, X509_free);
	sk_X509_free(untrusted);
	BIO_free(bio);
	ERR_clear_error();
	return result;
}

/* As SSL_CTX_load_verify_locations() does. */
static bool trust_load(SSL_CTX *ctx, const struct client_file *file, struct text *problem)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	BIO *bio = file_bio(file);
	unsigned int count = 0;
	X509 *cert;

	while (bio && (cert = certificate_next(bio))) {
		X509_STORE_add_cert(store, cert);
		X509_free(cert);
		count++;
	}
	BIO_free(bio);
	if (!count)
		return refuse(problem, file, "cannot load the trusted CAs of");
	ERR_clear_error();
	return true;
}

static bool crl_load(SSL_CTX *ctx, const struct client_file *file, struct text *problem)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	BIO *bio = file_bio(file);
	unsigned int count = 0;
	X509_CRL *crl;

	while (bio && (crl = PEM_read_bio_X509_CRL(bio, NULL, password_none, NULL))) {
		X509_STORE_add_crl(store, crl);
		X509_CRL_free(crl);
		count++;
	}
	BIO_free(bio);
	if (!count)
		return refuse(problem, file, "cannot load the revocation list");
	ERR_clear_error();
	X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	return true;
}

static bool certificate_load(SSL_CTX *ctx, const struct client *client, struct text *problem)
{
	BIO *bio = file_bio(&client->certificate);
	X509 *cert = bio ? certificate_next(bio) : NULL;
	bool ok = cert && SSL_CTX_use_certificate(ctx, cert) == 1;
	EVP_PKEY *key = NULL;

	X509_free(cert);
	while (ok && (cert = certificate_next(bio))) {
		SSL_CTX_add1_chain_cert(ctx, cert);
		X509_free(cert);
	}
	BIO_free(bio);
	if (!ok)
		return refuse(problem, &client->certificate, "cannot load the certificate");
	ERR_clear_error();
	bio = file_bio(&client->key);
	if (bio)
		key = PEM_read_bio_PrivateKey(bio, NULL, password_none, NULL);
	BIO_free(bio);
	ok = key && SSL_CTX_use_PrivateKey(ctx, key) == 1;
	EVP_PKEY_free(key);
	return ok || refuse(problem, &client->key, "cannot load the key");
}

static void versions_set(SSL_CTX *ctx, unsigned int versions)
{
	static const struct {
		enum client_version version;
		uint64_t option;
	} all[] = {
		{ CLIENT_TLS_1_0, SSL_OP_NO_TLSv1 },
		{ CLIENT_TLS_1_1, SSL_OP_NO_TLSv1_1 },
		{ CLIENT_TLS_1_2, SSL_OP_NO_TLSv1_2 },
		{ CLIENT_TLS_1_3, SSL_OP_NO_TLSv1_3 },
	};

	/* nginx lifts the limits of openssl.cnf, too. */
	SSL_CTX_set_min_proto_version(ctx, 0);
	SSL_CTX_set_max_proto_version(ctx, 0);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!(versions & all[i].version))
			SSL_CTX_set_options(ctx, all[i].option);
}

/* ngx_ssl_conf_commands() */
static bool commands_run(SSL_CTX *ctx, const struct client *client, struct text *problem)
{
	SSL_CONF_CTX *conf = SSL_CONF_CTX_new();
	bool ok = conf;

	if (conf) {
		SSL_CONF_CTX_set_flags(conf, SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SHOW_ERRORS |
						     SSL_CONF_FLAG_CLIENT |
						     SSL_CONF_FLAG_CERTIFICATE);
		SSL_CONF_CTX_set_ssl_ctx(conf, ctx);
	}
	for (unsigned int i = 0; ok && i < client->command_count; i++) {
		ok = SSL_CONF_cmd(conf, client->commands[i].name, client->commands[i].value) > 0;
		if (!ok)
			text_addf(problem, "OpenSSL does not accept proxy_ssl_conf_command %s %s",
				  client->commands[i].name, client->commands[i].value);
	}
	if (ok && client->command_count)
		ok = SSL_CONF_CTX_finish(conf) == 1;
	SSL_CONF_CTX_free(conf);
	ERR_clear_error();
	return ok;
}

/* An ALPN list as libssl wants it, from names with a comma between. */
static bool alpn_set(SSL_CTX *ctx, const char *names)
{
	unsigned char wire[64];
	unsigned int len = 0;

	while (*names) {
		size_t n = strcspn(names, ",");

		if (!n || len + n + 1 > sizeof(wire))
			return false;
		wire[len++] = (unsigned char)n;
		memcpy(wire + len, names, n);
		len += (unsigned int)n;
		names += n + (names[n] == ',');
	}
	return !len || !SSL_CTX_set_alpn_protos(ctx, wire, len);
}

/* nginx goes on past errors, so that the result is the last one (ngx_ssl_verify_callback()). */
static int verify_go_on(int ok, X509_STORE_CTX *context)
{
	(void)ok;
	(void)context;
	return 1;
}

static bool lists_set(SSL_CTX *ctx, const struct client *client, struct text *problem)
{
	if (SSL_CTX_set_cipher_list(ctx, client->ciphers) != 1)
		text_addf(problem, "OpenSSL knows none of the ciphers %s", client->ciphers);
	else if (*client->groups && SSL_CTX_set1_groups_list(ctx, client->groups) != 1)
		text_addf(problem, "OpenSSL does not know the groups %s", client->groups);
	else if (*client->schemes && SSL_CTX_set1_sigalgs_list(ctx, client->schemes) != 1)
		text_addf(problem, "OpenSSL does not know the signature schemes %s",
			  client->schemes);
	else if (!alpn_set(ctx, client->alpn))
		text_addf(problem, "%s are not valid ALPN names", client->alpn);
	else
		return true;
	return false;
}

static bool context_set(SSL_CTX *ctx, const struct client *client, struct text *problem)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	versions_set(ctx, client->versions);
	if (!lists_set(ctx, client, problem))
		return false;
	if (*client->certificate.path && !certificate_load(ctx, client, problem))
		return false;
	if (client->verify) {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, verify_go_on);
		SSL_CTX_set_verify_depth(ctx, client->depth);
	}
	if (client->verify && *client->ca.path && !trust_load(ctx, &client->ca, problem))
		return false;
	if (client->verify && *client->crl.path && !crl_load(ctx, &client->crl, problem))
		return false;
	if (client->system_ca)
		SSL_CTX_set_default_verify_paths(ctx);
	if (client->status_request)
		SSL_CTX_set_tlsext_status_type(ctx, TLSEXT_STATUSTYPE_ocsp);
	if (!commands_run(ctx, client, problem))
		return false;
	if (client->any_security)
		SSL_CTX_set_security_level(ctx, 0);
	ERR_clear_error();
	return true;
}

SSL_CTX *context_make(const struct client *client, struct text *problem)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx) {
		text_add(problem, "out of memory");
		return NULL;
	}
	if (context_set(ctx, client, problem))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}
