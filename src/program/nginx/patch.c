// SPDX-License-Identifier: BSD-2-Clause
/*
 * The lines of all excerpts are put together first; changes go by line and column; each run of
 * known lines around changes that are close to one another is a hunk.
 */
#include "program/nginx/patch.h"

#include <string.h>

#define CONTEXT_LINES 3
#define CHANGED_LEN   (2 * NGINXPATCH_TEXT_LEN + 4096) /* of the lines of a change */

/* -- the lines --------------------------------------------------------------------------------- */

static void line_add(struct nginxpatch *p, const struct nginxpatch_line *line)
{
	uint32_t at = p->line_count;

	while (at > 0 && p->lines[at - 1].number > line->number)
		at--;
	if (at > 0 && p->lines[at - 1].number == line->number)
		return;
	if (p->line_count == NGINXPATCH_LINES_MAX) {
		p->failed = true;
		return;
	}
	memmove(&p->lines[at + 1], &p->lines[at], (p->line_count - at) * sizeof(p->lines[0]));
	p->lines[at] = *line;
	p->line_count++;
}

static void lines_add(struct nginxpatch *p, const struct nginx_spot *spot)
{
	const char *at = spot->text.data, *end = at + spot->text.len;
	uint32_t number = spot->line;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		struct nginxpatch_line line = {
			.number = number,
			.data = at,
			.len = (uint32_t)((newline ? newline : end) - at),
			.has_end = newline,
		};

		line_add(p, &line);
		number++;
		at = newline ? newline + 1 : end;
	}
}

/* The index of the line; line_count when it is not known. */
static uint32_t line_index(const struct nginxpatch *p, uint32_t number)
{
	uint32_t i = 0;

	while (i < p->line_count && p->lines[i].number != number)
		i++;
	return i;
}

/* The line and column of an offset in the spot. */
static uint32_t position(const struct nginx_spot *spot, uint32_t offset, uint32_t *column)
{
	uint32_t line = spot->line, start = 0;

	for (uint32_t i = 0; i < offset; i++) {
		if (spot->text.data[i] != '\n')
			continue;
		line++;
		start = i + 1;
	}
	*column = offset - start;
	return line;
}

/* -- edits ------------------------------------------------------------------------------------- */

static bool edit_is_before(const struct nginxpatch_edit *a, const struct nginxpatch_edit *b)
{
	return a->last < b->line || (a->last == b->line && a->to <= b->from);
}

/* Excerpts that contradict one another are not believed. */
static bool is_in_lines(const struct nginxpatch *p, uint32_t line, uint32_t column)
{
	uint32_t i = line_index(p, line);

	return i < p->line_count && column <= p->lines[i].len;
}

static void edit_add(struct nginxpatch *p, const struct nginx_spot *spot,
		     const struct nginxpatch_edit *edit)
{
	uint32_t at = p->edit_count;

	if (!p->file.data)
		p->file = spot->file;
	if (spot->line > INT32_MAX || p->edit_count == NGINXPATCH_EDITS_MAX ||
	    p->file.len != spot->file.len ||
	    memcmp(p->file.data, spot->file.data, p->file.len) != 0) {
		p->failed = true;
		return;
	}
	while (at > 0 && edit_is_before(edit, &p->edits[at - 1]))
		at--;
	if (at > 0 && !edit_is_before(&p->edits[at - 1], edit)) {
		p->failed = true;
		return;
	}
	memmove(&p->edits[at + 1], &p->edits[at], (p->edit_count - at) * sizeof(p->edits[0]));
	p->edits[at] = *edit;
	p->edit_count++;
	lines_add(p, spot);
	p->failed |=
		!is_in_lines(p, edit->line, edit->from) || !is_in_lines(p, edit->last, edit->to);
}

