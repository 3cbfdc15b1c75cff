// SPDX-License-Identifier: BSD-2-Clause
/*
 * A table of changes. A row says when it is worth a connection, what it changes, and of which cause it
 * is the proof when that helps. None of it is a proposal: what is proposed is the hint of the cause.
 */
#include "probe/vary.h"

#include <arpa/inet.h>
#include <string.h>
#include <time.h>

#include "tls/names.h"

#define DEPTH_ENOUGH   100
#define ONE_PACKET_LEN 1400
#define GROUPS_ALL     "X25519:P-256:X448:P-384:P-521"
#define GROUPS_SMALL   "X25519:P-256:P-384"

struct change_context {
	const struct client *client;
	const struct verdict *verdict;
	struct text *what;  /* how it is changed */
	struct text *proof; /* in words, when that helps; what is added stands behind `what` */
};

struct change {
	const char *slug; /* that it proves; NULL: none, it only shows a way */
	const char *hint; /* instead of that of the cause, or NULL */
	/* False: it is not worth a try. */
	bool (*apply)(const struct change_context *c, struct client *changed);
};

/* -- what is known of the failure -------------------------------------------------------------- */

static bool is_cause(const struct verdict *v, const char *prefix)
{
	return !strncmp(v->finding.cause, prefix, strlen(prefix));
}

/* Not about a certificate, the peer's or ours. */
static bool refused_hello(const struct verdict *v)
{
	return !v->finding.established && !is_cause(v, "verify-") && !is_cause(v, "client-cert") &&
	       !(v->first.dial.conn.flags & TLSFAIL_F_REFUSED);
}

static bool silent(const struct verdict *v)
{
	return refused_hello(v) && !v->finding.alert.known && !v->first.dial.conn.rx_bytes;
}

static bool is_host_name(const char *name)
{
	uint8_t addr[16];

	return *name && inet_pton(AF_INET, name, addr) != 1 && !strchr(name, ':');
}

/* The first name of the certificate that a client can ask for. */
static const char *certificate_name(const struct verdict *v)
{
	const struct finding_certificate *cert = &v->finding.certificate;

	return cert->known && cert->name_count && is_host_name(cert->names[0]) &&
			       !strchr(cert->names[0], '*')
		       ? cert->names[0]
		       : "";
}

/* -- the changes ------------------------------------------------------------------------------- */

static bool add_sni(const struct change_context *c, struct client *changed)
{
	const struct verdict *v = c->verdict;

	if (client_sends_name(c->client) || !is_host_name(c->client->name) ||
	    (!refused_hello(v) && !is_cause(v, "verify-hostname")))
		return false;
	changed->server_name = true;
	text_addf(c->what, "with SNI %s", changed->name);
	text_add(c->proof, " the upstream answers; without SNI it does not");
	return true;
}

static bool drop_sni(const struct change_context *c, struct client *changed)
{
	if (!client_sends_name(c->client) || !refused_hello(c->verdict))
		return false;
	changed->server_name = false;
	text_add(c->what, "without SNI");
	text_addf(c->proof, " the upstream answers; with SNI %s it does not", c->client->name);
	return true;
}

static bool certificate_sni(const struct change_context *c, struct client *changed)
{
	const char *name = certificate_name(c->verdict);
	struct text t;

	if (!is_cause(c->verdict, "verify-hostname") || !*name)
		return false;
	text_init(&t, changed->name, sizeof(changed->name));
	text_add(&t, name);
	text_addf(c->what, "with the name %s", name);
	text_addf(c->proof, " the certificate is valid; with %s it is not", c->client->name);
	return true;
}

static bool all_versions(const struct change_context *c, struct client *changed)
{
	const unsigned int modern = CLIENT_TLS_1_2 | CLIENT_TLS_1_3;

	if (!refused_hello(c->verdict) || (c->client->versions & modern) == modern)
		return false;
	/* OpenSSL offers no version above a gap. */
	changed->versions = modern;
	text_add(c->what, "with TLS 1.2 and TLS 1.3");
	text_add(c->proof, " the upstream answers; with the configured versions it does not");
	return true;
}

