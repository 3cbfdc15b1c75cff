// SPDX-License-Identifier: BSD-2-Clause
/*
 * Each observation is a line of reasoning of its own; the rules put them together.
 */
#include "diagnose/context.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/units.h"
#include "diagnose/certmemo.h"
#include "diagnose/circumstances.h"
#include "diagnose/observations.h"
#include "finding/tls.h"
#include "program/program.h"
#include "tls/greeting.h"
#include "tls/library.h"
#include "tls/names.h"

/* OpenSSL, BoringSSL, GnuTLS and NSS offer more than this by themselves: of suites for TLS 1.2, of
 * those for 1.3, of groups, of signature schemes. */
#define FEW_SUITES	 4
#define FEW_SUITES_TLS13 1
#define FEW_GROUPS	 2
#define FEW_SCHEMES	 2

#define ONE_PACKET_LEN	 1400 /* of a ClientHello, on the usual path */
#define RECORD_ALERT	 21   /* types of records */
#define RECORD_HANDSHAKE 22
#define HEADER_MIN	 15 /* "PROXY UNKNOWN\r\n" */

/* -- names ------------------------------------------------------------------------------------- */

bool context_is_address(const char *name)
{
	char inner[INET6_ADDRSTRLEN];
	size_t len = strlen(name);
	uint8_t addr[16];

	/* As a URL has them; nginx compares the name with its brackets. */
	if (len > 2 && len - 2 < sizeof(inner) && name[0] == '[' && name[len - 1] == ']') {
		memcpy(inner, name + 1, len - 2);
		inner[len - 2] = '\0';
		return inet_pton(AF_INET6, inner, addr) == 1;
	}
	return inet_pton(AF_INET, name, addr) == 1 || inet_pton(AF_INET6, name, addr) == 1;
}

/* RFC 6066, section 3: a DNS host name, without the dot at its end, and no address. RFC 1123,
 * section 2.1: letters, digits and hyphens. */
static bool is_malformed(const char *name)
{
	size_t len = strlen(name);
	char before = '.';

	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			      (c >= '0' && c <= '9') || c == '-';

		if (!letter && (c != '.' || before == '.'))
			return true;
		before = c;
	}
	return !len || before == '.' || context_is_address(name);
}

static bool covers(const char *pattern, const char *host)
{
	const char *dot = strchr(host, '.');

	if (pattern[0] == '*' && pattern[1] == '.')
		return dot && !strcasecmp(pattern + 1, dot);
	return !strcasecmp(pattern, host);
}

bool context_is_for(const struct finding_certificate *leaf, const char *host)
{
	if (leaf->cut)
		return true;
	for (unsigned int i = 0; i < leaf->name_count && i < FINDING_SAN_MAX; i++)
		if (covers(leaf->names[i], host))
			return true;
	return leaf->name_count > FINDING_SAN_MAX ||
	       (!leaf->name_count && covers(leaf->common_name, host));
}

/* Has it no names but addresses, and that of the peer among them? Then it is the right server's. */
static bool is_for_address(const struct finding_certificate *leaf, const char *address)
{
	bool found = false;

	for (unsigned int i = 0; i < leaf->name_count && i < FINDING_SAN_MAX; i++) {
		if (!context_is_address(leaf->names[i]))
			return false;
		found |= !strcmp(leaf->names[i], address);
	}
	return found;
}

void context_recall(const struct failure *failure, const struct symptoms *s, struct finding *f)
{
	const struct certmemo_shown *shown =
		failure->memo && f->choice.has_resumed && f->choice.resumed
			? certmemo_get(failure->memo, &f->peer, failure->netns)
			: NULL;
	bool expired = shown && shown->first_to_end.has_validity &&
		       shown->first_to_end.not_after < (int64_t)(f->time_ns / NS_PER_S);

	/* It may serve many names, and have shown that of another one. */
	if (shown && f->hello.has_server_name &&
	    !context_is_for(&shown->leaf, f->hello.server_name))
		return;
	if (shown && (expired || s->verify != TLS_VERIFY_EXPIRED))
		f->certificate =
			expired && s->verify != TLS_VERIFY_OK ? shown->first_to_end : shown->leaf;
}

