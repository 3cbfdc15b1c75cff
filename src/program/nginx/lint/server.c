// SPDX-License-Identifier: BSD-2-Clause
/*
 * Rules for servers that clients connect to: http, stream and mail.
 */
#include <string.h>

#include "base/text.h"
#include "program/nginx/lint/rules.h"

static bool same_address(const struct lint_listen *a, const struct lint_listen *b)
{
	return a->module == b->module && a->udp == b->udp && !strcmp(a->address, b->address);
}

/* The server that answers at that address when no name fits: the one that says so, or the first. */
static const struct lint_listen *default_of(const struct lint *lint, const struct lint_listen *l)
{
	const struct lint_listen *first = NULL;

	for (size_t i = 0; i < lint->listen_count; i++) {
		const struct lint_listen *other = &lint->listens[i];

		if (!same_address(other, l))
			continue;
		if (other->is_default)
			return other;
		if (!first)
			first = other;
	}
	return first;
}

/* Do two directives have the same arguments, in whatever order? */
static bool same_words(directive *a, directive *b)
{
	if (a->word_count != b->word_count)
		return false;
	for (uint32_t i = 1; i < a->word_count; i++) {
		bool found = false;

		for (uint32_t k = 1; k < b->word_count; k++)
			found = found || !strcmp(a->words[i], b->words[k]);
		if (!found)
			return false;
	}
	return true;
}

static void check_not_default(struct lint *lint, const struct lint_rule *rule, const char *name)
{
	for (size_t i = 0; i < lint->listen_count && lint_goes_on(lint); i++) {
		const struct lint_listen *l = &lint->listens[i], *def = default_of(lint, l);
		directive *own = lint_setting(l->server, "", name);
		directive *counts = lint_setting(def->server, "", name);

		/* mail has no names; what is set further out is the same for all */
		if (!l->ssl || !own || own->parent != l->server || def->server == l->server ||
		    !strcmp(l->module, "mail") || (counts && same_words(own, counts)))
			continue;
		lint_add(lint, rule, own,
			 "%s has no effect here: nginx uses that of the default server of %s (line "
			 "%u of %s)",
			 name, l->address, def->server->line, def->server->file->path);
	}
}

static void check_protocols_default(struct lint *lint, const struct lint_rule *rule)
{
	check_not_default(lint, rule, "ssl_protocols");
}

static void check_groups_default(struct lint *lint, const struct lint_rule *rule)
{
	check_not_default(lint, rule, "ssl_ecdh_curve");
}

static bool is_old(const char *version)
{
	return !strncmp(version, "SSLv", 4) || !strcmp(version, "TLSv1") ||
	       !strcmp(version, "TLSv1.0") || !strcmp(version, "TLSv1.1");
}

/* Only versions that no current client or server speaks. */
static void check_protocols_old(struct lint *lint, const struct lint_rule *rule)
{
	for (directive *d = lint->conf->first; d; d = lint_next(d)) {
		const char *name = d->words[0];
		size_t len = strlen(name);
		bool all_old = d->word_count > 1;

		if (len < 13 || strcmp(name + len - 13, "ssl_protocols") != 0)
			continue;
		for (uint32_t i = 1; i < d->word_count; i++)
			all_old = all_old && is_old(d->words[i]);
		if (all_old)
			lint_add(lint, rule, d,
				 "%s has no version that current software supports: add TLSv1.2 "
				 "and TLSv1.3",
				 name);
	}
}

static void check_client_ca(struct lint *lint, const struct lint_rule *rule)
{
	for (directive *d = lint->conf->first; d; d = lint_next(d)) {
		const char *word = nginxconf_word(d, 1);

		if (strcmp(d->words[0], "ssl_verify_client") != 0 ||
		    (strcmp(word, "on") != 0 && strcmp(word, "optional") != 0) || !d->parent ||
		    strcmp(d->parent->words[0], "server") != 0 ||
		    lint_setting(d->parent, "", "ssl_client_certificate") ||
		    lint_setting(d->parent, "", "ssl_trusted_certificate"))
			continue;
		lint_add(lint, rule, d,
			 "ssl_verify_client is %s without ssl_client_certificate: nginx does not "
			 "start",
			 word);
	}
}

static void check_certificate(struct lint *lint, const struct lint_rule *rule)
{
	for (size_t i = 0; i < lint->listen_count; i++) {
		const struct lint_listen *l = &lint->listens[i];

		if (!l->ssl || lint_setting(l->server, "", "ssl_certificate") ||
		    lint_is(l->server, "", "ssl_reject_handshake", "on") ||
		    /* nginx takes that of the default server */
		    default_of(lint, l)->server != l->server)
			continue;
		lint_add(lint, rule, l->listen,
			 "the default server of %s listens with ssl but has no ssl_certificate: "
			 "its handshakes fail",
			 l->address);
	}
}

