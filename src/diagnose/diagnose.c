// SPDX-License-Identifier: BSD-2-Clause
/*
 * Observed and inferred are kept apart: symptoms and the evidence list hold what was seen; cause,
 * confidence and candidates what follows from it.
 */
#include "diagnose/diagnose.h"

#include <string.h>

#include "diagnose/context.h"
#include "diagnose/explain.h"
#include "diagnose/invariants.h"
#include "finding/tls.h"
#include "tls/library.h"
#include "base/text.h"
#include "base/units.h"
#include "diagnose/timeline.h"
#include "diagnose/words.h"

/* -- matching --------------------------------------------------------------------------------- */

static bool number_fits(const uint16_t list[CAUSE_NUMBERS_MAX], bool known, uint32_t number)
{
	if (!list[0])
		return true;
	if (!known)
		return false;
	for (size_t i = 0; i < CAUSE_NUMBERS_MAX && list[i]; i++)
		if (list[i] == number)
			return true;
	return false;
}

static bool cause_fits(const struct cause *cause, const struct symptoms *s)
{
	const struct cause_when *w = &cause->when;

	if (w->role != OF_EITHER && (w->role == OF_SERVER) != s->server)
		return false;
	return (s->observed & w->all) == w->all && !(s->observed & w->none) &&
	       (!w->any || s->observed & w->any) && (s->context & w->with) == w->with &&
	       !(s->context & w->without) && (!w->with_any || s->context & w->with_any) &&
	       number_fits(w->alert, s->has_alert, s->alert) &&
	       number_fits(w->alert_sent, s->has_alert_sent, s->alert_sent) &&
	       number_fits(w->reason, s->reason != TLS_REASON_NONE, s->reason) &&
	       number_fits(w->verify, s->verify != TLS_VERIFY_OK, s->verify);
}

/* The first row from *index on, which becomes its. */
static const struct cause *match_from(size_t *index, const struct symptoms *s)
{
	while (!cause_fits(cause_at(*index), s))
		(*index)++;
	return cause_at(*index);
}

const struct cause *diagnose_match(const struct symptoms *s)
{
	size_t i = 0;

	return match_from(&i, s);
}

/* -- the finding, part by part ---------------------------------------------------------------- */

static void fill_address(char *buf, size_t size, unsigned int family, const uint8_t *addr)
{
	struct text t;

	text_init(&t, buf, size);
	text_add_address(&t, family, addr);
}

static void fill_network(struct finding *f, const struct tlsfail_conn *c)
{
	fill_address(f->local.address, sizeof(f->local.address), c->family, c->laddr);
	fill_address(f->peer.address, sizeof(f->peer.address), c->family, c->raddr);
	f->local.port = c->lport;
	f->peer.port = c->rport;
	f->network_type = strchr(f->peer.address, ':') ? "ipv6" : "ipv4";
}

static void fill_process(struct finding *f, const struct failure *failure)
{
	const char *slash = strrchr(failure->exe, '/');
	struct text t;

	f->pid = failure->conn->pid;
	f->netns = failure->netns;
	text_init(&t, f->container_id, sizeof(f->container_id));
	text_add(&t, failure->container ? failure->container : "");
	text_init(&t, f->executable_path, sizeof(f->executable_path));
	text_add_hostile(&t, failure->exe, strlen(failure->exe));
	text_init(&t, f->executable_name, sizeof(f->executable_name));
	if (slash)
		text_add_hostile(&t, slash + 1, strlen(slash + 1));
	else
		text_add_hostile(&t, failure->conn->comm,
				 strnlen(failure->conn->comm, sizeof(failure->conn->comm)));
	text_init(&t, f->host_name, sizeof(f->host_name));
	text_add(&t, failure->host);
}

