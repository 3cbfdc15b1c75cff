// SPDX-License-Identifier: BSD-2-Clause
/*
 * A row has a function that proposes values, looking at what was observed and at what is set. When
 * it has none to propose, the hint stays general and tells what is set now.
 */
#include "nginxadvice.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "nginxpatch.h"
#include "text.h"

#define NS_PER_S    1000000000ULL
#define CHANGES_MAX 2
#define VALUE_LEN   FINDING_NAME_LEN
#define DEPTH_NGINX 1 /* default of ssl_verify_depth */

/* A directive and what it should say. */
struct change {
	enum nginx_setting setting;
	char value[VALUE_LEN];
};

struct advice {
	const struct finding *f;
	const struct nginx_places *places;
	const struct nginx_place *place; /* the first of them */
	unsigned int change_count;
	struct change changes[CHANGES_MAX];
};

struct fix {
	const char *slug;
	void (*propose)(struct advice *advice); /* NULL: there is nothing to set */
	const char *caution;			/* behind what is proposed, or NULL */
	const char *otherwise; /* instead of the cause's own hint when nothing is proposed, or
				* NULL */
	unsigned int show;     /* settings that are told, as bits */
	unsigned int files;    /* settings whose files are told about, as bits */
};

#define BIT(setting) (1U << (setting))

static struct nginx_words words_of(const char *string)
{
	return (struct nginx_words){ string, (uint32_t)strlen(string) };
}

static void add_words(struct text *t, const struct nginx_words *words)
{
	text_add_hostile(t, words->data, words->len);
}

/* -- what is set now --------------------------------------------------------------------------- */

static struct nginx_words value_of(const struct nginx_place *place, enum nginx_setting setting)
{
	const struct nginx_value *v = nginx_place_value(place, setting);

	return v ? v->value : words_of("");
}

static bool has_word(const struct nginx_words *words, const char *word)
{
	size_t len = strlen(word);

	for (uint32_t i = 0; i + len <= words->len; i++) {
		bool begins = i == 0 || words->data[i - 1] == ' ';
		bool ends = i + len == words->len || words->data[i + len] == ' ';

		if (begins && ends && !memcmp(words->data + i, word, len))
			return true;
	}
	return false;
}

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

static void change_add(struct advice *a, enum nginx_setting setting, const char *value)
{
	struct change *c = &a->changes[a->change_count];
	struct text t;

	if (a->change_count == CHANGES_MAX)
		return;
	c->setting = setting;
	text_init(&t, c->value, sizeof(c->value));
	text_add(&t, value);
	a->change_count += !t.cut;
}

