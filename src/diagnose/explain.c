// SPDX-License-Identifier: BSD-2-Clause
/*
 * Facts in words, for people.
 */
#include "diagnose/explain.h"

#include <string.h>

#include "finding/tls.h"
#include "tls/openssl.h"

void explain_endpoint(struct text *t, const struct finding_endpoint *e)
{
	text_addf(t, strchr(e->address, ':') ? "[%s]:%u" : "%s:%u", e->address, e->port);
}

/* SSL says its name, TLS only its number. */
static void add_version(struct text *t, const char *name)
{
	text_addf(t, strncmp(name, "SSL", 3) ? "TLS %s" : "%s", name);
}

static void add_versions(struct text *t, const struct finding_hello *hello)
{
	if (!hello->version_count)
		text_add(t, "unknown");
	for (unsigned int i = 0; i < hello->version_count; i++) {
		text_add(t, i ? ", " : "");
		add_version(t, hello->versions[i]);
	}
}

static void add_raw(struct text *t, const struct finding *f)
{
	if (f->alert.known)
		text_addf(t, "alert %u %s", f->alert.code, f->alert.received ? "received" : "sent");
	else if (f->openssl.reason_code)
		text_addf(t, "OpenSSL reason %u%s%s%s", f->openssl.reason_code,
			  f->openssl.reason ? " (" : "", f->openssl.reason ? f->openssl.reason : "",
			  f->openssl.reason ? ")" : "");
	else if (f->closed_by)
		text_addf(t, "%s by the %s side", f->close_kind, f->closed_by);
	else
		text_add(t, "no error, no close seen");
}

static void add_first(struct text *t, const struct tlsfail_conn *c)
{
	text_add(t, "\"");
	text_add_hostile(t, c->first_rx, strnlen((const char *)c->first_rx, c->first_rx_kept));
	text_add(t, "\"");
}

static void add_alert(struct text *t, const struct finding_alert *a)
{
	text_addf(t, "%u", a->code);
	if (a->name)
		text_addf(t, " %s", a->name);
}

/* The names that a certificate is valid for; a CN counts only where there is no other. */
static void add_names(struct text *t, const struct finding_certificate *cert)
{
	if (cert->cut) {
		text_add(t, "names that were not kept, as it is so long");
		return;
	}
	for (unsigned int i = 0; i < cert->name_count && i < FINDING_SAN_MAX; i++)
		text_addf(t, "%s%s", i ? ", " : "", cert->names[i]);
	if (cert->name_count > FINDING_SAN_MAX)
		text_addf(t, " and %u more", cert->name_count - FINDING_SAN_MAX);
	if (!cert->name_count)
		finding_add_subject(t, cert);
}

/* What most of a long ClientHello is, where one extension is. */
static void add_bulk(struct text *t, const struct finding_hello *hello)
{
	if (hello->session_length > hello->length / 2) {
		text_addf(t, ", of which the session to resume takes %u", hello->session_length);
	} else if (hello->key_shares_length > hello->length / 2) {
		text_add(t, hello->key_share_count == 1 ? ", of which the key share ("
							: ", of which the key shares (");
		finding_add_key_shares(t, hello);
		text_addf(t, hello->key_share_count == 1 ? ") takes %u" : ") take %u",
			  hello->key_shares_length);
	}
}

/* How to make that ClientHello short. */
static void add_shorten(struct text *t, const struct finding_hello *hello)
{
	if (hello->session_length > hello->length / 2)
		text_add(t, "proxy_ssl_session_reuse off;");
	else if (hello->key_shares_length > hello->length / 2)
		text_add(t, "proxy_ssl_conf_command Groups X25519:P-256:P-384;");
	else
		text_add(t, "fewer cipher suites in proxy_ssl_ciphers");
}

/* What the peer said, when it may not be said. */
static void add_answer(struct text *t, const struct finding_choice *choice)
{
	if (choice->retry_flaw == RETRY_RIGHT) {
		text_add(t, "something that");
		return;
	}
	text_add(t, "a ");
	finding_add_retry(t, choice);
	text_add(t, ", which");
}

