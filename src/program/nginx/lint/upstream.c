// SPDX-License-Identifier: BSD-2-Clause
/*
 * Rules for places that pass to upstreams by TLS: proxy, grpc, uwsgi and stream alike.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "program/nginx/lint/rules.h"

/* The next place that passes by TLS, from *i on, which is counted on; NULL: there is none. */
static const struct lint_place *tls_place(const struct lint *lint, size_t *i)
{
	while (*i < lint->place_count)
		if (lint->places[(*i)++].tls)
			return &lint->places[*i - 1];
	return NULL;
}

static bool is_address(const struct nginxtarget *url)
{
	unsigned int family;
	uint8_t addr[16];

	return nginxtarget_is_address(url->host, url->host_len, &family, addr);
}

/* The first server of an upstream block that is given by a name; NULL: none is. */
static directive *named_server(directive *upstream)
{
	for (directive *d = upstream->first; d; d = d->next) {
		struct nginxtarget url;

		if (strcmp(d->words[0], "server") != 0)
			continue;
		nginxtarget_parse(nginxconf_word(d, 1), &url);
		if (!url.unix_socket && !url.symbolic && url.host_len && !is_address(&url) &&
		    memchr(url.host, '.', url.host_len))
			return d;
	}
	return NULL;
}

static const char *const prefixes[] = { "proxy_", "grpc_", "uwsgi_" };

/* The first directive in the block of the place that is that setting of a module which does not pass there. */
static directive *misnamed(const struct lint_place *p, const char *name)
{
	for (directive *d = p->block->first; d && !p->stream; d = d->next)
		for (size_t n = 0; n < ARRAY_LEN(prefixes); n++)
			if (strcmp(prefixes[n], p->prefix) != 0 &&
			    !strncmp(d->words[0], prefixes[n], strlen(prefixes[n])) &&
			    !strcmp(d->words[0] + strlen(prefixes[n]), name) &&
			    !lint_setting(p->block, prefixes[n], "pass"))
				return d;
	return NULL;
}

/* Where a setting of the place is written: the block's own, so that others are left alone. Not in an "if",
 * where none may stand; and not where one of another module is given the same name. */
static void propose_setting(struct lint_finding *f, const struct lint_place *p, const char *name,
			    const char *value)
{
	directive *set = lint_setting(p->block, p->prefix, name);

	if (!strcmp(p->block->words[0], "if") || !strcmp(p->block->words[0], "limit_except") ||
	    misnamed(p, name))
		return;
	if (f && set && set->parent == p->block) {
		f->at = set;
		lint_propose(f, LINT_EDIT_REPLACE, "%s%s %s;", p->prefix, name, value);
	} else {
		lint_propose(f, LINT_EDIT_BEHIND, "%s%s %s;", p->prefix, name, value);
	}
}

static void check_sni(struct lint *lint, const struct lint_rule *rule)
{
	const struct lint_place *p;

	for (size_t i = 0; (p = tls_place(lint, &i));) {
		directive *server = p->upstream ? named_server(p->upstream) : NULL;
		bool has_name = !p->symbolic && !p->upstream && p->url.host_len &&
				!p->url.unix_socket && !is_address(&p->url);
		struct lint_finding *f;

		if (lint_is(p->block, p->prefix, "ssl_server_name", "on") ||
		    !(has_name || server || lint_setting(p->block, p->prefix, "ssl_name")))
			continue;
		f = lint_add(lint, rule, p->pass,
			     "no server name (SNI) is sent to %s: %sssl_server_name is off",
			     server ? nginxconf_word(server, 1) : p->target, p->prefix);
		/* that of an upstream block would be sent, unless there is another */
		if (!p->upstream || lint_setting(p->block, p->prefix, "ssl_name"))
			propose_setting(f, p, "ssl_server_name", "on");
	}
}

static void check_verify_off(struct lint *lint, const struct lint_rule *rule)
{
	const struct lint_place *p;

	for (size_t i = 0; (p = tls_place(lint, &i));)
		if (!lint_is(p->block, p->prefix, "ssl_verify", "on"))
			lint_add(lint, rule, p->pass,
				 "the certificate of %s is not verified: %sssl_verify is off",
				 p->target, p->prefix);
}