static void command_drop(struct client *client, const char *name)
{
	for (unsigned int i = 0; i < client->command_count; i++)
		if (!strcasecmp(client->commands[i].name, name))
			client->commands[i--] = client->commands[--client->command_count];
}

static bool all_ciphers(const struct change_context *c, struct client *changed)
{
	if (!refused_hello(c->verdict))
		return false;
	command_drop(changed, "Ciphersuites");
	command_drop(changed, "CipherString");
	if (!strcmp(c->client->ciphers, "DEFAULT") &&
	    changed->command_count == c->client->command_count)
		return false;
	memcpy(changed->ciphers, "DEFAULT", sizeof("DEFAULT"));
	text_add(c->what, "with OpenSSL's default cipher suites");
	text_add(c->proof, " the upstream answers; with the configured ones it does not");
	return true;
}

static bool all_groups(const struct change_context *c, struct client *changed)
{
	if (!refused_hello(c->verdict))
		return false;
	command_drop(changed, "Groups");
	command_drop(changed, "Curves");
	if (changed->command_count == c->client->command_count)
		return false;
	memcpy(changed->groups, GROUPS_ALL, sizeof(GROUPS_ALL));
	text_add(c->what, "with the groups " GROUPS_ALL);
	text_add(c->proof, " the upstream answers; with the configured ones it does not");
	return true;
}

static bool short_hello(const struct change_context *c, struct client *changed)
{
	if (!silent(c->verdict) || c->verdict->finding.hello.length <= ONE_PACKET_LEN)
		return false;
	command_drop(changed, "Groups");
	command_drop(changed, "Curves");
	memcpy(changed->groups, GROUPS_SMALL, sizeof(GROUPS_SMALL));
	memcpy(changed->ciphers, "DEFAULT", sizeof("DEFAULT"));
	text_add(c->what, "with a short ClientHello (groups " GROUPS_SMALL ")");
	text_addf(c->proof, " the upstream answers; with one of %u bytes it does not",
		  c->verdict->finding.hello.length);
	return true;
}

static bool drop_alpn(const struct change_context *c, struct client *changed)
{
	if (!*c->client->alpn || !refused_hello(c->verdict))
		return false;
	changed->alpn[0] = '\0';
	text_add(c->what, "without ALPN");
	text_addf(c->proof, " the upstream answers; with ALPN %s it does not", c->client->alpn);
	return true;
}

/* A header that is missed, or in the way. */
static bool header_matters(const struct change_context *c)
{
	return silent(c->verdict) || is_cause(c->verdict, "peer-not-tls");
}

static bool add_header(const struct change_context *c, struct client *changed)
{
	if (c->client->proxy_header || !header_matters(c))
		return false;
	changed->proxy_header = true;
	text_add(c->what, "with a PROXY header before TLS");
	text_add(c->proof, " the upstream answers; without it, the upstream does not");
	return true;
}

static bool drop_header(const struct change_context *c, struct client *changed)
{
	if (!c->client->proxy_header || !header_matters(c))
		return false;
	changed->proxy_header = false;
	text_add(c->what, "without the PROXY header before TLS");
	text_add(c->proof, " the upstream answers; with it, the upstream does not");
	return true;
}

static bool deep_chain(const struct change_context *c, struct client *changed)
{
	if (!is_cause(c->verdict, "verify-") || c->client->depth >= DEPTH_ENOUGH)
		return false;
	changed->depth = DEPTH_ENOUGH;
	text_add(c->what, "with an unlimited verify depth");
	text_addf(c->proof, " the chain is trusted; with proxy_ssl_verify_depth %d it is not",
		  c->client->depth);
	return true;
}

static bool neighbours(const struct change_context *c, struct client *changed)
{
	if (!is_cause(c->verdict, "verify-") || is_cause(c->verdict, "verify-hostname") ||
	    !c->client->neighbours.pem)
		return false;
	changed->add_neighbours = true;
	text_add(c->what, "with the intermediate certificates found next to the file of trusted "
			  "CAs");
	text_add(c->proof, " the chain is trusted; with only those that the upstream sends it is "
			   "not");
	return true;
}

