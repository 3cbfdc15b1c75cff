// SPDX-License-Identifier: BSD-2-Clause
/*
 * From records and bytes to observations.
 */
#include "diagnose/symptoms.h"

#include <string.h>

#include "base/units.h"
#include "diagnose/causes.h"
#include "diagnose/chain.h"
#include "tls/greeting.h"
#include "tls/names.h"

/* Timers are set in whole seconds, as a rule. The event loop adds a little; and it counts from
 * the time that it cached before it called connect(). */
#define TIMER_EARLINESS_NS (20 * NS_PER_MS)
#define TIMER_LATENESS_NS  (80 * NS_PER_MS) /* from the earliest on */

/* A ClientHello of more bytes than this does not fit into one packet of the usual path. */
#define ONE_PACKET_LEN 1400

/* Nobody sets a shorter timer for a connect. */
#define TIMER_MIN_NS (100 * NS_PER_MS)

static bool starts_with(const uint8_t *bytes, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);

	return len >= n && !memcmp(bytes, prefix, n);
}

/* The first letter of a path, of "*" and of "http:" or "HTTP:". */
static bool is_target(uint8_t c)
{
	return c == '/' || c == '*' || c == 'h' || c == 'H';
}

/*
 * A request line of HTTP: a method, and behind it a path, "*" or "http:". Only the first bytes are kept,
 * and other protocols begin alike ("OPTIONS sip:", "OPTIONS / RTSP/1.0"): of OPTIONS too little is here
 * to tell.
 */
static bool looks_like_request(const uint8_t *bytes, size_t len)
{
	static const char *const methods[] = {
		"GET ",	  "HEAD ", "POST ",	"PUT ",	   "DELETE ", "PATCH ",
		"TRACE ", "PRI ",  "PROPFIND ", "REPORT ", "MKCOL ",  "MOVE ",
		"COPY ",  "LOCK ", "UNLOCK ",	"SEARCH ", "PURGE ",  "PROPPATCH ",
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		size_t n = strlen(methods[i]);

		if (len < n ? len >= 3 && !memcmp(bytes, methods[i], len)
			    : !memcmp(bytes, methods[i], n) && (len == n || is_target(bytes[n])))
			return true;
	}
	return false;
}

/* What a client of a mail server says first, if it does not wait for the server. */
static bool looks_like_mail(const uint8_t *bytes, size_t len)
{
	static const char *const commands[] = { "EHLO ", "HELO ",  "LHLO ", "CAPA\r",
						"USER ", "STLS\r", "AUTH " };
	size_t space = 0;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (starts_with(bytes, len, commands[i]))
			return true;
	/* IMAP's "a1 CAPABILITY" */
	while (space < len && space < 8 && bytes[space] > ' ' && bytes[space] < 0x7f)
		space++;
	return space && (starts_with(bytes + space, len - space, " CAPA") ||
			 starts_with(bytes + space, len - space, " LOGIN"));
}

/* Version 1 is text, version 2 begins with a line of its own. */
static bool looks_like_proxy_protocol(const uint8_t *bytes, size_t len)
{
	return starts_with(bytes, len, "PROXY ") || (len >= 5 && !memcmp(bytes, "\r\n\r\n\0", 5));
}

bool symptoms_is_server(const struct tlsfail_conn *c)
{
	return c->role == TLSFAIL_ROLE_SERVER;
}

/* Does more than its end say that it failed? */
static bool is_refused(const struct tlsfail_conn *c)
{
	return c->error_count || c->flags & (TLSFAIL_F_REFUSED | TLSFAIL_F_HOST_REFUSED) ||
	       (c->flags & TLSFAIL_F_VERIFY_ASKED && c->verify_code);
}

