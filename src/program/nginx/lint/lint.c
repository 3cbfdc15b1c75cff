// SPDX-License-Identifier: BSD-2-Clause
/*
 * Looks at a configuration once, and lets every rule look at what was found.
 */
#include "program/nginx/lint/rules.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* ---- the rules ---- */

const struct lint_rule *lint_rule_at(size_t i)
{
	if (i < lint_upstream_rule_count)
		return &lint_upstream_rules[i];
	i -= lint_upstream_rule_count;
	if (i < lint_server_rule_count)
		return &lint_server_rules[i];
	i -= lint_server_rule_count;
	return i < lint_file_rule_count ? &lint_file_rules[i] : NULL;
}

int lint_rule_find(const char *slug)
{
	const struct lint_rule *rule;

	for (size_t i = 0; (rule = lint_rule_at(i)); i++)
		if (!strcmp(rule->slug, slug))
			return (int)i;
	return -1;
}

void lint_settings_default(struct lint_settings *settings)
{
	const struct lint_rule *rule;

	for (size_t i = 0; (rule = lint_rule_at(i)); i++)
		settings->severities[i] = rule->severity;
}

static const char *const severity_names[] = {
	[LINT_OFF] = "off",
	[LINT_NOTE] = "note",
	[LINT_WARNING] = "warning",
	[LINT_ERROR] = "error",
};

const char *lint_severity_name(enum lint_severity severity)
{
	return severity_names[severity];
}

bool lint_severity_find(const char *name, enum lint_severity *severity)
{
	for (size_t i = 0; i < ARRAY_LEN(severity_names); i++) {
		*severity = (enum lint_severity)i;
		if (!strcmp(severity_names[i], name))
			return true;
	}
	return false;
}

/* ---- the configuration ---- */

directive *lint_next(directive *d)
{
	if (d->first)
		return d->first;
	while (d && !d->next)
		d = d->parent;
	return d ? d->next : NULL;
}

bool lint_inside(directive *d, const char *name)
{
	for (d = d->parent; d; d = d->parent)
		if (!strcmp(d->words[0], name))
			return true;
	return false;
}

/* Is that the name: prefix and name behind each other? */
static bool is_named(directive *d, const char *prefix, const char *name)
{
	size_t len = strlen(prefix);

	return !strncmp(d->words[0], prefix, len) && !strcmp(d->words[0] + len, name);
}

directive *lint_setting(directive *block, const char *prefix, const char *name)
{
	for (; block; block = block->parent)
		for (directive *d = block->first; d; d = d->next)
			if (is_named(d, prefix, name))
				return d;
	return NULL;
}

bool lint_is(directive *block, const char *prefix, const char *name, const char *word)
{
	directive *d = lint_setting(block, prefix, name);

	return d && !strcmp(nginxconf_word(d, 1), word);
}

/* The block "upstream NAME" of the same module. */
static directive *upstream_find(const struct lint *lint, const struct nginxtarget *url, bool stream)
{
	for (size_t i = 0; i < lint->upstream_count; i++) {
		directive *d = lint->upstreams[i];

		if (strlen(nginxconf_word(d, 1)) == url->host_len &&
		    !memcmp(nginxconf_word(d, 1), url->host, url->host_len) &&
		    lint_inside(d, "stream") == stream)
			return d;
	}
	return NULL;
}

static const struct pass_kind {
	const char *name;
	const char *prefix;
	const char *scheme; /* of TLS */
	const char *plain;
} pass_kinds[] = {
	{ "proxy_pass", "proxy_", "https://", "http://" },
	{ "grpc_pass", "grpc_", "grpcs://", "grpc://" },
	{ "uwsgi_pass", "uwsgi_", "suwsgi://", "uwsgi://" },
};