static void check_verify_ca(struct lint *lint, const struct lint_rule *rule)
{
	const struct lint_place *p;

	for (size_t i = 0; (p = tls_place(lint, &i));)
		if (lint_is(p->block, p->prefix, "ssl_verify", "on") &&
		    !lint_setting(p->block, p->prefix, "ssl_trusted_certificate"))
			lint_add(lint, rule, lint_setting(p->block, p->prefix, "ssl_verify"),
				 "%sssl_verify is on without %sssl_trusted_certificate: nginx does "
				 "not start",
				 p->prefix, p->prefix);
}

/* Is what is sent or verified as the name seen by anybody? */
static bool name_matters(const struct lint_place *p)
{
	return lint_is(p->block, p->prefix, "ssl_server_name", "on") ||
	       lint_is(p->block, p->prefix, "ssl_verify", "on");
}

static void check_group_name(struct lint *lint, const struct lint_rule *rule)
{
	const struct lint_place *p;

	for (size_t i = 0; (p = tls_place(lint, &i));) {
		directive *name = lint_setting(p->block, p->prefix, "ssl_name");
		const char *group = p->upstream ? nginxconf_word(p->upstream, 1) : "";
		bool is_group = *group && (!name || !strcmp(nginxconf_word(name, 1), group));

		/* with a dot it may well be the name of a host */
		if (!is_group || strchr(group, '.') || !name_matters(p))
			continue;
		lint_add(lint, rule, name ? name : p->pass,
			 "the name sent and verified is \"%s\", that of the upstream block; no "
			 "certificate has it",
			 group);
	}
}

static void check_name(struct lint *lint, const struct lint_rule *rule)
{
	const struct lint_place *p;

	for (size_t i = 0; (p = tls_place(lint, &i));) {
		directive *d = lint_setting(p->block, p->prefix, "ssl_name");
		const char *name = d ? nginxconf_word(d, 1) : p->url.host;
		size_t len = d ? strlen(name) : p->url.host_len;
		const char *wrong = NULL;

		if (!len || !name_matters(p) || memchr(name, '$', len) || p->url.unix_socket ||
		    (!d && (p->symbolic || is_address(&p->url))))
			continue;
		if (name[len - 1] == '.')
			wrong = "ends with a dot";
		else if (memchr(name, '_', len))
			wrong = "has an underscore";
		if (wrong && !(p->upstream && !d))
			lint_add(lint, rule, d ? d : p->pass,
				 "the name sent and verified, \"%.*s\", %s", (int)len, name, wrong);
	}
}

static const char *text_of(directive *d)
{
	return d ? nginxconf_word(d, 1) : "";
}

/* Settings that a session remembers: with other ones its peer was not looked at. */
static const char *session_difference(const struct lint_place *a, const struct lint_place *b)
{
	static const char *const names[] = { "ssl_verify", "ssl_trusted_certificate", "ssl_name",
					     "ssl_certificate", "ssl_crl" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *x = text_of(lint_setting(a->block, a->prefix, names[i]));
		const char *y = text_of(lint_setting(b->block, b->prefix, names[i]));

		if (strcmp(*x ? x : "off", *y ? y : "off") != 0)
			return names[i];
	}
	return NULL;
}

/* nginx keeps the sessions of an upstream, whatever location they come from. */
static bool share_sessions(const struct lint_place *a, const struct lint_place *b)
{
	size_t x = strcspn(a->target, "/");

	return a->tls && b->tls && a->stream == b->stream && !a->symbolic && !b->symbolic &&
	       !strncmp(a->target, b->target, x) && (!b->target[x] || b->target[x] == '/') &&
	       !lint_is(a->block, a->prefix, "ssl_session_reuse", "off") &&
	       !lint_is(b->block, b->prefix, "ssl_session_reuse", "off");
}

static void check_shared_session(struct lint *lint, const struct lint_rule *rule)
{
	for (size_t i = 1; i < lint->place_count && lint_goes_on(lint); i++)
		for (size_t k = 0; k < i; k++) {
			const struct lint_place *p = &lint->places[i], *other = &lint->places[k];
			const char *name =
				share_sessions(p, other) ? session_difference(p, other) : NULL;

			if (!name)
				continue;
			propose_setting(lint_add(lint, rule, p->pass,
						 "it shares TLS sessions with the place in line "
						 "%u of %s, where %s%s differs",
						 other->pass->line, other->pass->file->path,
						 p->prefix, name),
					p, "ssl_session_reuse", "off");
			break;
		}
}