/* -- observations ------------------------------------------------------------------------------ */

static uint64_t observe_first_answer(const struct finding *f, const struct symptoms *s)
{
	const uint64_t close = O_PEER_FIN | O_PEER_RST;

	if (s->observed & (O_SERVER_HELLO | O_RETRY | O_DONE | O_NOT_TLS | O_HELLO_UNREAD) ||
	    !f->hello.known)
		return 0;
	if (!s->has_alert)
		return s->observed & close && s->observed & O_RX_NONE && !(s->observed & O_ERROR)
			       ? C_REFUSED_HELLO
			       : 0;
	switch (s->alert) {
	case TLS_ALERT_UNEXPECTED_MESSAGE:
	case TLS_ALERT_HANDSHAKE_FAILURE:
	case TLS_ALERT_ILLEGAL_PARAMETER:
	case TLS_ALERT_ACCESS_DENIED:
	case TLS_ALERT_DECODE_ERROR:
	case TLS_ALERT_INTERNAL_ERROR:
	case TLS_ALERT_UNRECOGNIZED_NAME:
		return C_REFUSED_HELLO;
	}
	return 0;
}

/* Is it a suite of TLS 1.3 (RFC 8446, B.4)? Those say nothing of the certificate's key. */
static bool is_tls13_suite(const struct finding_code *suite)
{
	return suite->number >> 8 == 0x13;
}

/* Not a suite but a signal (RFC 5746, section 3.3; RFC 7507). */
static bool is_signal(const struct finding_code *suite)
{
	return suite->number == 0x00ff || suite->number == 0x5600;
}

/* Are all cipher suites of TLS 1.2 and before for ECDSA, or none? Libraries offer both kinds by
 * themselves. */
static bool is_for_one_key(const struct finding_hello *hello)
{
	unsigned int ecdsa = 0, legacy = 0;

	if (hello->cipher_count > FINDING_CIPHERS_MAX)
		return false;
	for (unsigned int i = 0; i < hello->cipher_count; i++) {
		const struct finding_code *suite = &hello->ciphers[i];

		if (is_tls13_suite(suite) || is_signal(suite))
			continue;
		legacy++;
		ecdsa += suite->name && strstr(suite->name, "_ECDSA_");
	}
	return legacy && (!ecdsa || ecdsa == legacy);
}

/* How much was left to choose from. */
static uint64_t observe_offer(const struct finding_hello *hello)
{
	unsigned int legacy = 0, tls13 = 0;
	uint64_t o = 0;

	if (!hello->known || hello->cut)
		return 0;
	for (unsigned int i = 0; i < hello->cipher_count && i < FINDING_CIPHERS_MAX; i++) {
		bool is_tls13 = is_tls13_suite(&hello->ciphers[i]);

		tls13 += is_tls13;
		legacy += !is_tls13;
	}
	if (!hello->alpn_count)
		o |= C_NO_ALPN;
	/* A version for which there is no suite is not one that was offered in earnest. */
	if ((legacy && legacy <= FEW_SUITES) || (!legacy && tls13 <= FEW_SUITES_TLS13) ||
	    is_for_one_key(hello) || (hello->scheme_count && hello->scheme_count <= FEW_SCHEMES))
		o |= C_FEW_SUITES;
	if (hello->group_count && hello->group_count <= FEW_GROUPS)
		o |= C_FEW_GROUPS;
	if (hello->offers_session)
		o |= C_SESSION;
	if (hello->offers_session && hello->length > ONE_PACKET_LEN &&
	    hello->length - hello->session_length <= ONE_PACKET_LEN)
		o |= C_SHORTER_WORKS;
	return o;
}