bool symptoms_is_suspect(const struct tlsfail_conn *c)
{
	const uint32_t closed = TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_RST;
	const uint32_t local = TLSFAIL_F_LOCAL_FIN | TLSFAIL_F_LOCAL_NOTIFY;

	if (symptoms_is_server(c) || is_refused(c) || c->flags & TLSFAIL_F_OPEN)
		return false;
	/* A program that does not like the peer may end for that. */
	if (c->flags & TLSFAIL_F_DONE && !(c->flags & TLSFAIL_F_PLAIN))
		return c->flags & local && !c->t_request;
	if (c->flags & TLSFAIL_F_EXITING)
		return false;
	if (c->flags & (TLSFAIL_F_PLAIN | TLSFAIL_F_TLS))
		return c->flags & TLSFAIL_F_PLAIN;
	return c->flags & TLSFAIL_F_ESTABLISHED && !(c->flags & closed);
}

/* Bytes of the peer that the kernel has, and that nobody read before the end. A FIN counts as one
 * (tcp_rcv_nxt_update()). */
static uint64_t unread_bytes(const struct tlsfail_conn *c)
{
	uint64_t read = c->rx_bytes + c->post_rx_bytes + !!(c->flags & TLSFAIL_F_PEER_FIN);

	return c->tcp_bytes_received > read ? c->tcp_bytes_received - read : 0;
}

uint64_t symptoms_unread(const struct tlsfail_conn *c)
{
	if (!(c->flags & TLSFAIL_F_TLS) || c->error_count ||
	    c->flags & (TLSFAIL_F_DONE | TLSFAIL_F_PEER_RST))
		return 0;
	return unread_bytes(c);
}

bool symptoms_alert_unread(const struct tlsfail_conn *c, const struct tls_view *view)
{
	return c->flags & TLSFAIL_F_DONE && view->server.version == TLS_VERSION_1_3 &&
	       unread_bytes(c) == TLS_ENCRYPTED_ALERT_LEN;
}

/* A server that has read all of a request ends the connection with a FIN. Of a long one it may answer the
 * beginning. */
#define REQUEST_MAX_LEN 16384

static bool closed_unasked(const struct tlsfail_conn *c, uint64_t observed)
{
	if (!(c->flags & TLSFAIL_F_DONE) || observed & (O_CERT_REQUESTED | O_ERROR))
		return false;
	if (!c->t_request || (c->flags & TLSFAIL_F_PEER_FIN && c->t_peer_fin <= c->t_request))
		return true;
	return c->flags & TLSFAIL_F_PEER_RST && c->post_tx_bytes <= REQUEST_MAX_LEN;
}

static uint64_t observe_end(const struct failure *f, bool answered)
{
	const struct tlsfail_conn *c = f->conn;
	uint64_t elapsed = c->t_close - c->t_start;
	uint64_t o = 0;

	if (c->flags & (TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_NOTIFY))
		o |= O_PEER_FIN;
	if (c->flags & TLSFAIL_F_PEER_RST)
		o |= O_PEER_RST;
	if (c->flags & (TLSFAIL_F_LOCAL_FIN | TLSFAIL_F_LOCAL_NOTIFY))
		o |= O_LOCAL;
	if (symptoms_unread(c))
		o = (o & ~(uint64_t)O_PEER_FIN) | O_LOCAL;
	/* A reset that answers the alert with which a library answers a FIN is our doing. */
	if (answered && o & O_PEER_FIN)
		o &= ~(uint64_t)O_PEER_RST;
	if (f->repeats_elapsed && elapsed >= TIMER_MIN_NS)
		o |= O_TIMER | O_TIMER_REPEATED;
	elapsed += TIMER_EARLINESS_NS;
	if (elapsed >= NS_PER_S && elapsed % NS_PER_S <= TIMER_LATENESS_NS)
		o |= O_TIMER;
	if (symptoms_is_server(c))
		return o;
	/* A kernel answers bytes for a closed socket with RST, and acknowledges none of them; so FIN
	 * and then RST, and nothing received: nobody read the ClientHello. */
	if (!c->rx_bytes && !unread_bytes(c) && c->flags & TLSFAIL_F_PEER_FIN &&
	    (c->flags & TLSFAIL_F_FIN_BEFORE_TX ||
	     (c->flags & TLSFAIL_F_PEER_RST && !symptoms_hello_acked(c))))
		o |= O_HELLO_UNREAD;
	if (!(c->flags & TLSFAIL_F_TLS) && o & (O_PEER_FIN | O_PEER_RST))
		o |= O_HELLO_UNREAD;
	return o;
}

