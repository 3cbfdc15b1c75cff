// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the table proposes, in words and as a diff. When it proposes nothing, the hint stays general
 * and tells what is set now.
 */
#include "program/nginx/advice.h"

#include <string.h>

#include "program/nginx/exclude.h"
#include "program/nginx/fixes.h"
#include "program/nginx/patch.h"
#include "base/text.h"
#include "base/calendar.h"
#include "base/units.h"

static void add_words(struct text *t, const struct nginx_words *words)
{
	text_add_hostile(t, words->data, words->len);
}

/* Is it known which place it is? A client is at one server block. */
static bool is_alone(const struct nginx_places *places)
{
	return nginx_module_is_server(places->items[0].module) ||
	       (places->count == 1 && !places->more);
}

/* -- the change -------------------------------------------------------------------------------- */

/* Leaves out what is set so already. */
static void changes_reduce(struct nginxfix_advice *a)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < a->change_count; i++) {
		struct nginx_words now = nginxfix_value(a->place, a->changes[i].setting);

		if (!nginx_words_are(&now, a->changes[i].value))
			a->changes[kept++] = a->changes[i];
	}
	a->change_count = kept;
}

static void add_name(struct text *t, const struct nginxfix_advice *a, enum nginx_setting setting)
{
	text_addf(t, "%s%s", nginx_module_prefix(a->place->module), nginx_setting_name(setting));
}

static void add_directive(struct text *t, const struct nginxfix_advice *a,
			  const struct nginxfix_change *c)
{
	add_name(t, a, c->setting);
	text_add(t, " ");
	text_add_hostile(t, c->value, strlen(c->value));
	text_add(t, ";");
}

/* Is the value written in nginx.conf, and shown, as it is? */
static bool is_plain_value(const char *value)
{
	char shown[4 * NGINXFIX_VALUE_LEN];
	struct text t;

	text_init(&t, shown, sizeof(shown));
	text_add_hostile(&t, value, strlen(value));
	return !strpbrk(value, "\"'{}#;") && !strcmp(shown, value);
}

/* What has to be thought of before a patch is applied, which changes a shared file or not; NULL: nothing. */
static const char *review_of(const struct nginxfix_advice *a, bool shared)
{
	if (a->place->certainty == NGINX_POSSIBLE)
		return "this may not be the right place: its target is a variable";
	return a->review || !shared ? a->review
				    : "this file is included more than once: every place that "
				      "includes it is changed";
}

static void patch_make(const struct nginxfix_advice *a, struct finding_config *config)
{
	const struct nginx_place *p = a->place;
	const struct nginx_spot *place = nginx_place_spot(p, NGINX_BLOCK);
	struct nginxpatch patch = { 0 };
	bool shared = false;
	struct text out, added;
	char buf[NGINXPATCH_TEXT_LEN];

	text_init(&added, buf, sizeof(buf));
	for (unsigned int i = 0; i < a->change_count; i++) {
		const struct nginxfix_change *c = &a->changes[i];
		const struct nginx_value *now = nginx_place_value(p, c->setting);
		const struct nginx_spot *spot = nginx_place_spot(p, c->setting);
		char line[NGINXPATCH_TEXT_LEN];
		struct text t;

		text_init(&t, line, sizeof(line));
		add_directive(&t, a, c);
		patch.failed |= t.cut || !is_plain_value(c->value);
		shared |= spot && spot->shared;
		if (spot)
			nginxpatch_replace(&patch, spot, line);
		else if (c->setting == NGINX_PASS || (now && now->own))
			patch.failed = true;
		else
			text_addf(&added, "%s%s", added.len ? "\n" : "", line);
	}
	if (!place)
		place = nginx_place_spot(p, NGINX_PASS);
	/* Where else a shared file is included, it may be set already. */
	patch.failed |= added.cut || (added.len && (!place || place->shared));
	if (added.len && place)
		nginxpatch_insert(&patch, place, buf);
	text_init(&out, config->patch, sizeof(config->patch));
	if (nginxpatch_write(&patch, &out))
		config->review = review_of(a, shared);
}

