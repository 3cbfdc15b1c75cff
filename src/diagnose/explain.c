// SPDX-License-Identifier: BSD-2-Clause
/*
 * The evidence list: what was observed, in words, for people.
 */
#include "diagnose/explain.h"

#include <string.h>

#include "diagnose/certmemo.h"
#include "diagnose/words.h"
#include "finding/tls.h"
#include "tls/library.h"
#include "base/calendar.h"
#include "base/units.h"

/* -- the evidence list ------------------------------------------------------------------------ */

static void evidence_begin(struct finding *f, struct text *t)
{
	/* A row more than there is would be a programming error; the last one is overwritten. */
	if (f->evidence_count == FINDING_EVIDENCE_MAX)
		f->evidence_count--;
	text_init(t, f->evidence[f->evidence_count++], FINDING_EVIDENCE_LEN);
}

static void evidence_at(struct finding *f, const struct tlsfail_conn *c, uint64_t when,
			const char *what)
{
	struct text t;

	if (!when)
		return;
	evidence_begin(f, &t);
	text_addf(&t, "%s at ", what);
	text_add_duration(&t, when - c->t_start);
}

static void evidence_handshake(struct finding *f, const struct tlsfail_conn *c)
{
	struct text t;

	if (c->flags & TLSFAIL_F_REFUSED) {
		evidence_begin(f, &t);
		text_add(&t, "SYN answered with RST");
	}
	if (c->flags & TLSFAIL_F_PEER_DID_TLS) {
		evidence_begin(f, &t);
		text_add(&t, "this peer has sent TLS records before");
	}
	if (c->flags & TLSFAIL_F_RX_BEFORE_TX) {
		evidence_begin(f, &t);
		text_add(&t, "bytes from the peer were waiting as soon as our ClientHello was "
			     "sent");
	}
	if (c->flags & TLSFAIL_F_PLAIN) {
		evidence_begin(f, &t);
		text_add(&t, "the first byte was read, and no handshake was begun");
	}
	if (c->flags & TLSFAIL_F_PEER_SPOKE) {
		evidence_begin(f, &t);
		text_add(&t, "bytes in clear came before the handshake (STARTTLS, CONNECT)");
	}
	if (symptoms_only_looked(c)) {
		evidence_begin(f, &t);
		text_add(&t, "the first bytes were looked at and not read, and no handshake begun");
	}
	if (c->flags & TLSFAIL_F_TLS) {
		evidence_begin(f, &t);
		text_addf(&t, "handshake bytes: %llu sent, %llu received",
			  (unsigned long long)c->tx_bytes, (unsigned long long)c->rx_bytes);
	}
	if (c->first_rx_kept) {
		evidence_begin(f, &t);
		text_add(&t, "first bytes received: ");
		text_add_hex(&t, c->first_rx, c->first_rx_kept);
	}
}

static void evidence_hello(struct finding *f)
{
	struct text t;

	if (!f->hello.known)
		return;
	evidence_begin(f, &t);
	text_addf(&t, "ClientHello of %u bytes, offered ", f->hello.length);
	words_add_versions(&t, &f->hello);
	finding_add_offer(&t, &f->hello);
	if (f->hello.has_server_name) {
		text_add(&t, ", server_name ");
		text_add(&t, f->hello.server_name);
	} else if (!f->hello.cut) {
		text_add(&t, ", no server_name");
	}
}

/* TLS 1.3 encrypts the request for a client certificate, and the answer to it. */
static void evidence_client_auth(struct finding *f, const struct tls_client_flight *client)
{
	struct text t;

	if (client->auth != TLS_CLIENT_AUTH_NONE && client->auth != TLS_CLIENT_AUTH_SENT)
		return;
	evidence_begin(f, &t);
	text_addf(&t, "the client's first encrypted record has %u bytes: %s",
		  client->records.first_encrypted,
		  client->auth == TLS_CLIENT_AUTH_NONE ? "a Certificate message with no certificate"
						       : "a certificate");
}

static void evidence_flight(struct finding *f, const struct tlsfail_conn *c,
			    const struct tls_view *view)
{
	bool server = symptoms_is_server(c);
	struct text t;

	if (f->choice.retry_count) {
		evidence_begin(f, &t);
		finding_add_retry(&t, &f->choice);
	}
	if (f->second_hello.length) {
		evidence_begin(f, &t);
		text_addf(&t, "second ClientHello of %u bytes", f->second_hello.length);
		if (f->second_hello.key_share.number) {
			text_add(&t, ", key share ");
			finding_add_code(&t, &f->second_hello.key_share);
		}
	}
	if (view->server.server_hello) {
		evidence_begin(f, &t);
		text_add(&t, "ServerHello: ");
		words_add_version(&t,
				  f->protocol_version ? f->protocol_version : "of unknown version");
		finding_add_choice(&t, &f->choice);
	}
	if (view->server.certificate_request) {
		evidence_begin(f, &t);
		text_addf(&t, "CertificateRequest %s, %s", server ? "sent" : "received",
			  !view->client.certificate_sent   ? "no Certificate seen in response"
			  : view->client.certificate_empty ? "answered with no certificate"
							   : "answered with a certificate");
	}
	if (view->server.version == TLS_VERSION_1_3)
		evidence_client_auth(f, &view->client);
	evidence_at(f, c, c->t_done,
		    c->flags & TLSFAIL_F_ENTRY_ONLY ? "handshake complete (inferred)"
						    : "handshake complete");
	evidence_at(f, c, c->t_request,
		    server ? "application data received" : "application data sent");
}