void nginxpatch_replace(struct nginxpatch *p, const struct nginx_spot *spot, const char *text)
{
	struct nginxpatch_edit edit = { 0 };
	struct text t;

	edit.line = position(spot, spot->from, &edit.from);
	edit.last = position(spot, spot->to, &edit.to);
	text_init(&t, edit.text, sizeof(edit.text));
	text_add(&t, text);
	p->failed |= t.cut;
	edit_add(p, spot, &edit);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The end of the line that `at` is in, in the spot's text. */
static uint32_t line_end(const struct nginx_spot *spot, uint32_t at)
{
	while (at < spot->text.len && spot->text.data[at] != '\n')
		at++;
	return at;
}

/* Does something other than a comment follow on the line? */
static bool is_followed(const struct nginx_spot *spot)
{
	uint32_t at = spot->to;

	while (at < spot->text.len && is_blank(spot->text.data[at]))
		at++;
	return at < spot->text.len && spot->text.data[at] != '\n' && spot->text.data[at] != '#';
}

/* Copies the blanks that the line of the directive begins with. */
static void indent_add(struct text *t, const struct nginx_spot *spot)
{
	uint32_t start = spot->from, end;

	while (start > 0 && spot->text.data[start - 1] != '\n')
		start--;
	for (end = start; end < spot->from && is_blank(spot->text.data[end]);)
		end++;
	text_addf(t, "%.*s", (int)(end - start), spot->text.data + start);
	if (spot->setting == NGINX_BLOCK)
		text_add(t, end > start && spot->text.data[start] == ' ' ? "    " : "\t");
}

void nginxpatch_insert(struct nginxpatch *p, const struct nginx_spot *spot, const char *text)
{
	struct nginxpatch_edit edit = { 0 };
	bool on_line = is_followed(spot);
	struct text t;

	text_init(&t, edit.text, sizeof(edit.text));
	while (*text) {
		size_t len = strcspn(text, "\n");

		text_add(&t, on_line ? " " : "\n");
		if (!on_line)
			indent_add(&t, spot);
		text_addf(&t, "%.*s", (int)len, text);
		text += len + (text[len] == '\n');
	}
	p->failed |= t.cut;
	edit.line = position(spot, on_line ? spot->to : line_end(spot, spot->to), &edit.from);
	edit.last = edit.line;
	edit.to = edit.from;
	edit_add(p, spot, &edit);
}

/* -- the diff ---------------------------------------------------------------------------------- */

/* A run of known lines, by their index, and the edits in it. */
struct hunk {
	uint32_t first;
	uint32_t last;
	uint32_t edit;
	uint32_t edit_end; /* behind the last one */
	bool replaces;	   /* there is no context: also a line that stays as it was is shown anew */
};

/* The lines that a run of edits, one beginning on the line where the one before it ends, changes. */
struct change {
	uint32_t first; /* index of the line */
	uint32_t last;
	uint32_t edit;
	uint32_t edit_end;
};

/* Are all lines from the one to the other known? */
static bool is_run(const struct nginxpatch *p, uint32_t first, uint32_t last)
{
	return last < p->line_count && first <= last &&
	       p->lines[last].number - p->lines[first].number == last - first;
}

/* What the edit, and those that begin on its last line, change. */
static struct change change_find(const struct nginxpatch *p, uint32_t edit, uint32_t edit_end)
{
	struct change c = { line_index(p, p->edits[edit].line), line_index(p, p->edits[edit].last),
			    edit, edit + 1 };

	while (c.edit_end < edit_end && p->edits[c.edit_end].line == p->lines[c.last].number) {
		c.last = line_index(p, p->edits[c.edit_end].last);
		c.edit_end++;
	}
	return c;
}

/* The text that the lines of a change become. */
static void changed_text(const struct nginxpatch *p, const struct change *c, struct text *t)
{
	const struct nginxpatch_line *last = &p->lines[c->last];
	uint32_t column = 0;

	for (uint32_t i = c->edit; i < c->edit_end; i++) {
		const struct nginxpatch_edit *e = &p->edits[i];
		const struct nginxpatch_line *line = &p->lines[line_index(p, e->line)];

		text_addf(t, "%.*s%s", (int)(e->from - column), line->data + column, e->text);
		column = e->to;
	}
	text_addf(t, "%.*s", (int)(last->len - column), last->data + column);
}

/* Does the change leave its line as it was, and add others behind it? Then text is them. */
static bool is_added(const struct nginxpatch *p, const struct change *c, const struct text *text)
{
	const struct nginxpatch_line *last = &p->lines[c->last];

	return c->first == c->last && last->has_end && text->len > last->len &&
	       text->buf[last->len] == '\n' && !memcmp(text->buf, last->data, last->len);
}

/* Gives the hunk, which is the changed lines and nothing else, its context: up to 3 of the known lines
 * on each side. patch(1) takes a hunk with fewer lines on one side to be at that end of the file:
 * where it may only be next to a line that is kept back, there are as few on the other side. */
static void context_add(const struct nginxpatch *p, struct hunk *hunk, bool first_added)
{
	uint32_t first = hunk->first + first_added, last = hunk->last, before = 0, after = 0;

	while (before < CONTEXT_LINES && first > before &&
	       is_run(p, first - before - 1, hunk->first))
		before++;
	while (after < CONTEXT_LINES && is_run(p, last, last + after + 1))
		after++;
	if (after > before && p->lines[first - before].number > 1)
		after = before;
	if (before > after && p->lines[last + after].has_end)
		before = after;
	hunk->replaces = !before;
	/* The line that others are added behind is context, too. */
	hunk->first = before ? first - before : hunk->first;
	hunk->last += after;
}

/* The hunk that begins with the edit. False when lines of it are not known. */
static bool hunk_find(const struct nginxpatch *p, uint32_t edit, struct hunk *hunk)
{
	uint32_t first = line_index(p, p->edits[edit].line);
	uint32_t last = line_index(p, p->edits[edit].last);
	char buf[CHANGED_LEN];
	struct change change;
	struct text text;

	*hunk = (struct hunk){ first, last, edit, edit + 1, false };
	for (; hunk->edit_end < p->edit_count; hunk->edit_end++) {
		uint32_t next = line_index(p, p->edits[hunk->edit_end].line);

		if (!is_run(p, hunk->last, next) || next - hunk->last > 2 * CONTEXT_LINES)
			break;
		hunk->last = line_index(p, p->edits[hunk->edit_end].last);
	}
	if (!is_run(p, first, hunk->last))
		return false;
	text_init(&text, buf, sizeof(buf));
	change = change_find(p, edit, hunk->edit_end);
	changed_text(p, &change, &text);
	context_add(p, hunk, is_added(p, &change, &text));
	return true;
}

static void line_write(struct text *t, char sign, const char *data, size_t len, bool has_end)
{
	text_addf(t, "%c%.*s\n", sign, (int)len, data);
	if (!has_end)
		text_add(t, "\\ No newline at end of file\n");
}

static void known_line_write(struct text *t, char sign, const struct nginxpatch_line *line)
{
	line_write(t, sign, line->data, line->len, line->has_end);
}

/* Appends a change; returns how many lines there are more than before. What is only added to stands
 * there as it was. */
static int64_t change_write(const struct nginxpatch *p, const struct change *c, bool replaces,
			    struct text *t)
{
	const struct nginxpatch_line *last = &p->lines[c->last];
	char buf[CHANGED_LEN];
	const char *line = buf;
	struct text changed;
	int64_t more = 0;
	bool added;

	text_init(&changed, buf, sizeof(buf));
	changed_text(p, c, &changed);
	t->cut |= changed.cut;
	added = !replaces && is_added(p, c, &changed);
	for (uint32_t i = c->first; i <= c->last; i++, more--)
		known_line_write(t, added ? ' ' : '-', &p->lines[i]);
	if (added) {
		line += last->len + 1;
		more++;
	}
	for (bool end = false; !end; more++) {
		size_t len = strcspn(line, "\n");

		end = !line[len];
		line_write(t, '+', line, len, !end || last->has_end);
		line += len + !end;
	}
	return more;
}

/* Appends a hunk; shift is how many lines there were more in the hunks before it, and with it. */
static void hunk_write(const struct nginxpatch *p, const struct hunk *hunk, int64_t *shift,
		       struct text *out)
{
	uint32_t edit = hunk->edit, count = hunk->last - hunk->first + 1;
	int64_t more = 0;
	char buf[8192];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	for (uint32_t i = hunk->first; i <= hunk->last; i++) {
		struct change c;

		if (edit == hunk->edit_end || p->edits[edit].line != p->lines[i].number) {
			known_line_write(&t, ' ', &p->lines[i]);
			continue;
		}
		c = change_find(p, edit, hunk->edit_end);
		more += change_write(p, &c, hunk->replaces, &t);
		edit = c.edit_end;
		i = c.last;
	}
	text_addf(out, "@@ -%u,%u +%lld,%lld @@\n", p->lines[hunk->first].number, count,
		  (long long)p->lines[hunk->first].number + *shift, (long long)count + more);
	text_add(out, buf);
	out->cut |= t.cut;
	*shift += more;
}

/* Nothing but printable characters, tabs and ends of lines. */
static bool is_printable(const char *string)
{
	char escaped[4 * 8192];
	struct text t;

	while (*string) {
		size_t len = strcspn(string, "\t\n\\");

		text_init(&t, escaped, sizeof(escaped));
		text_add_hostile(&t, string, len);
		if (t.len != len)
			return false;
		string += len + (string[len] == '\t' || string[len] == '\n' || string[len] == '\\');
	}
	return true;
}

bool nginxpatch_write(const struct nginxpatch *p, struct text *out)
{
	size_t before = out->len;
	int64_t shift = 0;
	struct hunk hunk;
	const char *tab;
	bool good;

	if (p->failed || !p->edit_count || memchr(p->file.data, '\n', p->file.len))
		return false;
	/* patch(1) takes what is behind a space for a date, unless a tab comes first. */
	tab = memchr(p->file.data, ' ', p->file.len) ? "\t" : "";
	text_addf(out, "--- %.*s%s\n+++ %.*s%s\n", (int)p->file.len, p->file.data, tab,
		  (int)p->file.len, p->file.data, tab);
	good = true;
	for (uint32_t edit = 0; good && edit < p->edit_count; edit = hunk.edit_end) {
		good = hunk_find(p, edit, &hunk);
		if (good)
			hunk_write(p, &hunk, &shift, out);
	}
	if (good && !out->cut && is_printable(out->buf + before))
		return true;
	out->len = before;
	out->buf[before] = '\0';
	out->cut = false;
	return false;
}
