// SPDX-License-Identifier: BSD-2-Clause
/*
 * Observed and inferred are kept apart: symptoms and the evidence list hold what was seen; cause,
 * confidence and candidates what follows from it.
 */
#include "diagnose.h"

#include <string.h>

#include "lib_openssl.h"
#include "text.h"

#define AF_INET	 2
#define AF_INET6 10

#define ALERT_UNRECOGNIZED_NAME 112 /* RFC 6066 section 3 */

#define NS_PER_SEC 1000000000ULL
#define NS_PER_MS  1000000ULL

/* Timers are set in whole seconds, as a rule; the event loop adds a little. */
#define TIMER_LATENESS_NS (60 * NS_PER_MS)

/* Nobody sets a shorter timer for a connect. */
#define TIMER_MIN_NS (100 * NS_PER_MS)

/* -- symptoms --------------------------------------------------------------------------------- */

static bool starts_with(const uint8_t *bytes, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);

	return len >= n && !memcmp(bytes, prefix, n);
}

/* A status line, or the HTML that some servers send alone (HTTP/0.9 style error pages). */
static bool looks_like_http(const uint8_t *bytes, size_t len)
{
	return starts_with(bytes, len, "HTTP/") || starts_with(bytes, len, "<!DO") ||
	       starts_with(bytes, len, "<!do") || starts_with(bytes, len, "<htm") ||
	       starts_with(bytes, len, "<HTM");
}

static uint32_t observe_end(const struct failure *f)
{
	const struct tlsfail_conn *c = f->conn;
	uint64_t elapsed = c->t_close - c->t_start;
	uint32_t o = 0;

	if (c->flags & TLSFAIL_F_PEER_FIN)
		o |= O_PEER_FIN;
	if (c->flags & TLSFAIL_F_PEER_RST)
		o |= O_PEER_RST;
	if (c->flags & (TLSFAIL_F_LOCAL_FIN | TLSFAIL_F_LOCAL_NOTIFY))
		o |= O_LOCAL;
	if (f->repeats_elapsed && elapsed >= TIMER_MIN_NS)
		o |= O_TIMER | O_TIMER_REPEATED;
	if (elapsed >= NS_PER_SEC && elapsed % NS_PER_SEC <= TIMER_LATENESS_NS)
		o |= O_TIMER;
	/* A kernel answers bytes for a closed socket with RST, so FIN and then RST, and nothing
	 * received: nobody read the ClientHello. */
	if (!c->rx_bytes && c->flags & TLSFAIL_F_PEER_FIN &&
	    (c->flags & (TLSFAIL_F_FIN_BEFORE_TX | TLSFAIL_F_PEER_RST)))
		o |= O_HELLO_UNREAD;
	if (!(c->flags & TLSFAIL_F_TLS) && o & (O_PEER_FIN | O_PEER_RST))
		o |= O_HELLO_UNREAD;
	return o;
}

static uint32_t observe_wire(const struct failure *f, const struct tls_view *view)
{
	const struct tlsfail_conn *c = f->conn;
	const struct tls_client_hello *hello = &view->client.hello;
	uint32_t o = 0;

	if (!c->rx_bytes)
		o |= O_RX_NONE;
	if (view->server.server_hello)
		o |= O_SERVER_HELLO;
	if (view->server.records.framing == TLS_FRAMING_OTHER ||
	    c->errors[0].reason == OPENSSL_R_WRONG_VERSION_NUMBER)
		o |= O_NOT_TLS;
	if (looks_like_http(c->first_rx, c->first_rx_kept))
		o |= O_HTTP;
	if (hello->has_server_name)
		o |= O_SNI;
	else if (hello->present && !hello->cut && !hello->malformed)
		o |= O_NO_SNI;
	if (view->server.certificate_request)
		o |= O_CERT_REQUESTED;
	if (view->client.certificate_sent && view->client.certificate_empty)
		o |= O_CERT_EMPTY;
	return o;
}

static uint32_t observe_flags(const struct tlsfail_conn *c)
{
	uint32_t o = 0;

	if (c->flags & TLSFAIL_F_TLS)
		o |= O_TLS;
	if (c->flags & TLSFAIL_F_REFUSED)
		o |= O_REFUSED;
	if (c->flags & TLSFAIL_F_PEER_DID_TLS)
		o |= O_PEER_DID_TLS;
	if (c->flags & TLSFAIL_F_DONE)
		o |= O_DONE;
	if (c->flags & TLSFAIL_F_RX_BEFORE_TX)
		o |= O_PEER_FIRST;
	if (c->flags & TLSFAIL_F_HOST_REFUSED ||
	    (c->flags & TLSFAIL_F_VERIFY_ASKED && c->verify_code == OPENSSL_V_HOSTNAME_MISMATCH))
		o |= O_HOST_REFUSED;
	return o;
}

