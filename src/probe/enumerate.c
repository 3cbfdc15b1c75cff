// SPDX-License-Identifier: BSD-2-Clause
/*
 * Offers that we write ourselves first: what libssl does not know is seen, too. What is encrypted takes
 * handshakes of libssl then.
 */
#include "probe/enumerate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "probe/starttls.h"
#include "tls/names.h"
#include "tls/offer.h"

#define HELLO_MAX	4096
#define NUMBERS_MAX	512
#define LARGE_HELLO_LEN 2000
#define STRANGE_NAME	"tlsfail.invalid"

static const uint16_t version_list[ENUMERATE_VERSIONS] = {
	TLS_VERSION_1_3, TLS_VERSION_1_2, TLS_VERSION_1_1, TLS_VERSION_1_0, TLS_VERSION_SSL3,
};

/* RFC 8446, section 4.2.3, and the pairs of RFC 5246, section 7.4.1.4.1 */
static const uint16_t all_schemes[] = {
	0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b, 0x0804, 0x0805,
	0x0806, 0x0401, 0x0501, 0x0601, 0x0303, 0x0301, 0x0203, 0x0201, 0x0202, 0x0101,
};

struct numbers {
	uint16_t items[NUMBERS_MAX];
	size_t count;
};

struct work {
	const struct client *client;
	const struct dial_peer *peer;
	const struct vary_options *options;
	struct enumeration *e;
	struct dial dial;
	uint8_t bytes[ANSWER_BYTES_MAX];
	struct numbers ciphers; /* of TLS 1.2 and before */
	struct numbers ciphers_1_3;
	struct numbers groups;
	struct handshake handshake;
};

/* -- lists ------------------------------------------------------------------------------------- */

static void number_add(struct numbers *n, uint16_t number)
{
	if (n->count < NUMBERS_MAX)
		n->items[n->count++] = number;
}

/* False: it was not in the list, so that a server that picks what nobody offered ends the rounds. */
static bool number_remove(struct numbers *n, uint16_t number)
{
	for (size_t i = 0; i < n->count; i++) {
		if (n->items[i] != number)
			continue;
		memmove(&n->items[i], &n->items[i + 1], (n->count - i - 1) * sizeof(number));
		n->count--;
		return true;
	}
	return false;
}

static struct tls_numbers list_of(const struct numbers *n)
{
	return (struct tls_numbers){ n->items, n->count };
}

/* Every number that has a name. */
static void lists_fill(struct work *w)
{
	for (uint32_t i = 1; i <= 0xffff; i++) {
		uint16_t number = (uint16_t)i;

		if (number >> 8 == 0x13 && tls_cipher_name(number))
			number_add(&w->ciphers_1_3, number);
		else if (tls_cipher_name(number) && number != TLS_CIPHER_RENEGOTIATION_SCSV &&
			 number != TLS_CIPHER_FALLBACK_SCSV)
			number_add(&w->ciphers, number);
		if (tls_group_name(number))
			number_add(&w->groups, number);
	}
}

/* -- one offer --------------------------------------------------------------------------------- */

static bool may_go_on(struct work *w)
{
	struct timespec t = { .tv_nsec = (long)(w->options->pause_ns % 1000000000),
			      .tv_sec = (time_t)(w->options->pause_ns / 1000000000) };

	if (w->options->go_on && !w->options->go_on(w->options->context)) {
		w->e->interrupted = true;
		return false;
	}
	if (w->e->connections && w->options->pause_ns)
		nanosleep(&t, NULL);
	w->e->connections++;
	return true;
}

static enum answer_kind kind_of_end(ssize_t n)
{
	return n == 0		 ? ANSWER_CLOSED
	       : n == -ETIMEDOUT ? ANSWER_SILENT
	       : n == -EMSGSIZE	 ? ANSWER_FLOOD
				 : ANSWER_RESET;
}