/* The acknowledgement of our SYN counts as one byte (tcp_ack() on the SYN-ACK). */
bool symptoms_hello_acked(const struct tlsfail_conn *c)
{
	return c->tcp_bytes_acked >= (uint64_t)c->first_tx_len + 1;
}

/* Of SMTP, IMAP and POP3, where TLS begins at once (RFC 8314). */
static bool is_mail_port(uint16_t port)
{
	return port == 465 || port == 993 || port == 995;
}

bool symptoms_only_looked(const struct tlsfail_conn *c)
{
	return symptoms_is_server(c) && !(c->flags & (TLSFAIL_F_TLS | TLSFAIL_F_PLAIN)) &&
	       c->first_rx_kept > 1;
}

static bool is_record_header(const uint8_t *bytes, size_t len)
{
	return len >= 2 && bytes[0] == 22 && bytes[1] == 3;
}

/* What a client says that speaks no TLS. */
static uint64_t observe_plain(const struct tlsfail_conn *c, enum tls_reason reason)
{
	uint64_t o = c->flags & TLSFAIL_F_PLAIN ? O_NOT_TLS : 0;

	if (reason == TLS_REASON_HTTP_REQUEST || looks_like_request(c->first_rx, c->first_rx_kept))
		o |= O_NOT_TLS | O_HTTP;
	if (reason == TLS_REASON_HTTPS_PROXY_REQUEST ||
	    starts_with(c->first_rx, c->first_rx_kept, "CONNECT "))
		o |= O_NOT_TLS | O_PROXY_REQUEST;
	if (looks_like_proxy_protocol(c->first_rx, c->first_rx_kept))
		o |= O_NOT_TLS | O_PROXY_PROTOCOL;
	if (symptoms_only_looked(c) && is_record_header(c->first_rx, c->first_rx_kept))
		o |= O_HELLO_UNTAKEN;
	if (looks_like_mail(c->first_rx, c->first_rx_kept) && is_mail_port(c->lport))
		o |= O_NOT_TLS | O_MAIL_COMMAND;
	return o;
}

/*
 * The program asked what is wrong with the client's certificate, something was, and it closed before
 * the handshake was over: its TLS is in memory BIOs, so that what its library has finished was not
 * sent yet (Node's rejectUnauthorized).
 */
static bool refused_by_program(const struct tlsfail_conn *c)
{
	const uint32_t ends =
		TLSFAIL_F_DONE | TLSFAIL_F_LOCAL_FIN | TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_RST;

	return c->flags & TLSFAIL_F_VERIFY_ASKED && c->verify_code &&
	       (c->flags & ends) == TLSFAIL_F_LOCAL_FIN;
}

/* A client whose certificate, or lack of one, the program refuses: in the handshake, or after it. */
static uint64_t observe_client_certificate(const struct tlsfail_conn *c, enum tls_reason reason)
{
	if (reason == TLS_REASON_NO_PEER_CERTIFICATE)
		return O_CLIENT_NO_CERT;
	if (reason == TLS_REASON_VERIFY_FAILED)
		return O_CLIENT_REFUSED;
	if (reason == TLS_REASON_NONE && refused_by_program(c))
		return O_CLIENT_REFUSED;
	if (!(c->flags & TLSFAIL_F_SESSION_REMOVED))
		return 0;
	return c->cert_count || (c->flags & TLSFAIL_F_VERIFY_ASKED && c->verify_code)
		       ? O_CLIENT_REFUSED
		       : O_CLIENT_NO_CERT;
}

