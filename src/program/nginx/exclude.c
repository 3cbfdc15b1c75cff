// SPDX-License-Identifier: BSD-2-Clause
/*
 * A rule says when a place contradicts what was seen. It says nothing where a variable decides, where
 * a default depends on the version of nginx or OpenSSL, or where the fact was not seen.
 */
#include "program/nginx/exclude.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "program/nginx/url.h"

#define CIPHERS_DEFAULT_MIN 8  /* suites for TLS 1.2 in OpenSSL's default list are many more */
#define HEADER_MIN	    15 /* "PROXY UNKNOWN\r\n" */

/* -- words ------------------------------------------------------------------------------------- */

static bool is_symbolic(const struct nginx_words *words)
{
	return words->len && memchr(words->data, '$', words->len);
}

/* The next word up to a separator; false at the end. */
static bool part_next(struct nginx_words *rest, char separator, struct nginx_words *part)
{
	const char *end;

	while (rest->len && *rest->data == separator) {
		rest->data++;
		rest->len--;
	}
	if (!rest->len)
		return false;
	end = memchr(rest->data, separator, rest->len);
	*part = (struct nginx_words){ rest->data, end ? (uint32_t)(end - rest->data) : rest->len };
	rest->data += part->len;
	rest->len -= part->len;
	return true;
}

static struct nginx_words value_of(const struct nginx_place *p, enum nginx_setting setting)
{
	const struct nginx_value *v = nginx_place_value(p, setting);

	return v ? v->value : (struct nginx_words){ "", 0 };
}

/* A flag of nginx, whose default is off. */
static bool is_on(const struct nginx_place *p, enum nginx_setting setting)
{
	struct nginx_words v = value_of(p, setting);

	return v.len == 2 && !strncasecmp(v.data, "on", 2);
}

/* What the OpenSSL command sets at the place; no words when it does not. */
static struct nginx_words command_of(const struct nginx_place *p, const char *command)
{
	size_t len = strlen(command);

	for (uint32_t i = 0; i < p->value_count; i++) {
		struct nginx_words v = p->values[i].value;

		if (p->values[i].setting == NGINX_SSL_CONF_COMMAND && v.len > len &&
		    v.data[len] == ' ' && !strncasecmp(v.data, command, len))
			return (struct nginx_words){ v.data + len + 1, v.len - (uint32_t)len - 1 };
	}
	return (struct nginx_words){ "", 0 };
}

static struct nginx_words without_brackets(struct nginx_words w)
{
	if (w.len > 2 && w.data[0] == '[' && w.data[w.len - 1] == ']')
		return (struct nginx_words){ w.data + 1, w.len - 2 };
	return w;
}

struct nginx_words nginxplace_name(const struct nginx_place *p)
{
	static const struct nginx_words none = { "", 0 };
	struct nginx_words name = value_of(p, NGINX_SSL_NAME);
	struct nginxtarget target;
	char text[1024];
	const char *host;
	struct text t;

	if (!name.len && p->upstream.len)
		name = p->upstream;
	if (name.len)
		return is_symbolic(&name) ? none : without_brackets(name);
	if (is_symbolic(&p->target))
		return none;
	if (p->peer_name.len)
		return p->peer_name;
	text_init(&t, text, sizeof(text));
	text_addf(&t, "%.*s", (int)p->target.len, p->target.data);
	host = strstr(text, "://");
	host = host ? host + 3 : text;
	nginxtarget_parse(host, &target);
	if (t.cut || target.unix_socket)
		return none;
	return (struct nginx_words){ p->target.data + (target.host - text),
				     (uint32_t)target.host_len };
}

/* -- the rules --------------------------------------------------------------------------------- */

static bool was_verified(const struct finding *f)
{
	return f->verify.known || f->name_check.known;
}

static bool verify_is_off(const struct finding *f, const struct nginx_place *p)
{
	return was_verified(f) && !is_on(p, NGINX_SSL_VERIFY);
}

/* nginx asks for the result of the verification as soon as the handshake is done; that it was not seen
 * to says less than that it was. */
static bool verify_is_on(const struct finding *f, const struct nginx_place *p)
{
	return !was_verified(f) && is_on(p, NGINX_SSL_VERIFY) && f->established &&
	       f->openssl.version[0];
}

static bool name_differs(const struct finding *f, const struct nginx_place *p)
{
	struct nginx_words name = nginxplace_name(p);
	struct nginx_words checked = { f->name_check.name, (uint32_t)strlen(f->name_check.name) };

	checked = without_brackets(checked);
	if (!f->name_check.known || f->name_check.cut || !name.len)
		return false;
	return name.len != checked.len || strncasecmp(name.data, checked.data, name.len) != 0;
}

static bool certificate_is_none(const struct finding *f, const struct nginx_place *p)
{
	struct nginx_words cert = value_of(p, NGINX_SSL_CERTIFICATE);

	return f->has_certificate_sent && f->certificate_sent && !cert.len;
}