static uint64_t observe_sent_name(const struct finding_hello *hello,
				  const struct program_facts *facts)
{
	uint64_t o = 0;

	if (!hello->known || !hello->has_server_name)
		return 0;
	if (is_malformed(hello->server_name))
		o |= C_SNI_MALFORMED;
	if (!strchr(hello->server_name, '.') ||
	    (facts->is_group_name && !strcasecmp(hello->server_name, facts->name)))
		o |= C_SNI_ODD;
	return o;
}

/* The peer's own certificate: with a session that is resumed none comes, and it is what it showed before,
 * unless that may have been to another name. */
static bool leaf_find(const struct failure *failure, const struct diagnose_work *work,
		      const struct finding *f, const struct program_facts *facts,
		      struct finding_certificate *leaf)
{
	const struct certmemo_shown *shown;

	if (work->cert_count) {
		*leaf = (struct finding_certificate){ 0 };
		finding_certificate_set(leaf, &work->certs[0], work->certs_sent);
		return true;
	}
	shown = f->certificate.seen_ns && failure->memo && !facts->others_name_another
			? certmemo_get(failure->memo, &f->peer, failure->netns)
			: NULL;
	if (shown)
		*leaf = shown->leaf;
	return shown;
}

/* Without the dot at its end, is the name one of the certificate? */
static bool is_dotted(const struct finding_certificate *leaf, const char *dotted)
{
	char name[FINDING_NAME_LEN];
	size_t len = strlen(dotted);

	if (len < 2 || len > sizeof(name) || dotted[len - 1] != '.' || leaf->cut)
		return false;
	memcpy(name, dotted, len - 1);
	name[len - 1] = '\0';
	return context_is_for(leaf, name);
}

/* A certificate that was refused here, and is for somebody else than whom the program means. */
static uint64_t observe_stranger(const struct failure *failure, const struct diagnose_work *work,
				 const struct finding *f, const struct program_facts *facts,
				 const struct symptoms *s, const char *name)
{
	bool refused = s->verify != TLS_VERIFY_OK || s->observed & O_HOST_REFUSED;
	struct finding_certificate leaf;

	if (!refused || !name[0] || context_is_address(name))
		return 0;
	/* What was compared is that of the beginning of the session. */
	if (!leaf_find(failure, work, f, facts, &leaf))
		return s->observed & O_HOST_RETURN && !work->cert_count ? C_STRANGE_CERT : 0;
	if (context_is_for(&leaf, name) || is_dotted(&leaf, name))
		return leaf.cut ? 0 : C_RIGHT_CERT;
	if (is_for_address(&leaf, f->peer.address))
		return 0;
	return C_STRANGE_CERT | (s->observed & O_SNI ? C_NOT_FOR_SNI : 0);
}

/* What the certificates say of a verify code, beside the files that the program verifies with. */
static uint64_t observe_trust(const struct finding *f, const struct program_facts *facts,
			      const struct symptoms *s)
{
	bool no_issuer = s->verify == TLS_VERIFY_NO_ISSUER_LOCALLY ||
			 s->verify == TLS_VERIFY_CANNOT_VERIFY_FIRST;
	uint64_t o = 0;

	if (no_issuer && f->certificate.seen_ns && f->certificate.has_validity && f->time_ns &&
	    f->certificate.not_after < (int64_t)(f->time_ns / NS_PER_S))
		o |= C_SHOWN_EXPIRED;
	if (no_issuer && f->certificate.seen_ns && facts->trusts_issuer)
		o |= C_RESULT_FOREIGN;
	if (no_issuer && f->certificate.known && !f->certificate.seen_ns && facts->trusts_issuer &&
	    facts->depth_is_short)
		o |= C_DEPTH_SHORT;
	if (no_issuer && f->certificate.known && !f->certificate.seen_ns && facts->trusts_issuer &&
	    f->certificate.chain_length == 1)
		o |= C_NAMESAKE;
	if (s->verify == TLS_VERIFY_SUITE_B)
		o |= C_SUITE_B;
	return o;
}