static void add_after_retry(struct text *t, const struct finding *f)
{
	if (!f->choice.retry_count)
		return;
	text_add(t, " that followed its ");
	finding_add_retry(t, &f->choice);
}

/* Is it known that a client certificate was sent? */
static bool knows_certificate(const struct finding *f)
{
	return f->has_certificate_sent && f->certificate_sent;
}

static void add_silent_refusal(struct text *t, const struct finding *f)
{
	if (f->has_certificate_requested && !f->certificate_requested)
		return;
	text_addf(t, ", and so does a silent refusal of %s",
		  !f->has_certificate_sent ? "the client certificate, or of a client without one"
		  : f->certificate_sent	   ? "the client certificate"
					   : "a client without a certificate");
}

/* How a handshake ended in which the peer did not say a word. */
static void add_end(struct text *t, const struct failure *failure, const struct finding *f)
{
	uint32_t flags = failure->conn->flags;

	if (flags & TLSFAIL_F_PEER_RST) {
		text_add(t, "it reset the connection");
	} else if (flags & TLSFAIL_F_PEER_FIN) {
		text_add(t, "it closed the connection");
	} else {
		text_addf(t, "%snginx gave up after ",
			  f->tcp.has_hello_acked && !f->tcp.hello_acked
				  ? "it was sent again and again, never acknowledged, and "
				  : "");
		text_add_duration(t, f->duration_ns);
	}
}

static void add_error(struct text *t, const struct finding *f)
{
	const struct finding_openssl *o = &f->openssl;

	if (!o->reason_code)
		text_add(t, "it does not say why");
	else
		text_addf(t, "reason %u%s%s", o->reason_code, o->reason ? ", " : "",
			  o->reason ? o->reason : "");
}

/* Whom the client wants to talk to. */
static void add_wanted_name(struct text *t, const struct finding_hello *hello)
{
	if (hello->has_server_name)
		text_add(t, hello->server_name);
	else
		text_add(t, hello->known ? "a server it did not name (no SNI)" : "this server");
}

/* How the verification ended, if the program asked. */
static void add_verdict(struct text *t, const struct finding_verify *verify)
{
	if (!verify->known || !verify->code)
		text_add(t, "its verify code was not asked for");
	else
		text_addf(t, "verify code %d%s%s", verify->code, verify->name ? ", " : "",
			  verify->name ? verify->name : "");
}

/* How far a client came. */
static void add_progress(struct text *t, const struct finding *f)
{
	if (f->protocol_version)
		text_add(t, "after it had got the ServerHello");
	else if (f->hello.known)
		text_add(t, "after its ClientHello");
	else
		text_add(t, f->bytes_received ? "in the middle of its ClientHello"
					      : "without having sent a byte");
}

