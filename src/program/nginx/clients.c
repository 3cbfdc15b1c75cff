// SPDX-License-Identifier: BSD-2-Clause
/*
 * Only what is certain is said: of a block that is a guess, nothing.
 */
#include "program/nginx/clients.h"

#include <string.h>
#include <strings.h>

#include "program/nginx/place.h"
#include "program/nginx/settings.h"

#define VERSION_HTTP2_DIRECTIVE 1025001 /* "http2 on;" instead of a parameter of listen */

/* -- groups ------------------------------------------------------------------------------------ */

/* Names of groups as OpenSSL takes them, with IANA's number. */
static const struct {
	const char *name;
	uint16_t number;
} groups[] = {
	{ "prime256v1", 23 },
	{ "P-256", 23 },
	{ "secp256r1", 23 },
	{ "secp384r1", 24 },
	{ "P-384", 24 },
	{ "secp521r1", 25 },
	{ "P-521", 25 },
	{ "X25519", 29 },
	{ "X448", 30 },
	{ "secp256k1", 22 },
	{ "ffdhe2048", 256 },
	{ "ffdhe3072", 257 },
	{ "ffdhe4096", 258 },
	{ "MLKEM512", 512 },
	{ "MLKEM768", 513 },
	{ "MLKEM1024", 514 },
	{ "brainpoolP256r1", 26 },
	{ "brainpoolP384r1", 27 },
	{ "brainpoolP512r1", 28 },
	{ "X25519MLKEM768", 4588 },
	{ "SecP256r1MLKEM768", 4587 },
	{ "SecP384r1MLKEM1024", 4589 },
};

/* 0: it is not known. */
static uint16_t group_number(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (strlen(groups[i].name) == len && !strncasecmp(groups[i].name, name, len))
			return groups[i].number;
	return 0;
}

static bool has_group(const struct finding_hello *hello, uint16_t number)
{
	for (unsigned int i = 0; i < hello->group_count; i++)
		if (hello->groups[i].number == number)
			return true;
	return false;
}

/* Is none of the groups in the list, "A:B:C", one of the client's? Not when one has a name that is not
 * known ("auto"), or the client's list is longer than what is kept. */
static bool none_shared(const char *list, size_t len, const struct finding_hello *hello)
{
	if (!len || !hello->known || hello->cut || !hello->group_count ||
	    hello->group_count == FINDING_GROUPS_MAX)
		return false;
	while (len) {
		const char *colon = memchr(list, ':', len);
		size_t name_len = colon ? (size_t)(colon - list) : len;
		uint16_t number = group_number(list, name_len);

		if (!number || has_group(hello, number))
			return false;
		len -= name_len + (colon ? 1 : 0);
		list += name_len + (colon ? 1 : 0);
	}
	return true;
}

/* What ssl_conf_command says of groups; it is applied last (ngx_ssl_conf_commands()). */
static struct nginx_words groups_of(const struct nginx_place *p)
{
	static const char *const commands[] = { "Groups ", "Curves " };
	struct nginx_words value = nginxfix_value(p, NGINX_SSL_ECDH_CURVE);

	for (uint32_t i = 0; i < p->value_count; i++) {
		const struct nginx_words *v = &p->values[i].value;

		for (size_t c = 0; c < 2 && p->values[i].setting == NGINX_SSL_CONF_COMMAND; c++) {
			size_t len = strlen(commands[c]);

			if (v->len > len && !strncasecmp(v->data, commands[c], len))
				value = (struct nginx_words){ v->data + len,
							      v->len - (uint32_t)len };
		}
	}
	return value;
}

/* -- facts ------------------------------------------------------------------------------------- */

/* The server block, when it is certain; else NULL. */
static const struct nginx_place *server_read(const uint8_t *data, size_t len,
					     struct nginx_places *places)
{
	if (!data || !nginx_places_read(data, len, places) || !places->count ||
	    !nginx_module_is_server(places->items[0].module) ||
	    places->items[0].certainty != NGINX_CERTAIN)
		return NULL;
	return &places->items[0];
}

unsigned int nginxclients_facts(const struct finding *f, const uint8_t *data, size_t len)
{
	struct nginx_places places;
	const struct nginx_place *p = server_read(data, len, &places);
	unsigned int facts = 0;
	struct nginx_words list, listen, ocsp;

	if (!p || p->changed)
		return 0;
	list = groups_of(p);
	listen = nginxfix_value(p, NGINX_LISTEN);
	ocsp = nginxfix_value(p, NGINX_SSL_OCSP);
	if (none_shared(list.data, list.len, &f->hello))
		facts |= PROGRAM_NO_GROUP;
	if (nginx_words_have(&listen, "proxy_protocol"))
		facts |= PROGRAM_AWAITS_PROXY;
	if (ocsp.len && !nginx_words_are(&ocsp, "off"))
		facts |= PROGRAM_OCSP;
	if (p->module == NGINX_MODULE_MAIL_SERVER)
		facts |= PROGRAM_IS_MAIL;
	return facts;
}

