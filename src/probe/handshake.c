// SPDX-License-Identifier: BSD-2-Clause
/*
 * libssl works on memory; what it wants to send and to receive goes over the bounded connection.
 */
#include "probe/handshake.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "probe/context.h"
#include "probe/starttls.h"
#include "system/clock.h"

/* How long to wait for a refusal that comes after the handshake; a server that has asked for a
 * certificate may have to look it up somewhere. A session ticket ends the wait: it is sent behind
 * the check. */
#define SETTLE_NS      (300 * NS_PER_MS)
#define SETTLE_AUTH_NS (1500 * NS_PER_MS)

#define BUFFER_LEN 16384

/* -- callbacks of libssl ----------------------------------------------------------------------- */

static void names_note(const SSL *ssl, struct handshake *h)
{
	const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(ssl);
	X509 *own = SSL_get_certificate(ssl);
	STACK_OF(X509) *chain = NULL;

	h->ca_names_lack_ours = own && names && sk_X509_NAME_num(names) > 0;
	SSL_CTX_get0_chain_certs(SSL_get_SSL_CTX(ssl), &chain);
	for (int i = 0; names && i < sk_X509_NAME_num(names); i++) {
		X509_NAME *name = sk_X509_NAME_value(names, i);

		if (own && !X509_NAME_cmp(name, X509_get_issuer_name(own)))
			h->ca_names_lack_ours = false;
		for (int k = 0; chain && k < sk_X509_num(chain); k++)
			if (!X509_NAME_cmp(name, X509_get_issuer_name(sk_X509_value(chain, k))))
				h->ca_names_lack_ours = false;
		if (h->ca_name_count < HANDSHAKE_CA_NAMES_MAX)
			X509_NAME_oneline(name, h->ca_names[h->ca_name_count++],
					  sizeof(h->ca_names[0]));
	}
	h->certificate_sent = own;
	h->own_expired = own && X509_cmp_current_time(X509_get0_notAfter(own)) < 0;
}

/* Called when the server asks for a certificate, and only then. */
static int certificate_asked(SSL *ssl, void *context)
{
	struct handshake *h = context;

	h->certificate_requested = true;
	names_note(ssl, h);
	return 1;
}

static int session_take(SSL *ssl, SSL_SESSION *session)
{
	struct handshake *h = SSL_get_app_data(ssl);

	SSL_SESSION_free(h->session);
	h->session = session;
	return 1;
}

/* -- moving bytes ------------------------------------------------------------------------------ */

static int flush(SSL *ssl, struct dial *d)
{
	BIO *out = SSL_get_wbio(ssl);
	unsigned char *data;
	long len = BIO_get_mem_data(out, &data);
	int err = len > 0 ? dial_send(d, data, (size_t)len) : 0;

	(void)BIO_reset(out);
	return err;
}

/* Receives something for libssl. 1; 0: the peer closed; negative: as dial_receive(). */
static int feed(SSL *ssl, struct dial *d)
{
	char buf[BUFFER_LEN];
	ssize_t n = dial_receive(d, buf, sizeof(buf));

	if (n > 0 && BIO_write(SSL_get_rbio(ssl), buf, (int)n) != n) {
		d->failed = ENOMEM;
		return -ENOMEM;
	}
	return n > 0 ? 1 : (int)n;
}

static void errors_note(struct tlsfail_conn *c)
{
	const char *function, *data;
	unsigned long code;
	int flags;

	while ((code = ERR_get_error_all(NULL, NULL, &function, &data, &flags))) {
		struct tlsfail_error *error;

		if (ERR_GET_LIB(code) != ERR_LIB_SSL || c->error_count == TLSFAIL_ERRORS_MAX)
			continue;
		if (!c->error_count && function) {
			struct text t;

			text_init(&t, c->error_func, sizeof(c->error_func));
			text_add(&t, function);
		}
		error = &c->errors[c->error_count++];
		*error = (struct tlsfail_error){ .t = clock_monotonic(),
						 .lib = ERR_LIB_SSL,
						 .reason = (uint32_t)ERR_GET_REASON(code) };
	}
}

/* Goes on until the handshake is done (1) or over. */
static int shake(SSL *ssl, struct dial *d)
{
	for (;;) {
		int ret, err;

		ERR_clear_error();
		ret = SSL_do_handshake(ssl);
		err = flush(ssl, d);
		if (ret == 1) {
			d->conn.t_done = clock_monotonic();
			d->conn.flags |= TLSFAIL_F_DONE;
			return 1;
		}
		if (SSL_get_error(ssl, ret) != SSL_ERROR_WANT_READ) {
			errors_note(&d->conn);
			return 0;
		}
		/* What it said before it closed is still to be read. */
		if (err && err != -EPIPE && err != -ECONNRESET)
			return err;
		err = feed(ssl, d);
		if (err <= 0)
			return err;
	}
}