/* The records that the client sent, or the server. */
static const struct tls_records *records_of(const struct tls_view *view, bool client)
{
	return client ? &view->client.records : &view->server.records;
}

static uint64_t observe_client_auth(const struct tls_view *view)
{
	switch (view->client.auth) {
	case TLS_CLIENT_AUTH_NOT_ASKED:
		return 0;
	case TLS_CLIENT_AUTH_NONE:
		return O_CERT_REQUESTED | O_CERT_EMPTY | O_CERT_LACKED;
	case TLS_CLIENT_AUTH_SENT:
		return O_CERT_REQUESTED | O_CERT_SENT;
	case TLS_CLIENT_AUTH_UNKNOWN:
		break;
	}
	return O_CERT_LACKED | (view->server.certificate_request ? O_CERT_REQUESTED : 0);
}

/* Not both versions of TLS that are in use. */
static bool offers_little(const struct tls_client_hello *hello)
{
	if (hello->max_version == TLS_VERSION_1_3)
		return hello->versions.len == sizeof(uint16_t);
	return hello->max_version;
}

static uint64_t observe_wire(const struct failure *f, const struct tls_view *view,
			     enum tls_reason reason)
{
	const struct tlsfail_conn *c = f->conn;
	bool server = symptoms_is_server(c);
	const struct tls_client_hello *hello = &view->client.hello;
	const struct tls_greeting *greeting = tls_greeting_of(c->first_rx, c->first_rx_kept);
	uint64_t o = 0;

	if (!c->rx_bytes && !unread_bytes(c))
		o |= O_RX_NONE;
	if (c->t_first_tx && c->flags & TLSFAIL_F_CONNECT && c->tcp_retransmits &&
	    !symptoms_hello_acked(c))
		o |= O_UNACKED;
	if (view->server.server_hello)
		o |= O_SERVER_HELLO;
	if (records_of(view, server)->framing == TLS_FRAMING_OTHER || reason == TLS_REASON_NOT_TLS)
		o |= O_NOT_TLS;
	if (server)
		o |= observe_plain(c, reason) | observe_client_certificate(c, reason);
	else if (greeting && greeting->kind == TLS_GREETING_HTTP)
		o |= O_HTTP;
	if (hello->present)
		o |= O_HELLO;
	if (hello->has_server_name)
		o |= O_SNI;
	else if (hello->present && !hello->cut && !hello->malformed)
		o |= O_NO_SNI;
	if (view->server.server_hello && view->server.version &&
	    view->server.version < TLS_VERSION_1_2)
		o |= O_OLD_VERSION;
	if (view->server.retry_count)
		o |= O_RETRY;
	if (hello->max_version == TLS_VERSION_1_3)
		o |= O_TLS13;
	if (offers_little(hello))
		o |= O_NARROW;
	if (hello->max_version && hello->max_version < TLS_VERSION_1_2)
		o |= O_OLD_CLIENT;
	if (hello->length > ONE_PACKET_LEN)
		o |= O_LARGE;
	for (unsigned int i = 0; i < hello->key_share_count && i < TLS_KEY_SHARES_MAX; i++)
		if (tls_group_is_post_quantum(hello->key_shares[i]))
			o |= O_POST_QUANTUM;
	return o | observe_client_auth(view);
}

static uint64_t observe_flags(const struct tlsfail_conn *c, enum tls_verify verify)
{
	uint64_t o = 0;

	if (c->flags & TLSFAIL_F_TLS)
		o |= O_TLS;
	if (c->flags & TLSFAIL_F_EXITING)
		o |= O_EXITING;
	if (c->flags & TLSFAIL_F_REFUSED)
		o |= O_REFUSED;
	if (c->flags & TLSFAIL_F_PEER_DID_TLS)
		o |= O_PEER_DID_TLS;
	if (c->flags & TLSFAIL_F_DONE)
		o |= O_DONE;
	if (c->flags & TLSFAIL_F_HOST_REFUSED)
		o |= O_HOST_REFUSED | (c->flags & TLSFAIL_F_ENTRY_ONLY ? 0 : O_HOST_RETURN);
	if (verify == TLS_VERIFY_HOSTNAME_MISMATCH)
		o |= O_HOST_REFUSED | O_HOST_RETURN;
	return o;
}

