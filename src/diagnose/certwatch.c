// SPDX-License-Identifier: BSD-2-Clause
/*
 * Remembers what was told in a table of fixed size, oldest out first.
 */
#include "diagnose/certwatch.h"

#include <stdlib.h>
#include <string.h>

#include "finding/tls.h"
#include "program/program.h"
#include "base/text.h"
#include "tls/wire.h"
#include "tls/x509view.h"
#include "base/calendar.h"
#include "base/units.h"

#define TOLD_MAX 1024

#define SECONDS_PER_DAY 86400

struct told {
	struct finding_endpoint peer;
	char what[65]; /* the SHA-256 of a certificate in hex, or UNSENT */
};

struct memory {
	size_t next;
	struct told told[TOLD_MAX];
};

struct certwatch {
	struct certwatch_options options;
	struct estate *estate; /* NULL: the memory is its own */
	struct memory *memory;
	size_t cert_count;
	struct x509_view certs[TLSFAIL_CERTS_MAX];
	struct tls_view view;
};

/* Another process has left this. */
static void memory_take_over(struct memory *m)
{
	if (m->next >= TOLD_MAX)
		m->next = 0;
	for (size_t i = 0; i < TOLD_MAX; i++) {
		struct told *told = &m->told[i];

		if (!estate_is_string(told->peer.address, sizeof(told->peer.address)) ||
		    !estate_is_string(told->what, sizeof(told->what)))
			*told = (struct told){ 0 };
	}
}

struct certwatch *certwatch_new(const struct certwatch_options *options, struct estate *estate)
{
	struct certwatch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->options = *options;
	w->estate = estate;
	w->memory = estate_take(estate, sizeof(*w->memory));
	if (!w->memory) {
		free(w);
		return NULL;
	}
	memory_take_over(w->memory);
	return w;
}

void certwatch_free(struct certwatch *w)
{
	if (!w)
		return;
	estate_give(w->estate, w->memory);
	free(w);
}

static bool told_before(struct certwatch *w, const struct finding_endpoint *peer, const char *what)
{
	struct memory *m = w->memory;
	struct told *slot = &m->told[m->next];
	struct text t;

	for (size_t i = 0; i < TOLD_MAX; i++) {
		const struct told *told = &m->told[i];

		if (told->peer.port == peer->port && !strcmp(told->peer.address, peer->address) &&
		    !strcmp(told->what, what))
			return true;
	}
	m->next = (m->next + 1) % TOLD_MAX;
	slot->peer = *peer;
	text_init(&t, slot->what, sizeof(slot->what));
	text_add(&t, what);
	return false;
}

static void certificates_read(struct certwatch *w, const struct sighting *s)
{
	w->cert_count = 0;
	for (size_t i = 0; i < TLSFAIL_CERTS_MAX; i++) {
		const struct tls_capture *der = &s->certs[i];

		if (!der->data || !x509_view_read(der->data, der->len, der->cut, &w->certs[i]))
			break;
		w->cert_count++;
	}
}

/* Of the chain, the certificate that ends first. */
static const struct x509_view *first_to_end(const struct certwatch *w)
{
	const struct x509_view *first = &w->certs[0];

	for (size_t i = 1; i < w->cert_count; i++)
		if (w->certs[i].has_validity && w->certs[i].not_after < first->not_after)
			first = &w->certs[i];
	return first;
}

static void fill_peer(struct finding_endpoint *peer, const struct sighting *s)
{
	struct text t;

	text_init(&t, peer->address, sizeof(peer->address));
	text_add_address(&t, s->record->family, s->record->raddr);
	peer->port = s->record->rport;
}

static void fill(struct finding *f, const struct sighting *s, enum finding_kind kind,
		 const struct x509_view *cert)
{
	struct text t;

	*f = (struct finding){ .kind = kind, .time_ns = s->time_ns, .confidence = CONFIDENCE_HIGH };
	f->pid = s->record->pid;
	fill_peer(&f->peer, s);
	f->network_type = strchr(f->peer.address, ':') ? "ipv6" : "ipv4";
	text_init(&t, f->executable_path, sizeof(f->executable_path));
	text_add_hostile(&t, s->exe, strlen(s->exe));
	text_init(&t, f->host_name, sizeof(f->host_name));
	text_add(&t, s->host);
	finding_certificate_set(&f->certificate, cert, s->record->cert_count);
}

