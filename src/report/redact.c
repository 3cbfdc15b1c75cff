// SPDX-License-Identifier: BSD-2-Clause
/*
 * First the keys that hold names; then the sentences, in which these names are looked for, and where
 * any other word has to be one of ours. A key that is not in the table goes.
 */
#define _GNU_SOURCE /* memmem() */
#include "report/redact.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "report/event.h"

#define SENTENCE_LEN  16384
#define NAMES_MAX     96 /* of one event */
#define WORD_LEN_MAX  64
#define DIGITS_MAX    24
#define RUN_MAX	      12 /* more digits in a row may be bytes in hexadecimal */
#define PSEUDONYM_LEN 48

struct redact {
	json_t *pseudonyms; /* by name */
	json_t *words;
	unsigned int counts[REDACT_KINDS];
};

/* A name that stands in the event that is redacted; it is the pseudonyms' own. */
struct known {
	char *name;
	size_t len;
	const char *pseudonym;
};

struct redacting {
	struct redact *r;
	struct known known[NAMES_MAX]; /* the longest first */
	size_t count;
	bool failed;
};

enum treatment {
	KEEP_NUMBER = REDACT_KINDS, /* and booleans */
	KEEP_TIME,
	SENTENCE, /* or a list of them */
};

static const char *const kind_names[REDACT_KINDS] = {
	[REDACT_ADDRESS] = "address",	[REDACT_HOST] = "host",
	[REDACT_NAME] = "name",		[REDACT_SUBJECT] = "subject",
	[REDACT_FILE] = "file",		[REDACT_LOCATION] = "location",
	[REDACT_UPSTREAM] = "upstream", [REDACT_PROGRAM] = "program",
	[REDACT_WORD] = "word",		[REDACT_CERTIFICATE] = "certificate",
	[REDACT_INPUT] = "input",
};

/* Left out though a page could show them: patches, lines of logs and first bytes hold what others
 * wrote. */
static const struct {
	const char *key;
	int treatment; /* an enum redact_kind, or an enum treatment */
} rules[] = {
	{ "@timestamp", KEEP_TIME },
	{ "event.name", SENTENCE },
	{ "event.outcome", SENTENCE },
	{ "event.duration", KEEP_NUMBER },
	{ "error.type", SENTENCE },
	{ "message", SENTENCE },
	{ "host.name", REDACT_HOST },
	{ "network.transport", SENTENCE },
	{ "network.type", SENTENCE },
	{ "network.peer.address", REDACT_ADDRESS },
	{ "network.peer.port", KEEP_NUMBER },
	{ "network.local.address", REDACT_ADDRESS },
	{ "network.local.port", KEEP_NUMBER },
	{ "nginx.config.file", REDACT_FILE },
	{ "nginx.config.line", KEEP_NUMBER },
	{ "nginx.config.location", REDACT_LOCATION },
	{ "nginx.config.upstream", REDACT_UPSTREAM },
	{ "nginx.config.certainty", SENTENCE },
	{ "nginx.config.changed", KEEP_NUMBER },
	{ "nginx.config.settings", SENTENCE },
	{ "nginx.config.place_count", KEEP_NUMBER },
	{ "process.pid", KEEP_NUMBER },
	{ "process.executable.name", REDACT_PROGRAM },
	{ "tcp.rtt", KEEP_NUMBER },
	{ "tcp.retransmits", KEEP_NUMBER },
	{ "tcp.hello_acked", KEEP_NUMBER },
	{ "tls.alert.code", KEEP_NUMBER },
	{ "tls.alert.direction", SENTENCE },
	{ "tls.alert.name", SENTENCE },
	{ "tls.cipher", SENTENCE },
	{ "tls.client.hash.sha256", REDACT_CERTIFICATE },
	{ "tls.client.issuer", REDACT_SUBJECT },
	{ "tls.client.not_after", KEEP_TIME },
	{ "tls.client.not_before", KEEP_TIME },
	{ "tls.client.public_key_algorithm", SENTENCE },
	{ "tls.client.public_key_size", KEEP_NUMBER },
	{ "tls.client.san", REDACT_NAME },
	{ "tls.client.server_name", REDACT_NAME },
	{ "tls.client.subject", REDACT_SUBJECT },
	{ "tls.client.supported_versions", SENTENCE },
	{ "tls.established", KEEP_NUMBER },
	{ "tls.protocol.version", SENTENCE },
	{ "tls.server.hash.sha256", REDACT_CERTIFICATE },
	{ "tls.server.issuer", REDACT_SUBJECT },
	{ "tls.server.not_after", KEEP_TIME },
	{ "tls.server.not_before", KEEP_TIME },
	{ "tls.server.public_key_algorithm", SENTENCE },
	{ "tls.server.public_key_size", KEEP_NUMBER },
	{ "tls.server.san", REDACT_NAME },
	{ "tls.server.subject", REDACT_SUBJECT },
	{ "tls.verify.code", KEEP_NUMBER },
	{ "tls.verify.name", SENTENCE },
	{ "tlsfail.attempt", KEEP_NUMBER },
	{ "tlsfail.candidates", SENTENCE },
	{ "tlsfail.close_kind", SENTENCE },
	{ "tlsfail.closed_by", SENTENCE },
	{ "tlsfail.confidence", SENTENCE },
	{ "tlsfail.confirmed", SENTENCE },
	{ "tlsfail.evidence", SENTENCE },
	{ "tlsfail.hint", SENTENCE },
	{ "tlsfail.lost.findings", KEEP_NUMBER },
	{ "tlsfail.lost.output", KEEP_NUMBER },
	{ "tlsfail.lost.processes", KEEP_NUMBER },
	{ "tlsfail.lost.untracked", KEEP_NUMBER },
	{ "tlsfail.lost.wires", KEEP_NUMBER },
	{ "tlsfail.peer.failing_since", KEEP_TIME },
	{ "tlsfail.peer.failures", KEEP_NUMBER },
	{ "tlsfail.peer.handshakes", KEEP_NUMBER },
	{ "tlsfail.peer.last_success", KEEP_TIME },
	{ "tlsfail.peer.since", KEEP_TIME },
	{ "tlsfail.peer.state", SENTENCE },
	{ "tlsfail.phase", SENTENCE },
	{ "tlsfail.responsible", SENTENCE },
	{ "tlsfail.role", SENTENCE },
	{ "tlsfail.suppressed", KEEP_NUMBER },
	{ "tlsfail.timeline", SENTENCE },
};

