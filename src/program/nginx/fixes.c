// SPDX-License-Identifier: BSD-2-Clause
/*
 * A row has a function that proposes values, looking at what was observed and at what is set.
 */
#include "program/nginx/fixes.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define DEPTH_NGINX 1 /* default of ssl_verify_depth */

struct nginx_words nginxfix_value(const struct nginx_place *place, enum nginx_setting setting)
{
	const struct nginx_value *v = nginx_place_value(place, setting);

	return v ? v->value : (struct nginx_words){ "", 0 };
}

/* -- words ------------------------------------------------------------------------------------- */

static bool is_address(const struct nginx_words *words)
{
	char buf[INET6_ADDRSTRLEN];
	uint8_t addr[16];

	if (!words->len || words->len >= sizeof(buf))
		return false;
	memcpy(buf, words->data, words->len);
	buf[words->len] = '\0';
	return inet_pton(AF_INET, buf, addr) == 1 || inet_pton(AF_INET6, buf, addr) == 1;
}

/* A word that can stand in nginx.conf as it is, and is a host name. */
static bool is_host_name(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';

		if (!good)
			return false;
	}
	return len > 0;
}

static void change_add(struct nginxfix_advice *a, enum nginx_setting setting, const char *value)
{
	struct nginxfix_change *c = &a->changes[a->change_count];
	struct text t;

	if (a->change_count == NGINXFIX_CHANGES_MAX)
		return;
	c->setting = setting;
	text_init(&t, c->value, sizeof(c->value));
	text_add(&t, value);
	a->change_count += !t.cut;
}

static void change_add_words(struct nginxfix_advice *a, enum nginx_setting setting,
			     const struct nginx_words *words)
{
	char value[NGINXFIX_VALUE_LEN];
	struct text t;

	text_init(&t, value, sizeof(value));
	text_addf(&t, "%.*s", (int)words->len, words->data);
	if (!t.cut)
		change_add(a, setting, value);
}

/* -- what to set, by cause --------------------------------------------------------------------- */

/* The name that is asked for when none is set: of the host, or of the upstream block. */
static bool default_name_is_wrong(const struct nginx_place *p)
{
	return p->upstream.len || !p->peer_name.len;
}

static void propose_server_name(struct nginxfix_advice *a)
{
	const struct nginx_place *p = a->place;
	const struct nginx_value *name = nginx_place_value(p, NGINX_SSL_NAME);

	if (name && is_address(&name->value))
		return;
	if (!name && default_name_is_wrong(p)) {
		if (!is_host_name(p->peer_name.data, p->peer_name.len))
			return;
		change_add_words(a, NGINX_SSL_NAME, &p->peer_name);
	}
	change_add(a, NGINX_SSL_SERVER_NAME, "on");
}

/* The name of the server in the upstream block, when another one is asked for. */
static void propose_peer_name(struct nginxfix_advice *a)
{
	const struct nginx_place *p = a->place;

	if (is_host_name(p->peer_name.data, p->peer_name.len) &&
	    !nginx_words_are(&p->peer_name, a->f->hello.server_name))
		change_add_words(a, NGINX_SSL_NAME, &p->peer_name);
}

/* A name of the certificate: the one that the peer is configured by, or the only one. */
static void propose_certificate_name(struct nginxfix_advice *a)
{
	const struct finding_certificate *c = &a->f->certificate;
	const char *only = c->name_count == 1 ? c->names[0] : NULL;

	for (unsigned int i = 0; i < c->name_count && i < FINDING_SAN_MAX; i++)
		if (nginx_words_are(&a->place->peer_name, c->names[i]))
			only = c->names[i];
	if (c->known && only && is_host_name(only, strlen(only)))
		change_add(a, NGINX_SSL_NAME, only);
}

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
		change_add(a, NGINX_SSL_PROTOCOLS, value);
}

static void propose_depth(struct nginxfix_advice *a)
{
	struct nginx_words now = nginxfix_value(a->place, NGINX_SSL_VERIFY_DEPTH);
	unsigned int depth = now.len ? 0 : DEPTH_NGINX, needed;
	char value[16];
	struct text t;

	for (uint32_t i = 0; i < now.len && depth < 1000; i++)
		depth = depth * 10 + (unsigned int)(now.data[i] - '0');
	if (a->f->certificate.chain_length < 2 || a->f->certificate.chain_length > 10)
		return;
	/* What came without the leaf; the root is not counted by OpenSSL. */
	needed = a->f->certificate.chain_length - 1;
	text_init(&t, value, sizeof(value));
	text_addf(&t, "%u", needed);
	if (needed > depth)
		change_add(a, NGINX_SSL_VERIFY_DEPTH, value);
}