/* -- words of a module ------------------------------------------------------------------------- */

static const struct {
	enum program_setting setting;
	const char *stream; /* NULL: as in http */
	const char *mail;
} module_words[] = {
	{ SETTING_PLAIN_CLIENTS,
	  "; if these clients should not use TLS, drop ssl from that "
	  "listen",
	  "; this is a port of a mail server" },
	{ SETTING_CLIENT_TIMEOUT, "ssl_handshake_timeout", "timeout (in the mail block)" },
	{ SETTING_ACCEPT_PROXY_PROTOCOL, NULL, "add proxy_protocol to that listen" },
};

const char *nginxclients_words(enum program_setting setting, const uint8_t *data, size_t len)
{
	struct nginx_places places;
	const struct nginx_place *p = server_read(data, len, &places);

	for (size_t i = 0; p && i < sizeof(module_words) / sizeof(module_words[0]); i++) {
		if (module_words[i].setting != setting)
			continue;
		if (p->module == NGINX_MODULE_MAIL_SERVER)
			return module_words[i].mail;
		if (p->module == NGINX_MODULE_STREAM_SERVER)
			return module_words[i].stream;
	}
	return NULL;
}

/* -- fixes ------------------------------------------------------------------------------------- */

static bool offers(const struct finding_hello *hello, const char *version)
{
	for (unsigned int i = 0; i < hello->version_count; i++)
		if (!strcmp(hello->versions[i], version))
			return true;
	return false;
}

/* What ssl_protocols is at the place: set, or nginx's default; no words: not known. */
static struct nginx_words protocols_of(const struct nginx_place *p)
{
	static const struct {
		unsigned int version; /* from this one on */
		const char *protocols;
	} defaults[] = {
		{ 1027003, "TLSv1.2 TLSv1.3" },
		{ 1023004, "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3" },
		{ 1009001, "TLSv1 TLSv1.1 TLSv1.2" },
	};
	struct nginx_words set = nginxfix_value(p, NGINX_SSL_PROTOCOLS);
	struct nginx_words version = nginxfix_value(p, NGINX_VERSION);

	for (size_t i = 0; !set.len && i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (nginx_words_number(&version) >= defaults[i].version)
			set = nginxtell_string(defaults[i].protocols);
	return set;
}

/* Old versions that ssl_protocols allows, and OpenSSL's security level does not: they need signatures
 * with SHA-1, which level 1 refuses from OpenSSL 3.0 on. */
bool nginxclients_explain_old(const struct nginxfix_advice *a, struct text *t)
{
	const struct finding_hello *hello = &a->f->hello;

	if (!hello->version_count || offers(hello, "1.2") || offers(hello, "1.3"))
		return false;
	text_add(t, "update the client; OpenSSL's security level refuses its version even where "
		    "ssl_protocols allows it. Only as a last resort, and knowing that it allows "
		    "weak keys and signatures too: add @SECLEVEL=0 to ssl_ciphers "
		    "(DEFAULT:@SECLEVEL=0)");
	return true;
}

/* Does the client offer a version that is among those? */
static bool offers_one_of(const struct finding_hello *hello, const struct nginx_words *protocols)
{
	static const struct {
		const char *version;
		const char *protocol;
	} old[] = { { "1.0", "TLSv1" }, { "1.1", "TLSv1.1" } };

	for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++)
		if (offers(hello, old[i].version) && nginx_words_have(protocols, old[i].protocol))
			return true;
	return false;
}

/* A version that is safe to allow and that the client has; or what refuses one that is allowed. */
bool nginxclients_explain_versions(const struct nginxfix_advice *a, struct text *t)
{
	static const char *const safe[] = { "1.3", "1.2" };
	struct nginx_words now = protocols_of(a->place);

	for (size_t i = 0; now.len && i < sizeof(safe) / sizeof(safe[0]); i++) {
		char name[8] = "TLSv";

		memcpy(name + strlen(name), safe[i], strlen(safe[i]) + 1);
		if (!offers(&a->f->hello, safe[i]) || nginx_words_have(&now, name))
			continue;
		text_addf(t,
			  "allow %s in ssl_protocols (now %.*s): it is safe, and it is what the "
			  "client needs",
			  name, (int)now.len, now.data);
		if (!strcmp(safe[i], "1.3"))
			text_add(t, " (needs OpenSSL 1.1.1 or later)");
		return true;
	}
	return offers_one_of(&a->f->hello, &now) && nginxclients_explain_old(a, t);
}