/* The word that is made of the first len bytes of s, in small letters. False: it is none. */
static bool is_own_word(const struct redact *r, const char *s, size_t len)
{
	char word[WORD_LEN_MAX + 1];

	if (len > WORD_LEN_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		word[i] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] - 'A' + 'a') : s[i];
	word[len] = '\0';
	return json_object_get(r->words, word);
}

struct redact *redact_new(void)
{
	struct redact *r = calloc(1, sizeof(*r));
	const char *word = report_words;
	bool failed;

	if (!r)
		return NULL;
	r->pseudonyms = json_object();
	r->words = json_object();
	failed = !r->pseudonyms || !r->words;
	while (!failed && *(word += strspn(word, " "))) {
		char key[WORD_LEN_MAX + 1];
		size_t len = strcspn(word, " ");
		struct text t;

		text_init(&t, key, sizeof(key));
		text_add_bytes(&t, word, len);
		failed = json_object_set_new_nocheck(r->words, key, json_true());
		word += len;
	}
	if (!failed)
		return r;
	redact_free(r);
	return NULL;
}

void redact_free(struct redact *r)
{
	if (!r)
		return;
	json_decref(r->pseudonyms);
	json_decref(r->words);
	free(r);
}

const char *redact_name(struct redact *r, enum redact_kind kind, const char *name)
{
	const json_t *known = json_object_get(r->pseudonyms, name);
	char buf[PSEUDONYM_LEN];
	struct text t;

	if (known)
		return json_string_value(known);
	text_init(&t, buf, sizeof(buf));
	text_addf(&t, "%s-%u", kind_names[kind], ++r->counts[kind]);
	if (json_object_set_new(r->pseudonyms, name, json_string(buf)))
		return NULL;
	return json_string_value(json_object_get(r->pseudonyms, name));
}

/* The pseudonym of the first len bytes of s. */
static const char *piece_name(struct redacting *g, enum redact_kind kind, const char *s, size_t len)
{
	char *name = strndup(s, len);
	const char *pseudonym = name ? redact_name(g->r, kind, name) : NULL;

	free(name);
	g->failed |= !pseudonym;
	return pseudonym ? pseudonym : "";
}