/* Of what the peer showed before, all that it sent is known, and none of it has expired. */
static bool has_shown_good(const struct failure *failure, const struct finding *f)
{
	const struct certmemo_shown *shown =
		failure->memo && f->choice.has_resumed && f->choice.resumed
			? certmemo_get(failure->memo, &f->peer, failure->netns)
			: NULL;

	return shown && shown->leaf.top_issuer[0] && shown->first_to_end.has_validity &&
	       f->time_ns && shown->first_to_end.not_after >= (int64_t)(f->time_ns / NS_PER_S);
}

/* All certificates that came are here, and none of them has expired. */
static uint64_t observe_expiry(const struct failure *failure, const struct diagnose_work *work,
			       const struct finding *f, const struct symptoms *s)
{
	if (s->verify == TLS_VERIFY_EXPIRED && !work->cert_count)
		return has_shown_good(failure, f) ? C_OTHER_EXPIRED : 0;
	if (s->verify != TLS_VERIFY_EXPIRED || !f->time_ns || work->cert_count < work->certs_sent)
		return 0;
	for (size_t i = 0; i < work->cert_count; i++)
		if (!work->certs[i].has_validity ||
		    work->certs[i].not_after < (int64_t)(f->time_ns / NS_PER_S))
			return 0;
	return C_OTHER_EXPIRED;
}

static uint64_t observe_past(const struct failure *failure, const struct program_facts *facts,
			     const struct finding *f, const struct symptoms *s)
{
	const struct peer_history *h = &failure->history;
	uint64_t o = 0;

	/* That of a place that names another server says nothing of this name. */
	if (h->known && h->last_success && !facts->others_name_another)
		o |= C_SUCCEEDED;
	/* Of a program without a known configuration it is not known which name it sends when. */
	if (h->known && h->last_success && s->observed & O_NO_SNI && !facts->others_name_another)
		o |= C_SNI_NEEDLESS;
	/* The session that is offered came of a handshake with the same peer that succeeded. */
	if (f->hello.known && f->hello.offers_session && s->observed & O_NO_SNI &&
	    !facts->others_name_another)
		o |= C_SNI_NEEDLESS;
	if (f->hello.known && f->hello.offers_session && h->known && h->last_success &&
	    h->failures_with_session && !h->failures_without && h->state == PEER_FLAPPING)
		o |= C_SESSION_FAILS;
	return o;
}

const char *context_starttls_protocol(uint16_t port)
{
	static const struct {
		uint16_t port;
		const char *name;
	} protocols[] = {
		{ 21, "FTP" },		 { 25, "SMTP" },   { 110, "POP3" },
		{ 119, "NNTP" },	 { 143, "IMAP" },  { 389, "LDAP" },
		{ 587, "SMTP" },	 { 2525, "SMTP" }, { 3306, "MySQL" },
		{ 4190, "ManageSieve" }, { 5222, "XMPP" }, { 5432, "PostgreSQL" },
	};

	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (protocols[i].port == port)
			return protocols[i].name;
	return NULL;
}

/* What was kept of it may be lost. */
struct tls_capture context_first_received(const struct failure *failure)
{
	const struct tlsfail_conn *c = failure->conn;
	struct tls_capture first = { .data = c->first_rx, .len = c->first_rx_kept };

	return failure->received.data && failure->received.len > first.len ? failure->received
									   : first;
}

/* What came says more than the port does. */
static uint64_t observe_greeting(const struct failure *failure)
{
	struct tls_capture first = context_first_received(failure);
	const struct tls_greeting *greeting = tls_greeting_of(first.data, first.len);

	if (greeting)
		return greeting->kind == TLS_GREETING_STARTTLS ? C_STARTTLS_SPOKEN : 0;
	return context_starttls_protocol(failure->conn->rport) ? C_STARTTLS_PORT : 0;
}

/* gRPC's own examples, OpenTelemetry's OTLP, Temporal. */
static bool is_grpc_port(uint16_t port)
{
	return (port >= 50051 && port <= 50059) || port == 4317 || port == 7233;
}