/* Waits for what the peer has to say about the handshake. False: it refused, or closed. */
static bool settle(SSL *ssl, struct dial *d, struct handshake *h)
{
	char byte;

	d->wait_until = clock_monotonic() + (h->certificate_requested ? SETTLE_AUTH_NS : SETTLE_NS);
	for (;;) {
		int ret, err;

		ERR_clear_error();
		ret = SSL_read(ssl, &byte, 1);
		err = SSL_get_error(ssl, ret);
		if (err == SSL_ERROR_NONE || (h->session && SSL_version(ssl) == TLS1_3_VERSION))
			return true;
		if (err == SSL_ERROR_ZERO_RETURN) {
			d->conn.flags |= TLSFAIL_F_PEER_FIN;
			d->conn.t_peer_fin = clock_monotonic();
			return false;
		}
		if (err != SSL_ERROR_WANT_READ) {
			errors_note(&d->conn);
			flush(ssl, d);
			return false;
		}
		err = feed(ssl, d);
		if (err == -ETIMEDOUT)
			return true;
		if (err <= 0)
			return false;
	}
}

/* -- what came of it --------------------------------------------------------------------------- */

static void certificates_note(SSL *ssl, struct handshake *h)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
	int count = chain ? sk_X509_num(chain) : 0;

	h->dial.conn.cert_count = (uint32_t)count;
	for (int i = 0; i < count && i < TLSFAIL_CERTS_MAX; i++) {
		int len = i2d_X509(sk_X509_value(chain, i), &h->certs[i]);

		h->cert_lens[i] = len > 0 ? (size_t)len : 0;
	}
}

static void staple_note(SSL *ssl, struct handshake *h)
{
	const unsigned char *der = NULL;
	long len = SSL_get_tlsext_status_ocsp_resp(ssl, &der);
	OCSP_RESPONSE *response;
	OCSP_BASICRESP *basic;

	h->staple_status = -1;
	if (len <= 0 || !der)
		return;
	h->staple_len = (size_t)len;
	response = d2i_OCSP_RESPONSE(NULL, &der, len);
	basic = response ? OCSP_response_get1_basic(response) : NULL;
	if (basic && OCSP_resp_count(basic) > 0)
		h->staple_status =
			OCSP_single_get0_status(OCSP_resp_get0(basic, 0), NULL, NULL, NULL, NULL);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
}

/* ngx_ssl_check_host() looks at names only, never at addresses. */
static bool verify_as_nginx(SSL *ssl, const struct client *client, struct handshake *h)
{
	struct tlsfail_conn *c = &h->dial.conn;
	X509 *leaf = SSL_get0_peer_certificate(ssl);
	struct text t;

	c->flags |= TLSFAIL_F_VERIFY_ASKED;
	c->verify_code =
		(int32_t)(client->add_neighbours ? context_verify_with(ssl, &client->neighbours)
						 : SSL_get_verify_result(ssl));
	if (c->verify_code != X509_V_OK)
		return false;
	text_init(&t, c->host, sizeof(c->host));
	text_add(&t, client->name);
	if (t.cut)
		c->flags |= TLSFAIL_F_HOST_CUT;
	c->flags |= TLSFAIL_F_HOST_CHECKED;
	if (leaf && X509_check_host(leaf, client->name, strlen(client->name), 0, NULL) == 1)
		return true;
	c->flags |= TLSFAIL_F_HOST_REFUSED;
	return false;
}

static void words_copy(char *buf, size_t size, const char *words, size_t len)
{
	struct text t;

	text_init(&t, buf, size);
	text_add_hostile(&t, words, len);
}

/* With a name of our own for the signature: RSA-PSS has two, by the key of the certificate. */
static void scheme_note(SSL *ssl, struct handshake *h)
{
	int type = 0, hash = 0;
	struct text t;

	text_init(&t, h->scheme, sizeof(h->scheme));
	if (SSL_get_peer_signature_type_nid(ssl, &type) == 1)
		text_add(&t, OBJ_nid2sn(type));
	if (SSL_get_peer_signature_nid(ssl, &hash) == 1 && hash != NID_undef)
		text_addf(&t, "+%s", OBJ_nid2sn(hash));
}