static void answer_wait(struct work *w, struct answer *answer)
{
	size_t len = 0;

	*answer = (struct answer){ 0 };
	while (!answer->done) {
		ssize_t n;

		if (len == sizeof(w->bytes)) {
			n = -EMSGSIZE;
		} else {
			n = dial_receive(&w->dial, w->bytes + len, sizeof(w->bytes) - len);
			len += n > 0 ? (size_t)n : 0;
		}
		if (n > 0) {
			answer_read(w->bytes, len, answer);
			continue;
		}
		/* What it had begun to say counts. */
		if (answer->kind == ANSWER_NONE)
			answer->kind = kind_of_end(n);
		answer->done = true;
	}
}

static bool offer_make(struct work *w, const struct tls_offer *offer, struct answer *answer)
{
	uint8_t hello[HELLO_MAX];
	struct text problem;
	char words[64];
	size_t len;
	int err;

	*answer = (struct answer){ .kind = ANSWER_NO_CONNECTION };
	len = tls_offer_write(offer, hello, sizeof(hello));
	if (!len || !may_go_on(w))
		return false;
	text_init(&problem, words, sizeof(words));
	err = dial_open(&w->dial, w->peer, &w->options->patience);
	if (!err && w->client->proxy_header)
		err = starttls_proxy_header(&w->dial);
	if (!err && w->client->starttls)
		err = w->client->starttls->talk(&w->dial, &problem);
	if (!err)
		err = dial_send(&w->dial, hello, len);
	if (!err)
		answer_wait(w, answer);
	dial_close(&w->dial);
	w->e->interrupted |= dial_is_void(&w->dial);
	return answer->kind == ANSWER_HELLO && answer->version == offer->version;
}

static void offer_init(struct work *w, uint16_t version, struct tls_offer *offer)
{
	*offer = (struct tls_offer){
		.version = version,
		.ciphers = list_of(version >= TLS_VERSION_1_3 ? &w->ciphers_1_3 : &w->ciphers),
		.groups = list_of(&w->groups),
		.schemes = { all_schemes, sizeof(all_schemes) / sizeof(all_schemes[0]) },
		.server_name = client_sends_name(w->client) ? w->client->name : NULL,
	};
	if (getrandom(offer->random, sizeof(offer->random), 0) < 0)
		memset(offer->random, 0x5a, sizeof(offer->random));
}

/* -- rounds ------------------------------------------------------------------------------------ */

static void answer_note(struct enumerated *v, const struct answer *a)
{
	if (a->dh_bits && (!v->dh_bits || a->dh_bits < v->dh_bits))
		v->dh_bits = a->dh_bits;
}

static void ciphers_find(struct work *w, struct enumerated *v)
{
	struct numbers left = v->version >= TLS_VERSION_1_3 ? w->ciphers_1_3 : w->ciphers;
	struct tls_offer offer;
	struct answer answer;

	offer_init(w, v->version, &offer);
	while (left.count && v->cipher_count < ENUMERATE_CIPHERS_MAX) {
		offer.ciphers = list_of(&left);
		if (!offer_make(w, &offer, &answer) || !number_remove(&left, answer.cipher)) {
			if (!w->e->interrupted)
				v->refusal = answer;
			break;
		}
		v->accepted = true;
		v->ciphers[v->cipher_count++] = answer.cipher;
		answer_note(v, &answer);
	}
}

/* Offers what is accepted the other way round: does it still pick the same? */
static void order_find(struct work *w, struct enumerated *v)
{
	struct numbers reversed = { .count = v->cipher_count };
	struct tls_offer offer;
	struct answer answer;

	if (v->cipher_count < 2)
		return;
	for (unsigned int i = 0; i < v->cipher_count; i++)
		reversed.items[i] = v->ciphers[v->cipher_count - 1 - i];
	offer_init(w, v->version, &offer);
	offer.ciphers = list_of(&reversed);
	if (offer_make(w, &offer, &answer))
		v->order = answer.cipher == v->ciphers[0]	? ORDER_SERVER
			   : answer.cipher == reversed.items[0] ? ORDER_CLIENT
								: ORDER_MIXED;
}

