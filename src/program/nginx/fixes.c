// SPDX-License-Identifier: BSD-2-Clause
/*
 * A row has a function that proposes values, looking at what was observed and at what is set.
 */
#include "program/nginx/fixes.h"

#include <string.h>
#include <strings.h>

#include "program/nginx/clients.h"
#include "program/nginx/exclude.h"
#include "program/nginx/naming.h"
#include "program/nginx/scheme.h"
#include "program/nginx/trust.h"

struct nginx_words nginxfix_value(const struct nginx_place *place, enum nginx_setting setting)
{
	const struct nginx_value *v = nginx_place_value(place, setting);

	return v ? v->value : (struct nginx_words){ "", 0 };
}

void nginxfix_change(struct nginxfix_advice *a, enum nginx_setting setting, const char *value)
{
	struct nginxfix_change *c = &a->changes[a->change_count];
	struct text t;

	if (a->change_count == NGINXFIX_CHANGES_MAX || !(a->sets & NGINXFIX_BIT(setting)))
		return;
	c->setting = setting;
	text_init(&t, c->value, sizeof(c->value));
	text_add(&t, value);
	a->change_count += !t.cut;
}

void nginxfix_change_words(struct nginxfix_advice *a, enum nginx_setting setting,
			   const struct nginx_words *words)
{
	char value[NGINXFIX_VALUE_LEN];
	struct text t;

	text_init(&t, value, sizeof(value));
	text_addf(&t, "%.*s", (int)words->len, words->data);
	if (!t.cut)
		nginxfix_change(a, setting, value);
}

/* -- what to set, by cause --------------------------------------------------------------------- */

/* What is set and the versions that are safe. */
static void propose_protocols(struct nginxfix_advice *a)
{
	static const char *const safe[] = { "TLSv1.2", "TLSv1.3" };
	struct nginx_words now = nginxfix_value(a->place, NGINX_SSL_PROTOCOLS);
	char value[NGINXFIX_VALUE_LEN];
	bool more = false;
	struct text t;

	text_init(&t, value, sizeof(value));
	text_addf(&t, "%.*s", (int)now.len, now.data);
	for (size_t i = 0; i < sizeof(safe) / sizeof(safe[0]); i++) {
		bool offered = false;

		for (unsigned int k = 0; k < a->f->hello.version_count; k++)
			offered |= !strcmp(a->f->hello.versions[k], safe[i] + strlen("TLSv"));
		if (nginx_words_have(&now, safe[i]))
			continue;
		more |= !offered;
		text_addf(&t, "%s%s", t.len ? " " : "", safe[i]);
	}
	if (more && !t.cut)
		nginxfix_change(a, NGINX_SSL_PROTOCOLS, value);
}

static void propose_ciphers(struct nginxfix_advice *a)
{
	struct nginx_words ciphers = nginxfix_value(a->place, NGINX_SSL_CIPHERS);

	if (ciphers.len && !nginx_words_are(&ciphers, "DEFAULT") &&
	    !memchr(ciphers.data, '@', ciphers.len))
		nginxfix_change(a, NGINX_SSL_CIPHERS, "DEFAULT");
}

/* One more of these commands in a location takes away all those that it inherits. */
static bool groups_can_be_set(const struct nginx_place *p)
{
	static const char command[] = "Groups ";
	bool alone = true;

	for (uint32_t i = 0; i < p->value_count; i++) {
		const struct nginx_words *v = &p->values[i].value;

		if (p->values[i].setting != NGINX_SSL_CONF_COMMAND)
			continue;
		alone &= v->len > strlen(command) && !memcmp(v->data, command, strlen(command));
	}
	return alone;
}

/* What ALPN is about, by module. */
static bool explain_protocol(const struct nginxfix_advice *a, struct text *t)
{
	if (nginx_place_value(a->place, NGINX_HTTP_VERSION)) {
		text_add(t, "set proxy_http_version 1.1; or have the upstream serve HTTP/2 (h2) on "
			    "that port, which is what proxy_http_version 2; offers");
		return true;
	}
	if (a->place->module != NGINX_MODULE_GRPC)
		return false;
	text_add(t, "have the upstream serve HTTP/2 (h2) on that port, which is all that grpc_pass "
		    "speaks (in nginx: listen ... ssl http2; or http2 on;); if it is no gRPC "
		    "service, use proxy_pass");
	return true;
}