static uint64_t observe_config(const struct program_facts *facts, const struct finding *f,
			       const char *name)
{
	uint64_t o = 0;

	if (facts->uses_tls)
		o |= C_USES_TLS;
	if (facts->others_send_header && !facts->sends_header)
		o |= C_OTHERS_SEND_HEADER;
	if (facts->speaks_grpc || is_grpc_port(f->peer.port))
		o |= C_GRPC;
	if (facts->place_count == 1)
		o |= C_ONE_PLACE;
	if (facts->moved)
		o |= C_MOVED;
	if (facts->sends_header && (!f->has_bytes_before_hello || f->bytes_before_hello))
		o |= C_HEADER_FIRST;
	if (f->bytes_before_hello >= HEADER_MIN)
		o |= C_HEADER_FIRST;
	if (f->name_check.known && context_is_address(f->name_check.name))
		o |= C_NAME_IS_ADDRESS;
	if (f->name_check.known && f->certificate.known &&
	    is_dotted(&f->certificate, f->name_check.name))
		o |= C_NAME_DOTTED;
	if (facts->uses_tls ? facts->can_send_name : name[0] && !is_malformed(name))
		o |= C_CAN_SEND_NAME;
	if (facts->uses_tls && !facts->can_send_name)
		o |= C_NO_NAME;
	if (facts->client_cert_ended)
		o |= C_CLIENT_CERT_ENDED;
	if (facts->client_cert_unfit)
		o |= C_CLIENT_CERT_UNFIT;
	return o;
}

/* Linux's numbers, whatever this runs on. */
#define EADDRNOTAVAIL_LINUX 99
#define ETIMEDOUT_LINUX	    110

static uint64_t observe_connect(const struct tlsfail_conn *c)
{
	const uint32_t begun = TLSFAIL_F_ESTABLISHED | TLSFAIL_F_REFUSED | TLSFAIL_F_TLS;

	if (!(c->flags & TLSFAIL_F_CONNECT) || c->flags & (begun | TLSFAIL_F_OPEN))
		return 0;
	if (c->last_ret == -EADDRNOTAVAIL_LINUX)
		return C_NO_LOCAL_PORT;
	return c->last_ret < 0 && c->last_ret != -ETIMEDOUT_LINUX ? C_UNREACHABLE : C_UNANSWERED;
}

/* When the peer ended the connection, in ns after its begin; UINT64_MAX: it did not. */
static uint64_t peer_end_ns(const struct tlsfail_conn *c)
{
	uint64_t end = c->flags & TLSFAIL_F_PEER_FIN ? c->t_peer_fin : UINT64_MAX;

	if (c->flags & TLSFAIL_F_PEER_RST && c->t_peer_rst < end)
		end = c->t_peer_rst;
	return end == UINT64_MAX || end < c->t_start ? end : end - c->t_start;
}

/* Was the last that was sent on its way before the peer ended the connection? */
static bool sent_before_end(const struct tlsfail_conn *c)
{
	uint32_t n = symptoms_flight_count(c);

	while (n && c->flights[n - 1].dir != TLSFAIL_DIR_SENT)
		n--;
	return n && c->flights[n - 1].t_us * 1000ULL < peer_end_ns(c);
}

/* In TLS 1.3 a client has nothing else to say, before its own certificate and Finished. */
static bool alert_is_hidden(const struct tlsfail_conn *c, const struct tls_view *view)
{
	return !(c->flags & TLSFAIL_F_DONE) && view->server.version == TLS_VERSION_1_3 &&
	       view->client.records.encrypted_alert;
}

/* What was shown is not for whom was asked. */
static bool is_name_unfit(const struct failure *failure, const struct diagnose_work *work,
			  const struct finding *f)
{
	const struct program *program = failure->program;
	struct finding_certificate leaf = { 0 };
	const char *name = f->hello.server_name;

	if (!work->cert_count || !f->hello.known || f->hello.cut)
		return false;
	if (!f->hello.has_server_name) {
		if (!program || !program->compares_addresses)
			return false;
		name = f->peer.address;
	}
	finding_certificate_set(&leaf, &work->certs[0], work->certs_sent);
	return !leaf.cut && !context_is_for(&leaf, name);
}