/* Has sentences of this event looked through for the name. */
static void known_add(struct redacting *g, const char *name, const char *pseudonym)
{
	struct known new = { strdup(name), strlen(name), pseudonym };
	size_t at = g->count;

	if (!new.name || !new.len || g->count == NAMES_MAX) {
		g->failed |= !new.name;
		free(new.name);
		return;
	}
	while (at && g->known[at - 1].len < new.len) {
		g->known[at] = g->known[at - 1];
		at--;
	}
	g->known[at] = new;
	g->count++;
}

/* What stands between "=" and "," in a subject, too: sentences name it without the rest. */
static void subject_parts(struct redacting *g, const char *subject)
{
	for (const char *s = subject; (s = strchr(s, '=')); s++) {
		size_t len = strcspn(s + 1, ",=");
		char *part = strndup(s + 1, len);

		if (part && !is_own_word(g->r, part, len))
			known_add(g, part, piece_name(g, REDACT_NAME, part, len));
		g->failed |= !part;
		free(part);
	}
}

static json_t *name_replaced(struct redacting *g, enum redact_kind kind, const char *name)
{
	const char *pseudonym = redact_name(g->r, kind, name);

	if (!pseudonym)
		return NULL;
	known_add(g, name, pseudonym);
	if (kind == REDACT_SUBJECT)
		subject_parts(g, name);
	return json_string(pseudonym);
}

/* ---- Sentences ----------------------------------------------------------------------------------- */

static bool is_between(char c)
{
	return !c || strchr(" \t\n()[]{},;\"<>|=", c);
}

/* May a name end before s? */
static bool is_end(const char *s)
{
	s += strspn(s, ".:'!?");
	return is_between(*s) || (*s >= '0' && *s <= '9' && s[-1] == ':') ||
	       (s[0] == 's' && s[-1] == '\'' && is_between(s[1]));
}

static const struct known *known_at(const struct redacting *g, const char *s)
{
	for (size_t i = 0; i < g->count; i++)
		if (!strncmp(s, g->known[i].name, g->known[i].len) && is_end(s + g->known[i].len))
			return &g->known[i];
	return NULL;
}

static size_t count_of(const char *s, size_t len, char c)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += s[i] == c;
	return count;
}

/* The longest run of digits. */
static size_t longest_run(const char *s, size_t len)
{
	size_t longest = 0, run = 0;

	for (size_t i = 0; i < len; i++) {
		run = s[i] >= '0' && s[i] <= '9' ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest;
}

/* A number, a date, a time of day, a duration, a version, a code in hexadecimal: no address. */
static bool is_number(const char *s, size_t len)
{
	size_t digits = strspn(s, "0123456789.:%+-");
	size_t unit;

	if (len > 2 && len <= 10 && s[0] == '0' && s[1] == 'x')
		return strspn(s + 2, "0123456789abcdefABCDEF") >= len - 2;
	if (digits > len)
		digits = len;
	unit = len - digits;
	return digits && digits <= DIGITS_MAX && unit <= 2 &&
	       strspn(s + digits, "smhdnukb") >= unit && count_of(s, digits, '.') < 3 &&
	       count_of(s, digits, ':') < 3 && longest_run(s, digits) <= RUN_MAX &&
	       !memmem(s, digits, "::", 2);
}

static bool is_punctuation(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr("-+*/&%.:!?'#", s[i]))
			return false;
	return true;
}

static bool is_address(const char *s, size_t len)
{
	return strspn(s, "0123456789abcdefABCDEF:.%") >= len &&
	       (count_of(s, len, '.') == 3 || count_of(s, len, ':') >= 2);
}

static enum redact_kind kind_of(const char *s, size_t len)
{
	if (memchr(s, '/', len))
		return REDACT_FILE;
	if (is_address(s, len))
		return REDACT_ADDRESS;
	return memchr(s, '.', len) ? REDACT_NAME : REDACT_WORD;
}