static void check_key(struct lint *lint, const struct lint_rule *rule)
{
	for (directive *d = lint->conf->first; d; d = lint_next(d)) {
		const char *name = d->words[0];
		size_t len = strlen(name);
		char prefix[16];
		struct text t;

		if (len < 15 || strcmp(name + len - 15, "ssl_certificate") != 0 || !d->parent ||
		    d->word_count != 2)
			continue;
		text_init(&t, prefix, sizeof(prefix));
		text_addf(&t, "%.*s", (int)(len - 15), name);
		if (!lint_setting(d->parent, prefix, "ssl_certificate_key"))
			lint_add(lint, rule, d, "%s has no %s_key: nginx does not start", name,
				 name);
	}
}

/* ---- PROXY protocol ---- */

static unsigned int port_of(const struct lint_listen *l)
{
	const char *colon = strrchr(l->address, ':');
	unsigned int port = 0;

	for (const char *c = colon ? colon + 1 : ""; *c >= '0' && *c <= '9'; c++)
		port = port * 10 + (unsigned int)(*c - '0');
	return port;
}

static bool is_loopback(const struct nginxtarget *url)
{
	return (url->host_len >= 4 && !memcmp(url->host, "127.", 4)) ||
	       (url->host_len == 9 && !memcmp(url->host, "localhost", 9));
}

/* Of what a stream server passes to on this host, the listener. */
static const struct lint_listen *listener_of(const struct lint *lint, const struct lint_place *p)
{
	struct nginxtarget url = p->url;

	if (p->symbolic)
		return NULL;
	if (p->upstream) {
		directive *d = p->upstream->first;

		while (d && strcmp(d->words[0], "server") != 0)
			d = d->next;
		if (!d)
			return NULL;
		nginxtarget_parse(nginxconf_word(d, 1), &url);
	}
	for (size_t i = 0; i < lint->listen_count; i++)
		if (is_loopback(&url) && url.port && port_of(&lint->listens[i]) == url.port &&
		    lint->listens[i].server != p->block)
			return &lint->listens[i];
	return NULL;
}

static bool any_proxy_protocol(const struct lint *lint, const struct lint_listen *l)
{
	for (size_t i = 0; i < lint->listen_count; i++)
		if (same_address(&lint->listens[i], l) && lint->listens[i].proxy_protocol)
			return true;
	return false;
}

static void check_proxy_protocol(struct lint *lint, const struct lint_rule *rule)
{
	for (size_t i = 0; i < lint->place_count; i++) {
		const struct lint_place *p = &lint->places[i];
		const struct lint_listen *l = p->stream ? listener_of(lint, p) : NULL;
		bool sends = p->stream && lint_is(p->block, "", "proxy_protocol", "on");
		bool takes = l && any_proxy_protocol(lint, l);

		if (!l || sends == takes)
			continue;
		lint_add(
			lint, rule, p->pass,
			sends ? "a PROXY header is sent to the listener in line %u of %s, which has "
				"no proxy_protocol"
			      : "no PROXY header is sent to the listener in line %u of %s, which has "
				"proxy_protocol",
			l->listen->line, l->listen->file->path);
	}
}

const struct lint_rule lint_server_rules[] = {
	{ "protocols-not-default", LINT_WARNING,
	  "ssl_protocols in a server that is not the default",
	  "Before nginx 1.29.2, the TLS versions are those of the default server of the address, "
	  "whatever name the client asks for.",
	  "set ssl_protocols in the default server of the address, or in http", 1029002,
	  check_protocols_default },
	{ "groups-not-default", LINT_WARNING, "ssl_ecdh_curve in a server that is not the default",
	  "The groups are those of the default server of the address.",
	  "set ssl_ecdh_curve in the default server of the address, or in http", 0,
	  check_groups_default },
	{ "protocols-old", LINT_ERROR, "only TLS versions that current software does not support",
	  "TLS 1.0 and 1.1 are disabled in current clients, servers and OpenSSL (RFC 8996).",
	  "add TLSv1.2 and TLSv1.3", 0, check_protocols_old },
	{ "verify-client-without-ca", LINT_ERROR, "client certificates are requested without a CA",
	  "nginx does not start.", "set ssl_client_certificate", 0, check_client_ca },
	{ "certificate-missing", LINT_ERROR, "a default server with ssl and without a certificate",
	  "Its handshakes fail, or nginx does not start.",
	  "set ssl_certificate and ssl_certificate_key, or ssl_reject_handshake on", 0,
	  check_certificate },
	{ "key-missing", LINT_ERROR, "a certificate without its key", "nginx does not start.",
	  "set the key beside it", 0, check_key },
	{ "proxy-protocol-one-side", LINT_ERROR, "a PROXY header on one side only",
	  "The listener mistakes the header for TLS, or TLS for the header.",
	  "set proxy_protocol on both sides, or on neither", 0, check_proxy_protocol },
};

const size_t lint_server_rule_count = ARRAY_LEN(lint_server_rules);