static void fill_tls(struct finding *f, const struct tlsfail_conn *c, const struct tls_view *view)
{
	f->established = c->flags & TLSFAIL_F_DONE;
	finding_tls_fill(f, view);
	if (view->server.version == TLS_VERSION_1_3) {
		f->has_certificate_requested = view->client.auth != TLS_CLIENT_AUTH_UNKNOWN;
		f->has_certificate_sent = f->has_certificate_requested;
		f->certificate_requested = view->client.auth != TLS_CLIENT_AUTH_NOT_ASKED;
		f->certificate_sent = view->client.auth == TLS_CLIENT_AUTH_SENT;
	}
	/* Before, both are in clear up to the end of the flight. */
	if (view->server.version && view->server.version < TLS_VERSION_1_3) {
		f->certificate_requested = view->server.certificate_request;
		f->has_certificate_requested =
			f->certificate_requested || view->server.server_hello_done;
		f->certificate_sent =
			view->client.certificate_sent && !view->client.certificate_empty;
		f->has_certificate_sent =
			view->client.certificate_sent || view->client.records.change_cipher_spec;
	}
}

/* The certificate that the verify code is about, where its validity tells; else the leaf. */
static const struct x509_view *certificate_at_fault(const struct diagnose_work *work,
						    const struct symptoms *s, int64_t now)
{
	for (size_t i = 0; i < work->cert_count; i++) {
		const struct x509_view *cert = &work->certs[i];

		if (!cert->has_validity)
			continue;
		if (s->verify == TLS_VERIFY_EXPIRED && cert->not_after < now)
			return cert;
		if (s->verify == TLS_VERIFY_NOT_YET_VALID && cert->not_before > now)
			return cert;
	}
	/* the topmost, whose issuer it is that is not known */
	if (s->verify == TLS_VERIFY_CA_WITHOUT_ISSUER)
		return &work->certs[work->cert_count - 1];
	return &work->certs[0];
}

static void fill_certificate(struct finding *f, const struct failure *failure,
			     const struct diagnose_work *work, const struct symptoms *s)
{
	if (!work->cert_count) {
		context_recall(failure, s, f);
		return;
	}
	finding_certificate_set(&f->certificate,
				certificate_at_fault(work, s, (int64_t)(f->time_ns / NS_PER_S)),
				work->certs_sent);
	if (work->cert_count == work->certs_sent) {
		struct text t;

		text_init(&t, f->certificate.top_issuer, sizeof(f->certificate.top_issuer));
		text_add(&t, work->certs[work->cert_count - 1].issuer);
	}
	/* Of the certificates above the leaf it is not known. */
	f->certificate.issuer_sent = s->observed & O_ISSUER_SENT;
	f->certificate.has_issuer_sent =
		!strcmp(f->certificate.sha256, work->certs[0].sha256) &&
		s->observed & (O_ISSUER_SENT | O_ISSUER_MISSING | O_ONE_CERT);
}

static void fill_openssl(struct finding *f, const struct failure *failure, const struct symptoms *s)
{
	const struct tlsfail_conn *c = failure->conn;
	struct text t;

	f->openssl.library = tls_library_name(s->library);
	if (s->reason_number) {
		f->openssl.reason_code = s->reason_number;
		f->openssl.reason = tls_reason_words(s->library, s->reason_number);
		text_init(&t, f->openssl.function, sizeof(f->openssl.function));
		text_add_hostile(&t, c->error_func, strnlen(c->error_func, sizeof(c->error_func)));
	}
	text_init(&t, f->openssl.version, sizeof(f->openssl.version));
	text_add_hostile(&t, failure->version, strlen(failure->version));
	f->verify.result = s->verify;
	if (c->flags & TLSFAIL_F_VERIFY_ASKED) {
		f->verify.known = true;
		f->verify.enforced = true;
		f->verify.code = c->verify_code;
		f->verify.name =
			c->verify_code ? tls_verify_name(s->library, c->verify_code) : "ok";
		f->verify.words = tls_verify_words(s->library, c->verify_code);
	}
}