/* Appends a word of len bytes, or what stands for it; a port behind it stays. */
static void word_add(struct redacting *g, struct text *t, const char *s, size_t len)
{
	size_t head = len;

	if (is_own_word(g->r, s, len) || is_number(s, len) || is_punctuation(s, len)) {
		text_addf(t, "%.*s", (int)len, s);
		return;
	}
	while (head && s[head - 1] >= '0' && s[head - 1] <= '9')
		head--;
	if (head && head < len && s[head - 1] == ':' && count_of(s, len, ':') == 1)
		head--;
	else
		head = len;
	text_add(t, piece_name(g, kind_of(s, head), s, head));
	text_addf(t, "%.*s", (int)(len - head), s + head);
}

static json_t *sentence_replaced(struct redacting *g, const char *s)
{
	char buf[SENTENCE_LEN];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	while (*s) {
		const struct known *known = known_at(g, s);
		size_t len = 0, tail;

		if (known) {
			text_add(&t, known->pseudonym);
			s += known->len;
			len = strspn(s, ".:'!?");
			text_addf(&t, "%.*s", (int)len, s);
			s += len;
			continue;
		}
		if (is_between(*s) || *s == '\'') {
			text_addf(&t, "%c", *s++);
			continue;
		}
		while (!is_between(s[len]))
			len++;
		for (tail = len; tail > 1 && strchr(".:'!?", s[tail - 1]);)
			tail--;
		word_add(g, &t, s, tail);
		text_addf(&t, "%.*s", (int)(len - tail), s + tail);
		s += len;
	}
	return json_string(buf);
}

/* ---- Values -------------------------------------------------------------------------------------- */

static json_t *value_replaced(struct redacting *g, int treatment, const char *key,
			      const json_t *value);

static json_t *strings_replaced(struct redacting *g, int treatment, const json_t *array)
{
	json_t *new = json_array();

	for (size_t i = 0; new &&i < json_array_size(array); i++) {
		json_t *item = value_replaced(g, treatment, "", json_array_get(array, i));

		if (item)
			g->failed |= json_array_append_new(new, item) != 0;
	}
	return new;
}

/* A step of the timeline. */
static json_t *step_replaced(struct redacting *g, const json_t *step)
{
	json_t *new = json_object();

	g->failed |=
		!new ||
		json_object_set_new(new, "t", json_integer((json_int_t)report_number(step, "t"))) ||
		json_object_set_new(new, "dir", sentence_replaced(g, report_string(step, "dir"))) ||
		json_object_set_new(new, "what", sentence_replaced(g, report_string(step, "what")));
	return new;
}

/* What stands for a value; NULL: nothing does. */
static json_t *value_replaced(struct redacting *g, int treatment, const char *key,
			      const json_t *value)
{
	json_t *holder;
	uint64_t ns;
	bool is_time;

	if (treatment == KEEP_NUMBER)
		return json_is_integer(value) || json_is_boolean(value)
			       ? json_incref((json_t *)value)
			       : NULL;
	if (json_is_array(value))
		return strings_replaced(g, treatment, value);
	if (json_is_object(value))
		return treatment == SENTENCE ? step_replaced(g, value) : NULL;
	if (!json_is_string(value))
		return NULL;
	if (treatment == SENTENCE)
		return sentence_replaced(g, json_string_value(value));
	if (treatment != KEEP_TIME)
		return name_replaced(g, (enum redact_kind)treatment, json_string_value(value));
	holder = json_object();
	is_time = holder && !json_object_set(holder, key, (json_t *)value) &&
		  report_time(holder, key, &ns);
	json_decref(holder);
	return is_time ? json_incref((json_t *)value) : NULL;
}

/* The keys that are sentences, or those that are not. */
static void values_replace(struct redacting *g, const json_t *event, json_t *new, bool sentences)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const json_t *value = json_object_get(event, rules[i].key);
		json_t *replaced;

		if (!value || (rules[i].treatment == SENTENCE) != sentences)
			continue;
		replaced = value_replaced(g, rules[i].treatment, rules[i].key, value);
		if (replaced)
			g->failed |= json_object_set_new(new, rules[i].key, replaced) != 0;
	}
}

int redact_event(struct redact *r, json_t *event)
{
	struct redacting g = { .r = r };
	json_t *new = json_object();

	if (new) {
		values_replace(&g, event, new, false);
		values_replace(&g, event, new, true);
		g.failed |= json_object_clear(event) || json_object_update(event, new);
	}
	json_decref(new);
	for (size_t i = 0; i < g.count; i++)
		free(g.known[i].name);
	return !new || g.failed ? -ENOMEM : 0;
}