static bool place_read(const struct lint *lint, directive *d, struct lint_place *place)
{
	const struct pass_kind *kind = NULL;
	const char *target = nginxconf_word(d, 1);

	for (size_t i = 0; i < ARRAY_LEN(pass_kinds); i++)
		if (!strcmp(d->words[0], pass_kinds[i].name))
			kind = &pass_kinds[i];
	if (!kind || !d->parent || !*target)
		return false;
	*place = (struct lint_place){
		.pass = d,
		.block = d->parent,
		.prefix = kind->prefix,
		.stream = lint_inside(d, "stream"),
		.symbolic = strchr(target, '$') != NULL,
	};
	if (place->stream) {
		place->tls = lint_is(d->parent, "proxy_", "ssl", "on");
	} else if (!strncmp(target, kind->scheme, strlen(kind->scheme))) {
		place->tls = true;
		target += strlen(kind->scheme);
	} else if (!strncmp(target, kind->plain, strlen(kind->plain))) {
		target += strlen(kind->plain);
	}
	place->target = target;
	nginxtarget_parse(target, &place->url);
	if (!place->symbolic)
		place->upstream = upstream_find(lint, &place->url, place->stream);
	return true;
}

static bool has_word(directive *d, const char *word)
{
	for (uint32_t i = 2; i < d->word_count; i++)
		if (!strcmp(nginxconf_word(d, i), word))
			return true;
	return false;
}

/* "443", "*:443", "0.0.0.0:443", "example.com" are one address each in one form. */
static void address_normalize(const char *word, char address[64])
{
	struct text t;
	size_t digits = strspn(word, "0123456789");
	bool no_port = strncmp(word, "unix:", 5) != 0 && !strchr(word, ']') && !strchr(word, ':');

	text_init(&t, address, 64);
	if (!word[digits])
		text_addf(&t, "*:%s", word);
	else if (!strncmp(word, "0.0.0.0:", 8))
		text_addf(&t, "*:%s", word + 8);
	else
		text_addf(&t, "%s%s", word, no_port ? ":80" : "");
}

static bool listen_read(directive *d, struct lint_listen *l)
{
	static const char *const modules[] = { "http", "stream", "mail" };

	if (strcmp(d->words[0], "listen") != 0 || !d->parent ||
	    strcmp(d->parent->words[0], "server") != 0)
		return false;
	*l = (struct lint_listen){
		.listen = d,
		.server = d->parent,
		.module = "http",
		/* "ssl on;" was another way of saying it, until 1.25.1 */
		.ssl = has_word(d, "ssl") || has_word(d, "quic") ||
		       lint_is(d->parent, "", "ssl", "on"),
		.proxy_protocol = has_word(d, "proxy_protocol"),
		.is_default = has_word(d, "default_server") || has_word(d, "default"),
		.udp = has_word(d, "udp") || has_word(d, "quic"),
	};
	for (size_t i = 0; i < ARRAY_LEN(modules); i++)
		if (lint_inside(d, modules[i]))
			l->module = modules[i];
	address_normalize(nginxconf_word(d, 1), l->address);
	return true;
}

static int survey(struct lint *lint)
{
	size_t size = 1;

	for (directive *d = lint->conf->first; d; d = lint_next(d))
		size++;
	lint->places = calloc(size, sizeof(*lint->places));
	lint->listens = calloc(size, sizeof(*lint->listens));
	lint->upstreams = calloc(size, sizeof(*lint->upstreams));
	if (!lint->places || !lint->listens || !lint->upstreams)
		return -ENOMEM;
	for (directive *d = lint->conf->first; d; d = lint_next(d))
		if (!strcmp(d->words[0], "upstream"))
			lint->upstreams[lint->upstream_count++] = d;
	for (directive *d = lint->conf->first; d; d = lint_next(d)) {
		if (place_read(lint, d, &lint->places[lint->place_count]))
			lint->place_count++;
		if (listen_read(d, &lint->listens[lint->listen_count]))
			lint->listen_count++;
	}
	return 0;
}

/* ---- findings ---- */