static void fill_name_check(struct finding *f, const struct tlsfail_conn *c)
{
	struct text t;

	if (!(c->flags & TLSFAIL_F_HOST_CHECKED))
		return;
	f->name_check.known = true;
	f->name_check.refused = c->flags & TLSFAIL_F_HOST_REFUSED;
	f->name_check.cut = c->flags & TLSFAIL_F_HOST_CUT;
	text_init(&t, f->name_check.name, sizeof(f->name_check.name));
	text_add_hostile(&t, c->host, strnlen(c->host, sizeof(c->host)));
}

static void fill_alert(struct finding *f, const struct symptoms *s)
{
	f->alert = (struct finding_alert){
		.known = s->has_alert || s->has_alert_sent,
		.received = s->has_alert,
		.inferred = s->has_alert_sent && s->alert_sent_inferred,
		.fatal = true,
		.code = s->has_alert ? s->alert : s->alert_sent,
	};
	if (f->alert.known)
		f->alert.name = tls_alert_name(f->alert.code);
}

static void fill_close(struct finding *f, const struct tlsfail_conn *c, const struct symptoms *s,
		       const struct cause *cause)
{
	f->closed_by = f->close_kind = NULL;
	if (f->alert.known) {
		f->closed_by = f->alert.received ? "peer" : "local";
		f->close_kind = "alert";
	} else if (s->context & C_ALERT_HIDDEN && !(s->observed & (O_PEER_FIN | O_PEER_RST))) {
		f->closed_by = "local";
		f->close_kind = "alert";
	} else if (c->flags & TLSFAIL_F_LOCAL_NOTIFY) {
		f->closed_by = "local";
		f->close_kind = "close_notify";
	} else if (c->flags & TLSFAIL_F_PEER_NOTIFY) {
		f->closed_by = "peer";
		f->close_kind = "close_notify";
	} else if (c->flags & TLSFAIL_F_PEER_FIN && !symptoms_unread(c)) {
		f->closed_by = "peer";
		f->close_kind = "fin";
	} else if (c->flags & TLSFAIL_F_PEER_RST) {
		f->closed_by = "peer";
		f->close_kind = "rst";
	} else if (c->flags & TLSFAIL_F_LOCAL_FIN || symptoms_unread(c)) {
		f->closed_by = "local";
		f->close_kind = c->flags & TLSFAIL_F_LOCAL_RST ? "rst" : "fin";
	}
	/* What only the cause tells of a close here. */
	if (cause->close_kind && f->closed_by && !strcmp(f->closed_by, "local"))
		f->close_kind = cause->close_kind;
}

static const char *phase_of(const struct tlsfail_conn *c, const struct tls_view *view)
{
	if (c->flags & TLSFAIL_F_DONE)
		return "post_handshake";
	if (!(c->flags & TLSFAIL_F_ESTABLISHED))
		return "connect";
	if (!view->server.server_hello)
		return "hello";
	return view->client.records.change_cipher_spec ? "finished" : "certificate";
}

static void fill_tcp(struct finding *f, const struct tlsfail_conn *c)
{
	if (!(c->flags & TLSFAIL_F_ESTABLISHED))
		return;
	f->tcp.known = true;
	f->tcp.has_rtt = c->tcp_srtt_us != 0;
	f->tcp.rtt_ns = (uint64_t)c->tcp_srtt_us * 1000 / 8;
	f->tcp.retransmits = c->tcp_retransmits;
	f->tcp.has_hello_acked = c->t_first_tx && c->flags & TLSFAIL_F_CONNECT;
	f->tcp.hello_acked = symptoms_hello_acked(c);
}

static void fill_log_line(struct finding *f, const struct log_line *line,
			  const struct program *program)
{
	struct text t;

	if (!line)
		return;
	f->log_line.known = true;
	if (program && program->log_level)
		f->log_line.level = program->log_level(line->level);
	f->log_line.connection = line->connection;
	text_init(&t, f->log_line.message, sizeof(f->log_line.message));
	text_add_hostile(&t, line->text, strlen(line->text));
	text_init(&t, f->log_line.file, sizeof(f->log_line.file));
	text_add_hostile(&t, line->file, strlen(line->file));
}