static bool system_trust(const struct change_context *c, struct client *changed)
{
	if (!is_cause(c->verdict, "verify-") || is_cause(c->verdict, "verify-hostname"))
		return false;
	changed->system_ca = true;
	text_add(c->what, "with the CAs that this host trusts");
	text_add(c->proof, " the chain is trusted; with the configured file it is not");
	return true;
}

static bool old_security(const struct change_context *c, struct client *changed)
{
	if (!refused_hello(c->verdict) || c->client->any_security)
		return false;
	changed->any_security = true;
	changed->versions = CLIENT_TLS_ALL;
	memcpy(changed->ciphers, "ALL", sizeof("ALL"));
	text_add(c->what, "with all old versions and cipher suites, at security level 0");
	text_add(c->proof, " the upstream answers; with secure settings it does not");
	return true;
}

/* In the order in which they are tried: what is most often the reason comes first. */
static const struct change changes[] = {
	{ "sni-missing", NULL, add_sni },
	{ "protocol-version-rejected", NULL, all_versions },
	{ "large-hello-intolerant", NULL, short_hello },
	{ "group-mismatch", NULL, all_groups },
	{ "cipher-mismatch", NULL, all_ciphers },
	{ "verify-depth-exceeded", NULL, deep_chain },
	{ "verify-chain-incomplete", NULL, neighbours },
	{ "verify-hostname-mismatch", NULL, certificate_sni },
	{ "verify-untrusted-issuer",
	  "add the CA that this host trusts to the file of proxy_ssl_trusted_certificate",
	  system_trust },
	{ "sni-unrecognized", NULL, drop_sni },
	{ "alpn-mismatch", NULL, drop_alpn },
	{ "proxy-protocol-missing", NULL, add_header },
	{ "proxy-protocol-unexpected", NULL, drop_header },
	{ NULL, "upgrade TLS on the upstream", old_security },
};

/* What is certain needs no proof, but it may have a way out that is worth to be known. */
static bool worth_a_try(const struct change *change, const struct verdict *v)
{
	static const char *const old[] = { "protocol-version-too-old", "protocol-version-rejected",
					   "dh-key-too-small", "legacy-renegotiation",
					   "legacy-signature" };

	if (v->finding.confidence != CONFIDENCE_HIGH)
		return true;
	if (change->slug && !strcmp(change->slug, v->finding.cause))
		return true;
	if (change->apply == add_sni)
		return is_cause(v, "verify-hostname");
	if (change->apply == system_trust)
		return is_cause(v, "verify-self-signed-in-chain");
	if (change->apply == add_header || change->apply == drop_header)
		return is_cause(v, "peer-closed-before-hello");
	for (size_t i = 0; change->apply == old_security && i < sizeof(old) / sizeof(old[0]); i++)
		if (is_cause(v, old[i]))
			return true;
	return false;
}

/* Whatever comes after it. */
static bool hello_answered(const struct verdict *v)
{
	return v->other.end == HANDSHAKE_WORKS ||
	       (refused_hello(v) &&
		(v->other.dial.conn.flags & TLSFAIL_F_DONE || v->other.certificate_requested));
}

/* -- what the server asked for ----------------------------------------------------------------- */

/* Nothing else is left when a server that has asked for a certificate hangs up as soon as it has the
 * answer, before anything was asked of the application. */
static const char *certificate_proof(const struct verdict *v, struct text *proof)
{
	const struct handshake *h = &v->first;
	bool done = h->dial.conn.flags & TLSFAIL_F_DONE;

	if (!h->certificate_requested || h->dial.conn.flags & TLSFAIL_F_VERIFY_ASKED ||
	    (!done && v->finding.alert.known && !v->finding.alert.received))
		return NULL;
	if (!h->certificate_sent) {
		text_add(proof, "it asks for a client certificate, and closes the connection when "
				"it gets none");
		return done ? "client-cert-required" : "client-cert-required-legacy";
	}
	if (h->own_expired) {
		text_add(proof, "it refuses our client certificate, which has expired");
		return "client-cert-expired";
	}
	if (h->ca_names_lack_ours) {
		text_addf(proof,
			  "it accepts client certificates from %s%s, and ours is from another CA",
			  h->ca_names[0], h->ca_name_count > 1 ? " and others" : "");
		return "client-cert-untrusted";
	}
	return NULL;
}

