// SPDX-License-Identifier: BSD-2-Clause
/*
 * The explanation of a line: what it means, what can have caused it, what tells that apart, and what
 * to run next.
 */
#include "command/explanation.h"

#include <string.h>

#include "base/calendar.h"
#include "diagnose/titles.h"
#include "finding/tls.h"
#include "tls/names.h"

#define LABEL_COLUMN 12
#define SLUG_COLUMN  (LABEL_COLUMN + 30)
#define BOLD	     "\033[1m"
#define PLAIN	     "\033[0m"
#define PEER_UNKNOWN "UPSTREAM:443"

void explanation_time(struct text *t, int64_t seconds)
{
	char buf[64];
	struct text time;

	text_init(&time, buf, sizeof(buf));
	calendar_add_words(&time, seconds);
	text_addf(t, "%.19s", buf);
}

/* "alert 40, handshake_failure", "no shared cipher", "(10: cert_has_expired)" */
static void detail_title(const struct logline *line, struct text *t)
{
	const char *words = NULL;

	switch (line->kind) {
	case LOGLINE_ALERT:
		words = tls_alert_name((uint8_t)line->key);
		text_addf(t, "alert %u%s%s", line->key, words ? ", " : "", words ? words : "");
		break;
	case LOGLINE_REASON:
		words = tls_reason_words(line->library, line->number);
		text_addf(t, "%s %s %u", tls_library_name(line->library), "error", line->number);
		if (words)
			text_addf(t, ", %s", words);
		break;
	case LOGLINE_VERIFY:
		words = tls_verify_words(TLS_LIBRARY_OPENSSL, line->verify);
		text_addf(t, "verify code %d%s%s", line->verify, words ? ", " : "",
			  words ? words : "");
		break;
	case LOGLINE_SYSTEM:
		if (line->key == 104)
			text_add(t, "connection reset");
		break;
	case LOGLINE_NOTHING:
		break;
	}
}

void explanation_title(const struct logline *line, struct text *t)
{
	char buf[256];
	struct text detail;
	size_t len = line->row ? strlen(line->row->words) : 0;

	text_init(&detail, buf, sizeof(buf));
	detail_title(line, &detail);
	/* words that go on with a value in quotes or parentheses */
	while (len && strchr("(\" :", line->row->words[len - 1]) &&
	       strncmp(line->row->words + len - 2, "()", 2) != 0)
		len--;
	text_addf(t, "%.*s", (int)len, line->row ? line->row->words : "");
	if (line->row && line->row->more && !strncmp(line->row->more, "failed (", 8))
		text_addf(t, " failed (%d)", line->log.system_error);
	text_addf(t, "%s%s", len && detail.len ? ": " : "", buf);
	if (line->side == LOGLINE_UPSTREAM && !(line->row && strstr(line->row->words, "upstream")))
		text_add(t, " (upstream)");
	else if (line->side == LOGLINE_CLIENT && !(line->row && strstr(line->row->words, "client")))
		text_add(t, " (client)");
}

static void label_add(const struct explanation *e, struct text *t, const char *label,
		      const char *words)
{
	text_addf(t, "  %s%-*s%s", e->color ? BOLD : "", LABEL_COLUMN - 2, label,
		  e->color ? PLAIN : "");
	text_add_filled(t, e->columns, LABEL_COLUMN, words, "", "");
	text_add(t, "\n");
}

static void causes_add(const struct explanation *e, enum logline_side side, struct text *t)
{
	const char *causes[LOGLINE_CAUSES_MAX];

	logline_causes(e->line, side, causes);
	for (size_t i = 0; i < LOGLINE_CAUSES_MAX && causes[i]; i++) {
		const struct cause_title *title = cause_title_find(causes[i]);

		text_addf(t, "  %s%-*s%s%-*s ", e->color ? BOLD : "", LABEL_COLUMN - 2,
			  i ? "" : "causes", e->color ? PLAIN : "", SLUG_COLUMN - LABEL_COLUMN - 1,
			  causes[i]);
		text_add_filled(t, e->columns, SLUG_COLUMN, title ? title->words : "", "", "");
		text_add(t, "\n");
	}
}

static void next_add(const struct explanation *e, const char *command, struct text *t)
{
	const char *brace = strstr(command, "{peer}");

	if (!brace) {
		text_add(t, command);
		return;
	}
	text_addf(t, "%.*s%s%s", (int)(brace - command), command, *e->peer ? e->peer : PEER_UNKNOWN,
		  brace + strlen("{peer}"));
}

static const struct logline_meaning *first_meaning(const struct explanation *e,
						   enum logline_side side)
{
	const struct logline_detail *detail = logline_detail(e->line, side);

	if (detail)
		return &detail->meaning;
	return logline_row(e->line, side) ? &logline_row(e->line, side)->meaning : NULL;
}

/* What tells the causes apart, and what to run: of the library's error if it says so, else of the
 * sentence. */
static const char *apart_of(const struct explanation *e, enum logline_side side)
{
	const struct logline_meaning *m = first_meaning(e, side);

	return m ? m->apart : NULL;
}

static const char *next_of(const struct explanation *e, enum logline_side side)
{
	const struct logline_meaning *m = first_meaning(e, side);

	const struct logline_row *row = logline_row(e->line, side);

	if (m && m->next)
		return m->next;
	return row ? row->meaning.next : NULL;
}