/* In a row, so that it is no chance. */
#define ALWAYS_MIN 3

static uint64_t observe_history(const struct peer_history *h)
{
	if (!h->known)
		return O_NO_SUCCESS;
	if (h->state == PEER_FLAPPING)
		return O_PEER_SUCCEEDS;
	return O_NO_SUCCESS | (h->streak >= ALWAYS_MIN ? O_PEER_FAILS : 0);
}

/* An end of file, and what follows from it, says no more than the FIN does. */
static bool error_explains(enum tls_reason reason)
{
	return reason != TLS_REASON_NONE && reason != TLS_REASON_UNEXPECTED_EOF &&
	       reason != TLS_REASON_ENDED_HERE;
}

/* What an alert means that more than one rule asks for, or that depends on what came before. */
static uint64_t observe_alert(uint8_t alert, uint64_t observed)
{
	switch (alert) {
	case TLS_ALERT_UNRECOGNIZED_NAME:
		return O_UNRECOGNIZED;
	case TLS_ALERT_CERTIFICATE_REQUIRED:
		return O_CERT_ALERT;
	case TLS_ALERT_BAD_CERTIFICATE:
	case TLS_ALERT_CERTIFICATE_UNKNOWN:
		return O_CERT_REFUSED | O_CERT_VAGUE;
	case TLS_ALERT_UNSUPPORTED_CERTIFICATE:
	case TLS_ALERT_CERTIFICATE_REVOKED:
		return O_CERT_REFUSED;
	case TLS_ALERT_ACCESS_DENIED:
		return observed & O_CERT_SENT ? O_CERT_REFUSED | O_CERT_VAGUE : 0;
	case TLS_ALERT_ILLEGAL_PARAMETER:
		return O_ILLEGAL;
	}
	return 0;
}

/* Is it against the rules of TLS what the peer sent, by the reason or by the alert that we sent? */
static bool peer_broke(const struct symptoms *s)
{
	switch (s->reason) {
	case TLS_REASON_MALFORMED:
	case TLS_REASON_UNEXPECTED_MESSAGE:
	case TLS_REASON_MISSING_EXTENSION:
	case TLS_REASON_CHOICE_NOT_OFFERED:
	case TLS_REASON_BAD_KEY_EXCHANGE:
	case TLS_REASON_CANNOT_DECRYPT:
	case TLS_REASON_TOO_LONG:
	case TLS_REASON_RENEGOTIATION:
	case TLS_REASON_BAD_PEER_CERTIFICATE:
	case TLS_REASON_STATUS_RESPONSE:
		return true;
	default:
		break;
	}
	if (!s->has_alert_sent)
		return false;
	switch (s->alert_sent) {
	case TLS_ALERT_BAD_RECORD_MAC:
		return s->server;
	case TLS_ALERT_UNEXPECTED_MESSAGE:
	case TLS_ALERT_ILLEGAL_PARAMETER:
	case TLS_ALERT_DECODE_ERROR:
	case TLS_ALERT_DECRYPT_ERROR:
		return true;
	}
	return false;
}

/* Who asks for the verify code when something else has ended the handshake only shows it. */
static bool verify_is_moot(const struct tlsfail_conn *c, const struct symptoms *s)
{
	return !(c->flags & TLSFAIL_F_DONE) && error_explains(s->reason) &&
	       s->reason != TLS_REASON_VERIFY_FAILED;
}