/* One that OpenSSL cannot use, as the peer takes no signatures of its kind, is not sent either. */
static bool certificate_is_set(const struct finding *f, const struct nginx_place *p)
{
	struct nginx_words cert = value_of(p, NGINX_SSL_CERTIFICATE);

	return f->has_certificate_requested && f->certificate_requested &&
	       f->has_certificate_sent && !f->certificate_sent && cert.len && !is_symbolic(&cert);
}

/* Is the version, as finding_hello has it, one of those of the directive? */
static bool protocols_have(struct nginx_words protocols, const char *version)
{
	struct nginx_words part;

	while (part_next(&protocols, ' ', &part)) {
		if (part.len > 4 && !strncasecmp(part.data, "TLSv", 4) &&
		    part.len - 4 == (!strcmp(version, "1.0") ? 1 : strlen(version)) &&
		    !memcmp(part.data + 4, version, part.len - 4))
			return true;
	}
	return false;
}

/* What is offered is among what is set; and the highest that is set is offered, unless a limit of
 * OpenSSL's may have taken it away. */
static bool versions_differ(const struct finding *f, const struct nginx_place *p)
{
	struct nginx_words set = value_of(p, NGINX_SSL_PROTOCOLS);
	const struct finding_hello *h = &f->hello;

	if (!set.len || !h->known || h->cut || !h->version_count || command_of(p, "Protocol").len ||
	    command_of(p, "MinProtocol").len || command_of(p, "MaxProtocol").len)
		return false;
	for (unsigned int i = 0; i < h->version_count; i++)
		if (!protocols_have(set, h->versions[i]))
			return true;
	return !strcmp(h->versions[0], "1.2") && protocols_have(set, "1.3");
}

/* Suites that are for TLS 1.2 and older: those of 1.3 have no "_WITH_". */
static unsigned int legacy_ciphers(const struct finding_hello *h)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < h->cipher_count && i < FINDING_CIPHERS_MAX; i++)
		count += h->ciphers[i].number >> 8 != 0x13; /* RFC 8446, appendix B.4 */
	return count;
}

/* For servers with an RSA key alone, or for those with an ECDSA key? The default list has both. */
static bool offers_one_key(const struct finding_hello *h)
{
	bool ecdsa = false, rsa = h->cipher_count > FINDING_CIPHERS_MAX;

	for (unsigned int i = 0; i < h->cipher_count && i < FINDING_CIPHERS_MAX; i++) {
		const char *name = h->ciphers[i].name ? h->ciphers[i].name : "";

		ecdsa |= strstr(name, "_ECDSA_") != NULL;
		rsa |= strstr(name, "RSA_") && !strstr(name, "_ECDSA_");
	}
	return rsa != ecdsa;
}

static bool offers(const struct finding_hello *h, const char *version)
{
	for (unsigned int i = 0; i < h->version_count; i++)
		if (!strcmp(h->versions[i], version))
			return true;
	return false;
}

/* A list of nothing but names of single suites has at least as many of them as are offered; the
 * default one has many. */
static bool ciphers_differ(const struct finding *f, const struct nginx_place *p)
{
	struct nginx_words set = value_of(p, NGINX_SSL_CIPHERS), part;
	unsigned int offered = legacy_ciphers(&f->hello), named = 0;

	if (!f->hello.known || f->hello.cut || !offers(&f->hello, "1.2") || is_symbolic(&set))
		return false;
	if (!set.len)
		return !command_of(p, "CipherString").len &&
		       (offered < CIPHERS_DEFAULT_MIN || offers_one_key(&f->hello));
	while (part_next(&set, ':', &part)) {
		/* "HIGH", "DEFAULT@...", "!MD5", "kRSA+AES": one that is no single suite. */
		if (!memchr(part.data, '-', part.len) || strchr("!-+@", part.data[0]) ||
		    memchr(part.data, '+', part.len) || memchr(part.data, '@', part.len))
			return false;
		named++;
	}
	return named < offered;
}

static bool groups_differ(const struct finding *f, const struct nginx_place *p)
{
	struct nginx_words set = command_of(p, "Groups"), part;
	unsigned int named = 0;

	if (!set.len)
		set = command_of(p, "Curves");
	if (!f->hello.known || f->hello.cut || !f->hello.group_count)
		return false;
	if (!set.len) /* OpenSSL 1.1.1 offers 4 by default, later ones more */
		return f->hello.group_count == 1;
	while (part_next(&set, ':', &part))
		named++;
	return named < f->hello.group_count;
}

static bool offers_h2(const struct finding_hello *h)
{
	for (unsigned int i = 0; i < h->alpn_count && i < FINDING_ALPN_MAX; i++)
		if (!strcmp(h->alpn[i], "h2"))
			return true;
	return false;
}

/* grpc_pass offers h2 always, and so does proxy_pass by HTTP/2; uwsgi never offers anything. */
static bool alpn_differs(const struct finding *f, const struct nginx_place *p)
{
	if (!f->hello.known || f->hello.cut)
		return false;
	if (p->module == NGINX_MODULE_GRPC || nginx_place_value(p, NGINX_HTTP_VERSION))
		return !offers_h2(&f->hello);
	return p->module == NGINX_MODULE_UWSGI && f->hello.alpn_count;
}