static uint64_t realtime_at(const struct failure *failure, uint64_t t)
{
	return t && failure->time_ns ? failure->time_ns - (failure->conn->t_close - t) : 0;
}

static const enum finding_peer_state finding_states[] = {
	[PEER_OK] = FINDING_PEER_OK,
	[PEER_FLAPPING] = FINDING_PEER_FLAPPING,
	[PEER_FAILING] = FINDING_PEER_FAILING,
};

static void fill_history(struct finding *f, const struct failure *failure)
{
	const struct peer_history *h = &failure->history;

	f->group = failure->group;
	f->attempt = failure->attempt;
	if (!h->known)
		return;
	f->history = (struct finding_peer){
		.known = true,
		.state = finding_states[h->state],
		.since_ns = realtime_at(failure, h->since),
		.handshakes = h->handshakes,
		.failures = h->failures,
		.failing_since_ns = realtime_at(failure, h->failing_since),
		.failures_in_row = h->streak,
		.last_success_ns = realtime_at(failure, h->last_success),
	};
}

/* -- the conclusion --------------------------------------------------------------------------- */

/* Whose problem it is, unless more than one cause fits and they are not of the same one. */
static enum responsible responsible_for(const struct finding *f, const struct cause *cause)
{
	enum responsible who = cause->responsible;

	if (f->confidence == CONFIDENCE_LOW)
		return RESPONSIBLE_UNKNOWN;
	for (unsigned int i = 0; i < f->candidate_count; i++) {
		const struct cause *other = cause_find(f->candidates[i]);

		if (other && other->responsible != who)
			return RESPONSIBLE_UNKNOWN;
	}
	return who;
}

static void candidate_add(struct finding *f, const char *slug)
{
	bool named = f->candidate_count == FINDING_CANDIDATES_MAX || !strcmp(f->cause, slug) ||
		     !strcmp(slug, "unknown");

	for (unsigned int i = 0; i < f->candidate_count; i++)
		named |= !strcmp(f->candidates[i], slug);
	if (!named)
		f->candidates[f->candidate_count++] = slug;
}

static void candidates_fill(struct finding *f, const struct symptoms *s, const struct cause *cause)
{
	size_t i = 0;

	while (cause_at(i) != cause)
		i++;
	/* Of those that yield, too, where several fit. */
	for (bool yields = cause->or_next; yields;) {
		const struct cause *next;

		i++;
		next = match_from(&i, s);
		candidate_add(f, next->slug);
		yields = next->or_next;
	}
	for (i = 0; i < CAUSE_CANDIDATES_MAX && cause->candidates[i].slug; i++) {
		const struct cause_candidate *c = &cause->candidates[i];

		if ((s->observed & c->all) == c->all && (s->context & c->with) == c->with &&
		    !(s->context & c->without))
			candidate_add(f, c->slug);
	}
}

/* The first that fits, NULL: the row's own words do. */
static const struct cause_wording *wording_find(const struct cause *cause, const struct symptoms *s)
{
	for (unsigned int i = 0; i < CAUSE_WORDINGS_MAX; i++)
		if (s->observed & cause->wordings[i].when || s->context & cause->wordings[i].with)
			return &cause->wordings[i];
	return NULL;
}