static bool is_ecdhe(uint16_t cipher)
{
	const char *name = tls_cipher_name(cipher);

	return name && strstr(name, "ECDH");
}

/* A group that the certificate's key needs (RFC 8422, section 5.1) cannot be left out: it goes to the
 * end of the list then, and ends the rounds when it is picked again. */
static void groups_find(struct work *w, struct enumerated *v)
{
	struct numbers left = w->groups, ciphers = { 0 };
	bool pinned = false;
	struct tls_offer offer;
	struct answer answer;

	for (unsigned int i = 0; i < v->cipher_count; i++)
		if (v->version >= TLS_VERSION_1_3 || is_ecdhe(v->ciphers[i]))
			number_add(&ciphers, v->ciphers[i]);
	offer_init(w, v->version, &offer);
	offer.ciphers = list_of(&ciphers);
	while (ciphers.count && left.count && v->group_count < ENUMERATE_GROUPS_MAX) {
		uint16_t last = v->group_count ? v->groups[v->group_count - 1] : 0;

		offer.groups = list_of(&left);
		if (!offer_make(w, &offer, &answer)) {
			if (pinned || !last || v->version >= TLS_VERSION_1_3)
				break;
			pinned = true;
			number_add(&left, last);
			continue;
		}
		if (pinned && answer.group == left.items[left.count - 1])
			break;
		if (!number_remove(&left, answer.group))
			break;
		v->groups[v->group_count++] = answer.group;
	}
}

/* TLS 1.2 shows with what it signs its key exchange. */
static void schemes_find(struct work *w, struct enumerated *v)
{
	struct numbers left = { 0 }, ciphers = { 0 };
	struct tls_offer offer;
	struct answer answer;

	for (size_t i = 0; i < sizeof(all_schemes) / sizeof(all_schemes[0]); i++)
		number_add(&left, all_schemes[i]);
	for (unsigned int i = 0; i < v->cipher_count; i++)
		number_add(&ciphers, v->ciphers[i]);
	offer_init(w, v->version, &offer);
	offer.ciphers = list_of(&ciphers);
	while (left.count && v->scheme_count < ENUMERATE_SCHEMES_MAX) {
		offer.schemes = list_of(&left);
		if (!offer_make(w, &offer, &answer) || !answer.scheme ||
		    !number_remove(&left, answer.scheme))
			break;
		v->schemes[v->scheme_count++] = answer.scheme;
	}
}

static void version_find(struct work *w, struct enumerated *v)
{
	unsigned int before = w->e->connections;

	ciphers_find(w, v);
	if (v->accepted)
		order_find(w, v);
	w->e->suite_connections += w->e->connections - before;
	if (!v->accepted)
		return;
	groups_find(w, v);
	if (v->version == TLS_VERSION_1_2)
		schemes_find(w, v);
}

static void large_find(struct work *w, uint16_t version)
{
	struct tls_offer offer;

	offer_init(w, version, &offer);
	offer.length = LARGE_HELLO_LEN;
	offer_make(w, &offer, &w->e->large);
	w->e->large_tried = !w->e->interrupted;
}

/* -- what takes cryptography ------------------------------------------------------------------- */

static bool shake(struct work *w, const struct client *client, SSL_SESSION *session)
{
	if (!may_go_on(w))
		return false;
	handshake_clear(&w->handshake);
	handshake_make(client, w->peer, &w->options->patience, session, &w->handshake);
	w->e->interrupted |= dial_is_void(&w->handshake.dial);
	return w->handshake.dial.conn.flags & TLSFAIL_F_DONE;
}