static bool is_out_of_date(const struct finding *f)
{
	const int64_t now = (int64_t)(f->time_ns / NS_PER_S);

	return f->time_ns && f->certificate.has_validity &&
	       (f->certificate.not_after < now || f->certificate.not_before > now);
}

static bool says(const struct tls_capture *answer, const char *words)
{
	size_t len = strlen(words);

	for (size_t i = 0; answer->data && i + len <= answer->len; i++)
		if (!memcmp(answer->data + i, words, len))
			return true;
	return false;
}

/* What servers say in plain HTTP on a port for TLS: nginx and those who say it in its words; Go; Apache;
 * Tomcat. */
static bool asks_for_tls(const struct tls_capture *answer)
{
	static const char *const words[] = {
		"plain HTTP request was sent to HTTPS port",
		"HTTP request to an HTTPS server",
		"speaking plain HTTP to an SSL-enabled server port",
		"combination of host and port requires TLS",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (says(answer, words[i]))
			return true;
	return false;
}

/* What a program may have refused by itself that closed the connection right after the handshake. */
static uint64_t observe_unused(const struct failure *failure, const struct diagnose_work *work,
			       const struct finding *f)
{
	uint64_t o = is_name_unfit(failure, work, f) ? C_NAME_UNFIT : 0;

	if (work->cert_count && is_out_of_date(f))
		o |= f->certificate.not_before > (int64_t)(f->time_ns / NS_PER_S)
			     ? C_UNUSED_EARLY
			     : C_UNUSED_EXPIRED;
	return o;
}

/* A connection that has not failed by itself. */
static uint64_t observe_suspect(const struct failure *failure, const struct diagnose_work *work,
				const struct finding *f, const struct program_facts *facts)
{
	const struct program *program = failure->program;
	const struct tlsfail_conn *c = failure->conn;

	if (!symptoms_is_suspect(c))
		return 0;
	if (c->flags & TLSFAIL_F_DONE)
		return program && program->closes_unused ? 0 : observe_unused(failure, work, f);
	if (!(c->flags & TLSFAIL_F_PLAIN))
		return facts->client_cert_varies ? C_NOTHING_SAID : 0;
	if (!c->first_rx_kept)
		return C_IGNORED_PLAIN;
	return c->first_rx[0] == RECORD_ALERT || asks_for_tls(&failure->received) ? C_REFUSED_PLAIN
										  : 0;
}

/* A ClientHello was the first that came, and the answer begins as HTTP does: no mail server that has been
 * asked for STARTTLS. */
static bool is_hello_to_plain(const struct failure *failure, const struct tls_client_hello *hello)
{
	static const char http[] = "HTTP/1.";
	const struct tlsfail_conn *c = failure->conn;

	return hello->present && c->first_rx_kept && c->first_rx[0] == RECORD_HANDSHAKE &&
	       failure->sent.data && failure->sent.len >= strlen(http) &&
	       !memcmp(failure->sent.data, http, strlen(http));
}

/* A port on which TLS is spoken may speak plain HTTP, too, and have had a bad request. */
static bool is_served_plain(const struct failure *failure)
{
	const struct tlsfail_conn *c = failure->conn;

	return c->flags & TLSFAIL_F_PLAIN && c->tx_bytes && !asks_for_tls(&failure->sent);
}

/* The same as alert_is_hidden() of a client that came to us, where we showed a certificate. Early data may be as
 * short. */
static bool is_alert_mute(const struct tlsfail_conn *c, const struct tls_view *view)
{
	const struct tls_records *records = &view->client.records;

	if (c->flags & TLSFAIL_F_DONE || view->server.resumed || view->client.hello.has_early_data)
		return false;
	return records->alert_unread || (alert_is_hidden(c, view) && records->encrypted_count == 1);
}

/* What a client offered that came to us. */
static uint64_t observe_client(const struct failure *failure, const struct tls_view *view)
{
	const struct tls_client_hello *hello = &view->client.hello;
	uint64_t o = 0;

	/* A HelloRetryRequest refuses early data (RFC 8446, section 4.2.10). */
	if (hello->has_early_data && view->server.resumed && !view->server.retry_count)
		o |= C_EARLY_DATA;
	if (is_hello_to_plain(failure, hello))
		o |= C_HELLO_TO_PLAIN;
	if (hello->present && !failure->conn->tx_bytes)
		o |= C_NO_ANSWER;
	if (is_alert_mute(failure->conn, view))
		o |= C_ALERT_MUTE;
	if (is_served_plain(failure))
		o |= C_SERVED_PLAIN;
	if (hello->max_version && hello->max_version < TLS_VERSION_1_0)
		o |= C_ONLY_SSL;
	return o;
}

/* The alert was ours: what the peer does then answers it, and may come before our end. */
static void end_here(struct symptoms *s)
{
	s->observed = (s->observed & ~(uint64_t)(O_PEER_FIN | O_PEER_RST)) | O_LOCAL;
}

/* To a client without a certificate, by the server: encrypted, so that its size alone tells. */
static bool is_refusal_hidden(const struct failure *failure, const struct tls_view *view,
			      const struct symptoms *s)
{
	return s->observed & O_CERT_EMPTY && !(failure->conn->flags & TLSFAIL_F_DONE) &&
	       view->server.records.encrypted_alert && sent_before_end(failure->conn);
}

void context_observe(const struct failure *failure, const struct diagnose_work *work,
		     const struct finding *f, struct symptoms *s)
{
	struct program_facts facts = { 0 };
	const char *name = facts.name;

	if (s->server) {
		s->context = observe_client(failure, &work->view) |
			     (observe_offer(&f->hello) & C_FEW_SUITES);
		if (is_refusal_hidden(failure, &work->view, s))
			end_here(s);
		return;
	}
	if (failure->places && failure->program && failure->program->observe)
		failure->program->observe(f, failure->places, failure->places_len, &facts);
	if (f->name_check.known && !f->name_check.cut)
		name = f->name_check.name;
	s->context = observe_first_answer(f, s) | observe_offer(&f->hello) |
		     observe_sent_name(&f->hello, &facts) |
		     observe_stranger(failure, work, f, &facts, s, name) |
		     observe_trust(f, &facts, s) | observe_expiry(failure, work, f, s) |
		     observe_past(failure, &facts, f, s) | observe_config(&facts, f, name);
	if (s->observed & O_NO_SNI && s->context & C_CAN_SEND_NAME && !(s->context & C_RIGHT_CERT))
		s->context |= C_NAME_UNSENT;
	if (s->context & (C_FEW_SUITES | C_FEW_GROUPS) && facts.place_count > 1)
		s->context |= C_OFFER_OF_ONE_PLACE;
	s->context |= observe_connect(failure->conn) | observe_suspect(failure, work, f, &facts);
	/* What was said before was a dialogue: STARTTLS, CONNECT. */
	if (failure->conn->flags & TLSFAIL_F_PEER_SPOKE && !facts.sends_header)
		s->context &= ~(uint64_t)C_HEADER_FIRST;
	s->context |= observe_greeting(failure);
	if (failure->conn->flags & TLSFAIL_F_VERIFY_ASKED && !failure->conn->verify_code)
		s->context |= C_FOUND_GOOD;
	/* Refused, and nobody asked why, or by an alert that says nothing: one reason is in sight, and only one. */
	if ((s->observed & O_VERIFY_UNKNOWN ||
	     (s->has_alert_sent && s->alert_sent == TLS_ALERT_HANDSHAKE_FAILURE)) &&
	    s->observed & O_SNI && is_name_unfit(failure, work, f) && !is_out_of_date(f))
		s->context |= C_NOT_FOR_SNI;
	if (alert_is_hidden(failure->conn, &work->view)) {
		s->context |= C_ALERT_HIDDEN;
		if (sent_before_end(failure->conn))
			end_here(s);
	}
	if (!work->cert_count || s->observed & O_ONE_CERT)
		s->context |= C_NO_CHAIN;
}