/* The sentence of nginx, unless it says no more than the error does. */
static const char *row_means(const struct explanation *e, enum logline_side side)
{
	const struct logline_row *row = logline_row(e->line, side);

	if (!row || (logline_detail(e->line, side) && row->meaning.causes[0] &&
		     !strcmp(row->meaning.causes[0], "unknown")))
		return NULL;
	return row->meaning.means;
}

static void places_add(const struct explanation *e, struct text *t)
{
	for (uint32_t i = 0; e->places && i < e->places->count; i++) {
		const struct nginx_place *place = &e->places->items[i];
		char buf[512];
		struct text words;

		text_init(&words, buf, sizeof(buf));
		text_add_hostile(&words, place->file.data, place->file.len);
		text_addf(&words, ":%u: ", place->line);
		text_add_hostile(&words, place->location.data, place->location.len);
		label_add(e, t, i ? "or in" : "in", buf);
	}
}

static void side_text(const struct explanation *e, enum logline_side side, struct text *t)
{
	const struct logline_detail *detail = logline_detail(e->line, side);
	const char *row = row_means(e, side);
	const char *next = next_of(e, side);

	if (row)
		label_add(e, t, "means", row);
	if (detail)
		label_add(e, t, row ? "" : "means", detail->meaning.means);
	causes_add(e, side, t);
	if (apart_of(e, side))
		label_add(e, t, "apart", apart_of(e, side));
	places_add(e, t);
	if (next) {
		char buf[512];
		struct text words;

		text_init(&words, buf, sizeof(buf));
		next_add(e, next, &words);
		label_add(e, t, "next", buf);
	}
}

/* Does it mean something else as a client than as a server, with nothing that says which it was? */
static bool is_both(const struct logline *line)
{
	return line->side == LOGLINE_UNKNOWN &&
	       (line->row_of_client ||
		logline_detail(line, LOGLINE_UPSTREAM) != logline_detail(line, LOGLINE_CLIENT));
}

void explanation_text(const struct explanation *e, struct text *t)
{
	if (!is_both(e->line)) {
		side_text(e, e->line->side, t);
		return;
	}
	text_add(t, "  If nginx was the client of an upstream:\n");
	side_text(e, LOGLINE_UPSTREAM, t);
	text_add(t, "  If nginx was the server of a client:\n");
	side_text(e, LOGLINE_CLIENT, t);
}

/* ---- JSON ---- */

static void member(struct jsonout *j, const char *key, const char *value)
{
	if (!value)
		return;
	jsonout_key(j, key);
	jsonout_string(j, value);
}

static void side_json(const struct explanation *e, enum logline_side side, struct jsonout *j)
{
	const char *causes[LOGLINE_CAUSES_MAX];
	const struct logline_detail *detail = logline_detail(e->line, side);
	char buf[512];
	struct text t;

	jsonout_begin(j, "{");
	member(j, "side", logline_side_name(side));
	member(j, "sentence", row_means(e, side));
	member(j, "error", detail ? detail->meaning.means : NULL);
	jsonout_key(j, "causes");
	jsonout_begin(j, "[");
	logline_causes(e->line, side, causes);
	for (size_t i = 0; i < LOGLINE_CAUSES_MAX && causes[i]; i++) {
		const struct cause_title *title = cause_title_find(causes[i]);

		jsonout_begin(j, "{");
		member(j, "cause", causes[i]);
		member(j, "title", title ? title->words : NULL);
		jsonout_end(j, "}");
	}
	jsonout_end(j, "]");
	member(j, "apart", apart_of(e, side));
	if (next_of(e, side)) {
		text_init(&t, buf, sizeof(buf));
		next_add(e, next_of(e, side), &t);
		member(j, "next", buf);
	}
	jsonout_end(j, "}");
}

static void numbers_json(const struct logline *line, struct jsonout *j)
{
	uint8_t alert;

	if (line->has_code) {
		member(j, "library", tls_library_name(line->library));
		jsonout_key(j, "number");
		jsonout_integer(j, line->number);
	}
	if (line->has_code && tls_reason_is_alert(line->number, &alert)) {
		jsonout_key(j, "alert");
		jsonout_integer(j, alert);
	}
	if (line->has_verify) {
		jsonout_key(j, "verify");
		jsonout_integer(j, line->verify);
	}
}

static void places_json(const struct explanation *e, struct jsonout *j)
{
	char buf[512];
	struct text t;

	if (!e->places || !e->places->count)
		return;
	jsonout_key(j, "places");
	jsonout_begin(j, "[");
	for (uint32_t i = 0; i < e->places->count; i++) {
		const struct nginx_place *place = &e->places->items[i];

		jsonout_begin(j, "{");
		text_init(&t, buf, sizeof(buf));
		text_add_hostile(&t, place->file.data, place->file.len);
		member(j, "file", buf);
		jsonout_key(j, "line");
		jsonout_integer(j, place->line);
		text_init(&t, buf, sizeof(buf));
		text_add_hostile(&t, place->location.data, place->location.len);
		member(j, "location", buf);
		jsonout_end(j, "}");
	}
	jsonout_end(j, "]");
}

void explanation_json(const struct explanation *e, struct jsonout *j)
{
	char buf[512];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	explanation_title(e->line, &t);
	member(j, "title", buf);
	numbers_json(e->line, j);
	jsonout_key(j, "meanings");
	jsonout_begin(j, "[");
	if (is_both(e->line)) {
		side_json(e, LOGLINE_UPSTREAM, j);
		side_json(e, LOGLINE_CLIENT, j);
	} else {
		side_json(e, e->line->side, j);
	}
	jsonout_end(j, "]");
	places_json(e, j);
}