static bool tell_seen(struct certwatch *w, const struct sighting *s, struct finding *f)
{
	const struct x509_view *leaf = &w->certs[0];
	struct text t;

	fill(f, s, FINDING_CERTIFICATE_SEEN, leaf);
	if (told_before(w, &f->peer, leaf->sha256))
		return false;
	f->cause = "certificate-seen";
	text_init(&t, f->message, sizeof(f->message));
	text_add(&t, "Certificate ");
	finding_add_subject(&t, &f->certificate);
	text_addf(&t, ", issued by %s, is valid until ", leaf->issuer);
	calendar_add_words(&t, leaf->not_after);
	text_add(&t, ".");
	return true;
}

static bool tell_expiring(struct certwatch *w, const struct sighting *s, struct finding *f)
{
	const struct x509_view *cert = first_to_end(w);
	int64_t now = (int64_t)(s->time_ns / NS_PER_S);
	long long days = (cert->not_after - now) / SECONDS_PER_DAY;
	struct text t;

	if (!w->options.warn_s || !cert->has_validity || !now ||
	    cert->not_after - now >= (int64_t)w->options.warn_s)
		return false;
	fill(f, s, FINDING_CERTIFICATE_EXPIRING, cert);
	f->cause = "certificate-expiring";
	text_init(&t, f->message, sizeof(f->message));
	text_add(&t, "Certificate ");
	finding_add_subject(&t, &f->certificate);
	if (cert->not_after < now)
		text_add(&t, " expired on ");
	else
		text_addf(&t, " expires in %lld day%s, on ", days, days == 1 ? "" : "s");
	calendar_add_words(&t, cert->not_after);
	if (days < 0)
		text_addf(&t, " (%lld day%s ago)", -days, days == -1 ? "" : "s");
	text_add(&t, ".");
	text_init(&t, f->hint, sizeof(f->hint));
	text_add(&t, "renew it on the upstream and reload it there");
	return true;
}

/* In the place of the hash of a certificate. */
#define UNSENT "unsent"

static bool tell_unsent(struct certwatch *w, const struct sighting *s, struct finding *f)
{
	const struct program_view view = { .program = s->program, .executable = s->exe };
	struct text t;

	tlswire_parse(&s->sent, &s->received, &w->view);
	fill(f, s, FINDING_CERTIFICATE_UNSENT, &w->certs[0]);
	if (w->view.client.auth != TLS_CLIENT_AUTH_NONE || told_before(w, &f->peer, UNSENT))
		return false;
	f->cause = "certificate-unsent";
	text_init(&t, f->message, sizeof(f->message));
	text_addf(&t, strchr(f->peer.address, ':') ? "[%s]:%u" : "%s:%u", f->peer.address,
		  f->peer.port);
	text_add(&t,
		 " asked for a client certificate and got none. The handshake succeeded all the "
		 "same; if that server is nginx, it may answer the requests with status 400.");
	text_init(&t, f->hint, sizeof(f->hint));
	program_add_words(&t, &view,
			  "if requests are refused, {setting:give_certificate}; otherwise "
			  "ignore this");
	return true;
}

bool certwatch_tell(struct certwatch *w, const struct sighting *s, enum certwatch_event event,
		    struct finding *f)
{
	certificates_read(w, s);
	if (!w->cert_count || !w->certs[0].has_validity)
		return false;
	if (event == CERTWATCH_SEEN)
		return w->options.seen && tell_seen(w, s, f);
	return event == CERTWATCH_UNSENT ? tell_unsent(w, s, f) : tell_expiring(w, s, f);
}

size_t certwatch_read(struct certwatch *w, const struct sighting *s, struct finding_endpoint *peer,
		      const struct x509_view **certs)
{
	certificates_read(w, s);
	fill_peer(peer, s);
	*certs = w->certs;
	return w->cert_count;
}

bool certwatch_ends(struct certwatch *w, const struct sighting *s, struct certificate_ends *ends)
{
	certificates_read(w, s);
	if (!w->cert_count || !w->certs[0].has_validity)
		return false;
	*ends = (struct certificate_ends){
		.time_ns = s->time_ns,
		.leaf = w->certs[0].not_after,
		.chain = first_to_end(w)->not_after,
	};
	fill_peer(&ends->peer, s);
	return true;
}
