// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which server is meant, only who has configured it knows: a name is taken from the configuration, and from
 * the peer's certificate only where the configuration has none.
 */
#include "program/nginx/naming.h"

#include <string.h>
#include <strings.h>

#include "program/nginx/exclude.h"
#include "program/nginx/url.h"

static bool is_address(const struct nginx_words *words)
{
	unsigned int family;
	uint8_t addr[16];

	return nginxtarget_is_address(words->data, words->len, &family, addr);
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

/* -- what to set ------------------------------------------------------------------------------- */

/* The host name of the server in the upstream block, which others of the block may not have. */
static void change_to_peer_name(struct nginxfix_advice *a)
{
	const struct nginx_place *p = a->place;

	if (!is_host_name(p->peer_name.data, p->peer_name.len))
		return;
	nginxfix_change_words(a, NGINX_SSL_NAME, &p->peer_name);
	if (nginxplace_note(p, NGINX_NOTE_OTHER_NAMES))
		a->review = "the upstream block has servers with other names, for which this is "
			    "wrong";
}

/* The name of an upstream block that is none of a host. */
static bool is_block_name(const struct nginx_words *upstream)
{
	return upstream->len && (!memchr(upstream->data, '.', upstream->len) ||
				 memchr(upstream->data, '_', upstream->len));
}

void nginxnaming_propose_server_name(struct nginxfix_advice *a)
{
	const struct nginx_place *p = a->place;
	const struct nginx_value *set = nginx_place_value(p, NGINX_SSL_NAME);
	struct nginx_words name = nginxplace_name(p);

	if (set ? is_address(&name) : !p->upstream.len && !p->peer_name.len)
		return;
	if (!set && p->upstream.len && (p->peer_name.len || is_block_name(&p->upstream))) {
		change_to_peer_name(a);
		if (!a->change_count)
			return;
	}
	nginxfix_change(a, NGINX_SSL_SERVER_NAME, "on");
	/* Else a session that another place has begun is resumed, without the name. */
	if (a->f->choice.resumed && a->places &&
	    a->places->count + a->places->excluded + a->places->more > 1)
		nginxfix_change(a, NGINX_SSL_SESSION_REUSE, "off");
}

/* The name is not known here, and nginx sends none that is an address. */
bool nginxnaming_explain_server_name(const struct nginxfix_advice *a, struct text *t)
{
	struct nginx_words on = nginxfix_value(a->place, NGINX_SSL_SERVER_NAME);
	struct nginx_words name = nginxplace_name(a->place);
	const char *prefix = nginx_module_prefix(a->place->module);

	if (!nginx_words_are(&on, "on") || !is_address(&name))
		return false;
	text_add_hostile(t, name.data, name.len);
	text_addf(t,
		  " is an address, and nginx sends none as the server's name, though "
		  "%sssl_server_name is on: set %sssl_name to the name that the upstream serves",
		  prefix, prefix);
	return true;
}

/* Does a name of a certificate, which may begin with "*.", cover the host? */
static bool covers(const char *pattern, const struct nginx_words *host)
{
	size_t len = strlen(pattern);
	const char *dot = memchr(host->data, '.', host->len);

	if (pattern[0] == '*' && dot)
		return len - 1 == host->len - (size_t)(dot - host->data) &&
		       !strncasecmp(pattern + 1, dot, len - 1);
	return len == host->len && !strncasecmp(pattern, host->data, len);
}

/* The dot at its end belongs to no name in a certificate, and to none that is sent (RFC 6066, section 3); without
 * it, it names the same host. */
static void propose_without_dot(struct nginxfix_advice *a)
{
	const struct finding_certificate *c = &a->f->certificate;
	struct nginx_words name = nginxplace_name(a->place);
	bool fits = !c->known && nginx_words_are(&name, a->f->hello.server_name) &&
		    !memchr(name.data, '_', name.len);

	if (!name.len || name.data[--name.len] != '.')
		return;
	for (unsigned int i = 0; i < c->name_count && i < FINDING_SAN_MAX; i++)
		fits |= covers(c->names[i], &name);
	if (fits && !is_address(&name))
		nginxfix_change_words(a, NGINX_SSL_NAME, &name);
}

/* The name of the server in the upstream block, where nothing but the block's was asked for. */
void nginxnaming_propose_peer_name(struct nginxfix_advice *a)
{
	const struct nginx_place *p = a->place;

	if (p->upstream.len && !nginx_place_value(p, NGINX_SSL_NAME) &&
	    !nginx_words_are(&p->peer_name, a->f->hello.server_name))
		change_to_peer_name(a);
	if (!a->change_count)
		propose_without_dot(a);
}

static bool is_dns_name(const char *name)
{
	struct nginx_words words = { name, (uint32_t)strlen(name) };

	return is_host_name(name, words.len) && !is_address(&words);
}

/* Has it names, and are they all IP addresses? */
static bool is_for_addresses(const struct finding_certificate *c)
{
	for (unsigned int i = 0; i < c->name_count && i < FINDING_SAN_MAX; i++) {
		struct nginx_words name = { c->names[i], (uint32_t)strlen(c->names[i]) };

		if (!is_address(&name)) /* a wildcard is not, either */
			return false;
	}
	return c->name_count;
}

/* Has the operator said who the peer has to be? By proxy_ssl_name, or by the host in the pass; not by
 * an address, or by the name of a block. */
static bool is_identity_stated(const struct nginx_place *p)
{
	struct nginx_words name = nginxplace_name(p);

	if (nginx_place_value(p, NGINX_SSL_NAME))
		return !is_address(&name);
	return p->upstream.len ? p->peer_name.len || !is_block_name(&p->upstream)
			       : p->peer_name.len > 0;
}

static bool no_name_sent(const struct finding *f)
{
	return f->hello.known && !f->hello.cut && !f->hello.has_server_name;
}

/* The name that the server in the upstream block is configured by, if the certificate is for that. Where
 * only an address was said, the one that the certificate is for: whether that is the right server,
 * somebody has to know. */
void nginxnaming_propose_certificate_name(struct nginxfix_advice *a)
{
	const struct finding_certificate *c = &a->f->certificate;
	const struct nginx_place *p = a->place;
	unsigned int count = c->name_count < FINDING_SAN_MAX ? c->name_count : FINDING_SAN_MAX;
	const char *only = NULL;

	propose_without_dot(a);
	if (!a->change_count && no_name_sent(a->f) && !is_for_addresses(c))
		nginxnaming_propose_server_name(a);
	if (a->change_count || !c->known)
		return;
	for (unsigned int i = 0; i < count; i++) {
		if (p->upstream.len && !nginx_place_value(p, NGINX_SSL_NAME) && p->peer_name.len &&
		    covers(c->names[i], &p->peer_name)) {
			change_to_peer_name(a);
			return;
		}
		if (is_dns_name(c->names[i]))
			only = only ? "" : c->names[i];
	}
	/* Asked for the name of a block, it did not know whom it was to be. */
	if (p->peer_name.len && p->upstream.len && is_block_name(&p->upstream) &&
	    !nginx_place_value(p, NGINX_SSL_NAME)) {
		change_to_peer_name(a);
		return;
	}
	/* Asked for no name it may have shown a stranger's. */
	if (is_identity_stated(p) || no_name_sent(a->f) || !only || !only[0] ||
	    count < c->name_count)
		return;
	nginxfix_change(a, NGINX_SSL_NAME, only);
	a->review = "this trusts the name that the peer itself presents: apply it only if you know "
		    "that this is the right server";
}

static bool has_dns_name(const struct finding_certificate *c)
{
	for (unsigned int i = 0; i < c->name_count && i < FINDING_SAN_MAX; i++)
		if (is_dns_name(c->names[i]))
			return true;
	return false;
}

/* Appends the names of the certificate that can be set as one. */
static unsigned int add_dns_names(struct text *t, const struct finding_certificate *c)
{
	unsigned int added = 0;

	for (unsigned int i = 0; i < c->name_count && i < FINDING_SAN_MAX; i++)
		if (is_dns_name(c->names[i]))
			text_addf(t, "%s%s", added++ ? " or " : "", c->names[i]);
	return added;
}

/* Nothing says which server is meant; and one that was asked for none may have shown a stranger's. */
static void explain_unknown_name(const struct nginxfix_advice *a, struct text *t)
{
	const char *prefix = nginx_module_prefix(a->place->module);
	struct nginx_words on = nginxfix_value(a->place, NGINX_SSL_SERVER_NAME);

	text_addf(t, "set %sssl_name to ", prefix);
	if (is_for_addresses(&a->f->certificate)) {
		text_add(t, "a DNS name, and have the certificate reissued with it");
		return;
	}
	if (!no_name_sent(a->f)) {
		if (!add_dns_names(t, &a->f->certificate))
			text_add(t, "a name that the certificate is for");
		text_add(t, ", if that is the server that you mean");
		return;
	}
	text_add(t, "the DNS name of the server that you mean");
	if (!nginx_words_are(&on, "on"))
		text_addf(t, " and turn %sssl_server_name on", prefix);
	text_add(t, "; asked for no name (SNI), the upstream showed ");
	if (has_dns_name(&a->f->certificate)) {
		text_add(t, "the certificate of ");
		add_dns_names(t, &a->f->certificate);
	} else {
		text_add(t, "this certificate");
	}
	text_add(t, ", which may be another server's");
}

/* nginx compares no IP addresses; and a name may have been that of another server when nginx looked it
 * up. */
bool nginxnaming_explain_name(const struct nginxfix_advice *a, struct text *t)
{
	const struct nginx_place *p = a->place;
	struct nginx_words name = nginxplace_name(p);

	if (!name.len)
		return false;
	if (is_address(&name)) {
		text_addf(
			t,
			"nginx compares certificates with DNS names only, never with IP addresses: ");
		explain_unknown_name(a, t);
		return true;
	}
	if (!is_identity_stated(p)) {
		if (!no_name_sent(a->f) || is_for_addresses(&a->f->certificate))
			return false;
		explain_unknown_name(a, t);
		return true;
	}
	if (is_for_addresses(&a->f->certificate)) {
		text_add(t, "have the certificate reissued with the DNS name ");
		text_add_hostile(t, name.data, name.len);
		text_add(t, ": it is for IP addresses only, and nginx compares none of those");
		return true;
	}
	text_add(t, "check that ");
	text_add_hostile(t, name.data, name.len);
	text_addf(t, " is still served at %s", a->f->peer.address);
	if (p->peer_name.len && p->certainty != NGINX_CERTAIN) {
		text_add(t, ": nginx looked ");
		text_add_hostile(t, p->peer_name.data, p->peer_name.len);
		text_add(t, " up when it started; a reload looks it up again");
	}
	text_add(t, "; if it is, have its certificate reissued with that name");
	return true;
}