static void propose_no_session(struct nginxfix_advice *a)
{
	nginxfix_change(a, NGINX_SSL_SESSION_REUSE, "off");
}

/* Groups with a short key share. */
static void propose_groups(struct nginxfix_advice *a)
{
	if (groups_can_be_set(a->place))
		nginxfix_change(a, NGINX_SSL_CONF_COMMAND, "Groups X25519:P-256:P-384");
}

/* Without what most of the ClientHello is. */
static void propose_short_hello(struct nginxfix_advice *a)
{
	const struct finding_hello *hello = &a->f->hello;

	if (hello->session_length > hello->length / 2)
		nginxfix_change(a, NGINX_SSL_SESSION_REUSE, "off");
	else if (hello->key_shares_length > hello->length / 2)
		propose_groups(a);
}

/* The certificate that another place uses with the same peer. */
static void propose_client_certificate(struct nginxfix_advice *a)
{
	for (uint32_t i = 0; i < a->places->count + a->places->excluded; i++) {
		const struct nginx_place *other = &a->places->items[i];
		const struct nginx_value *cert = nginx_place_value(other, NGINX_SSL_CERTIFICATE);
		const struct nginx_value *key = nginx_place_value(other, NGINX_SSL_CERTIFICATE_KEY);
		const struct nginx_value *password =
			nginx_place_value(other, NGINX_SSL_PASSWORD_FILE);

		if (!cert || !key)
			continue;
		nginxfix_change_words(a, NGINX_SSL_CERTIFICATE, &cert->value);
		nginxfix_change_words(a, NGINX_SSL_CERTIFICATE_KEY, &key->value);
		/* Without its password, nginx does not start. */
		if (password)
			nginxfix_change_words(a, NGINX_SSL_PASSWORD_FILE, &password->value);
		return;
	}
}

/* A server that expects no header takes it for plain HTTP. */
static bool explain_alpn(const struct nginxfix_advice *a, struct text *t)
{
	if (a->place->module == NGINX_MODULE_STREAM)
		text_add(t,
			 "set proxy_ssl_alpn h2; (nginx 1.31.0 and later); before that, pass gRPC "
			 "in the http module: grpc_pass grpcs:// offers h2");
	else
		text_add(t, "pass gRPC by grpc_pass grpcs://, which offers h2");
	return true;
}

static bool explain_header(const struct nginxfix_advice *a, struct text *t)
{
	if (nginxscheme_needs_http2(a)) {
		text_add(t, "correct the port: on this one it speaks HTTP/2 without TLS, which "
			    "here only grpc_pass grpc:// would speak, unencrypted");
		return true;
	}
	if (!nginxplace_sends_header(a->place))
		return false;
	text_add(t, "make the upstream accept the PROXY protocol header that proxy_protocol on; "
		    "sends before the ClientHello (in nginx: listen ... ssl proxy_protocol;), or "
		    "remove proxy_protocol here");
	return true;
}

/* It is stream's alone to send one. */
static bool explain_no_header(const struct nginxfix_advice *a, struct text *t)
{
	if (a->place->module != NGINX_MODULE_STREAM)
		return false;
	text_add(t, "set proxy_protocol on; here as well, if the upstream expects the header");
	return true;
}

/* The file holds the client certificate alone, and its CA is an intermediate one as likely as not. */
static bool explain_client_chain(const struct nginxfix_advice *a, struct text *t)
{
	const struct nginx_place *p = a->place;
	struct nginx_words file = nginxfix_value(p, NGINX_SSL_CERTIFICATE);

	for (uint32_t i = 0; i < p->note_count; i++) {
		const struct nginx_note *n = &p->notes[i];

		if (n->kind != NGINX_NOTE_NO_ROOT || n->setting != NGINX_SSL_CERTIFICATE)
			continue;
		text_add(t, "if ");
		text_add_hostile(t, n->words.data, n->words.len);
		text_add(t, " is an intermediate CA, append its certificate to ");
		text_add_hostile(t, file.data, file.len);
		text_add(t,
			 ", so that it is sent as well; otherwise use a client certificate from a "
			 "CA that the upstream trusts, or add this CA there");
		return true;
	}
	return false;
}