/* Does this line say "tlsfail: ignore" and, behind it, the rule or nothing? */
static bool line_ignores(const char *line, size_t len, const char *slug)
{
	static const char words[] = "tlsfail: ignore";
	const char *comment = memchr(line, '#', len);
	size_t slug_len = strlen(slug);

	if (!comment)
		return false;
	for (const char *c = comment, *end = line + len; c + strlen(words) <= end; c++) {
		const char *list = c + strlen(words);

		if (memcmp(c, words, strlen(words)) != 0)
			continue;
		while (list < end && (*list == ' ' || *list == '\t' || *list == ',')) {
			list++;
			if ((size_t)(end - list) >= slug_len && !memcmp(list, slug, slug_len) &&
			    (list + slug_len == end || strchr(" \t,\r", list[slug_len])))
				return true;
			while (list < end && !strchr(" \t,", *list))
				list++;
		}
	}
	return false;
}

/* In the line of the directive, or in the one above. */
static bool is_ignored(directive *at, const char *slug)
{
	const char *text = at->file->text, *end;
	const char *begin, *stop, *above;

	if (!text)
		return false;
	end = text + at->file->len;
	begin = text + at->start;
	while (begin > text && begin[-1] != '\n')
		begin--;
	stop = memchr(begin, '\n', (size_t)(end - begin));
	if (line_ignores(begin, (size_t)((stop ? stop : end) - begin), slug))
		return true;
	if (begin == text)
		return false;
	above = begin - 1;
	while (above > text && above[-1] != '\n')
		above--;
	return line_ignores(above, (size_t)(begin - 1 - above), slug);
}

struct lint_finding *lint_add(struct lint *lint, const struct lint_rule *rule, directive *at,
			      const char *format, ...)
{
	struct lint_finding *f;
	char raw[LINT_TEXT_LEN];
	struct text t;
	va_list args;

	if (is_ignored(at, rule->slug) || lint->count == LINT_FINDINGS_MAX)
		return NULL;
	/* such as of a server that listens at two addresses */
	for (size_t i = 0; i < lint->count; i++)
		if (lint->findings[i].rule == rule && lint->findings[i].at == at)
			return NULL;
	f = &lint->findings[lint->count++];
	*f = (struct lint_finding){
		.rule = rule,
		.severity = lint->settings->severities[lint_rule_find(rule->slug)],
		.at = at,
	};
	text_init(&t, raw, sizeof(raw));
	va_start(args, format);
	text_addv(&t, format, args);
	va_end(args);
	text_init(&t, f->text, sizeof(f->text));
	text_add_hostile(&t, raw, strlen(raw));
	return f;
}

void lint_propose(struct lint_finding *f, enum lint_edit_kind kind, const char *format, ...)
{
	struct text t;
	va_list args;

	if (!f)
		return;
	text_init(&t, f->edit, sizeof(f->edit));
	va_start(args, format);
	text_addv(&t, format, args);
	va_end(args);
	f->edit_kind = t.cut ? LINT_EDIT_NONE : kind;
}

/* ---- one place ---- */

/* Is that the location, or does it pass to the upstream block, that was asked for? */
static bool place_is(const struct lint_place *p, const char *wanted)
{
	directive *d = p->block;

	if (p->upstream && !strcmp(nginxconf_word(p->upstream, 1), wanted))
		return true;
	while (d && strcmp(d->words[0], "location") != 0)
		d = d->parent;
	return d && !strcmp(nginxconf_word(d, d->word_count - 1), wanted);
}

static bool is_inside(directive *d, directive *block)
{
	while (d && d != block)
		d = d->parent;
	return d;
}

/* Is the directive in its block or its upstream's, or one around it that counts there? */
static bool place_has(const struct lint_place *p, directive *d)
{
	size_t len = strlen(p->prefix);

	return is_inside(d, p->block) || (p->upstream && is_inside(d, p->upstream)) ||
	       (!strncmp(d->words[0], p->prefix, len) &&
		lint_setting(p->block, p->prefix, d->words[0] + len) == d);
}