static void conclude(struct finding *f, const struct failure *failure, const struct symptoms *s,
		     const struct cause *cause)
{
	const char *doubt = cause->doubt, *hint = cause->hint;
	bool concluded = s->verify_concluded && cause->when.verify[0];
	const char *message =
		f->certificate.known && cause->with_cert ? cause->with_cert : cause->message;
	const struct cause_wording *wording;
	struct text t;

	f->cause = cause->slug;
	f->noise = cause->noise;
	f->candidate_count = 0;
	f->wording = 0;
	f->confidence = cause->confidence;
	if (f->confidence == CONFIDENCE_LOW && s->observed & cause->medium_if)
		f->confidence = CONFIDENCE_MEDIUM;
	if (f->confidence == CONFIDENCE_HIGH && s->context & cause->medium_with)
		f->confidence = CONFIDENCE_MEDIUM;
	if (s->observed & cause->high_if)
		f->confidence = CONFIDENCE_HIGH;
	if (s->context & cause->high_with)
		f->confidence = CONFIDENCE_HIGH;
	if (concluded && f->confidence == CONFIDENCE_HIGH)
		f->confidence = CONFIDENCE_MEDIUM;
	if (f->confidence != CONFIDENCE_HIGH)
		candidates_fill(f, s, cause);
	f->responsible = responsible_for(f, cause);
	wording = wording_find(cause, s);
	if (wording) {
		f->wording = (unsigned int)(wording - cause->wordings) + 1;
		doubt = wording->doubt;
		hint = wording->hint;
		if (wording->message)
			message = wording->message;
	}
	text_init(&t, f->message, sizeof(f->message));
	words_add(&t, message, failure, f);
	if (doubt && f->confidence != CONFIDENCE_HIGH) {
		text_add(&t, " ");
		words_add(&t, doubt, failure, f);
	}
	if (concluded)
		text_add(&t, cause_note_concluded);
	if (f->certificate.seen_ns)
		words_add(&t, cause_note_shown, failure, f);
	if (cause->resumption_hides && f->choice.resumed)
		words_add(&t, cause_note_resumed, failure, f);
	else if (cause->resumption_hides && f->hello.offers_session && f->choice.has_resumed)
		text_add(&t, cause_note_hidden);
	text_init(&t, f->hint, sizeof(f->hint));
	words_add(&t, hint, failure, f);
	if (cause->resumption_hides && f->choice.resumed && !(s->context & C_ONE_PLACE))
		words_add(&t, cause_hint_resumed, failure, f);
}

static void fill_bytes(struct finding *f, const struct tlsfail_conn *c)
{
	struct text t;

	f->bytes_sent = c->tcp_bytes_sent;
	/* The peer's FIN counts as one byte (tcp_rcv_nxt_update()). */
	f->bytes_received = c->tcp_bytes_received;
	if (c->flags & TLSFAIL_F_PEER_FIN && f->bytes_received)
		f->bytes_received--;
	text_init(&t, f->first_bytes, sizeof(f->first_bytes));
	text_add_hex(&t, c->first_rx, c->first_rx_kept);
	/* What was sent again counts again (tcp_sock.bytes_sent), so then it is not known; nor is it
	 * after the handshake, where not all sends are seen. */
	f->has_bytes_before_hello = c->flags & TLSFAIL_F_CONNECT && c->tx_bytes &&
				    !(c->flags & TLSFAIL_F_DONE) && !c->tcp_retransmits;
	if (f->has_bytes_before_hello && c->tcp_bytes_sent > c->tx_bytes)
		f->bytes_before_hello = c->tcp_bytes_sent - c->tx_bytes;
}

static void fill_config(struct finding *f, const struct failure *failure)
{
	f->config = (struct finding_config){ 0 };
	if (failure->places && failure->program && failure->program->advise)
		failure->program->advise(f, failure->places, failure->places_len);
}

/* What its configuration says. */
static unsigned int program_facts(const struct failure *failure, const struct finding *f)
{
	if (!failure->places || !failure->program || !failure->program->facts)
		return 0;
	return failure->program->facts(f, failure->places, failure->places_len);
}

/* A cause that the finding's own facts contradict is withdrawn, and the next row that fits is tried.
 * The last row fits always, and says nothing that can be contradicted. */