static const unsigned int client_files =
	NGINXFIX_BIT(NGINX_SSL_CERTIFICATE) | NGINXFIX_BIT(NGINX_SSL_CERTIFICATE_KEY);

static const unsigned int naming = NGINXFIX_BIT(NGINX_SSL_SERVER_NAME) |
				   NGINXFIX_BIT(NGINX_SSL_NAME) |
				   NGINXFIX_BIT(NGINX_SSL_SESSION_REUSE);

static const unsigned int scheme = NGINXFIX_BIT(NGINX_PASS) | NGINXFIX_BIT(NGINX_SSL);

static const struct nginxfix fixes[] = {
	{ .slug = "sni-missing",
	  .propose = nginxnaming_propose_server_name,
	  .sets = naming,
	  .explain = nginxnaming_explain_server_name,
	  .otherwise = "set proxy_ssl_server_name on; and set proxy_ssl_name to a name that the "
		       "upstream serves: the target here is an IP address or the name of an "
		       "upstream block",
	  .show = NGINXFIX_BIT(NGINX_SSL_SERVER_NAME) | NGINXFIX_BIT(NGINX_SSL_NAME) },
	{ .slug = "sni-malformed",
	  .propose = nginxnaming_propose_peer_name,
	  .sets = NGINXFIX_BIT(NGINX_SSL_NAME),
	  .show = NGINXFIX_BIT(NGINX_SSL_NAME) },
	{ .slug = "resumption-refused",
	  .propose = propose_no_session,
	  .sets = NGINXFIX_BIT(NGINX_SSL_SESSION_REUSE),
	  .show = NGINXFIX_BIT(NGINX_SSL_SESSION_REUSE) },
	{ .slug = "session-verify-result",
	  .propose = propose_no_session,
	  .sets = NGINXFIX_BIT(NGINX_SSL_SESSION_REUSE),
	  .caution = "so that it resumes no session of another place",
	  .show = NGINXFIX_BIT(NGINX_SSL_SESSION_REUSE) },
	{ .slug = "session-mismatch",
	  .propose = propose_no_session,
	  .sets = NGINXFIX_BIT(NGINX_SSL_SESSION_REUSE),
	  .caution = "until the servers behind that address share their session keys",
	  .show = NGINXFIX_BIT(NGINX_SSL_SESSION_REUSE) },
	{ .slug = "alpn-mismatch", .explain = explain_protocol },
	{ .slug = "alpn-missing", .explain = explain_alpn },
	{ .slug = "proxy-protocol-unexpected", .explain = explain_header },
	{ .slug = "proxy-protocol-missing", .explain = explain_no_header },
	{ .slug = "accept-queue-full", .show = NGINXFIX_BIT(NGINX_CONNECT_TIMEOUT) },
	{ .slug = "sni-unrecognized",
	  .propose = nginxnaming_propose_peer_name,
	  .sets = NGINXFIX_BIT(NGINX_SSL_NAME),
	  .show = NGINXFIX_BIT(NGINX_SSL_NAME) },
	{ .slug = "verify-hostname-mismatch",
	  .propose = nginxnaming_propose_certificate_name,
	  .sets = naming,
	  .explain = nginxnaming_explain_name,
	  .show = NGINXFIX_BIT(NGINX_SSL_NAME) },
	{ .slug = "protocol-version-rejected",
	  .propose = propose_protocols,
	  .sets = NGINXFIX_BIT(NGINX_SSL_PROTOCOLS),
	  .otherwise = "upgrade TLS on the upstream: it supports neither TLS 1.2 nor 1.3; older "
		       "versions are insecure, so allow them in proxy_ssl_protocols only as a "
		       "last resort",
	  .show = NGINXFIX_BIT(NGINX_SSL_PROTOCOLS) },
	{ .slug = "no-protocols-available",
	  .propose = propose_protocols,
	  .sets = NGINXFIX_BIT(NGINX_SSL_PROTOCOLS),
	  .show = NGINXFIX_BIT(NGINX_SSL_PROTOCOLS) | NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "protocol-version-too-old", .show = NGINXFIX_BIT(NGINX_SSL_PROTOCOLS) },
	{ .slug = "cipher-mismatch",
	  .propose = propose_ciphers,
	  .sets = NGINXFIX_BIT(NGINX_SSL_CIPHERS),
	  .caution = "the list there leaves out what the upstream accepts",
	  .review = "OpenSSL's default list may contain suites that the list there leaves out on "
		    "purpose",
	  .show = NGINXFIX_BIT(NGINX_SSL_CIPHERS) | NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "no-ciphers-available",
	  .show = NGINXFIX_BIT(NGINX_SSL_CIPHERS) | NGINXFIX_BIT(NGINX_SSL_PROTOCOLS) |
		  NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "verify-algorithm",
	  .show = NGINXFIX_BIT(NGINX_SSL_CIPHERS) | NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "verify-invalid-ca", .show = NGINXFIX_BIT(NGINX_SSL_TRUSTED_CERTIFICATE) },
	{ .slug = "dh-key-too-small", .show = NGINXFIX_BIT(NGINX_SSL_CIPHERS) },
	{ .slug = "legacy-renegotiation", .show = NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "legacy-signature", .show = NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "client-cert-required",
	  .propose = propose_client_certificate,
	  .sets = client_files | NGINXFIX_BIT(NGINX_SSL_PASSWORD_FILE),
	  .caution = "as another place does for this peer",
	  .review = "this presents the certificate of another place to this peer",
	  .show = NGINXFIX_BIT(NGINX_SSL_CERTIFICATE),
	  .files = client_files },
	{ .slug = "client-cert-required-legacy",
	  .propose = propose_client_certificate,
	  .sets = client_files | NGINXFIX_BIT(NGINX_SSL_PASSWORD_FILE),
	  .caution = "as another place does for this peer",
	  .review = "this presents the certificate of another place to this peer",
	  .show = NGINXFIX_BIT(NGINX_SSL_CERTIFICATE),
	  .files = client_files },
	{ .slug = "client-cert-untrusted",
	  .explain = explain_client_chain,
	  .show = NGINXFIX_BIT(NGINX_SSL_CERTIFICATE),
	  .files = client_files },
	{ .slug = "client-cert-expired",
	  .show = NGINXFIX_BIT(NGINX_SSL_CERTIFICATE),
	  .files = client_files },
	{ .slug = "client-cert-rejected",
	  .show = NGINXFIX_BIT(NGINX_SSL_CERTIFICATE),
	  .files = client_files },
	{ .slug = "peer-not-tls-http",
	  .propose = nginxscheme_propose_plain,
	  .sets = scheme,
	  .explain = explain_header,
	  .review = "all traffic is then unencrypted",
	  .otherwise = "use the port on which the upstream speaks TLS",
	  .caution =
		  "all traffic is then unencrypted: do this only if the upstream has no TLS port; "
		  "otherwise correct the port" },
	{ .slug = "plain-text-to-tls",
	  .propose = nginxscheme_propose_tls,
	  .sets = scheme,
	  .caution = "its certificate is verified only where that is turned on" },
	{ .slug = "client-cert-unloadable",
	  .show = NGINXFIX_BIT(NGINX_SSL_CERTIFICATE) | NGINXFIX_BIT(NGINX_SSL_CERTIFICATE_KEY),
	  .files = client_files },
	{ .slug = "verify-depth-exceeded",
	  .propose = nginxtrust_propose_depth,
	  .sets = NGINXFIX_BIT(NGINX_SSL_VERIFY_DEPTH),
	  .show = NGINXFIX_BIT(NGINX_SSL_VERIFY_DEPTH) },
	{ .slug = "verify-untrusted-issuer",
	  .propose = nginxtrust_propose_depth,
	  .sets = NGINXFIX_BIT(NGINX_SSL_VERIFY_DEPTH),
	  .explain = nginxtrust_explain_top,
	  .caution = "the chain is longer than allowed there, which OpenSSL 3 reports as an "
		     "unknown issuer",
	  .show = NGINXFIX_BIT(NGINX_SSL_TRUSTED_CERTIFICATE) |
		  NGINXFIX_BIT(NGINX_SSL_VERIFY_DEPTH),
	  .files = NGINXFIX_BIT(NGINX_SSL_TRUSTED_CERTIFICATE) },
	{ .slug = "verify-chain-incomplete",
	  .show = NGINXFIX_BIT(NGINX_SSL_TRUSTED_CERTIFICATE),
	  .files = NGINXFIX_BIT(NGINX_SSL_TRUSTED_CERTIFICATE) },
	{ .slug = "verify-self-signed",
	  .show = NGINXFIX_BIT(NGINX_SSL_TRUSTED_CERTIFICATE),
	  .files = NGINXFIX_BIT(NGINX_SSL_TRUSTED_CERTIFICATE) },
	{ .slug = "verify-self-signed-in-chain",
	  .show = NGINXFIX_BIT(NGINX_SSL_TRUSTED_CERTIFICATE),
	  .files = NGINXFIX_BIT(NGINX_SSL_TRUSTED_CERTIFICATE) },
	{ .slug = "verify-root-missing",
	  .show = NGINXFIX_BIT(NGINX_SSL_TRUSTED_CERTIFICATE),
	  .files = NGINXFIX_BIT(NGINX_SSL_TRUSTED_CERTIFICATE) },
	{ .slug = "verify-signature-mismatch",
	  .show = NGINXFIX_BIT(NGINX_SSL_TRUSTED_CERTIFICATE),
	  .files = NGINXFIX_BIT(NGINX_SSL_TRUSTED_CERTIFICATE) },
	{ .slug = "trusted-ca-expired",
	  .show = NGINXFIX_BIT(NGINX_SSL_TRUSTED_CERTIFICATE),
	  .files = NGINXFIX_BIT(NGINX_SSL_TRUSTED_CERTIFICATE) },
	{ .slug = "verify-revoked",
	  .show = NGINXFIX_BIT(NGINX_SSL_CRL),
	  .files = NGINXFIX_BIT(NGINX_SSL_CRL) },
	{ .slug = "verify-crl-unusable",
	  .show = NGINXFIX_BIT(NGINX_SSL_CRL),
	  .files = NGINXFIX_BIT(NGINX_SSL_CRL) },
	{ .slug = "verify-crl-missing",
	  .show = NGINXFIX_BIT(NGINX_SSL_CRL),
	  .files = NGINXFIX_BIT(NGINX_SSL_CRL) },
	{ .slug = "group-mismatch", .show = NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "pqc-hello-intolerant",
	  .propose = propose_groups,
	  .sets = NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND),
	  .caution = "to test this, and as a workaround until what drops the long ClientHello is "
		     "updated: this gives up protection from quantum computers for this peer",
	  .review = "this gives up protection from quantum computers for this peer",
	  .show = NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "large-hello-intolerant",
	  .propose = propose_short_hello,
	  .sets = NGINXFIX_BIT(NGINX_SSL_SESSION_REUSE) | NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND),
	  .caution = "to test this, and as a workaround until what drops the long ClientHello is "
		     "updated",
	  .review = "this is a test of whether the length of the ClientHello matters",
	  .show = NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND) | NGINXFIX_BIT(NGINX_SSL_CIPHERS) },
	/* of a server block */
	{ .slug = "client-rejects-cert",
	  .show = NGINXFIX_BIT(NGINX_SSL_CERTIFICATE),
	  .files = client_files },
	{ .slug = "client-rejects-status",
	  .show = NGINXFIX_BIT(NGINX_SSL_STAPLING),
	  .files = NGINXFIX_BIT(NGINX_SSL_CERTIFICATE) },
	{ .slug = "client-protocol-too-old",
	  .explain = nginxclients_explain_versions,
	  .show = NGINXFIX_BIT(NGINX_SSL_PROTOCOLS) },
	{ .slug = "server-protocol-too-old",
	  .explain = nginxclients_explain_versions,
	  .show = NGINXFIX_BIT(NGINX_SSL_PROTOCOLS) },
	{ .slug = "server-internal-error",
	  .explain = nginxclients_explain_old,
	  .show = NGINXFIX_BIT(NGINX_SSL_PROTOCOLS) | NGINXFIX_BIT(NGINX_SSL_CIPHERS) },
	{ .slug = "server-no-shared-cipher",
	  .explain = nginxclients_explain_cipher,
	  .show = NGINXFIX_BIT(NGINX_SSL_CIPHERS) | NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND) |
		  NGINXFIX_BIT(NGINX_SSL_CERTIFICATE) },
	{ .slug = "server-no-shared-group",
	  .explain = nginxclients_explain_group,
	  .show = NGINXFIX_BIT(NGINX_SSL_ECDH_CURVE) | NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "server-no-shared-signature",
	  .show = NGINXFIX_BIT(NGINX_SSL_CERTIFICATE) | NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "server-rejects-sni",
	  .explain = nginxclients_explain_name,
	  .show = NGINXFIX_BIT(NGINX_SSL_REJECT_HANDSHAKE) },
	{ .slug = "server-rejects-no-sni", .show = NGINXFIX_BIT(NGINX_SSL_REJECT_HANDSHAKE) },
	{ .slug = "server-alpn-mismatch",
	  .explain = nginxclients_explain_alpn,
	  .show = NGINXFIX_BIT(NGINX_LISTEN) | NGINXFIX_BIT(NGINX_HTTP2) |
		  NGINXFIX_BIT(NGINX_SSL_ALPN) },
	{ .slug = "tls-to-plain-port", .show = NGINXFIX_BIT(NGINX_LISTEN) },
	{ .slug = "proxy-header-missing", .show = NGINXFIX_BIT(NGINX_LISTEN) },
	{ .slug = "proxy-protocol-to-https", .show = NGINXFIX_BIT(NGINX_LISTEN) },
	{ .slug = "client-cert-ocsp-refused",
	  .show = NGINXFIX_BIT(NGINX_SSL_OCSP) | NGINXFIX_BIT(NGINX_SSL_VERIFY_CLIENT) },
	{ .slug = "client-cert-missing",
	  .show = NGINXFIX_BIT(NGINX_SSL_VERIFY_CLIENT) |
		  NGINXFIX_BIT(NGINX_SSL_CLIENT_CERTIFICATE) },
	{ .slug = "client-cert-verify-failed",
	  .show = NGINXFIX_BIT(NGINX_SSL_CLIENT_CERTIFICATE) |
		  NGINXFIX_BIT(NGINX_SSL_TRUSTED_CERTIFICATE) |
		  NGINXFIX_BIT(NGINX_SSL_VERIFY_DEPTH) | NGINXFIX_BIT(NGINX_SSL_CRL),
	  .files = NGINXFIX_BIT(NGINX_SSL_CLIENT_CERTIFICATE) |
		   NGINXFIX_BIT(NGINX_SSL_TRUSTED_CERTIFICATE) | NGINXFIX_BIT(NGINX_SSL_CRL) },
	{ .slug = "server-certificate-callback-failed",
	  .show = NGINXFIX_BIT(NGINX_SSL_CERTIFICATE),
	  .files = client_files },
	{ .slug = "connect-timeout", .show = NGINXFIX_BIT(NGINX_CONNECT_TIMEOUT) },
	{ .slug = "handshake-timeout", .show = NGINXFIX_BIT(NGINX_CONNECT_TIMEOUT) },
	{ .slug = "handshake-blackholed", .show = NGINXFIX_BIT(NGINX_CONNECT_TIMEOUT) },
};
#define FIX_COUNT (sizeof(fixes) / sizeof(fixes[0]))

const struct nginxfix *nginxfix_find(const char *slug)
{
	for (size_t i = 0; i < FIX_COUNT; i++)
		if (!strcmp(fixes[i].slug, slug))
			return &fixes[i];
	return NULL;
}

bool nginxfix_can_send_name(const struct finding *f, const struct nginx_place *place)
{
	struct nginx_words name = nginxplace_name(place);
	struct nginxfix_advice a = { .f = f, .place = place, .sets = naming };

	nginxnaming_propose_server_name(&a);
	return name.len && a.change_count;
}

const char *nginxfix_slug(size_t index)
{
	return index < FIX_COUNT ? fixes[index].slug : NULL;
}