/* -- words ------------------------------------------------------------------------------------- */

static void add_place(struct text *t, const struct nginx_words *file, uint32_t line)
{
	add_words(t, file);
	text_addf(t, ":%u", line);
}

/* Where it is set, in short when that is in the same file: "line 12". */
static void add_origin(struct text *t, const struct nginxfix_advice *a, const struct nginx_value *v)
{
	const struct nginx_words *file = &a->place->file;

	if (v->file.len == file->len && !memcmp(v->file.data, file->data, file->len))
		text_addf(t, "line %u", v->line);
	else
		add_place(t, &v->file, v->line);
}

/* "proxy_ssl_verify_depth is 1 (line 12)". */
static void add_current(struct text *t, const struct nginxfix_advice *a, enum nginx_setting setting)
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
static void add_change(struct text *t, const struct nginxfix_advice *a,
		       const struct nginxfix_change *c)
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

/* "at FILE:12", or all of them: "at FILE:12, FILE:20 or FILE:33". */
static void add_places(struct text *t, const struct nginx_places *places)
{
	text_add(t, "at ");
	for (uint32_t i = 0; i < places->count; i++) {
		text_add(t, !i ? "" : i + 1 < places->count || places->more ? ", " : " or ");
		add_place(t, &places->items[i].file, places->items[i].line);
	}
	if (places->more)
		text_addf(t, " or %u more", places->more);
}

static void add_proposal(struct text *t, const struct nginxfix_advice *a,
			 const struct nginxfix *fix)
{
	add_places(t, a->places);
	text_add(t, " set ");
	for (unsigned int i = 0; i < a->change_count; i++) {
		text_add(t, i ? " and " : "");
		if (is_alone(a->places))
			add_change(t, a, &a->changes[i]);
		else
			add_directive(t, a, &a->changes[i]);
	}
	if (fix->caution)
		text_addf(t, ": %s", fix->caution);
}

/* Words of the table, which names the directives of proxy_pass, for the module that passes. */
static void add_for_module(struct text *t, const char *words, enum nginx_module module)
{
	static const char *const names[] = { "proxy_ssl_", "proxy_connect_timeout", "proxy_pass " };
	const char *prefix = nginx_module_prefix(module);

	while (*words) {
		const char *found = strstr(words, "proxy_");
		bool known = false;

		text_addf(t, "%.*s", (int)(found ? found - words : (int)strlen(words)), words);
		if (!found)
			return;
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			known |= !strncmp(found, names[i], strlen(names[i]));
		text_add(t, known && prefix[0] ? prefix : "proxy_");
		words = found + strlen("proxy_");
	}
}

/* Of one setting, also that it is not set. */
static void add_settings(struct text *t, const struct nginxfix_advice *a, unsigned int show)
{
	const char *before = "; ";
	bool only_one = (show & (show - 1)) == 0;

	for (unsigned int i = 0; i < a->change_count; i++)
		show &= ~NGINXFIX_BIT(a->changes[i].setting);
	for (int i = 0; i < NGINX_SETTING_COUNT; i++) {
		if (!(show & NGINXFIX_BIT(i)) || (!only_one && !nginx_place_value(a->place, i)))
			continue;
		text_add(t, before);
		add_current(t, a, i);
		before = ", ";
	}
}

static void add_file_name(struct text *t, const struct nginxfix_advice *a,
			  const struct nginx_note *n)
{
	struct nginx_words value = nginxfix_value(a->place, n->setting);

	add_words(t, &value);
}