/* Signature algorithms of TLS 1.3, and what libssl calls them: when asked, and when it answers. */
static const struct {
	uint16_t scheme;
	const char *name;
	const char *used;
} schemes_1_3[] = {
	{ 0x0403, "ecdsa_secp256r1_sha256", "id-ecPublicKey+SHA256" },
	{ 0x0503, "ecdsa_secp384r1_sha384", "id-ecPublicKey+SHA384" },
	{ 0x0603, "ecdsa_secp521r1_sha512", "id-ecPublicKey+SHA512" },
	{ 0x0807, "ed25519", "ED25519" },
	{ 0x0808, "ed448", "ED448" },
	{ 0x0804, "rsa_pss_rsae_sha256", "RSASSA-PSS+SHA256" },
	{ 0x0805, "rsa_pss_rsae_sha384", "RSASSA-PSS+SHA384" },
	{ 0x0806, "rsa_pss_rsae_sha512", "RSASSA-PSS+SHA512" },
};
#define SCHEMES_1_3 (sizeof(schemes_1_3) / sizeof(schemes_1_3[0]))

static void schemes_1_3_find(struct work *w, struct enumerated *v)
{
	struct client client = *w->client;
	bool gone[SCHEMES_1_3] = { false };

	client.versions = CLIENT_TLS_1_3;
	for (size_t round = 0; round < SCHEMES_1_3; round++) {
		struct text t;
		size_t i;

		text_init(&t, client.schemes, sizeof(client.schemes));
		for (i = 0; i < SCHEMES_1_3; i++)
			if (!gone[i])
				text_addf(&t, "%s%s", t.len ? ":" : "", schemes_1_3[i].name);
		if (!t.len || !shake(w, &client, NULL))
			return;
		for (i = 0; i < SCHEMES_1_3; i++)
			if (!gone[i] && !strcmp(schemes_1_3[i].used, w->handshake.scheme))
				break;
		if (i == SCHEMES_1_3)
			return;
		gone[i] = true;
		v->schemes[v->scheme_count++] = schemes_1_3[i].scheme;
	}
}

static void resumption_find(struct work *w, struct enumerated *v)
{
	struct client client = *w->client;
	SSL_SESSION *session;

	client.versions = v->version == TLS_VERSION_1_3 ? CLIENT_TLS_1_3 : CLIENT_TLS_1_2;
	if (!shake(w, &client, NULL))
		return;
	v->resumption_tried = true;
	session = w->handshake.session;
	if (!session)
		return;
	w->handshake.session = NULL;
	v->resumes = shake(w, &client, session) && w->handshake.resumed;
	v->resumption_tried = !w->e->interrupted;
	SSL_SESSION_free(session);
}

static void alpn_find(struct work *w)
{
	static const char *const names[] = { "h2", "http/1.1", "http/1.0" };
	struct client client = *w->client;
	bool gone[3] = { false };
	struct enumeration *e = w->e;

	while (e->alpn_count < 3) {
		struct text t;

		text_init(&t, client.alpn, sizeof(client.alpn));
		for (size_t i = 0; i < 3; i++)
			if (!gone[i])
				text_addf(&t, "%s%s", t.len ? "," : "", names[i]);
		if (!shake(w, &client, NULL) || !*w->handshake.alpn)
			return;
		for (size_t i = 0; i < 3; i++)
			gone[i] |= !strcmp(names[i], w->handshake.alpn);
		memcpy(e->alpn[e->alpn_count++], w->handshake.alpn, sizeof(w->handshake.alpn));
	}
}

static enum enumerate_name name_find(struct work *w, const char *name, char *subject, size_t size)
{
	struct client client = *w->client;
	struct x509_view leaf;
	struct text t;

	client.server_name = name;
	text_init(&t, client.name, sizeof(client.name));
	text_add(&t, name ? name : "");
	if (!shake(w, &client, NULL))
		return w->e->interrupted ? NAME_UNTRIED : NAME_REFUSED;
	if (!w->handshake.certs[0] || !w->e->cert_count ||
	    !x509_view_read(w->handshake.certs[0], w->handshake.cert_lens[0], false, &leaf))
		return NAME_UNTRIED;
	if (!strcmp(leaf.sha256, w->e->certs[0].sha256))
		return NAME_SAME;
	text_init(&t, subject, size);
	text_add(&t, leaf.subject);
	return NAME_OTHER;
}