/* What came encrypted, and was not read where the library has it: the peer may show another one by now, so
 * nothing is concluded from the one of before. */
static void evidence_unread(struct finding *f, const struct failure *failure)
{
	const struct certmemo_shown *shown =
		failure->memo && f->choice.has_resumed && !symptoms_is_server(failure->conn)
			? certmemo_get(failure->memo, &f->peer, failure->netns)
			: NULL;
	struct text t;

	if (!shown)
		return;
	evidence_begin(f, &t);
	text_addf(&t, "certificate not read this time; at ");
	calendar_add_words(&t, (int64_t)(shown->leaf.seen_ns / NS_PER_S));
	text_addf(&t, " the peer showed %s", shown->leaf.subject);
	if (shown->leaf.has_validity) {
		text_add(&t, ", valid to ");
		calendar_add_words(&t, shown->leaf.not_after);
	}
}

static void evidence_certificate(struct finding *f, const struct failure *failure)
{
	const struct finding_certificate *cert = &f->certificate;
	struct text t;

	if (!cert->known) {
		evidence_unread(f, failure);
		return;
	}
	evidence_begin(f, &t);
	text_addf(&t, "certificate (the peer sent %u): %s", cert->chain_length, cert->subject);
	evidence_begin(f, &t);
	text_addf(&t, "issued by %s", cert->issuer);
	if (cert->has_issuer_sent)
		text_addf(&t, ", whose certificate was %ssent", cert->issuer_sent ? "" : "not ");
	if (cert->key[0]) {
		evidence_begin(f, &t);
		finding_add_key(&t, cert);
	}
	if (cert->has_validity) {
		evidence_begin(f, &t);
		text_add(&t, "valid from ");
		calendar_add_words(&t, cert->not_before);
		text_add(&t, " to ");
		calendar_add_words(&t, cert->not_after);
	}
	evidence_begin(f, &t);
	text_add(&t, "valid for ");
	words_add_names(&t, cert);
}

static const char *host_verdict(const struct tlsfail_conn *c)
{
	if (c->flags & TLSFAIL_F_ENTRY_ONLY)
		return c->flags & TLSFAIL_F_HOST_REFUSED ? "called, then closed by this side; "
							   "asked for"
							 : "called; asked for";
	return c->flags & TLSFAIL_F_HOST_REFUSED ? "refused" : "accepted";
}

/* An alert that is encrypted shows by its size alone, and only at the end. */
static void evidence_mute_alerts(struct finding *f, const struct tlsfail_conn *c,
				 const struct tls_view *view)
{
	bool server = symptoms_is_server(c);
	const struct tls_records *sent = server ? &view->server.records : &view->client.records;
	const struct tls_records *received = server ? &view->client.records : &view->server.records;
	struct text t;

	if (!f->alert.known && received->encrypted_alert) {
		evidence_begin(f, &t);
		text_add(&t, "the last record received has the size of an encrypted alert");
	}
	if (received->alert_unread) {
		evidence_begin(f, &t);
		text_add(&t, "of the last alert received only the header was read");
	}
	if (!f->alert.known && sent->encrypted_alert) {
		evidence_begin(f, &t);
		text_add(&t, "the last record sent has the size of an encrypted alert");
	}
	if (symptoms_alert_unread(c, view)) {
		evidence_begin(f, &t);
		text_add(&t, "the last bytes from the peer, which were not read, have the size of "
			     "an encrypted alert");
	}
}