/* Which kinds of keys the client's suites before TLS 1.3 are for. */
static void key_kinds(const struct finding_hello *hello, bool *rsa, bool *ecdsa)
{
	*rsa = *ecdsa = false;
	for (unsigned int i = 0; i < hello->cipher_count; i++) {
		const char *name = hello->ciphers[i].name;

		*ecdsa |= name && strstr(name, "_ECDSA_");
		*rsa |= name && strstr(name, "_RSA_");
	}
}

bool nginxclients_explain_cipher(const struct nginxfix_advice *a, struct text *t)
{
	bool rsa, ecdsa;

	key_kinds(&a->f->hello, &rsa, &ecdsa);
	if (rsa == ecdsa)
		return false;
	text_addf(t,
		  "all cipher suites of the client need a certificate with %s key: if "
		  "ssl_certificate has no such key, add a second ssl_certificate that does, to "
		  "serve both kinds of clients; otherwise compare ssl_ciphers with what the "
		  "client offers",
		  rsa ? "an RSA" : "an ECDSA");
	return true;
}

bool nginxclients_explain_group(const struct nginxfix_advice *a, struct text *t)
{
	struct nginx_words now = nginxfix_value(a->place, NGINX_SSL_ECDH_CURVE);
	const struct finding_hello *hello = &a->f->hello;

	if (!now.len || !hello->group_count || !hello->groups[0].name)
		return false;
	text_addf(t, "add a group that the client supports to ssl_ecdh_curve: %.*s:%s",
		  (int)now.len, now.data, hello->groups[0].name);
	return true;
}

/* Whose ssl_reject_handshake it was: that of the server of that name, or the default one's. */
bool nginxclients_explain_name(const struct nginxfix_advice *a, struct text *t)
{
	const struct nginx_place *p = a->place;
	struct nginx_words reject = nginxfix_value(p, NGINX_SSL_REJECT_HANDSHAKE);

	if (p->certainty != NGINX_CERTAIN || !nginx_words_are(&reject, "on"))
		return false;
	if (nginx_place_value(p, NGINX_NAMED))
		text_add(t, "turn ssl_reject_handshake off in the server block of that name and "
			    "give it a certificate, if the name should be served");
	else
		text_add(t, "add the name to server_name of the server that should serve it: no "
			    "server block has that name, and the default server of the address "
			    "rejects the handshake; if nobody should ask for that name, "
			    "ssl_reject_handshake works as intended");
	return true;
}

static void explain_http_alpn(const struct nginxfix_advice *a, struct text *t, bool wants_h2)
{
	struct nginx_words listen = nginxfix_value(a->place, NGINX_LISTEN);
	struct nginx_words http2 = nginxfix_value(a->place, NGINX_HTTP2);
	bool on = nginx_words_are(&http2, "on") || nginx_words_have(&listen, "http2");
	struct nginx_words version = nginxfix_value(a->place, NGINX_VERSION);
	bool directive = version.len && nginx_words_number(&version) >= VERSION_HTTP2_DIRECTIVE;

	if (!wants_h2 || on)
		text_addf(t,
			  "correct the client's address or port, or the protocols it offers: this "
			  "is an HTTP server (http/1.1%s)",
			  on ? ", h2" : "");
	else if (!version.len)
		text_add(t, "turn on HTTP/2 there: http2 on; from nginx 1.25.1, http2 in that "
			    "listen in older versions");
	else
		text_add(t, directive ? "set http2 on; in that server if it should serve HTTP/2"
				      : "add http2 to that listen if it should serve HTTP/2");
}

bool nginxclients_explain_alpn(const struct nginxfix_advice *a, struct text *t)
{
	const struct finding_hello *hello = &a->f->hello;
	bool wants_h2 = false;

	for (unsigned int i = 0; i < hello->alpn_count; i++)
		wants_h2 |= !strcmp(hello->alpn[i], "h2");
	if (a->place->certainty != NGINX_CERTAIN)
		return false;
	switch (a->place->module) {
	case NGINX_MODULE_SERVER:
		explain_http_alpn(a, t, wants_h2);
		return true;
	case NGINX_MODULE_STREAM_SERVER:
		text_add(t, "add the protocol to ssl_alpn if the service behind this server "
			    "supports it");
		return true;
	case NGINX_MODULE_MAIL_SERVER:
		text_add(t, "correct the client's port, or the protocols it offers: this is a "
			    "mail server, which accepts only the name of its own protocol (imap, "
			    "pop3, smtp)");
		return true;
	default:
		return false;
	}
}