/* An end of file, and what follows from it, says no more than the FIN does. */
static bool error_explains(const struct tlsfail_conn *c)
{
	return c->error_count && c->errors[0].reason != OPENSSL_R_UNEXPECTED_EOF &&
	       c->errors[0].reason != OPENSSL_R_SHUTDOWN_WHILE_IN_INIT;
}

/* The fatal alert that we sent: seen in clear, or concluded from the error. */
static bool alert_sent(const struct tlsfail_conn *c, const struct tls_view *view,
		       const struct symptoms *s, bool *inferred, uint8_t *alert)
{
	*inferred = !view->client.records.fatal.seen;
	*alert = view->client.records.fatal.description;
	if (!*inferred)
		return true;
	return s->reason && !(c->flags & TLSFAIL_F_DONE) &&
	       openssl_alert_for(s->reason, s->has_verify, s->verify, alert);
}

/* Did the issuer of the leaf come too? */
static uint32_t observe_certificates(const struct diagnose_work *work)
{
	const struct x509_view *leaf = &work->certs[0];

	if (!work->cert_count)
		return 0;
	if (leaf->self_issued)
		return O_CERT;
	if (work->cert_count == 1)
		return O_CERT | O_ONE_CERT;
	for (size_t i = 1; i < work->cert_count; i++)
		if (!strcmp(work->certs[i].subject, leaf->issuer))
			return O_CERT;
	return O_CERT | O_ISSUER_MISSING;
}

static void symptoms_of(const struct failure *f, const struct diagnose_work *work,
			struct symptoms *s)
{
	const struct tls_view *view = &work->view;
	const struct tlsfail_conn *c = f->conn;

	*s = (struct symptoms){ 0 };
	s->observed = observe_flags(c) | observe_end(f) | observe_wire(f, view) |
		      observe_certificates(work);
	s->reason = c->error_count ? c->errors[0].reason : 0;
	if (openssl_reason_is_alert(s->reason, &s->alert)) {
		s->has_alert = true;
	} else if (view->server.records.fatal.seen) {
		s->has_alert = true;
		s->alert = view->server.records.fatal.description;
	}
	s->has_verify = c->flags & TLSFAIL_F_VERIFY_ASKED && c->verify_code;
	s->verify = c->verify_code;
	s->has_alert_sent =
		!s->has_alert && alert_sent(c, view, s, &s->alert_sent_inferred, &s->alert_sent);
	if (s->has_alert && s->alert == ALERT_UNRECOGNIZED_NAME)
		s->observed |= O_UNRECOGNIZED;
	if (error_explains(c) || s->has_alert || s->has_alert_sent)
		s->observed |= O_ERROR;
}

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

	return (s->observed & w->all) == w->all && !(s->observed & w->none) &&
	       number_fits(w->alert, s->has_alert, s->alert) &&
	       number_fits(w->alert_sent, s->has_alert_sent, s->alert_sent) &&
	       number_fits(w->reason, s->reason != 0, s->reason) &&
	       number_fits(w->verify, s->has_verify, s->verify);
}

const struct cause *diagnose_match(const struct symptoms *s)
{
	size_t i = 0;

	while (i < cause_table_len - 1 && !cause_fits(&cause_table[i], s))
		i++;
	return &cause_table[i];
}

/* -- words ------------------------------------------------------------------------------------ */

static void add_endpoint(struct text *t, const struct finding_endpoint *e)
{
	text_addf(t, strchr(e->address, ':') ? "[%s]:%u" : "%s:%u", e->address, e->port);
}