static void evidence_errors(struct finding *f, const struct tlsfail_conn *c,
			    const struct tls_view *view)
{
	struct text t;

	for (uint32_t i = 0; i < c->error_count && i < TLSFAIL_ERRORS_MAX; i++) {
		const struct tlsfail_error *e = &c->errors[i];
		enum tls_library library = tls_library_of(e->lib, f->openssl.version);
		const char *name = tls_reason_words(library, e->reason);

		if (tls_reason_is_alert(e->reason, NULL))
			continue; /* told with the alert */
		evidence_begin(f, &t);
		text_addf(&t, "%s reason %u", tls_library_name(library), e->reason);
		if (name)
			text_addf(&t, " (%s)", name);
		if (!i && f->openssl.function[0])
			text_addf(&t, " in %s", f->openssl.function);
	}
	if (f->alert.known) {
		evidence_begin(f, &t);
		text_add(&t, "fatal alert ");
		words_add_alert(&t, &f->alert);
		text_addf(&t, " %s%s", f->alert.received ? "received" : "sent",
			  f->alert.inferred ? " (inferred from the reason)" : "");
		if (f->alert.received && f->openssl.function[0])
			text_addf(&t, ", raised in %s", f->openssl.function);
	}
	evidence_mute_alerts(f, c, view);
	if (f->verify.known) {
		evidence_begin(f, &t);
		text_addf(&t, "verify result %d (%s), requested by the program", f->verify.code,
			  f->verify.name ? f->verify.name : "unknown");
	}
	if (c->flags & TLSFAIL_F_SESSION_REMOVED) {
		evidence_begin(f, &t);
		text_addf(&t, "then the program discarded the session; the client had sent %s",
			  c->cert_count			    ? "a certificate"
			  : c->flags & TLSFAIL_F_CERT_EMPTY ? "an empty Certificate"
							    : "no certificate");
	}
	if (c->flags & TLSFAIL_F_HOST_CHECKED) {
		evidence_begin(f, &t);
		text_addf(&t, "X509_check_host %s ", host_verdict(c));
		text_add_hostile(&t, c->host, strnlen(c->host, sizeof(c->host)));
		if (c->flags & TLSFAIL_F_HOST_CUT)
			text_add(&t, " (cut)");
	}
}

static void evidence_cut(struct finding *f, const char *dir, const struct tls_capture *capture,
			 uint64_t bytes)
{
	struct text t;

	if (!capture->data || !capture->cut)
		return;
	evidence_begin(f, &t);
	text_addf(&t, "of the %llu handshake bytes %s, the first %zu were kept",
		  (unsigned long long)bytes, dir, capture->len);
}

static void evidence_end(struct finding *f, const struct failure *failure)
{
	const struct tlsfail_conn *c = failure->conn;
	struct text t;

	if (c->flags & TLSFAIL_F_LOCAL_NOTIFY) {
		evidence_begin(f, &t);
		text_add(&t, "close_notify sent first");
	}
	if (c->flags & TLSFAIL_F_PEER_NOTIFY) {
		evidence_begin(f, &t);
		text_add(&t, "close_notify received before anything was closed here");
	}
	if (symptoms_unread(c)) {
		evidence_begin(f, &t);
		text_addf(&t, "%llu bytes from the peer were not read",
			  (unsigned long long)symptoms_unread(c));
	}
	evidence_at(f, c, c->t_peer_fin, "FIN received");
	evidence_at(f, c, c->flags & TLSFAIL_F_REFUSED ? 0 : c->t_peer_rst, "RST received");
	evidence_at(f, c, c->t_close,
		    c->flags & TLSFAIL_F_OPEN	     ? "not closed yet"
		    : c->flags & TLSFAIL_F_LOCAL_FIN ? "closed by this side first"
						     : "closed by this side");
	if (f->tcp.has_hello_acked) {
		evidence_begin(f, &t);
		text_addf(&t, "first flight %sacknowledged by the peer's kernel, %u retransmits",
			  f->tcp.hello_acked ? "" : "not ", f->tcp.retransmits);
	}
	evidence_cut(f, "sent", &failure->sent, c->tx_bytes);
	evidence_cut(f, "received", &failure->received, c->rx_bytes);
	if (c->flags & TLSFAIL_F_NO_WIRE) {
		evidence_begin(f, &t);
		text_add(&t, "wire bytes are incomplete: some could not be kept");
	}
}

static void evidence_history(struct finding *f)
{
	const struct finding_peer *h = &f->history;
	struct text t;

	if (h->known) {
		evidence_begin(f, &t);
		text_addf(&t,
			  "handshakes with this peer: %llu, failed: %llu, consecutive failures: "
			  "%llu",
			  (unsigned long long)h->handshakes, (unsigned long long)h->failures,
			  (unsigned long long)h->failures_in_row);
	}
	if (f->attempt > 1) {
		evidence_begin(f, &t);
		text_addf(&t,
			  "attempt %u of one request (inferred: the thread reconnected right "
			  "after closing the failed connection)",
			  f->attempt);
	}
}

void explain_evidence(const struct failure *failure, const struct diagnose_work *work,
		      struct finding *f)
{
	const struct tlsfail_conn *c = failure->conn;

	evidence_hello(f);
	evidence_handshake(f, c);
	evidence_flight(f, c, &work->view);
	evidence_certificate(f, failure);
	evidence_errors(f, c, &work->view);
	evidence_end(f, failure);
	evidence_history(f);
}

void explain_withdrawn(struct finding *f, const char *slug, const char *why)
{
	struct text t;

	evidence_begin(f, &t);
	text_addf(&t, "not %s: %s", slug, why);
}