bool lint_goes_on(struct lint *lint)
{
	const struct lint_settings *s = lint->settings;

	lint->interrupted =
		lint->interrupted || (s->go_on && !s->go_on(s->context, lint->rule->slug));
	return !lint->interrupted;
}

static void rules_run(struct lint *lint)
{
	for (size_t i = 0; (lint->rule = lint_rule_at(i)); i++) {
		bool past = lint->rule->until && lint->settings->version >= lint->rule->until;

		if (lint->settings->severities[i] != LINT_OFF && !past && lint_goes_on(lint))
			lint->rule->check(lint, lint->rule);
	}
}

/* Drops the places that were not asked for. */
static void places_narrow(struct lint *lint)
{
	size_t kept = 0;

	for (size_t i = 0; i < lint->place_count; i++)
		if (place_is(&lint->places[i], lint->settings->location))
			lint->places[kept++] = lint->places[i];
	lint->place_count = kept;
}

/* Drops what is not about a place that is left, or, of a directive around it, not about it alone. What is
 * outside its block is not to be changed: others go by it, too. */
static void findings_narrow(struct lint *lint, bool alone)
{
	size_t kept = 0;

	for (size_t i = 0; i < lint->count; i++) {
		struct lint_finding *f = &lint->findings[i];
		bool is_about = false, is_own = false;

		for (size_t k = 0; k < lint->place_count; k++) {
			is_own = is_own || is_inside(f->at, lint->places[k].block);
			is_about = is_about || (alone && place_has(&lint->places[k], f->at));
		}
		if (!is_own)
			f->edit_kind = LINT_EDIT_NONE;
		if (is_own || is_about)
			lint->findings[kept++] = *f;
	}
	lint->count = kept;
}

/* What is in the place is judged beside the others; what is around it, as if it were the only one. */
static void place_keep(struct lint *lint)
{
	places_narrow(lint);
	findings_narrow(lint, false);
	rules_run(lint);
	findings_narrow(lint, true);
	lint->located = lint->place_count;
}

/* In the order in which nginx reads it. */
static int by_place(const void *a, const void *b)
{
	const struct lint_finding *x = a, *y = b;
	int order = x->at->file == y->at->file ? 0 : strcmp(x->at->file->path, y->at->file->path);

	if (!order)
		order = x->at->line < y->at->line ? -1 : x->at->line > y->at->line;
	return order ? order : strcmp(x->rule->slug, y->rule->slug);
}

int lint_run(const struct nginxconf *conf, const struct lint_settings *settings, struct lint **out)
{
	struct lint *lint = calloc(1, sizeof(*lint));
	int err;

	*out = NULL;
	if (!lint)
		return -ENOMEM;
	lint->conf = conf;
	lint->settings = settings;
	lint->findings = calloc(LINT_FINDINGS_MAX, sizeof(*lint->findings));
	err = lint->findings ? survey(lint) : -ENOMEM;
	if (!err)
		rules_run(lint);
	if (!err && settings->location)
		place_keep(lint);
	if (err || lint->failed) {
		lint_free(lint);
		return -ENOMEM;
	}
	qsort(lint->findings, lint->count, sizeof(*lint->findings), by_place);
	*out = lint;
	return 0;
}

void lint_free(struct lint *lint)
{
	if (!lint)
		return;
	free(lint->places);
	free(lint->upstreams);
	free(lint->listens);
	free(lint->findings);
	free(lint);
}

size_t lint_count(const struct lint *lint)
{
	return lint->count;
}

const struct lint_finding *lint_at(const struct lint *lint, size_t i)
{
	return &lint->findings[i];
}

bool lint_is_located(const struct lint *lint)
{
	return lint->located || !lint->settings->location;
}

bool lint_is_interrupted(const struct lint *lint)
{
	return lint->interrupted;
}

size_t lint_files_missing(const struct lint *lint)
{
	return lint->missing;
}