/* What an error that was raised, and a refused certificate, add to the observations. */
static uint64_t observe_error(const struct tlsfail_conn *c, const struct symptoms *s)
{
	bool asked = c->flags & TLSFAIL_F_VERIFY_ASKED && c->verify_code && !verify_is_moot(c, s);
	bool refused = asked || s->reason == TLS_REASON_VERIFY_FAILED;
	uint64_t o = 0;

	if (error_explains(s->reason))
		o |= O_ERROR;
	if (o && s->reason != TLS_REASON_ALERT && s->reason != TLS_REASON_UNLISTED &&
	    s->reason != TLS_REASON_NOT_IN_HANDSHAKE)
		o |= O_RAISED;
	if (s->has_alert || s->has_alert_sent)
		o |= O_ERROR;
	if (peer_broke(s))
		o |= O_PEER_BROKE;
	if (refused)
		o |= O_VERIFY_REFUSED;
	if (asked)
		o |= O_VERIFY_CODE;
	else if (refused && s->verify == TLS_VERIFY_OK)
		o |= O_VERIFY_UNKNOWN;
	return o;
}

static bool has_expired(const struct diagnose_work *work, int64_t now)
{
	for (size_t i = 0; i < work->cert_count; i++)
		if (work->certs[i].has_validity && work->certs[i].not_after < now)
			return true;
	return false;
}

/*
 * What is wrong with a certificate that the library refused in the handshake, when the program did
 * not ask: what the certificates themselves show, and the alert that was sent for it, as far as it
 * was seen (ssl_x509err2alert() of OpenSSL), do not leave much.
 */
static enum tls_verify conclude_verify(const struct symptoms *s, const struct diagnose_work *work,
				       uint32_t sent, int64_t now)
{
	int alert = s->has_alert_sent && !s->alert_sent_inferred ? s->alert_sent : -1;

	for (size_t i = 0; i < work->cert_count && now; i++) {
		const struct x509_view *cert = &work->certs[i];

		if (!cert->has_validity)
			continue;
		if (cert->not_after < now && (alert < 0 || alert == TLS_ALERT_CERTIFICATE_EXPIRED))
			return TLS_VERIFY_EXPIRED;
		if (cert->not_before > now && (alert < 0 || alert == TLS_ALERT_BAD_CERTIFICATE))
			return TLS_VERIFY_NOT_YET_VALID;
	}
	/* What has expired is none of those that came: a CA here, or a revocation list. */
	if (alert == TLS_ALERT_CERTIFICATE_EXPIRED && now && work->cert_count &&
	    work->cert_count == sent)
		return TLS_VERIFY_EXPIRED;
	if (alert == TLS_ALERT_CERTIFICATE_REVOKED)
		return TLS_VERIFY_REVOKED;
	if (alert == TLS_ALERT_UNSUPPORTED_CERTIFICATE)
		return TLS_VERIFY_PURPOSE;
	if (!work->cert_count || (alert >= 0 && alert != TLS_ALERT_UNKNOWN_CA))
		return TLS_VERIFY_OK;
	if (work->certs[0].self_issued)
		return TLS_VERIFY_SELF_SIGNED;
	if (work->certs[work->cert_count - 1].self_issued)
		return TLS_VERIFY_SELF_SIGNED_IN_CHAIN;
	return alert == TLS_ALERT_UNKNOWN_CA ? TLS_VERIFY_NO_ISSUER_LOCALLY : TLS_VERIFY_OK;
}

/* Does the alert that was sent say the same as the certificates? Then that is no mere conclusion. */
static bool alert_confirms(const struct symptoms *s, const struct diagnose_work *work, int64_t now)
{
	if (!s->has_alert_sent || s->alert_sent_inferred)
		return false;
	if (s->verify == TLS_VERIFY_EXPIRED)
		return s->alert_sent == TLS_ALERT_CERTIFICATE_EXPIRED && has_expired(work, now);
	return s->verify == TLS_VERIFY_SELF_SIGNED && s->alert_sent == TLS_ALERT_UNKNOWN_CA;
}

