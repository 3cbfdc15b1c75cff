/* SPDX-License-Identifier: BSD-2-Clause */
/* Handshakes of OpenSSL with itself: see exchange.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exchange.h"

static EVP_PKEY *key;
static X509 *certificate;

int exchange_setup(void **state)
{
	X509_NAME *name;

	(void)state;
	key = EVP_EC_gen("P-256");
	certificate = X509_new();
	if (!key || !certificate)
		return -1;
	name = X509_get_subject_name(certificate);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"test", -1, -1, 0);
	X509_set_issuer_name(certificate, name);
	X509_set_pubkey(certificate, key);
	return X509_sign(certificate, key, EVP_sha256()) > 0 ? 0 : -1;
}

int exchange_teardown(void **state)
{
	(void)state;
	X509_free(certificate);
	EVP_PKEY_free(key);
	return 0;
}

size_t exchange_certificate_len(void)
{
	return (size_t)i2d_X509(certificate, NULL);
}

static int accept_any(int ok, X509_STORE_CTX *context)
{
	(void)ok;
	(void)context;
	return 1;
}

static int warn_of_name(SSL *ssl, int *alert, void *argument)
{
	(void)ssl;
	(void)argument;
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	return SSL_TLSEXT_ERR_ALERT_WARNING;
}

static int choose_first(SSL *ssl, const uint8_t **out, uint8_t *outlen, const uint8_t *in,
			unsigned int inlen, void *argument)
{
	(void)ssl;
	(void)inlen;
	(void)argument;
	*out = in + 1;
	*outlen = in[0];
	return SSL_TLSEXT_ERR_OK;
}

static void use_certificate(SSL_CTX *context)
{
	assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
}

static SSL_CTX *client_context_make(const struct scenario *scenario)
{
	static const uint8_t alpn[] = "\x02h2\x08http/1.1";
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	SSL_CTX_set_min_proto_version(context, scenario->client_min);
	SSL_CTX_set_max_proto_version(context, scenario->client_max);
	if (scenario->alpn)
		SSL_CTX_set_alpn_protos(context, alpn, sizeof(alpn) - 1);
	if (scenario->client_groups)
		SSL_CTX_set1_groups_list(context, scenario->client_groups);
	if (scenario->client_suites)
		SSL_CTX_set_ciphersuites(context, scenario->client_suites);
	if (scenario->client_ciphers)
		SSL_CTX_set_cipher_list(context, scenario->client_ciphers);
	if (scenario->fallback)
		SSL_CTX_set_mode(context, SSL_MODE_SEND_FALLBACK_SCSV);
	if (scenario->no_tickets)
		SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
	if (scenario->client_certificate)
		use_certificate(context);
	if (scenario->verify)
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	return context;
}

SSL_CTX *exchange_server_make(const struct scenario *scenario)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	use_certificate(context);
	SSL_CTX_set_min_proto_version(context, scenario->server_min);
	SSL_CTX_set_max_proto_version(context, scenario->server_max);
	SSL_CTX_set_session_id_context(context, (const uint8_t *)"test", 4);
	if (scenario->server_groups)
		SSL_CTX_set1_groups_list(context, scenario->server_groups);
	if (scenario->server_ciphers)
		SSL_CTX_set_cipher_list(context, scenario->server_ciphers);
	if (scenario->choose_alpn)
		SSL_CTX_set_alpn_select_cb(context, choose_first, NULL);
	SSL_CTX_set_dh_auto(context, 1);
	if (scenario->need_certificate)
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
				   NULL);
	else if (scenario->ask_certificate)
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER, accept_any);
	if (scenario->warn_name)
		SSL_CTX_set_tlsext_servername_callback(context, warn_of_name);
	return context;
}

static SSL *ssl_make(SSL_CTX *context)
{
	SSL *ssl = SSL_new(context);

	assert_non_null(ssl);
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	return ssl;
}

/* Carries over what `from` has written, and keeps it. */
static bool carry(SSL *from, SSL *to, struct direction *direction)
{
	uint8_t *at = direction->bytes + direction->len;
	int len = BIO_read(SSL_get_wbio(from), at, sizeof(direction->bytes) - direction->len);

	if (len <= 0)
		return false;
	assert_int_equal(BIO_write(SSL_get_rbio(to), at, len), len);
	direction->len += len;
	return true;
}

/* Until both are done, or have nothing more to say. */
static void handshake(SSL *client, SSL *server, struct exchange *exchange)
{
	bool client_spoke;
	bool server_spoke;
	uint8_t byte;

	do {
		SSL_do_handshake(client);
		client_spoke = carry(client, server, &exchange->client);
		SSL_do_handshake(server);
		server_spoke = carry(server, client, &exchange->server);
	} while (client_spoke || server_spoke);
	/* Session tickets and alerts of TLS 1.3 come after the handshake. */
	SSL_read(client, &byte, sizeof(byte));
	carry(client, server, &exchange->client);
}

struct exchange *exchange_make(const struct scenario *scenario)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	SSL_CTX *client_context = client_context_make(scenario);
	SSL_CTX *server_context =
		scenario->server ? scenario->server : exchange_server_make(scenario);
	SSL *client = ssl_make(client_context);
	SSL *server = ssl_make(server_context);

	assert_non_null(exchange);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	if (scenario->server_name)
		SSL_set_tlsext_host_name(client, scenario->server_name);
	if (scenario->session)
		SSL_set_session(client, scenario->session);
	handshake(client, server, exchange);
	if (SSL_is_init_finished(client))
		exchange->cipher = SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(client));
	if (scenario->ended)
		*scenario->ended = SSL_get1_session(client);
	/* Without this a session that is freed is no longer resumable. */
	SSL_set_shutdown(client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_set_shutdown(server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(client);
	SSL_free(server);
	SSL_CTX_free(client_context);
	if (!scenario->server)
		SSL_CTX_free(server_context);
	return exchange;
}