static void propose_ciphers(struct nginxfix_advice *a)
{
	struct nginx_words ciphers = nginxfix_value(a->place, NGINX_SSL_CIPHERS);

	if (ciphers.len && !nginx_words_are(&ciphers, "DEFAULT"))
		change_add(a, NGINX_SSL_CIPHERS, "DEFAULT");
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

/* Groups with a short key share. */
static void propose_groups(struct nginxfix_advice *a)
{
	if (groups_can_be_set(a->place))
		change_add(a, NGINX_SSL_CONF_COMMAND, "Groups X25519:P-256:P-384");
}

/* Without what most of the ClientHello is. */
static void propose_short_hello(struct nginxfix_advice *a)
{
	const struct finding_hello *hello = &a->f->hello;

	if (hello->session_length > hello->length / 2)
		change_add(a, NGINX_SSL_SESSION_REUSE, "off");
	else if (hello->key_shares_length > hello->length / 2)
		propose_groups(a);
}

/* The certificate that another place uses with the same peer. */
static void propose_client_certificate(struct nginxfix_advice *a)
{
	for (uint32_t i = 1; i < a->places->count; i++) {
		const struct nginx_place *other = &a->places->items[i];
		const struct nginx_value *cert = nginx_place_value(other, NGINX_SSL_CERTIFICATE);
		const struct nginx_value *key = nginx_place_value(other, NGINX_SSL_CERTIFICATE_KEY);

		if (!cert || !key)
			continue;
		change_add_words(a, NGINX_SSL_CERTIFICATE, &cert->value);
		change_add_words(a, NGINX_SSL_CERTIFICATE_KEY, &key->value);
		return;
	}
}

/* Without TLS. */
static void propose_plain(struct nginxfix_advice *a)
{
	static const struct {
		const char *tls, *plain;
	} schemes[NGINX_MODULE_COUNT] = {
		[NGINX_MODULE_PROXY] = { "https://", "http://" },
		[NGINX_MODULE_GRPC] = { "grpcs://", "grpc://" },
		[NGINX_MODULE_UWSGI] = { "suwsgi://", "uwsgi://" },
		[NGINX_MODULE_STREAM] = { "", "" },
	};
	const char *tls = schemes[a->place->module].tls;
	struct nginx_words target = a->place->target;
	char value[NGINXFIX_VALUE_LEN];
	struct text t;

	if (a->place->module == NGINX_MODULE_STREAM) {
		change_add(a, NGINX_SSL, "off");
		return;
	}
	if (!tls || target.len < strlen(tls) || strncasecmp(target.data, tls, strlen(tls)) != 0)
		return;
	text_init(&t, value, sizeof(value));
	text_addf(&t, "%s%.*s", schemes[a->place->module].plain, (int)(target.len - strlen(tls)),
		  target.data + strlen(tls));
	if (!t.cut)
		change_add(a, NGINX_PASS, value);
}

static const unsigned int client_files =
	NGINXFIX_BIT(NGINX_SSL_CERTIFICATE) | NGINXFIX_BIT(NGINX_SSL_CERTIFICATE_KEY);

static const struct nginxfix fixes[] = {
	{ .slug = "sni-missing",
	  .propose = propose_server_name,
	  .otherwise = "set proxy_ssl_server_name on; and proxy_ssl_name to the name that the "
		       "upstream serves: its target here is an address or the name of an upstream "
		       "block",
	  .show = NGINXFIX_BIT(NGINX_SSL_SERVER_NAME) | NGINXFIX_BIT(NGINX_SSL_NAME) },
	{ .slug = "sni-unrecognized",
	  .propose = propose_peer_name,
	  .show = NGINXFIX_BIT(NGINX_SSL_NAME) },
	{ .slug = "verify-hostname-mismatch",
	  .propose = propose_certificate_name,
	  .caution = "if that is the server you mean; else have its certificate reissued",
	  .show = NGINXFIX_BIT(NGINX_SSL_NAME) },
	{ .slug = "protocol-version-rejected",
	  .propose = propose_protocols,
	  .otherwise = "upgrade the upstream's TLS: it speaks neither TLS 1.2 nor 1.3; older "
		       "versions are broken, so allowing them in proxy_ssl_protocols comes last",
	  .show = NGINXFIX_BIT(NGINX_SSL_PROTOCOLS) },
	{ .slug = "no-protocols-available",
	  .propose = propose_protocols,
	  .show = NGINXFIX_BIT(NGINX_SSL_PROTOCOLS) | NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "protocol-version-too-old", .show = NGINXFIX_BIT(NGINX_SSL_PROTOCOLS) },
	{ .slug = "cipher-mismatch",
	  .propose = propose_ciphers,
	  .caution = "the list there leaves out what the upstream takes",
	  .show = NGINXFIX_BIT(NGINX_SSL_CIPHERS) | NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "dh-key-too-small", .show = NGINXFIX_BIT(NGINX_SSL_CIPHERS) },
	{ .slug = "legacy-renegotiation", .show = NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "legacy-signature", .show = NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "client-cert-required",
	  .propose = propose_client_certificate,
	  .caution = "as another place does for this peer",
	  .show = NGINXFIX_BIT(NGINX_SSL_CERTIFICATE),
	  .files = client_files },
	{ .slug = "client-cert-required-legacy",
	  .propose = propose_client_certificate,
	  .caution = "as another place does for this peer",
	  .show = NGINXFIX_BIT(NGINX_SSL_CERTIFICATE),
	  .files = client_files },
	{ .slug = "client-cert-untrusted",
	  .show = NGINXFIX_BIT(NGINX_SSL_CERTIFICATE),
	  .files = client_files },
	{ .slug = "client-cert-expired",
	  .show = NGINXFIX_BIT(NGINX_SSL_CERTIFICATE),
	  .files = client_files },
	{ .slug = "client-cert-rejected",
	  .show = NGINXFIX_BIT(NGINX_SSL_CERTIFICATE),
	  .files = client_files },
	{ .slug = "peer-not-tls-http",
	  .propose = propose_plain,
	  .otherwise = "use the port on which the upstream speaks TLS",
	  .caution =
		  "everything then goes unencrypted, so only if the upstream has no port that speaks "
		  "TLS; else correct the port" },
	{ .slug = "verify-depth-exceeded",
	  .propose = propose_depth,
	  .show = NGINXFIX_BIT(NGINX_SSL_VERIFY_DEPTH) },
	{ .slug = "verify-untrusted-issuer",
	  .propose = propose_depth,
	  .caution = "the chain is longer than is allowed there, which OpenSSL 3 reports as an "
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
	{ .slug = "verify-revoked",
	  .show = NGINXFIX_BIT(NGINX_SSL_CRL),
	  .files = NGINXFIX_BIT(NGINX_SSL_CRL) },
	{ .slug = "verify-crl-missing",
	  .show = NGINXFIX_BIT(NGINX_SSL_CRL),
	  .files = NGINXFIX_BIT(NGINX_SSL_CRL) },
	{ .slug = "group-mismatch", .show = NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "pqc-hello-intolerant",
	  .propose = propose_groups,
	  .caution = "to find out, and until what drops the long hello is updated: it gives up "
		     "protection from quantum computers for this peer",
	  .show = NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "large-hello-intolerant",
	  .propose = propose_short_hello,
	  .caution = "to find out, and until what drops the long hello is updated",
	  .show = NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND) | NGINXFIX_BIT(NGINX_SSL_CIPHERS) },
	/* of a server block */
	{ .slug = "client-rejects-cert",
	  .show = NGINXFIX_BIT(NGINX_SSL_CERTIFICATE),
	  .files = client_files },
	{ .slug = "client-protocol-too-old", .show = NGINXFIX_BIT(NGINX_SSL_PROTOCOLS) },
	{ .slug = "server-no-shared-cipher",
	  .show = NGINXFIX_BIT(NGINX_SSL_CIPHERS) | NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND) |
		  NGINXFIX_BIT(NGINX_SSL_CERTIFICATE) },
	{ .slug = "server-no-shared-group",
	  .show = NGINXFIX_BIT(NGINX_SSL_ECDH_CURVE) | NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "server-no-shared-signature",
	  .show = NGINXFIX_BIT(NGINX_SSL_CERTIFICATE) | NGINXFIX_BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "server-rejects-sni", .show = NGINXFIX_BIT(NGINX_SSL_REJECT_HANDSHAKE) },
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

const char *nginxfix_slug(size_t index)
{
	return index < FIX_COUNT ? fixes[index].slug : NULL;
}