/* The fatal alert that we sent: seen in clear, or concluded from the error. */
static bool alert_sent(const struct tlsfail_conn *c, const struct tls_view *view,
		       const struct symptoms *s, bool *inferred, uint8_t *alert)
{
	const struct tls_records *ours = records_of(view, !s->server);

	*inferred = !ours->fatal.seen;
	*alert = ours->fatal.description;
	if (!*inferred)
		return true;
	return !(c->flags & TLSFAIL_F_DONE) &&
	       tls_alert_for(s->library, s->reason_number,
			     s->verify == TLS_VERIFY_OK ? 0 : c->verify_code, alert);
}

/* Nothing came but the peer's close, which GnuTLS, OpenSSL 3 and Java answer with an alert. */
static bool answers_close(const struct tlsfail_conn *c, const struct tls_view *view,
			  enum tls_reason reason)
{
	if (reason == TLS_REASON_UNEXPECTED_EOF)
		return true;
	return !c->error_count && !c->rx_bytes && !unread_bytes(c) &&
	       records_of(view, !symptoms_is_server(c))->fatal.seen &&
	       c->flags & (TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_RST);
}

/* Why this side refused the peer's certificate, or the lack of one. */
static enum tls_reason reason_of_certificate_alert(const struct tls_view *view, bool server)
{
	if (!server)
		return view->server.server_hello ? TLS_REASON_VERIFY_FAILED : TLS_REASON_NONE;
	if (view->client.auth == TLS_CLIENT_AUTH_NONE)
		return TLS_REASON_NO_PEER_CERTIFICATE;
	return view->client.auth == TLS_CLIENT_AUTH_SENT ? TLS_REASON_VERIFY_FAILED
							 : TLS_REASON_NONE;
}

/* What this side means by the fatal alert that it sent in clear (RFC 8446 section 6.2). For a library whose
 * errors are not known that is all there is. */
static enum tls_reason reason_of_own_alert(const struct tls_view *view, bool server)
{
	const struct tls_records *ours = records_of(view, !server);

	if (!ours->fatal.seen || records_of(view, server)->fatal.seen)
		return TLS_REASON_NONE;
	switch (ours->fatal.description) {
	case TLS_ALERT_BAD_CERTIFICATE:
	case TLS_ALERT_UNSUPPORTED_CERTIFICATE:
	case TLS_ALERT_CERTIFICATE_REVOKED:
	case TLS_ALERT_CERTIFICATE_EXPIRED:
	case TLS_ALERT_CERTIFICATE_UNKNOWN:
	case TLS_ALERT_UNKNOWN_CA:
		return reason_of_certificate_alert(view, server);
	case TLS_ALERT_HANDSHAKE_FAILURE:
		return server && view->client.auth == TLS_CLIENT_AUTH_NONE
			       ? TLS_REASON_NO_PEER_CERTIFICATE
			       : TLS_REASON_NONE;
	case TLS_ALERT_CERTIFICATE_REQUIRED:
		return server ? TLS_REASON_NO_PEER_CERTIFICATE : TLS_REASON_NONE;
	case TLS_ALERT_PROTOCOL_VERSION:
		return server || view->server.server_hello ? TLS_REASON_UNSUPPORTED_VERSION
							   : TLS_REASON_NONE;
	case TLS_ALERT_UNRECOGNIZED_NAME:
		return server ? TLS_REASON_NAME_CALLBACK_FAILED : TLS_REASON_NONE;
	case TLS_ALERT_NO_APPLICATION_PROTOCOL:
		return server ? TLS_REASON_NO_APPLICATION_PROTOCOL : TLS_REASON_NONE;
	case TLS_ALERT_INAPPROPRIATE_FALLBACK:
		return server ? TLS_REASON_FALLBACK_OR_DOWNGRADE : TLS_REASON_NONE;
	}
	return TLS_REASON_NONE;
}

