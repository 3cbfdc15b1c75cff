// SPDX-License-Identifier: BSD-2-Clause
/*
 * A row has the causes that it is about and a function that says whether the facts contradict them.
 */
#include "diagnose/invariants.h"

#include <string.h>
#include <strings.h>

#include "base/units.h"
#include "diagnose/context.h"

/* -- what the facts say ------------------------------------------------------------------------ */

/* CLOCK_REALTIME in seconds, 0 unknown. */
static int64_t now_of(const struct finding *f)
{
	return (int64_t)(f->time_ns / NS_PER_S);
}

static bool not_expired(const struct failure *failure, const struct finding *f)
{
	(void)failure;
	return f->certificate.known && f->certificate.has_validity && now_of(f) &&
	       f->certificate.not_after >= now_of(f);
}

static bool already_valid(const struct failure *failure, const struct finding *f)
{
	(void)failure;
	return f->certificate.known && f->certificate.has_validity && now_of(f) &&
	       f->certificate.not_before <= now_of(f);
}

static bool has_issuer(const struct failure *failure, const struct finding *f)
{
	(void)failure;
	return f->certificate.known && strcmp(f->certificate.subject, f->certificate.issuer) != 0;
}

static bool issuer_came(const struct failure *failure, const struct finding *f)
{
	(void)failure;
	return f->certificate.has_issuer_sent && f->certificate.issuer_sent;
}

/* RFC 6125, section 6.4.3: a wildcard is the whole leftmost label. */
static bool name_covers(const char *name, const char *host)
{
	const char *dot = strchr(host, '.');

	if (!strcasecmp(name, host))
		return true;
	return !strncmp(name, "*.", 2) && dot && !strcasecmp(name + 1, dot);
}

static bool valid_for_host(const struct failure *failure, const struct finding *f)
{
	const struct tlsfail_conn *c = failure->conn;
	const struct finding_certificate *cert = &f->certificate;
	char host[sizeof(c->host) + 1] = "";

	/* A program may ask for a name that has bytes behind a NUL, or for an address. */
	if (!cert->known || c->flags & TLSFAIL_F_HOST_CUT || !c->host[0])
		return false;
	memcpy(host, c->host, sizeof(c->host));
	/* X509_check_host() looks at no IP address of a certificate. */
	if (context_is_address(host))
		return false;
	for (unsigned int i = 0; i < cert->name_count && i < FINDING_SAN_MAX; i++)
		if (name_covers(cert->names[i], host))
			return true;
	return false;
}

static bool has_sni(const struct failure *failure, const struct finding *f)
{
	(void)failure;
	return f->hello.has_server_name;
}

static bool has_no_sni(const struct failure *failure, const struct finding *f)
{
	(void)failure;
	return f->hello.known && !f->hello.cut && !f->hello.has_server_name;
}

static bool certificate_was_sent(const struct failure *failure, const struct finding *f)
{
	(void)failure;
	return f->has_certificate_sent && f->certificate_sent;
}

static bool verified(const struct failure *failure, const struct finding *f)
{
	(void)failure;
	return f->verify.known && !f->verify.code && f->verify.result == TLS_VERIFY_OK &&
	       !f->openssl.reason_code;
}

static bool closed_here(const struct failure *failure, const struct finding *f)
{
	(void)failure;
	return f->closed_by && !strcmp(f->closed_by, "local");
}

static bool speaks_tls(const struct failure *failure, const struct finding *f)
{
	(void)failure;
	return f->protocol_version || f->established;
}

static bool was_acknowledged(const struct failure *failure, const struct finding *f)
{
	(void)failure;
	return f->tcp.has_hello_acked && f->tcp.hello_acked;
}

static bool was_connected(const struct failure *failure, const struct finding *f)
{
	(void)f;
	return failure->conn->flags & TLSFAIL_F_ESTABLISHED || f->bytes_received;
}

static bool was_not_connected(const struct failure *failure, const struct finding *f)
{
	const uint32_t begun = TLSFAIL_F_ESTABLISHED | TLSFAIL_F_TLS;

	return failure->conn->flags & (TLSFAIL_F_CONNECT | TLSFAIL_F_REFUSED) &&
	       !(failure->conn->flags & begun) && !f->bytes_received;
}

/* -- of any cause ------------------------------------------------------------------------------ */

static bool none_succeeds(const struct failure *failure, const struct finding *f)
{
	(void)failure;
	return strstr(f->message, "Others succeed") &&
	       (!f->history.known || f->history.failures >= f->history.handshakes);
}

static bool some_succeed(const struct failure *failure, const struct finding *f)
{
	(void)failure;
	return strstr(f->message, "does so every time") && f->history.known &&
	       f->history.failures_in_row < 2;
}

/* "set NAME VALUE;" when that is what holds at the place. */
static bool already_set(const struct failure *failure, const struct finding *f)
{
	char words[FINDING_SETTING_LEN + 8];
	struct text t;

	(void)failure;
	for (unsigned int i = 0; f->config.place_count == 1 && i < f->config.setting_count; i++) {
		text_init(&t, words, sizeof(words));
		text_addf(&t, "set %s;", f->config.settings[i]);
		if (!t.cut && strstr(f->hint, words))
			return true;
	}
	return false;
}