static void check_https_port(struct lint *lint, const struct lint_rule *rule)
{
	for (size_t i = 0; i < lint->place_count; i++) {
		const struct lint_place *p = &lint->places[i];
		unsigned int port = p->url.has_port ? p->url.port : 0;

		if (p->stream || p->symbolic || p->upstream)
			continue;
		if (p->tls && (port == 80 || port == 8080))
			lint_add(lint, rule, p->pass,
				 "TLS is used on port %u, which is usually plain HTTP", port);
		else if (!p->tls && !strncmp(nginxconf_word(p->pass, 1), "http://", 7) &&
			 (port == 443 || port == 8443))
			lint_add(lint, rule, p->pass,
				 "plain HTTP is used on port %u, which is usually TLS", port);
	}
}

/* Can it have the prefix of the module that passes? nginx takes none twice, and some not alone. */
static bool can_be_renamed(const struct lint_place *p, directive *d, const char *name)
{
	static const struct {
		const char *name, *needs;
	} pairs[] = {
		{ "ssl_verify", "ssl_trusted_certificate" },
		{ "ssl_certificate", "ssl_certificate_key" },
	};
	directive *set = lint_setting(p->block, p->prefix, name);

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		if (!strcmp(name, pairs[i].name) && !misnamed(p, pairs[i].needs) &&
		    !lint_setting(p->block, p->prefix, pairs[i].needs))
			return false;
	return d->word_count == 2 && misnamed(p, name) == d && (!set || set->parent != p->block);
}

/* Settings of one module beside a pass of another do nothing. */
static void check_prefix(struct lint *lint, const struct lint_rule *rule)
{
	for (size_t i = 0; i < lint->place_count; i++) {
		const struct lint_place *p = &lint->places[i];

		for (directive *d = p->block->first; d && !p->stream; d = d->next)
			for (size_t n = 0; n < ARRAY_LEN(prefixes); n++) {
				size_t len = strlen(prefixes[n]);
				struct lint_finding *f;

				if (strncmp(d->words[0], prefixes[n], len) != 0 ||
				    strncmp(d->words[0] + len, "ssl_", 4) != 0 ||
				    !strcmp(prefixes[n], p->prefix) ||
				    lint_setting(p->block, prefixes[n], "pass"))
					continue;
				f = lint_add(lint, rule, d,
					     "%s has no effect here: the request is passed by "
					     "%spass",
					     d->words[0], p->prefix);
				if (can_be_renamed(p, d, d->words[0] + len))
					lint_propose(f, LINT_EDIT_REPLACE, "%s%s %s;", p->prefix,
						     d->words[0] + len, nginxconf_word(d, 1));
			}
	}
}

static directive *keepalive_of(directive *upstream)
{
	for (directive *d = upstream ? upstream->first : NULL; d; d = d->next)
		if (!strcmp(d->words[0], "keepalive"))
			return d;
	return NULL;
}

/* By default nginx sends "Connection: close"; headers that are set further out count only where none
 * is set inside. */
static bool keeps_connection(directive *block)
{
	directive *d = lint_setting(block, "proxy_", "set_header");

	for (; d; d = d->next)
		if (!strcmp(d->words[0], "proxy_set_header") &&
		    !strcasecmp(nginxconf_word(d, 1), "Connection"))
			return true;
	return false;
}

static void check_keepalive(struct lint *lint, const struct lint_rule *rule)
{
	for (size_t i = 0; i < lint->place_count; i++) {
		const struct lint_place *p = &lint->places[i];
		directive *version = lint_setting(p->block, p->prefix, "http_version");
		bool old = !version || !strcmp(nginxconf_word(version, 1), "1.0");
		bool two = version && !strcmp(nginxconf_word(version, 1), "2");

		if (p->stream || strcmp(p->prefix, "proxy_") != 0 || !keepalive_of(p->upstream) ||
		    two || (!old && keeps_connection(p->block)))
			continue;
		lint_add(lint, rule, p->pass,
			 "the keepalive of upstream %s is not used: %s before nginx 1.29.7%s",
			 nginxconf_word(p->upstream, 1),
			 old ? "requests are HTTP/1.0" : "\"Connection: close\" is sent",
			 p->tls ? ", so each request costs a handshake" : "");
	}
}