/* -- the whole --------------------------------------------------------------------------------- */

/* What the failure itself says with certainty is not overruled: then the change only shows a way. */
static void prove(struct verdict *v, const struct judge_place *place, const char *slug,
		  const char *hint, const char *proof)
{
	struct failure failure;
	struct text t;

	v->settled = true;
	if (slug && v->finding.confidence != CONFIDENCE_HIGH) {
		judge_failure(&v->first, place, &failure);
		diagnose_prove(&failure, slug, proof, &v->finding);
		v->finding.kind = FINDING_FAILURE;
	}
	text_init(&t, v->finding.confirmed, sizeof(v->finding.confirmed));
	text_add(&t, proof);
	if (!hint)
		return;
	text_init(&t, v->finding.hint, sizeof(v->finding.hint));
	text_add(&t, hint);
}

static void pause_for(uint64_t ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / 1000000000),
			      .tv_nsec = (long)(ns % 1000000000) };

	if (ns)
		nanosleep(&t, NULL);
}

/* The cause that is proven: which kind of long hello it is shows in what was sent. */
static const char *slug_of(const struct change *change, const struct verdict *v)
{
	const struct finding_hello *hello = &v->finding.hello;

	if (change->apply != short_hello)
		return change->slug;
	for (unsigned int i = 0; i < hello->key_share_count && i < FINDING_KEY_SHARES_MAX; i++)
		if (tls_group_is_post_quantum(hello->key_shares[i].number))
			return "pqc-hello-intolerant";
	return change->slug;
}

/* True: it works. */
static bool change_try(const struct change *change, const struct client *client,
		       const struct dial_peer *peer, const struct judge_place *place,
		       const struct vary_options *options, struct verdict *v)
{
	char proof[FINDING_EVIDENCE_LEN], more[FINDING_EVIDENCE_LEN];
	struct vary_try *attempt = &v->tries[v->try_count];
	struct client changed = *client;
	struct text what, rest, t;

	if (!worth_a_try(change, v))
		return false;
	text_init(&what, attempt->what, sizeof(attempt->what));
	text_init(&rest, more, sizeof(more));
	if (!change->apply(&(struct change_context){ client, v, &what, &rest }, &changed))
		return false;
	if (options->go_on && !options->go_on(options->context))
		return false;
	pause_for(options->pause_ns);
	handshake_make(&changed, peer, &options->patience, NULL, &v->other);
	attempt->works = hello_answered(v);
	judge(&v->other, place, &v->work, &v->other_finding);
	attempt->cause = v->other_finding.cause;
	v->try_count += v->other.end != HANDSHAKE_UNTRIED;
	handshake_clear(&v->other);
	if (v->other.end == HANDSHAKE_UNTRIED || !attempt->works)
		return false;
	text_init(&t, proof, sizeof(proof));
	text_add(&t, attempt->what);
	text_add(&t, more);
	memcpy(v->works, attempt->what, sizeof(v->works));
	prove(v, place, slug_of(change, v), change->hint, proof);
	return true;
}

void vary(const struct client *client, const struct dial_peer *peer,
	  const struct judge_place *place, const struct vary_options *options, struct verdict *v)
{
	char proof[FINDING_EVIDENCE_LEN];
	const char *slug;
	struct text t;

	memset(v, 0, sizeof(*v));
	handshake_make(client, peer, &options->patience, NULL, &v->first);
	v->end = v->first.end;
	judge(&v->first, place, &v->work, &v->finding);
	if (v->end != HANDSHAKE_FAILS)
		return;
	text_init(&t, proof, sizeof(proof));
	slug = certificate_proof(v, &t);
	if (slug) {
		prove(v, place, slug, NULL, proof);
		return;
	}
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]) && !v->settled; i++)
		if (v->try_count < VARY_TRIES_MAX)
			change_try(&changes[i], client, peer, place, options, v);
}

void vary_clear(struct verdict *v)
{
	handshake_clear(&v->first);
}