static void add_versions(struct text *t, const struct finding_hello *hello)
{
	if (!hello->version_count)
		text_add(t, "unknown");
	for (unsigned int i = 0; i < hello->version_count; i++)
		text_addf(t, "%sTLS %s", i ? ", " : "", hello->versions[i]);
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

/* The common name is what people call it by; without one, the whole subject. */
static void add_subject(struct text *t, const struct finding_certificate *cert)
{
	if (cert->common_name[0])
		text_addf(t, "CN=%s", cert->common_name);
	else
		text_addf(t, "\"%s\"", cert->subject);
}

/* The names that a certificate is valid for; a CN counts only where there is no other. */
static void add_names(struct text *t, const struct finding_certificate *cert)
{
	for (unsigned int i = 0; i < cert->name_count && i < FINDING_SAN_MAX; i++)
		text_addf(t, "%s%s", i ? ", " : "", cert->names[i]);
	if (cert->name_count > FINDING_SAN_MAX)
		text_addf(t, " and %u more", cert->name_count - FINDING_SAN_MAX);
	if (!cert->name_count)
		add_subject(t, cert);
}

/* One {word} of a message. Unknown words are left as they are: a test finds them. */
static void add_word(struct text *t, const char *word, size_t len, const struct failure *failure,
		     const struct finding *f)
{
	const struct tlsfail_conn *c = failure->conn;

#define IS(name) (len == sizeof(name) - 1 && !memcmp(word, name, len))
	if (IS("peer"))
		add_endpoint(t, &f->peer);
	else if (IS("sni"))
		text_add(t, f->hello.server_name);
	else if (IS("versions"))
		add_versions(t, &f->hello);
	else if (IS("version"))
		text_add(t, f->protocol_version ? f->protocol_version : "of an older kind");
	else if (IS("host"))
		text_add_hostile(t, c->host, strnlen(c->host, sizeof(c->host)));
	else if (IS("elapsed"))
		text_add_duration(t, f->duration_ns);
	else if (IS("first"))
		add_first(t, c);
	else if (IS("verify"))
		text_addf(t, "%d", c->verify_code);
	else if (IS("alert"))
		add_alert(t, &f->alert);
	else if (IS("subject"))
		add_subject(t, &f->certificate);
	else if (IS("issuer"))
		text_add(t, f->certificate.issuer);
	else if (IS("ended"))
		text_add_time(t, f->certificate.not_after);
	else if (IS("begins"))
		text_add_time(t, f->certificate.not_before);
	else if (IS("names"))
		add_names(t, &f->certificate);
	else if (IS("raw"))
		add_raw(t, f);
	else
		text_addf(t, "{%.*s}", (int)len, word);
#undef IS
}

static void add_filled(struct text *t, const char *words, const struct failure *failure,
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

static void fill_hello(struct finding *f, const struct tls_client_hello *hello)
{
	struct finding_hello *h = &f->hello;
	struct text t;

	if (!hello->present || hello->malformed)
		return;
	h->known = true;
	h->length = hello->length;
	h->has_server_name = hello->has_server_name;
	text_init(&t, h->server_name, sizeof(h->server_name));
	text_add_hostile(&t, hello->server_name.data, hello->server_name.len);
	for (unsigned int i = 0; i < hello->version_count; i++) {
		const char *name = tls_version_name(hello->versions[i]);

		if (name && h->version_count < FINDING_VERSIONS_MAX)
			h->versions[h->version_count++] = name;
	}
	if (!hello->version_count && !hello->cut && tls_version_name(hello->max_version))
		h->versions[h->version_count++] = tls_version_name(hello->max_version);
}

static void fill_tls(struct finding *f, const struct tlsfail_conn *c, const struct tls_view *view)
{
	f->established = c->flags & TLSFAIL_F_DONE;
	f->protocol_version = tls_version_name(view->server.version);
	/* In TLS 1.3 both are encrypted; before, they are in clear up to the end of the flight. */
	if (view->server.version && view->server.version < TLS_VERSION_1_3) {
		f->certificate_requested = view->server.certificate_request;
		f->has_certificate_requested =
			f->certificate_requested || view->server.server_hello_done;
		f->certificate_sent =
			view->client.certificate_sent && !view->client.certificate_empty;
		f->has_certificate_sent =
			view->client.certificate_sent || view->client.records.change_cipher_spec;
	}
	fill_hello(f, &view->client.hello);
}

/* The certificate that the verify code is about, where its validity tells; else the leaf. */
static const struct x509_view *certificate_at_fault(const struct diagnose_work *work,
						    const struct symptoms *s, int64_t now)
{
	for (size_t i = 0; s->has_verify && i < work->cert_count; i++) {
		const struct x509_view *cert = &work->certs[i];

		if (!cert->has_validity)
			continue;
		if (s->verify == OPENSSL_V_EXPIRED && cert->not_after < now)
			return cert;
		if (s->verify == OPENSSL_V_NOT_YET_VALID && cert->not_before > now)
			return cert;
	}
	return &work->certs[0];
}

static void fill_certificate(struct finding *f, const struct tlsfail_conn *c,
			     const struct diagnose_work *work, const struct symptoms *s)
{
	struct finding_certificate *to = &f->certificate;
	const struct x509_view *from;

	if (!work->cert_count)
		return;
	from = certificate_at_fault(work, s, (int64_t)(f->time_ns / NS_PER_SEC));
	to->known = true;
	memcpy(to->subject, from->subject, sizeof(to->subject));
	memcpy(to->issuer, from->issuer, sizeof(to->issuer));
	memcpy(to->common_name, from->common_name, sizeof(to->common_name));
	to->has_validity = from->has_validity;
	to->not_before = from->not_before;
	to->not_after = from->not_after;
	to->name_count = (unsigned int)from->name_count;
	memcpy(to->names, from->names, sizeof(to->names));
	memcpy(to->sha256, from->sha256, sizeof(to->sha256));
	to->chain_length = c->cert_count;
}

static void fill_openssl(struct finding *f, const struct failure *failure)
{
	const struct tlsfail_conn *c = failure->conn;
	struct text t;

	if (c->error_count) {
		f->openssl.reason_code = c->errors[0].reason;
		f->openssl.reason = openssl_reason_name(c->errors[0].reason);
		text_init(&t, f->openssl.function, sizeof(f->openssl.function));
		text_add_hostile(&t, c->error_func, strnlen(c->error_func, sizeof(c->error_func)));
	}
	text_init(&t, f->openssl.version, sizeof(f->openssl.version));
	text_add_hostile(&t, failure->version, strlen(failure->version));
	if (c->flags & TLSFAIL_F_VERIFY_ASKED) {
		f->verify.known = true;
		f->verify.enforced = true;
		f->verify.code = c->verify_code;
		f->verify.name = c->verify_code ? openssl_verify_name(c->verify_code) : "ok";
	}
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

static void fill_close(struct finding *f, const struct tlsfail_conn *c, const struct cause *cause)
{
	if (f->alert.known) {
		f->closed_by = f->alert.received ? "peer" : "local";
		f->close_kind = "alert";
	} else if (c->flags & TLSFAIL_F_LOCAL_NOTIFY) {
		f->closed_by = "local";
		f->close_kind = "close_notify";
	} else if (c->flags & TLSFAIL_F_PEER_FIN) {
		f->closed_by = "peer";
		f->close_kind = "fin";
	} else if (c->flags & TLSFAIL_F_PEER_RST) {
		f->closed_by = "peer";
		f->close_kind = "rst";
	} else if (c->flags & TLSFAIL_F_LOCAL_FIN) {
		f->closed_by = "local";
		f->close_kind = c->flags & TLSFAIL_F_LOCAL_RST ? "rst" : "fin";
	}
	if (cause->close_kind)
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
	/* The acknowledgement of our SYN counts as one byte (tcp_ack() on the SYN-ACK). */
	f->tcp.has_hello_acked = c->t_first_tx && c->flags & TLSFAIL_F_CONNECT;
	f->tcp.hello_acked = c->tcp_bytes_acked >= (uint64_t)c->first_tx_len + 1;
}

/* -- evidence: what was seen, in words -------------------------------------------------------- */

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
		text_add(&t, "the peer sent bytes before our ClientHello");
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
	if (f->hello.has_server_name) {
		text_add(&t, ", server_name ");
		text_add(&t, f->hello.server_name);
	} else {
		text_add(&t, ", no server_name");
	}
}

static void evidence_flight(struct finding *f, const struct tlsfail_conn *c,
			    const struct tls_view *view)
{
	struct text t;

	if (view->server.server_hello) {
		evidence_begin(f, &t);
		text_addf(&t, "ServerHello: TLS %s",
			  f->protocol_version ? f->protocol_version : "of unknown version");
	}
	if (view->server.certificate_request) {
		evidence_begin(f, &t);
		text_addf(&t, "CertificateRequest received, %s",
			  !view->client.certificate_sent   ? "no Certificate seen in answer"
			  : view->client.certificate_empty ? "answered with no certificate"
							   : "answered with a certificate");
	}
	evidence_at(f, c, c->t_done, "handshake done");
	evidence_at(f, c, c->t_request, "application data sent");
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

static void evidence_errors(struct finding *f, const struct tlsfail_conn *c)
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
	if (f->verify.known) {
		evidence_begin(f, &t);
		text_addf(&t, "verify result %d (%s), asked for by the program", f->verify.code,
			  f->verify.name ? f->verify.name : "unknown");
	}
	if (c->flags & TLSFAIL_F_HOST_CHECKED) {
		evidence_begin(f, &t);
		text_addf(&t, "X509_check_host %s ",
			  c->flags & TLSFAIL_F_HOST_REFUSED ? "refused" : "accepted");
		text_add_hostile(&t, c->host, strnlen(c->host, sizeof(c->host)));
		if (c->flags & TLSFAIL_F_HOST_CUT)
			text_add(&t, " (cut)");
	}
}

static void evidence_end(struct finding *f, const struct tlsfail_conn *c)
{
	struct text t;

	if (c->flags & TLSFAIL_F_LOCAL_NOTIFY) {
		evidence_begin(f, &t);
		text_add(&t, "close_notify sent first");
	}
	evidence_at(f, c, c->t_peer_fin, "FIN received");
	evidence_at(f, c, c->flags & TLSFAIL_F_REFUSED ? 0 : c->t_peer_rst, "RST received");
	evidence_at(f, c, c->t_close,
		    c->flags & TLSFAIL_F_LOCAL_FIN ? "closed here first" : "closed here");
	if (f->tcp.has_hello_acked) {
		evidence_begin(f, &t);
		text_addf(&t, "first flight %sacknowledged by the peer's kernel, %u retransmits",
			  f->tcp.hello_acked ? "" : "not ", f->tcp.retransmits);
	}
	if (c->flags & (TLSFAIL_F_NO_WIRE | TLSFAIL_F_WIRE_CUT)) {
		evidence_begin(f, &t);
		text_add(&t, "wire bytes are incomplete: some could not be kept");
	}
}

/* -- the conclusion --------------------------------------------------------------------------- */

static void conclude(struct finding *f, const struct failure *failure, const struct symptoms *s,
		     const struct cause *cause)
{
	struct text t;

	f->cause = cause->slug;
	f->confidence = cause->confidence;
	if (s->observed & cause->high_if)
		f->confidence = CONFIDENCE_HIGH;
	if (f->confidence != CONFIDENCE_HIGH) {
		for (size_t i = 0; i < CAUSE_CANDIDATES_MAX && cause->candidates[i].slug; i++)
			if ((s->observed & cause->candidates[i].all) == cause->candidates[i].all)
				f->candidates[f->candidate_count++] = cause->candidates[i].slug;
	}
	text_init(&t, f->message, sizeof(f->message));
	add_filled(&t, f->certificate.known && cause->with_cert ? cause->with_cert : cause->message,
		   failure, f);
	if (cause->doubt && f->confidence != CONFIDENCE_HIGH) {
		text_add(&t, " ");
		text_add(&t, cause->doubt);
	}
	text_init(&t, f->hint, sizeof(f->hint));
	add_filled(&t, cause->hint, failure, f);
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
}

/* The certificates up to the first that cannot be read. */
static void certificates_read(const struct failure *failure, struct diagnose_work *work)
{
	work->cert_count = 0;
	for (size_t i = 0; i < TLSFAIL_CERTS_MAX; i++) {
		const struct tls_capture *der = &failure->certs[i];

		if (!der->data || der->cut || !x509_view_read(der->data, der->len, &work->certs[i]))
			break;
		work->cert_count++;
	}
}

void diagnose(const struct failure *failure, struct diagnose_work *work, struct finding *f)
{
	const struct tlsfail_conn *c = failure->conn;
	const struct tls_view *view = &work->view;
	const struct cause *cause;
	struct symptoms s;

	tlswire_parse(&failure->sent, &failure->received, &work->view);
	certificates_read(failure, work);
	symptoms_of(failure, work, &s);
	cause = diagnose_match(&s);

	*f = (struct finding){ .kind = FINDING_FAILURE };
	f->time_ns = failure->time_ns;
	f->duration_ns = c->t_close - c->t_start;
	f->role = c->role == TLSFAIL_ROLE_SERVER ? "server" : "client";
	f->phase = phase_of(c, view);
	fill_bytes(f, c);
	fill_network(f, c);
	fill_process(f, failure);
	fill_tls(f, c, view);
	fill_certificate(f, c, work, &s);
	fill_openssl(f, failure);
	fill_alert(f, &s);
	fill_close(f, c, cause);
	fill_tcp(f, c);
	evidence_hello(f);
	evidence_handshake(f, c);
	evidence_flight(f, c, view);
	evidence_certificate(f);
	evidence_errors(f, c);
	evidence_end(f, c);
	conclude(f, failure, &s, cause);
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