static void add_note(struct text *t, const struct nginxfix_advice *a, const struct nginx_note *n)
{
	int64_t now = (int64_t)(a->f->time_ns / NS_PER_S);

	if ((n->kind == NGINX_NOTE_ENDS && n->number >= now) ||
	    (n->kind == NGINX_NOTE_EXPIRED && n->number >= now) ||
	    (n->kind == NGINX_NOTE_BEGINS && n->number <= now) ||
	    (n->kind == NGINX_NOTE_HOLDS && n->setting == NGINX_SSL_CERTIFICATE) ||
	    (n->kind == NGINX_NOTE_NO_ROOT && n->setting == NGINX_SSL_CERTIFICATE))
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
		text_add(t, " was changed on ");
		calendar_add_words(t, n->number);
		text_add(t, ", after this worker read it: reload nginx");
		break;
	case NGINX_NOTE_ENDS:
		text_add(t, " expired on ");
		calendar_add_words(t, n->number);
		break;
	case NGINX_NOTE_BEGINS:
		text_add(t, " is not valid until ");
		calendar_add_words(t, n->number);
		break;
	case NGINX_NOTE_ISSUER:
		text_add(t, " was issued by ");
		add_words(t, &n->words);
		break;
	case NGINX_NOTE_HOLDS:
		text_add(t, " holds ");
		add_words(t, &n->words);
		break;
	case NGINX_NOTE_EXPIRED:
		text_add(t, ": in it, ");
		add_words(t, &n->words);
		text_add(t, " expired on ");
		calendar_add_words(t, n->number);
		break;
	case NGINX_NOTE_NO_ROOT:
		text_add(t, " holds no root certificate: add ");
		add_words(t, &n->words);
		break;
	case NGINX_NOTE_NO_CLIENT_USE:
		text_add(t, " is not meant for clients (extendedKeyUsage)");
		break;
	case NGINX_NOTE_KEY_MISMATCH:
		text_add(t, " is not the key of the certificate");
		break;
	case NGINX_NOTE_STAPLED:
		text_add(t, " requires a stapled OCSP status (must-staple), and ssl_stapling is "
			    "not on: clients that check for it refuse the certificate");
		break;
	case NGINX_NOTE_MOVED:
	case NGINX_NOTE_OTHER_NAMES:
	case NGINX_NOTE_OTHER_SERVERS:
	case NGINX_NOTE_NAMED:
	case NGINX_NOTE_KIND_COUNT:
		break;
	}
}

/* That the peer is not where its name is now. */
static void add_moved(struct text *t, const struct nginxfix_advice *a, const struct nginx_note *n)
{
	add_places(t, a->places);
	text_add(t, " nginx passes to ");
	add_words(t, &a->place->peer_name);
	text_addf(t, ", which it resolved when it started; that name now resolves to ");
	add_words(t, &n->words);
	text_addf(t, ", no longer to %s (/etc/hosts): reload nginx", a->f->peer.address);
}

static void add_advice(struct text *t, const struct nginxfix_advice *a, const struct nginxfix *fix)
{
	if (a->change_count)
		add_proposal(t, a, fix);
	else if (!fix->explain || !fix->explain(a, t))
		add_for_module(t, fix->otherwise ? fix->otherwise : a->f->hint, a->place->module);
	if (!is_alone(a->places))
		return;
	add_settings(t, a, fix->show);
	if (a->is_default_server)
		text_add(t, "; this is the default server of the address, so its setting applies "
			    "to every server_name");
	for (uint32_t i = 0; i < a->place->note_count; i++)
		if (fix->files & NGINXFIX_BIT(a->place->notes[i].setting))
			add_note(t, a, &a->place->notes[i]);
}

static void hint_make(const struct nginxfix_advice *a, const struct nginxfix *fix,
		      struct finding *f)
{
	const struct nginx_note *moved = nginxplace_note(a->place, NGINX_NOTE_MOVED);
	char words[FINDING_HINT_LEN];
	struct text t;