/* "NAME is not set" when it is. */
static bool is_set(const struct failure *failure, const struct finding *f)
{
	char words[FINDING_SETTING_LEN + 16];
	struct text t;

	(void)failure;
	for (unsigned int i = 0; f->config.place_count == 1 && i < f->config.setting_count; i++) {
		const char *setting = f->config.settings[i];
		const char *found;

		text_init(&t, words, sizeof(words));
		text_addf(&t, "%.*s is not set", (int)strcspn(setting, " "), setting);
		found = strstr(f->hint, words);
		/* The name may be the end of another one. */
		if (found && (found == f->hint || found[-1] == ' '))
			return true;
	}
	return false;
}

static bool several_places(const struct failure *failure, const struct finding *f)
{
	(void)failure;
	return f->config.certainty && !strcmp(f->config.certainty, "certain") &&
	       f->config.place_count + f->config.more > 1 && f->config.patch[0] &&
	       !f->config.review;
}

/* A word that was not filled in: of the rule table's, not of what the host says. */
static bool is_unfinished(const struct failure *failure, const struct finding *f)
{
	(void)failure;
	return !f->message[0] || !f->hint[0] || strstr(f->message, "{setting:") ||
	       strstr(f->hint, "{setting:") || strstr(f->hint, "{with:");
}

/* -- the table --------------------------------------------------------------------------------- */

#define SLUGS_MAX 8

static const struct {
	const char *words; /* what is so, though the finding says or implies the contrary */
	bool (*contradicts)(const struct failure *failure, const struct finding *finding);
	const char *slugs[SLUGS_MAX]; /* the causes that it contradicts; none: any */
} table[] = {
	{ "the certificate has not expired", not_expired, { "verify-expired" } },
	{ "the certificate is already valid", already_valid, { "verify-not-yet-valid" } },
	{ "the certificate was issued by another name", has_issuer, { "verify-self-signed" } },
	{ "the issuer of the certificate was sent", issuer_came, { "verify-chain-incomplete" } },
	{ "the certificate is valid for the name", valid_for_host, { "verify-hostname-mismatch" } },
	{ "the ClientHello named the server (SNI)", has_sni, { "sni-missing" } },
	{ "the ClientHello did not name the server (SNI)", has_no_sni, { "sni-unrecognized" } },
	{ "a client certificate was sent",
	  certificate_was_sent,
	  { "client-cert-required", "client-cert-required-legacy" } },
	{ "the certificate was verified and found good",
	  verified,
	  { "verify-untrusted-issuer", "verify-refused", "verify-self-signed", "verify-expired",
	    "verify-chain-incomplete", "verify-root-missing" } },
	{ "this side closed the connection first",
	  closed_here,
	  { "peer-closed-in-handshake", "peer-closed-mid-handshake", "peer-closed-before-hello",
	    "port-scan", "client-closed-in-handshake" } },
	{ "TLS was spoken",
	  speaks_tls,
	  { "peer-not-tls-http", "peer-not-tls-other", "client-not-tls", "plain-http-to-https",
	    "connection-refused", "connect-timeout", "connect-unreachable",
	    "local-ports-exhausted" } },
	{ "the ClientHello was acknowledged", was_acknowledged, { "handshake-blackholed" } },
	{ "the connection was accepted",
	  was_connected,
	  { "connection-refused", "connect-timeout", "connect-unreachable",
	    "local-ports-exhausted" } },
	{ "TCP was not connected",
	  was_not_connected,
	  { "starttls-expected", "proxy-protocol-missing", "proxy-protocol-unexpected",
	    "sni-missing", "sni-malformed", "sni-unrecognized", "resumption-refused" } },
	{ "no handshake with this peer is known to have succeeded", none_succeeds, { NULL } },
	{ "handshakes with this peer succeed", some_succeed, { NULL } },
	{ "the suggested setting is already in place", already_set, { NULL } },
	{ "a setting reported as not set is set", is_set, { NULL } },
	{ "more than one place remains", several_places, { NULL } },
	{ "a placeholder was not filled in", is_unfinished, { NULL } },
};
#define INVARIANT_COUNT (sizeof(table) / sizeof(table[0]))

static bool is_about(size_t row, const char *slug)
{
	if (!table[row].slugs[0])
		return true;
	for (size_t i = 0; i < SLUGS_MAX && table[row].slugs[i]; i++)
		if (!strcmp(table[row].slugs[i], slug))
			return true;
	return false;
}

const char *invariant_broken(const struct failure *failure, const struct finding *f)
{
	for (size_t i = 0; i < INVARIANT_COUNT; i++)
		if (is_about(i, f->cause) && table[i].contradicts(failure, f))
			return table[i].words;
	return NULL;
}

const char *invariant_words(size_t index)
{
	return index < INVARIANT_COUNT ? table[index].words : NULL;
}