static void agreement_note(SSL *ssl, struct handshake *h)
{
	const unsigned char *alpn;
	unsigned int len;

	h->version = (uint16_t)SSL_version(ssl);
	h->resumed = SSL_session_reused(ssl) == 1;
	words_copy(h->cipher, sizeof(h->cipher),
		   SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl)),
		   strlen(SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl))));
	SSL_get0_alpn_selected(ssl, &alpn, &len);
	if (len)
		words_copy(h->alpn, sizeof(h->alpn), (const char *)alpn, len);
	scheme_note(ssl, h);
	staple_note(ssl, h);
}

/* -- the whole --------------------------------------------------------------------------------- */

static SSL *ssl_make(SSL_CTX *ctx, const struct client *client, SSL_SESSION *session,
		     struct handshake *h)
{
	SSL *ssl = SSL_new(ctx);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());

	if (!ssl || !in || !out) {
		SSL_free(ssl);
		BIO_free(in);
		BIO_free(out);
		return NULL;
	}
	SSL_set_bio(ssl, in, out);
	SSL_set_connect_state(ssl);
	SSL_set_app_data(ssl, h);
	SSL_set_cert_cb(ssl, certificate_asked, h);
	if (client_sends_name(client))
		SSL_set_tlsext_host_name(ssl, client->name);
	if (session)
		SSL_set_session(ssl, session);
	return ssl;
}

static void talk_tls(SSL *ssl, const struct client *client, struct handshake *h)
{
	struct dial *d = &h->dial;
	bool ok;

	d->tls = true;
	ok = shake(ssl, d) == 1;
	certificates_note(ssl, h);
	if (SSL_get_current_cipher(ssl))
		agreement_note(ssl, h);
	if (ok && client->verify)
		ok = verify_as_nginx(ssl, client, h);
	if (ok)
		ok = settle(ssl, d, h);
	h->end = ok ? HANDSHAKE_WORKS : HANDSHAKE_FAILS;
	if (d->conn.flags & TLSFAIL_F_DONE && SSL_shutdown(ssl) >= 0 && !ok &&
	    !(d->conn.flags & (TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_RST)))
		d->conn.flags |= TLSFAIL_F_LOCAL_NOTIFY;
	flush(ssl, d);
	ERR_clear_error();
}

/* What is said before TLS. */
static bool talk_before(const struct client *client, struct handshake *h)
{
	struct text problem;
	int err = 0;

	text_init(&problem, h->words, sizeof(h->words));
	if (client->proxy_header)
		err = starttls_proxy_header(&h->dial);
	if (!err && client->starttls)
		err = client->starttls->talk(&h->dial, &problem);
	if (!err)
		return true;
	h->end = HANDSHAKE_NO_TLS;
	if (!problem.len)
		text_add(&problem, strerror(-err));
	return false;
}

/* It is as if it had not been tried. */
static void set_untried(struct handshake *h)
{
	struct text problem;

	h->end = HANDSHAKE_UNTRIED;
	text_init(&problem, h->words, sizeof(h->words));
	if (h->dial.interrupted)
		text_add(&problem, "it was interrupted");
	else
		text_addf(&problem, "an error of this host: %s", strerror(h->dial.failed));
}

void handshake_make(const struct client *client, const struct dial_peer *peer,
		    const struct dial_patience *patience, SSL_SESSION *session, struct handshake *h)
{
	struct text problem;
	SSL *ssl = NULL;
	SSL_CTX *ctx;
	int err;

	memset(h, 0, sizeof(*h));
	h->dial.fd = -1;
	h->end = HANDSHAKE_UNTRIED;
	text_init(&problem, h->words, sizeof(h->words));
	ctx = context_make(client, &problem);
	if (ctx) {
		SSL_CTX_set_session_cache_mode(ctx,
					       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
		SSL_CTX_sess_set_new_cb(ctx, session_take);
		ssl = ssl_make(ctx, client, session, h);
	}
	if (!ssl) {
		SSL_CTX_free(ctx);
		h->dial.failed = ENOMEM;
		if (!problem.len)
			set_untried(h);
		return;
	}
	err = dial_open(&h->dial, peer, patience);
	if (err) {
		h->end = err == -ECONNREFUSED ? HANDSHAKE_FAILS : HANDSHAKE_NO_TCP;
		h->error = -err;
	} else if (talk_before(client, h)) {
		talk_tls(ssl, client, h);
	}
	if (dial_is_void(&h->dial))
		set_untried(h);
	dial_finish(&h->dial);
	h->time_ns = clock_realtime();
	dial_close(&h->dial);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

void handshake_clear(struct handshake *h)
{
	for (size_t i = 0; i < TLSFAIL_CERTS_MAX; i++) {
		OPENSSL_free(h->certs[i]);
		h->certs[i] = NULL;
	}
	SSL_SESSION_free(h->session);
	h->session = NULL;
}