	text_init(&t, words, sizeof(words));
	if (moved)
		add_moved(&t, a, moved);
	else if (fix)
		add_advice(&t, a, fix);
	else
		add_for_module(&t, f->hint, a->place->module);
	if (a->place->changed && !moved)
		text_add(&t, "; the configuration was changed after this worker started: a reload "
			     "may be all that is needed");
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

/* A client is at one server block, whichever of the two it is about. */
static void fill_places(struct finding_config *config, const struct nginxfix_advice *a)
{
	if (nginx_module_is_server(a->place->module)) {
		fill_place(&config->places[config->place_count++], a->place);
		return;
	}
	config->more = a->places->more;
	for (uint32_t i = 0; i < a->places->count && i < FINDING_PLACES_MAX; i++)
		fill_place(&config->places[config->place_count++], &a->places->items[i]);
}

static void fill_settings(struct finding_config *config, const struct nginx_place *p)
{
	for (uint32_t i = 0; i < p->value_count; i++) {
		struct text t;

		if (config->setting_count == FINDING_SETTINGS_MAX ||
		    !nginx_setting_is_directive(p->values[i].setting) ||
		    (p->values[i].of_default && !p->values[i].value.len))
			continue;
		text_init(&t, config->settings[config->setting_count++], FINDING_SETTING_LEN);
		text_addf(&t, "%s%s ", nginx_module_prefix(p->module),
			  nginx_setting_name(p->values[i].setting));
		add_words(&t, &p->values[i].value);
	}
}

/* Is one of the settings that the fix is about the default server's? */
static bool default_decides(const struct nginx_places *places, const struct nginxfix *fix)
{
	const struct nginx_place *p = &places->items[0];

	for (uint32_t i = 0; fix && places->count > 1 && i < p->value_count; i++)
		if (p->values[i].of_default && fix->show & NGINXFIX_BIT(p->values[i].setting))
			return true;
	return false;
}

/* Proposes what to change at the place, if that is not so already. */
static void propose(struct nginxfix_advice *a, const struct nginxfix *fix)
{
	a->change_count = 0;
	a->review = fix->review;
	a->sets = fix->sets;
	if (fix->propose && !nginx_module_is_server(a->place->module))
		fix->propose(a);
	changes_reduce(a);
}

static bool is_same(const struct nginxfix_advice *a, const struct nginxfix_advice *b)
{
	if (a->change_count != b->change_count)
		return false;
	for (unsigned int i = 0; i < a->change_count; i++)
		if (a->changes[i].setting != b->changes[i].setting ||
		    strcmp(a->changes[i].value, b->changes[i].value) != 0)
			return false;
	return true;
}

/* What is proposed for one place only helps nobody who does not know which one it is. */
static void propose_for_all(struct nginxfix_advice *a, const struct nginxfix *fix)
{
	propose(a, fix);
	for (uint32_t i = 1; i < a->places->count && a->change_count; i++) {
		struct nginxfix_advice other = { .f = a->f,
						 .places = a->places,
						 .place = &a->places->items[i] };

		propose(&other, fix);
		if (other.place->module != a->place->module || !is_same(a, &other))
			a->change_count = 0;
	}
}

void nginxadvice_fill(struct finding *f, struct nginx_places *places)
{
	static const char *const certainties[NGINX_CERTAINTY_COUNT] = {
		[NGINX_CERTAIN] = "certain",
		[NGINX_LIKELY] = "likely",
		[NGINX_POSSIBLE] = "possible",
		[NGINX_MOVED] = "moved",
	};
	const struct nginxfix *fix = nginxfix_find(f->cause);
	struct nginxfix_advice a = { .f = f, .places = places, .place = &places->items[0] };

	nginxplaces_exclude(places, f);
	if (!places->count)
		return;
	a.is_default_server = default_decides(places, fix);
	a.place += a.is_default_server;
	fill_places(&f->config, &a);
	f->config.certainty = is_alone(places) ? certainties[a.place->certainty] : "several";
	f->config.changed = a.place->changed;
	if (is_alone(places))
		fill_settings(&f->config, a.place);
	if (fix)
		propose_for_all(&a, fix);
	hint_make(&a, fix, f);
	if (!a.change_count || !is_alone(places) || a.place->certainty == NGINX_MOVED)
		return;
	patch_make(&a, &f->config);
}