static void conclude_soundly(struct finding *f, const struct failure *failure,
			     const struct symptoms *s)
{
	for (size_t i = 0; i < cause_count(); i++) {
		const struct cause *cause = match_from(&i, s);
		const char *broken;

		fill_close(f, failure->conn, s, cause);
		conclude(f, failure, s, cause);
		fill_config(f, failure);
		/* Of a connection that has not failed no other row is to be asked. */
		f->nothing = (symptoms_is_suspect(failure->conn) &&
			      !(cause->when.with & C_OF_SUSPECTS)) ||
			     s->context & C_SERVED_PLAIN;
		broken = f->nothing ? NULL : invariant_broken(failure, f);
		if (!broken)
			return;
		f->contradictions++;
		explain_withdrawn(f, cause->slug, broken);
	}
}

void diagnose(const struct failure *failure, struct diagnose_work *work, struct finding *f)
{
	const struct tlsfail_conn *c = failure->conn;
	const struct tls_view *view = &work->view;
	struct symptoms s;

	symptoms_read(failure, work, &s);
	*f = (struct finding){ .kind = FINDING_FAILURE };
	fill_tls(f, c, view);
	symptoms_add_facts(&s, c, program_facts(failure, f));

	f->time_ns = failure->time_ns;
	f->duration_ns = c->t_close - c->t_start;
	f->role = s.server ? "server" : "client";
	f->phase = phase_of(c, view);
	fill_bytes(f, c);
	fill_network(f, c);
	fill_process(f, failure);
	fill_certificate(f, failure, work, &s);
	fill_openssl(f, failure, &s);
	fill_name_check(f, c);
	fill_alert(f, &s);
	fill_tcp(f, c);
	fill_log_line(f, failure->log_line, failure->program);
	fill_history(f, failure);
	context_observe(failure, work, f, &s);
	explain_evidence(failure, work, f);
	conclude_soundly(f, failure, &s);
	if (s.context & (C_REFUSED_PLAIN | C_IGNORED_PLAIN))
		f->kind = FINDING_PLAINTEXT;
	timeline_fill(failure, f);
}

void diagnose_prove(const struct failure *failure, const char *slug, const char *proof,
		    struct finding *f)
{
	const struct cause *cause = cause_find(slug);
	struct text t;

	if (!cause)
		return;
	f->kind = FINDING_CONFIRMED;
	f->cause = cause->slug;
	f->confidence = CONFIDENCE_PROVEN;
	f->responsible = cause->responsible;
	f->candidate_count = 0;
	f->wording = 0;
	text_init(&t, f->message, sizeof(f->message));
	/* The words of the row are about what the failure itself showed. */
	words_add_endpoint(&t, &f->peer);
	text_addf(&t, ": %s.", proof);
	text_init(&t, f->hint, sizeof(f->hint));
	words_add(&t, cause->hint, failure, f);
	text_init(&t, f->confirmed, sizeof(f->confirmed));
	text_add(&t, proof);
	if (f->evidence_count < FINDING_EVIDENCE_MAX) {
		text_init(&t, f->evidence[f->evidence_count++], FINDING_EVIDENCE_LEN);
		text_addf(&t, "confirmed: %s", proof);
	}
	memset(&f->config, 0, sizeof(f->config));
	fill_config(f, failure);
}

void diagnose_loss(const struct tlsfail_loss *loss, uint64_t time_ns, const char *host,
		   struct finding *f)
{
	struct text t;

	*f = (struct finding){ .kind = FINDING_LOSS };
	f->time_ns = time_ns;
	f->loss.findings = loss->lost.conns;
	f->loss.wires = loss->lost.wires;
	f->loss.untracked = loss->lost.untracked;
	f->loss.processes = loss->lost.execs;
	text_init(&t, f->host_name, sizeof(f->host_name));
	text_add(&t, host);
	text_init(&t, f->message, sizeof(f->message));
	text_add(&t, "tlsfail could not keep up: some failures, or parts of them, were lost.");
}

/* What findings about a peer have in common. */
static void begin_upstream(struct finding *f, uint64_t time_ns, const char *host)
{
	struct text t;

	*f = (struct finding){ .time_ns = time_ns,
			       .confidence = CONFIDENCE_HIGH,
			       .role = "client" };
	text_init(&t, f->host_name, sizeof(f->host_name));
	text_add(&t, host);
}