/* -- the chain --------------------------------------------------------------------------------- */

static bool issuer_trusted(const struct handshake *h, size_t last)
{
	const unsigned char *der = h->certs[last];
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	X509 *cert = d2i_X509(NULL, &der, (long)h->cert_lens[last]), *issuer = NULL;
	bool found = false;

	if (store && context && cert && X509_STORE_set_default_paths(store) &&
	    X509_STORE_CTX_init(context, store, cert, NULL))
		found = X509_STORE_CTX_get1_issuer(&issuer, context, cert) == 1;
	X509_free(issuer);
	X509_free(cert);
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	return found;
}

static void chain_note(const struct handshake *h, struct enumeration *e)
{
	e->sent_count = h->dial.conn.cert_count;
	for (size_t i = 0; i < TLSFAIL_CERTS_MAX && h->certs[i]; i++)
		if (x509_view_read(h->certs[i], h->cert_lens[i], false, &e->certs[i]))
			e->cert_count = i + 1;
	if (!e->cert_count)
		return;
	e->chain_linked = e->cert_count == e->sent_count;
	for (size_t i = 1; i < e->cert_count; i++)
		e->chain_linked &= !strcmp(e->certs[i - 1].issuer, e->certs[i].subject);
	e->chain_complete = e->chain_linked && (e->certs[e->cert_count - 1].self_issued ||
						issuer_trusted(h, e->cert_count - 1));
}

static void facts_note(const struct handshake *h, struct enumeration *e)
{
	e->shaken = true;
	e->stapled = h->staple_len;
	e->staple_status = h->staple_status;
	e->certificate_requested = h->certificate_requested;
	e->ca_name_count = h->ca_name_count;
	memcpy(e->ca_names, h->ca_names, sizeof(e->ca_names));
	chain_note(h, e);
}

static void encrypted_find(struct work *w, struct client *client)
{
	struct enumeration *e = w->e;

	client->versions = CLIENT_TLS_ALL;
	client->any_security = true;
	client->verify = false;
	client->command_count = 0;
	client->status_request = true;
	memcpy(client->ciphers, "ALL", sizeof("ALL"));
	if (!shake(w, client, NULL))
		return;
	facts_note(&w->handshake, e);
	for (size_t i = 0; i < 2; i++) {
		if (!e->versions[i].accepted)
			continue;
		if (e->versions[i].version == TLS_VERSION_1_3)
			schemes_1_3_find(w, &e->versions[i]);
		resumption_find(w, &e->versions[i]);
	}
	alpn_find(w);
	e->without_name = client_sends_name(client)
				  ? name_find(w, NULL, e->other_subject, sizeof(e->other_subject))
				  : NAME_SAME;
	e->strange_name = name_find(w, STRANGE_NAME, e->other_subject, sizeof(e->other_subject));
}

void enumerate(const struct client *client, const struct dial_peer *peer,
	       const struct vary_options *options, struct enumeration *e)
{
	struct client changed = *client;
	struct work *w = calloc(1, sizeof(*w));
	uint16_t highest = 0;

	memset(e, 0, sizeof(*e));
	for (size_t i = 0; i < ENUMERATE_VERSIONS; i++)
		e->versions[i].version = version_list[i];
	e->interrupted = !w;
	if (!w)
		return;
	w->client = &changed;
	w->peer = peer;
	w->options = options;
	w->e = e;
	lists_fill(w);
	for (size_t i = 0; i < ENUMERATE_VERSIONS && !e->interrupted; i++) {
		version_find(w, &e->versions[i]);
		if (e->versions[i].accepted && !highest)
			highest = e->versions[i].version;
		/* Nobody is there, or it keeps quiet: it will to the others, too. */
		if (e->versions[i].refusal.kind == ANSWER_NO_CONNECTION)
			break;
	}
	if (highest && !e->interrupted)
		large_find(w, highest);
	if (highest && !e->interrupted)
		encrypted_find(w, &changed);
	handshake_clear(&w->handshake);
	free(w);
}