/* One {word} of a message. Unknown words are left as they are: a test finds them. */
static void add_word(struct text *t, const char *word, size_t len, const struct failure *failure,
		     const struct finding *f)
{
	const struct tlsfail_conn *c = failure->conn;

#define IS(name) (len == sizeof(name) - 1 && !memcmp(word, name, len))
	if (IS("peer"))
		explain_endpoint(t, &f->peer);
	else if (IS("local"))
		explain_endpoint(t, &f->local);
	else if (IS("sni"))
		text_add(t, f->hello.server_name);
	else if (IS("name"))
		add_wanted_name(t, &f->hello);
	else if (IS("versions"))
		add_versions(t, &f->hello);
	else if (IS("version"))
		add_version(t, f->protocol_version ? f->protocol_version : "of an older kind");
	else if (IS("host"))
		text_add_hostile(t, c->host, strnlen(c->host, sizeof(c->host)));
	else if (IS("elapsed"))
		text_add_duration(t, f->duration_ns);
	else if (IS("first"))
		add_first(t, c);
	else if (IS("verify"))
		text_addf(t, "%d", c->verify_code);
	else if (IS("verdict"))
		add_verdict(t, &f->verify);
	else if (IS("alert"))
		add_alert(t, &f->alert);
	else if (IS("subject"))
		finding_add_subject(t, &f->certificate);
	else if (IS("issuer"))
		text_add(t, f->certificate.issuer);
	else if (IS("ended"))
		text_add_time(t, f->certificate.not_after);
	else if (IS("begins"))
		text_add_time(t, f->certificate.not_before);
	else if (IS("key"))
		finding_add_key(t, &f->certificate);
	else if (IS("chain"))
		text_addf(t, "%u", f->certificate.chain_length);
	else if (IS("names"))
		add_names(t, &f->certificate);
	else if (IS("ciphers"))
		finding_add_ciphers(t, &f->hello);
	else if (IS("groups"))
		finding_add_groups(t, &f->hello);
	else if (IS("answer"))
		add_answer(t, &f->choice);
	else if (IS("after_retry"))
		add_after_retry(t, f);
	else if (IS("protocols"))
		finding_add_protocols(t, &f->hello);
	else if (IS("progress"))
		add_progress(t, f);
	else if (IS("or_none"))
		text_add(t, knows_certificate(f) ? "" : ", or that there was none");
	else if (IS("silent_refusal"))
		add_silent_refusal(t, f);
	else if (IS("length"))
		text_addf(t, "%u", f->hello.length);
	else if (IS("bulk"))
		add_bulk(t, &f->hello);
	else if (IS("shorten"))
		add_shorten(t, &f->hello);
	else if (IS("end"))
		add_end(t, failure, f);
	else if (IS("error"))
		add_error(t, f);
	else if (IS("raw"))
		add_raw(t, f);
	else
		text_addf(t, "{%.*s}", (int)len, word);
#undef IS
}

void explain_words(struct text *t, const char *words, const struct failure *failure,
		   const struct finding *f)
{
	while (*words) {
		const char *open = strchr(words, '{');
		const char *close = open ? strchr(open, '}') : NULL;

		if (!close) {
			text_add(t, words);
			return;
		}
		text_addf(t, "%.*s", (int)(open - words), words);
		add_word(t, open + 1, close - open - 1, failure, f);
		words = close + 1;
	}
}

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
		text_add(&t, "SYN answered by RST");
	}
	if (c->flags & TLSFAIL_F_PEER_DID_TLS) {
		evidence_begin(f, &t);
		text_add(&t, "this peer has sent TLS records before");
	}
	if (c->flags & TLSFAIL_F_RX_BEFORE_TX) {
		evidence_begin(f, &t);
		text_add(&t, "bytes of the peer were there as soon as our ClientHello was sent");
	}
	if (c->flags & TLSFAIL_F_PLAIN) {
		evidence_begin(f, &t);
		text_add(&t, "the first byte was looked at, and no handshake begun");
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
	add_versions(&t, &f->hello);
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
	text_addf(&t, "the client's Finished follows an encrypted record of %u bytes: %s",
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
		add_version(&t, f->protocol_version ? f->protocol_version : "of unknown version");
		finding_add_choice(&t, &f->choice);
	}
	if (view->server.certificate_request) {
		evidence_begin(f, &t);
		text_addf(&t, "CertificateRequest %s, %s", server ? "sent" : "received",
			  !view->client.certificate_sent   ? "no Certificate seen in answer"
			  : view->client.certificate_empty ? "answered with no certificate"
							   : "answered with a certificate");
	}
	if (view->server.version == TLS_VERSION_1_3)
		evidence_client_auth(f, &view->client);
	evidence_at(f, c, c->t_done,
		    c->flags & TLSFAIL_F_ENTRY_ONLY ? "handshake done (concluded)"
						    : "handshake done");
	evidence_at(f, c, c->t_request,
		    server ? "application data received" : "application data sent");
}