static void begin_peer(struct finding *f, const struct tlsfail_peer_key *key, uint64_t time_ns,
		       const char *host)
{
	begin_upstream(f, time_ns, host);
	fill_address(f->peer.address, sizeof(f->peer.address), key->family, key->addr);
	f->peer.port = key->port;
	f->network_type = strchr(f->peer.address, ':') ? "ipv6" : "ipv4";
}

void diagnose_recovery(const struct tlsfail_peer *peer, const struct peer_recovery *recovery,
		       uint64_t time_ns, const char *host, struct finding *f)
{
	uint64_t failing_ns = recovery->last_success - recovery->since;
	struct text t;

	begin_peer(f, &peer->key, time_ns, host);
	f->kind = FINDING_RECOVERED;
	f->cause = "peer-recovered";
	f->duration_ns = failing_ns;
	f->history = (struct finding_peer){
		.known = true,
		.state = FINDING_PEER_RECOVERED,
		.handshakes = recovery->handshakes,
		.failures = recovery->failures,
	};
	if (time_ns) {
		f->history.since_ns = time_ns - (recovery->t - recovery->since);
		f->history.last_success_ns = time_ns - (recovery->t - recovery->last_success);
	}
	text_init(&t, f->message, sizeof(f->message));
	words_add_endpoint(&t, &f->peer);
	text_addf(&t, " works again: %llu of %llu handshakes failed within ",
		  (unsigned long long)recovery->failures, (unsigned long long)recovery->handshakes);
	text_add_duration(&t, failing_ns);
	text_add(&t, ".");
}

static void add_share(struct text *t, const struct finding *f)
{
	text_addf(t, ": %llu of %llu handshakes failed within ",
		  (unsigned long long)f->history.failures,
		  (unsigned long long)f->history.handshakes);
	text_add_duration(t, f->duration_ns);
	text_add(t, ".");
}

void diagnose_summary(const struct peer_summary *s, uint64_t now, uint64_t time_ns,
		      const char *host, struct finding *f)
{
	struct text t;

	begin_peer(f, &s->key, time_ns, host);
	f->kind = FINDING_SUMMARY;
	f->cause = s->cause;
	f->duration_ns = now > s->since ? now - s->since : 0;
	f->history = (struct finding_peer){
		.known = true,
		.state = finding_states[s->state],
		.handshakes = s->handshakes,
		.failures = s->failures,
		.retried = s->retried,
		.cause_count = s->cause_count,
	};
	if (time_ns) {
		f->history.since_ns = time_ns - (now - s->since);
		f->history.failing_since_ns =
			s->failing_since ? time_ns - (now - s->failing_since) : 0;
		f->history.last_success_ns =
			s->last_success ? time_ns - (now - s->last_success) : 0;
	}
	text_init(&t, f->history.upstream, sizeof(f->history.upstream));
	text_add(&t, s->upstream);
	text_init(&t, f->message, sizeof(f->message));
	words_add_endpoint(&t, &f->peer);
	add_share(&t, f);
}

void diagnose_group(const struct group *group, uint64_t now, uint64_t time_ns, const char *host,
		    struct finding *f)
{
	struct text t;

	begin_upstream(f, time_ns, host);
	f->kind = FINDING_SUMMARY;
	f->duration_ns = now > group->since ? now - group->since : 0;
	f->history = (struct finding_peer){
		.known = true,
		.state = finding_states[group->state],
		.since_ns = time_ns ? time_ns - f->duration_ns : 0,
		.handshakes = group->handshakes,
		.failures = group->failures,
		.retried = group->retried,
		.peers = group->peers,
	};
	text_init(&t, f->history.upstream, sizeof(f->history.upstream));
	text_add(&t, group->name);
	text_init(&t, f->message, sizeof(f->message));
	text_addf(&t, "upstream %s, %u failing peer%s", group->name, group->peers,
		  group->peers == 1 ? "" : "s");
	add_share(&t, f);
}