static void change_add_words(struct advice *a, enum nginx_setting setting,
			     const struct nginx_words *words)
{
	char value[VALUE_LEN];
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

static void propose_server_name(struct advice *a)
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
static void propose_peer_name(struct advice *a)
{
	const struct nginx_place *p = a->place;

	if (is_host_name(p->peer_name.data, p->peer_name.len) &&
	    !nginx_words_are(&p->peer_name, a->f->hello.server_name))
		change_add_words(a, NGINX_SSL_NAME, &p->peer_name);
}

/* A name of the certificate: the one that the peer is configured by, or the only one. */
static void propose_certificate_name(struct advice *a)
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
static void propose_protocols(struct advice *a)
{
	static const char *const safe[] = { "TLSv1.2", "TLSv1.3" };
	struct nginx_words now = value_of(a->place, NGINX_SSL_PROTOCOLS);
	char value[VALUE_LEN];
	bool more = false;
	struct text t;

	text_init(&t, value, sizeof(value));
	text_addf(&t, "%.*s", (int)now.len, now.data);
	for (size_t i = 0; i < sizeof(safe) / sizeof(safe[0]); i++) {
		bool offered = false;

		for (unsigned int k = 0; k < a->f->hello.version_count; k++)
			offered |= !strcmp(a->f->hello.versions[k], safe[i] + strlen("TLSv"));
		if (has_word(&now, safe[i]))
			continue;
		more |= !offered;
		text_addf(&t, "%s%s", t.len ? " " : "", safe[i]);
	}
	if (more && !t.cut)
		change_add(a, NGINX_SSL_PROTOCOLS, value);
}

static void propose_depth(struct advice *a)
{
	struct nginx_words now = value_of(a->place, NGINX_SSL_VERIFY_DEPTH);
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

static void propose_ciphers(struct advice *a)
{
	struct nginx_words ciphers = value_of(a->place, NGINX_SSL_CIPHERS);

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
static void propose_groups(struct advice *a)
{
	if (groups_can_be_set(a->place))
		change_add(a, NGINX_SSL_CONF_COMMAND, "Groups X25519:P-256:P-384");
}

/* Without what most of the ClientHello is. */
static void propose_short_hello(struct advice *a)
{
	const struct finding_hello *hello = &a->f->hello;

	if (hello->session_length > hello->length / 2)
		change_add(a, NGINX_SSL_SESSION_REUSE, "off");
	else if (hello->key_shares_length > hello->length / 2)
		propose_groups(a);
}

/* The certificate that another place uses with the same peer. */
static void propose_client_certificate(struct advice *a)
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
static void propose_plain(struct advice *a)
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
	char value[VALUE_LEN];
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
	BIT(NGINX_SSL_CERTIFICATE) | BIT(NGINX_SSL_CERTIFICATE_KEY);

static const struct fix fixes[] = {
	{ .slug = "sni-missing",
	  .propose = propose_server_name,
	  .otherwise = "set proxy_ssl_server_name on; and proxy_ssl_name to the name that the "
		       "upstream serves: its target here is an address or the name of an upstream "
		       "block",
	  .show = BIT(NGINX_SSL_SERVER_NAME) | BIT(NGINX_SSL_NAME) },
	{ .slug = "sni-unrecognized", .propose = propose_peer_name, .show = BIT(NGINX_SSL_NAME) },
	{ .slug = "verify-hostname-mismatch",
	  .propose = propose_certificate_name,
	  .caution = "if that is the server you mean; else have its certificate reissued",
	  .show = BIT(NGINX_SSL_NAME) },
	{ .slug = "protocol-version-rejected",
	  .propose = propose_protocols,
	  .otherwise = "upgrade the upstream's TLS: it speaks neither TLS 1.2 nor 1.3; older "
		       "versions are broken, so allowing them in proxy_ssl_protocols comes last",
	  .show = BIT(NGINX_SSL_PROTOCOLS) },
	{ .slug = "no-protocols-available",
	  .propose = propose_protocols,
	  .show = BIT(NGINX_SSL_PROTOCOLS) | BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "protocol-version-too-old", .show = BIT(NGINX_SSL_PROTOCOLS) },
	{ .slug = "cipher-mismatch",
	  .propose = propose_ciphers,
	  .caution = "the list there leaves out what the upstream takes",
	  .show = BIT(NGINX_SSL_CIPHERS) | BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "dh-key-too-small", .show = BIT(NGINX_SSL_CIPHERS) },
	{ .slug = "legacy-renegotiation", .show = BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "legacy-signature", .show = BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "client-cert-required",
	  .propose = propose_client_certificate,
	  .caution = "as another place does for this peer",
	  .show = BIT(NGINX_SSL_CERTIFICATE),
	  .files = client_files },
	{ .slug = "client-cert-required-legacy",
	  .propose = propose_client_certificate,
	  .caution = "as another place does for this peer",
	  .show = BIT(NGINX_SSL_CERTIFICATE),
	  .files = client_files },
	{ .slug = "client-cert-untrusted",
	  .show = BIT(NGINX_SSL_CERTIFICATE),
	  .files = client_files },
	{ .slug = "client-cert-expired",
	  .show = BIT(NGINX_SSL_CERTIFICATE),
	  .files = client_files },
	{ .slug = "client-cert-rejected",
	  .show = BIT(NGINX_SSL_CERTIFICATE),
	  .files = client_files },
	{ .slug = "peer-not-tls-http",
	  .propose = propose_plain,
	  .otherwise = "use the port on which the upstream speaks TLS",
	  .caution =
		  "everything then goes unencrypted, so only if the upstream has no port that speaks "
		  "TLS; else correct the port" },
	{ .slug = "verify-depth-exceeded",
	  .propose = propose_depth,
	  .show = BIT(NGINX_SSL_VERIFY_DEPTH) },
	{ .slug = "verify-untrusted-issuer",
	  .propose = propose_depth,
	  .caution = "the chain is longer than is allowed there, which OpenSSL 3 reports as an "
		     "unknown issuer",
	  .show = BIT(NGINX_SSL_TRUSTED_CERTIFICATE) | BIT(NGINX_SSL_VERIFY_DEPTH),
	  .files = BIT(NGINX_SSL_TRUSTED_CERTIFICATE) },
	{ .slug = "verify-chain-incomplete",
	  .show = BIT(NGINX_SSL_TRUSTED_CERTIFICATE),
	  .files = BIT(NGINX_SSL_TRUSTED_CERTIFICATE) },
	{ .slug = "verify-self-signed",
	  .show = BIT(NGINX_SSL_TRUSTED_CERTIFICATE),
	  .files = BIT(NGINX_SSL_TRUSTED_CERTIFICATE) },
	{ .slug = "verify-self-signed-in-chain",
	  .show = BIT(NGINX_SSL_TRUSTED_CERTIFICATE),
	  .files = BIT(NGINX_SSL_TRUSTED_CERTIFICATE) },
	{ .slug = "verify-revoked", .show = BIT(NGINX_SSL_CRL), .files = BIT(NGINX_SSL_CRL) },
	{ .slug = "verify-crl-missing", .show = BIT(NGINX_SSL_CRL), .files = BIT(NGINX_SSL_CRL) },
	{ .slug = "group-mismatch", .show = BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "pqc-hello-intolerant",
	  .propose = propose_groups,
	  .caution = "to find out, and until what drops the long hello is updated: it gives up "
		     "protection from quantum computers for this peer",
	  .show = BIT(NGINX_SSL_CONF_COMMAND) },
	{ .slug = "large-hello-intolerant",
	  .propose = propose_short_hello,
	  .caution = "to find out, and until what drops the long hello is updated",
	  .show = BIT(NGINX_SSL_CONF_COMMAND) | BIT(NGINX_SSL_CIPHERS) },
	{ .slug = "handshake-timeout", .show = BIT(NGINX_CONNECT_TIMEOUT) },
	{ .slug = "handshake-blackholed", .show = BIT(NGINX_CONNECT_TIMEOUT) },
};
#define FIX_COUNT (sizeof(fixes) / sizeof(fixes[0]))

static const struct fix *fix_find(const char *slug)
{
	for (size_t i = 0; i < FIX_COUNT; i++)
		if (!strcmp(fixes[i].slug, slug))
			return &fixes[i];
	return NULL;
}

const char *nginxadvice_slug(size_t index)
{
	return index < FIX_COUNT ? fixes[index].slug : NULL;
}

/* -- the change -------------------------------------------------------------------------------- */

/* Leaves out what is set so already. */
static void changes_reduce(struct advice *a)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < a->change_count; i++) {
		struct nginx_words now = value_of(a->place, a->changes[i].setting);

		if (!nginx_words_are(&now, a->changes[i].value))
			a->changes[kept++] = a->changes[i];
	}
	a->change_count = kept;
}

static void add_name(struct text *t, const struct advice *a, enum nginx_setting setting)
{
	text_addf(t, "%s%s", nginx_module_prefix(a->place->module), nginx_setting_name(setting));
}

static void add_directive(struct text *t, const struct advice *a, const struct change *c)
{
	add_name(t, a, c->setting);
	text_add(t, " ");
	text_add_hostile(t, c->value, strlen(c->value));
	text_add(t, ";");
}

/* Is the value written in nginx.conf, and shown, as it is? */
static bool is_plain_value(const char *value)
{
	char shown[4 * VALUE_LEN];
	struct text t;

	text_init(&t, shown, sizeof(shown));
	text_add_hostile(&t, value, strlen(value));
	return !strpbrk(value, "\"'{}#;") && !strcmp(shown, value);
}

static void patch_make(const struct advice *a, struct finding_config *config)
{
	const struct nginx_place *p = a->place;
	const struct nginx_spot *place = nginx_place_spot(p, NGINX_BLOCK);
	struct nginxpatch patch = { 0 };
	struct text out, added;
	char buf[NGINXPATCH_TEXT_LEN];

	text_init(&added, buf, sizeof(buf));
	for (unsigned int i = 0; i < a->change_count; i++) {
		const struct change *c = &a->changes[i];
		const struct nginx_value *now = nginx_place_value(p, c->setting);
		const struct nginx_spot *spot = nginx_place_spot(p, c->setting);
		char line[NGINXPATCH_TEXT_LEN];
		struct text t;

		text_init(&t, line, sizeof(line));
		add_directive(&t, a, c);
		patch.failed |= t.cut || !is_plain_value(c->value);
		if (spot)
			nginxpatch_replace(&patch, spot, line);
		else if (c->setting == NGINX_PASS || (now && now->own))
			patch.failed = true;
		else
			text_addf(&added, "%s%s", added.len ? "\n" : "", line);
	}
	if (!place)
		place = nginx_place_spot(p, NGINX_PASS);
	patch.failed |= added.cut || (added.len && !place);
	if (added.len && place)
		nginxpatch_insert(&patch, place, buf);
	text_init(&out, config->patch, sizeof(config->patch));
	nginxpatch_write(&patch, &out);
}

/* -- words ------------------------------------------------------------------------------------- */

static void add_place(struct text *t, const struct nginx_words *file, uint32_t line)
{
	add_words(t, file);
	text_addf(t, ":%u", line);
}

/* Where it is set, in short when that is in the same file: "line 12". */
static void add_origin(struct text *t, const struct advice *a, const struct nginx_value *v)
{
	const struct nginx_words *file = &a->place->file;

	if (v->file.len == file->len && !memcmp(v->file.data, file->data, file->len))
		text_addf(t, "line %u", v->line);
	else
		add_place(t, &v->file, v->line);
}

/* "proxy_ssl_verify_depth is 1 (line 12)". */
static void add_current(struct text *t, const struct advice *a, enum nginx_setting setting)
{
	const struct nginx_value *v = nginx_place_value(a->place, setting);

	add_name(t, a, setting);
	if (!v) {
		text_add(t, " is not set");
		return;
	}
	text_add(t, " is ");
	add_words(t, &v->value);
	text_add(t, " (");
	add_origin(t, a, v);
	text_add(t, ")");
}

/* "set proxy_ssl_verify_depth 2; (now 1, line 12)". */
static void add_change(struct text *t, const struct advice *a, const struct change *c)
{
	const struct nginx_value *now = nginx_place_value(a->place, c->setting);

	add_directive(t, a, c);
	if (now) {
		text_add(t, " (now ");
		add_words(t, &now->value);
		text_add(t, ", ");
		add_origin(t, a, now);
		text_add(t, ")");
	} else if (c->setting != NGINX_PASS) {
		text_add(t, " (not set now)");
	}
}

static void add_proposal(struct text *t, const struct advice *a, const struct fix *fix)
{
	text_add(t, "at ");
	add_place(t, &a->place->file, a->place->line);
	text_add(t, " set ");
	for (unsigned int i = 0; i < a->change_count; i++) {
		text_add(t, i ? " and " : "");
		add_change(t, a, &a->changes[i]);
	}
	if (fix->caution)
		text_addf(t, ": %s", fix->caution);
}

/* Of one setting, also that it is not set. */
static void add_settings(struct text *t, const struct advice *a, unsigned int show)
{
	const char *before = "; ";
	bool is_alone = (show & (show - 1)) == 0;

	for (unsigned int i = 0; i < a->change_count; i++)
		show &= ~BIT(a->changes[i].setting);
	for (int i = 0; i < NGINX_SETTING_COUNT; i++) {
		if (!(show & BIT(i)) || (!is_alone && !nginx_place_value(a->place, i)))
			continue;
		text_add(t, before);
		add_current(t, a, i);
		before = ", ";
	}
}

static void add_file_name(struct text *t, const struct advice *a, const struct nginx_note *n)
{
	struct nginx_words value = value_of(a->place, n->setting);

	add_words(t, &value);
}

static void add_note(struct text *t, const struct advice *a, const struct nginx_note *n)
{
	int64_t now = (int64_t)(a->f->time_ns / NS_PER_S);

	if ((n->kind == NGINX_NOTE_ENDS && n->number >= now) ||
	    (n->kind == NGINX_NOTE_BEGINS && n->number <= now))
		return;
	text_add(t, "; ");
	add_file_name(t, a, n);
	switch (n->kind) {
	case NGINX_NOTE_MISSING:
		text_add(t, " cannot be read (");
		add_words(t, &n->words);
		text_add(t, ")");
		break;
	case NGINX_NOTE_CHANGED:
		text_add(t, " was changed at ");
		text_add_time(t, n->number);
		text_add(t, ", after this worker had read it: reload nginx");
		break;
	case NGINX_NOTE_ENDS:
		text_add(t, " ended at ");
		text_add_time(t, n->number);
		break;
	case NGINX_NOTE_BEGINS:
		text_add(t, " is valid only from ");
		text_add_time(t, n->number);
		break;
	case NGINX_NOTE_ISSUER:
		text_add(t, " was issued by ");
		add_words(t, &n->words);
		break;
	case NGINX_NOTE_NO_CLIENT_USE:
		text_add(t, " is not meant for a client (extendedKeyUsage)");
		break;
	case NGINX_NOTE_KEY_MISMATCH:
		text_add(t, " is not the key of the certificate");
		break;
	case NGINX_NOTE_KIND_COUNT:
		break;
	}
}

static void hint_make(const struct advice *a, const struct fix *fix, struct finding *f)
{
	char words[FINDING_HINT_LEN];
	struct text t;

	text_init(&t, words, sizeof(words));
	if (a->change_count)
		add_proposal(&t, a, fix);
	else
		text_add(&t, fix->otherwise ? fix->otherwise : f->hint);
	add_settings(&t, a, fix->show);
	for (uint32_t i = 0; i < a->place->note_count; i++)
		if (fix->files & BIT(a->place->notes[i].setting))
			add_note(&t, a, &a->place->notes[i]);
	if (a->place->changed)
		text_add(&t, "; the configuration was changed after this worker had started: it "
			     "may be that a reload is all that is missing");
	text_init(&t, f->hint, sizeof(f->hint));
	text_add(&t, words);
}

/* -- the finding ------------------------------------------------------------------------------- */

static void fill_text(char *buf, size_t size, const struct nginx_words *words)
{
	struct text t;

	text_init(&t, buf, size);
	add_words(&t, words);
}

static void fill_place(struct finding_place *to, const struct nginx_place *from)
{
	to->line = from->line;
	fill_text(to->file, sizeof(to->file), &from->file);
	fill_text(to->location, sizeof(to->location), &from->location);
	fill_text(to->server, sizeof(to->server), &from->server);
	fill_text(to->upstream, sizeof(to->upstream), &from->upstream);
}

static void fill_settings(struct finding_config *config, const struct nginx_place *p)
{
	for (uint32_t i = 0; i < p->value_count && i < FINDING_SETTINGS_MAX; i++) {
		struct text t;

		text_init(&t, config->settings[config->setting_count++], FINDING_SETTING_LEN);
		text_addf(&t, "%s%s ", nginx_module_prefix(p->module),
			  nginx_setting_name(p->values[i].setting));
		add_words(&t, &p->values[i].value);
	}
}

void nginxadvice_fill(struct finding *f, const struct nginx_places *places)
{
	static const char *const certainties[NGINX_CERTAINTY_COUNT] = {
		[NGINX_CERTAIN] = "certain",
		[NGINX_LIKELY] = "likely",
		[NGINX_POSSIBLE] = "possible",
	};
	const struct fix *fix = fix_find(f->cause);
	struct advice a = { .f = f, .places = places, .place = &places->items[0] };

	f->config.more = places->more;
	for (uint32_t i = 0; i < places->count && i < FINDING_PLACES_MAX; i++)
		fill_place(&f->config.places[f->config.place_count++], &places->items[i]);
	if (!places->count)
		return;
	f->config.certainty = certainties[a.place->certainty];
	f->config.changed = a.place->changed;
	fill_settings(&f->config, a.place);
	if (!fix)
		return;
	if (fix->propose)
		fix->propose(&a);
	changes_reduce(&a);
	hint_make(&a, fix, f);
	if (a.change_count)
		patch_make(&a, &f->config);
}