static void evidence_certificate(struct finding *f)
{
	const struct finding_certificate *cert = &f->certificate;
	struct text t;

	if (!cert->known)
		return;
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
		text_add_time(&t, cert->not_before);
		text_add(&t, " to ");
		text_add_time(&t, cert->not_after);
	}
	evidence_begin(f, &t);
	text_add(&t, "valid for ");
	add_names(&t, cert);
}

static const char *host_verdict(const struct tlsfail_conn *c)
{
	if (c->flags & TLSFAIL_F_ENTRY_ONLY)
		return c->flags & TLSFAIL_F_HOST_REFUSED ? "called, then closed here; asked for"
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
	if (!f->alert.known && sent->encrypted_alert) {
		evidence_begin(f, &t);
		text_add(&t, "the last record sent has the size of an encrypted alert");
	}
	if (symptoms_alert_unread(c, view)) {
		evidence_begin(f, &t);
		text_add(&t, "the last bytes of the peer, which were not read, have the size of an "
			     "encrypted alert");
	}
}

static void evidence_errors(struct finding *f, const struct tlsfail_conn *c,
			    const struct tls_view *view)
{
	struct text t;

	for (uint32_t i = 0; i < c->error_count && i < TLSFAIL_ERRORS_MAX; i++) {
		const char *name = openssl_reason_name(c->errors[i].reason);

		if (openssl_reason_is_alert(c->errors[i].reason, NULL))
			continue; /* told with the alert */
		evidence_begin(f, &t);
		text_addf(&t, "OpenSSL reason %u", c->errors[i].reason);
		if (name)
			text_addf(&t, " (%s)", name);
		if (!i && f->openssl.function[0])
			text_addf(&t, " in %s", f->openssl.function);
	}
	if (f->alert.known) {
		evidence_begin(f, &t);
		text_add(&t, "fatal alert ");
		add_alert(&t, &f->alert);
		text_addf(&t, " %s%s", f->alert.received ? "received" : "sent",
			  f->alert.inferred ? " (inferred from the reason)" : "");
		if (f->alert.received && f->openssl.function[0])
			text_addf(&t, ", raised in %s", f->openssl.function);
	}
	evidence_mute_alerts(f, c, view);
	if (f->verify.known) {
		evidence_begin(f, &t);
		text_addf(&t, "verify result %d (%s), asked for by the program", f->verify.code,
			  f->verify.name ? f->verify.name : "unknown");
	}
	if (c->flags & TLSFAIL_F_SESSION_REMOVED) {
		evidence_begin(f, &t);
		text_addf(&t, "then the program threw the session away; the client had sent %s",
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
	text_addf(&t, "of %llu handshake bytes %s the first %zu were kept",
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
	if (symptoms_unread(c)) {
		evidence_begin(f, &t);
		text_addf(&t, "%llu bytes of the peer were not read",
			  (unsigned long long)symptoms_unread(c));
	}
	evidence_at(f, c, c->t_peer_fin, "FIN received");
	evidence_at(f, c, c->flags & TLSFAIL_F_REFUSED ? 0 : c->t_peer_rst, "RST received");
	evidence_at(f, c, c->t_close,
		    c->flags & TLSFAIL_F_OPEN	     ? "not closed yet"
		    : c->flags & TLSFAIL_F_LOCAL_FIN ? "closed here first"
						     : "closed here");
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
			  "handshakes with this peer: %llu, failed: %llu, of them in a row: %llu",
			  (unsigned long long)h->handshakes, (unsigned long long)h->failures,
			  (unsigned long long)h->failures_in_row);
	}
	if (f->attempt > 1) {
		evidence_begin(f, &t);
		text_addf(&t,
			  "attempt %u of one request (inferred: the thread connected as soon as it "
			  "had closed the failed connection)",
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
	evidence_certificate(f);
	evidence_errors(f, c, &work->view);
	evidence_end(f, failure);
	evidence_history(f);
}