/* proxy_pass offers h2 only where it is to speak HTTP/2 (nginx 1.29.4 and later). */
static bool h2_is_unasked(const struct finding *f, const struct nginx_place *p)
{
	return p->module == NGINX_MODULE_PROXY && f->hello.known &&
	       !nginx_place_value(p, NGINX_HTTP_VERSION) && offers_h2(&f->hello);
}

static bool session_is_forbidden(const struct finding *f, const struct nginx_place *p)
{
	struct nginx_words reuse = value_of(p, NGINX_SSL_SESSION_REUSE);

	return f->hello.known && f->hello.offers_session && reuse.len == 3 &&
	       !strncasecmp(reuse.data, "off", 3);
}

bool nginxplace_sends_header(const struct nginx_place *p)
{
	return p->module == NGINX_MODULE_STREAM && is_on(p, NGINX_PROXY_PROTOCOL);
}

bool nginxplace_certificate_varies(const struct nginx_place *p)
{
	struct nginx_words cert = value_of(p, NGINX_SSL_CERTIFICATE);
	struct nginx_words key = value_of(p, NGINX_SSL_CERTIFICATE_KEY);

	return is_symbolic(&cert) || is_symbolic(&key);
}

/* Files that are named as such are loaded when nginx starts. */
static bool certificate_is_loaded(const struct finding *f, const struct nginx_place *p)
{
	return f->cause && !strcmp(f->cause, "client-cert-unloadable") &&
	       !nginxplace_certificate_varies(p);
}

/* The header of the PROXY protocol goes out before the ClientHello. */
static bool header_differs(const struct finding *f, const struct nginx_place *p)
{
	bool set = nginxplace_sends_header(p);

	if (!f->has_bytes_before_hello)
		return false;
	return set ? !f->bytes_before_hello : f->bytes_before_hello >= HEADER_MIN;
}

static const struct {
	bool (*differs)(const struct finding *f, const struct nginx_place *p);
	bool weak; /* counts only while others are left that it does not concern */
} rules[] = {
	{ verify_is_off, false },	  { verify_is_on, true },
	{ name_differs, false },	  { certificate_is_none, false },
	{ certificate_is_set, true },	  { versions_differ, true },
	{ ciphers_differ, true },	  { groups_differ, true },
	{ alpn_differs, false },	  { h2_is_unasked, true },
	{ session_is_forbidden, false },  { header_differs, false },
	{ certificate_is_loaded, false },
};

static bool is_excluded(const struct finding *f, const struct nginx_place *p, bool weak)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].weak == weak && rules[i].differs(f, p))
			return true;
	return false;
}

/* Puts the item behind all others. */
static void item_exclude(struct nginx_places *places, uint32_t i)
{
	uint32_t all = places->count + places->excluded;
	struct nginx_place item = places->items[i];

	memmove(&places->items[i], &places->items[i + 1], (all - 1 - i) * sizeof(item));
	places->items[all - 1] = item;
	places->count--;
	places->excluded++;
}

/* Excludes what the rules of that strength exclude, unless these are weak and that is everything. */
static void exclude_by(struct nginx_places *places, const struct finding *f, bool weak)
{
	bool excluded[NGINX_PLACES_MAX] = { false };
	uint32_t count = places->count, kept = 0;

	for (uint32_t i = 0; i < count; i++) {
		excluded[i] = is_excluded(f, &places->items[i], weak);
		kept += !excluded[i];
	}
	for (uint32_t i = count; (kept || !weak) && i-- > 0;)
		if (excluded[i])
			item_exclude(places, i);
}

/* Places are in the order of their certainty: the surest stay. */
static void exclude_unsure(struct nginx_places *places)
{
	while (places->count &&
	       places->items[places->count - 1].certainty != places->items[0].certainty) {
		places->count--;
		places->excluded++;
	}
}

/* Does the place connect to the peer for certain, or as surely as the one that is left? */
static bool is_of_peer(const struct nginx_place *p, const struct nginx_place *left)
{
	const struct nginx_words *a = &p->peer_name, *b = &left->peer_name;

	return p->certainty == NGINX_CERTAIN ||
	       (p->certainty == NGINX_LIKELY && a->len && a->len == b->len &&
		!strncasecmp(a->data, b->data, a->len));
}

/* Of the excluded ones those stay that connect to the peer as well: not those that only have its port. */
static void forget_others(struct nginx_places *places)
{
	uint32_t all = places->count + places->excluded, kept = places->count;

	for (uint32_t i = places->count; i < all; i++)
		if (is_of_peer(&places->items[i], &places->items[0]))
			places->items[kept++] = places->items[i];
	places->excluded = kept - places->count;
}

void nginxplaces_exclude(struct nginx_places *places, const struct finding *f)
{
	enum nginx_certainty last;

	if (!places->count || nginx_module_is_server(places->items[0].module))
		return;
	last = places->items[places->count - 1].certainty;
	exclude_by(places, f, false);
	exclude_by(places, f, true);
	exclude_unsure(places);
	/* What there was no room for is as unsure as the last one was, or less sure still. */
	if (places->count && places->items[0].certainty != last)
		places->more = 0;
	forget_others(places);
}