void symptoms_read(const struct failure *f, struct diagnose_work *work, struct symptoms *s)
{
	const struct tls_view *view = &work->view;
	const struct tlsfail_conn *c = f->conn;
	const struct tls_records *theirs;

	*s = (struct symptoms){ .server = symptoms_is_server(c) };
	if (s->server)
		tlswire_parse(&f->received, &f->sent, &work->view);
	else
		tlswire_parse(&f->sent, &f->received, &work->view);
	theirs = records_of(view, s->server);
	s->library = tls_library_of(c->error_count ? c->errors[0].lib : 0, f->version);
	s->reason_number = c->error_count ? c->errors[0].reason : 0;
	s->reason = tls_reason_of(s->library, s->reason_number);
	if (!c->error_count)
		s->reason = reason_of_own_alert(view, s->server);
	/* OpenSSL 4.0 no longer reads a hello in SSL 2.0's format, and takes it for no TLS at all. */
	if (s->reason == TLS_REASON_NOT_TLS && view->client.hello.ssl2_format)
		s->reason = TLS_REASON_UNSUPPORTED_VERSION;
	if (c->flags & TLSFAIL_F_VERIFY_ASKED && !verify_is_moot(c, s))
		s->verify = tls_verify_of(s->library, c->verify_code);
	chain_read(f, work);
	s->observed = observe_flags(c, s->verify) |
		      observe_end(f, answers_close(c, view, s->reason)) |
		      observe_wire(f, view, s->reason) | chain_observe(work) |
		      observe_history(&f->history);
	if (tls_reason_is_alert(s->reason_number, &s->alert)) {
		s->has_alert = true;
	} else if (theirs->fatal.seen) {
		s->has_alert = true;
		s->alert = theirs->fatal.description;
	}
	if (s->has_alert)
		s->observed |= O_ALERT | (tls_alert_name(s->alert) ? O_ALERT_NAMED : 0);
	s->has_alert_sent = !s->has_alert && !answers_close(c, view, s->reason) &&
			    alert_sent(c, view, s, &s->alert_sent_inferred, &s->alert_sent);
	if (s->has_alert)
		s->observed |= observe_alert(s->alert, s->observed);
	if (s->reason == TLS_REASON_VERIFY_FAILED && s->verify == TLS_VERIFY_OK) {
		int64_t now = (int64_t)(f->time_ns / NS_PER_S);

		s->verify = conclude_verify(s, work, work->certs_sent, now);
		s->verify_concluded = s->verify != TLS_VERIFY_OK && !alert_confirms(s, work, now);
	}
	s->observed |= observe_error(c, s);
	if (s->has_alert_sent && s->alert_sent != TLS_ALERT_UNRECOGNIZED_NAME)
		s->observed |= O_OTHER_SENT;
	if (closed_unasked(c, s->observed))
		s->observed |= O_UNASKED;
}

void symptoms_add_facts(struct symptoms *s, const struct tlsfail_conn *c, unsigned int facts)
{
	if (!s->server)
		return;
	/* Before TLS 1.3 OpenSSL calls it a missing cipher when the groups do not fit. */
	if (facts & PROGRAM_NO_GROUP && s->reason == TLS_REASON_NO_SHARED_CIPHER)
		s->reason = TLS_REASON_NO_SHARED_GROUP;
	if (facts & PROGRAM_AWAITS_PROXY &&
	    c->tcp_bytes_received > !!(c->flags & TLSFAIL_F_PEER_FIN))
		s->observed |= O_AWAITS_PROXY;
	if (facts & PROGRAM_OCSP && !c->verify_code)
		s->observed |= O_BY_STATUS;
	if (facts & PROGRAM_IS_MAIL && looks_like_mail(c->first_rx, c->first_rx_kept))
		s->observed = (s->observed & ~(uint64_t)O_HTTP) | O_NOT_TLS | O_MAIL_COMMAND;
}