/* Milliseconds; -1: it is something else. */
static long time_of(const char *word)
{
	char *end;
	long n = strtol(word, &end, 10);

	if (end == word)
		return -1;
	if (!strcmp(end, "ms"))
		return n;
	return !*end || !strcmp(end, "s") ? n * 1000 : 60000;
}

static void check_connect_timeout(struct lint *lint, const struct lint_rule *rule)
{
	const struct lint_place *p;

	for (size_t i = 0; (p = tls_place(lint, &i));) {
		directive *d = lint_setting(p->block, p->prefix, "connect_timeout");
		long ms = d ? time_of(nginxconf_word(d, 1)) : -1;

		if (ms >= 0 && ms < 500)
			lint_add(lint, rule, d,
				 "%s of %ld ms covers the TCP connect and the TLS handshake: a "
				 "single lost packet takes longer",
				 d->words[0], ms);
	}
}

static void check_protocols_set(struct lint *lint, const struct lint_rule *rule)
{
	const struct lint_place *p;

	for (size_t i = 0; (p = tls_place(lint, &i));) {
		directive *d = lint_setting(p->block, p->prefix, "ssl_protocols");

		if (d)
			lint_add(lint, rule, d,
				 "%s is set: versions that a newer nginx offers by default are "
				 "not offered",
				 d->words[0]);
	}
}

#define TAKES_NAME                                                                                 \
	"Without it, upstreams that serve several names answer as their default host or refuse "   \
	"the handshake."

const struct lint_rule lint_upstream_rules[] = {
	{ "sni-off", LINT_WARNING, "no server name is sent to an upstream that has one", TAKES_NAME,
	  "set proxy_ssl_server_name on (likewise grpc_ and uwsgi_)", 0, check_sni },
	{ "verify-off", LINT_OFF, "the certificate of an upstream is not verified",
	  "Whoever answers at that address is trusted with every request.",
	  "set proxy_ssl_verify on and proxy_ssl_trusted_certificate", 0, check_verify_off },
	{ "verify-without-ca", LINT_ERROR, "verification is on without trusted certificates",
	  "nginx does not start.", "set proxy_ssl_trusted_certificate", 0, check_verify_ca },
	{ "name-of-group", LINT_WARNING, "the name of an upstream block is sent and verified",
	  "By default, the name is the host in proxy_pass, which here is the name of the block: "
	  "no server knows it, and no certificate has it.",
	  "set proxy_ssl_name to the name that the upstream's certificate has", 0,
	  check_group_name },
	{ "name-invalid", LINT_WARNING, "a name that certificates cannot have",
	  "No public certificate has a name with an underscore, and a trailing dot is compared "
	  "literally.",
	  "set proxy_ssl_name to the name that the upstream's certificate has", 0, check_name },
	{ "session-shared", LINT_WARNING, "places with different TLS settings share sessions",
	  "A resumed session is not verified again and requests no client certificate: what one "
	  "place was allowed, the other is allowed too.",
	  "set proxy_ssl_session_reuse off in one of them, or pass to different upstream blocks", 0,
	  check_shared_session },
	{ "port-of-other-protocol", LINT_WARNING, "https to port 80, or http to port 443",
	  "The upstream answers with status 400, or with something that is not TLS.",
	  "make the scheme and the port agree", 0, check_https_port },
	{ "setting-of-other-module", LINT_WARNING, "proxy_ssl_* next to grpc_pass or uwsgi_pass",
	  "Each module has its own settings and ignores those of the others.",
	  "use the prefix of the module that passes the request", 0, check_prefix },
	{ "keepalive-unused", LINT_WARNING, "keepalive without HTTP/1.1",
	  "Connections are kept open only with HTTP/1.1, which was not the default before 1.29.7: "
	  "each request makes a TLS handshake.",
	  "set proxy_http_version 1.1 and proxy_set_header Connection \"\"", 1029007,
	  check_keepalive },
	{ "connect-timeout-short", LINT_WARNING, "a handshake may take longer than that",
	  "One timer covers the TCP connect and the TLS handshake; a lost packet is retransmitted "
	  "after a second.",
	  "give proxy_connect_timeout a few seconds", 0, check_connect_timeout },
	{ "protocols-explicit", LINT_OFF, "the TLS versions for an upstream are pinned",
	  "The list stays the same when newer versions appear.",
	  "remove proxy_ssl_protocols to use the "
	  "default",
	  0, check_protocols_set },
};

const size_t lint_upstream_rule_count = ARRAY_LEN(lint_upstream_rules);
