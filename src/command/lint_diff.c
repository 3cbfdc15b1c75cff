// SPDX-License-Identifier: BSD-2-Clause
/*
 * What lint proposes, as a unified diff. Only lines that hold a directive whole are changed. A line that may
 * hold a secret is neither changed nor shown: the context ends before it.
 */
#include "command/lint_report.h"

#include <stdlib.h>
#include <string.h>

#include "program/nginx/redact.h"

#define CONTEXT	 3
#define LINE_MAX 1024

/* A file in lines. */
struct lines {
	const struct nginxconf_file *file;
	size_t count;
	const char **begin; /* count + 1 of them: the last one is the end */
};

/* A line that comes behind line `at`, from 0 on, or instead of it. */
struct change {
	size_t at;
	bool replaces;
	char text[LINE_MAX]; /* without its end */
};

static bool lines_split(struct lines *l, const struct nginxconf_file *file)
{
	const char *end = file->text + file->len, *c = file->text;
	size_t n = 2;

	for (const char *s = c; s < end; s++)
		n += *s == '\n';
	*l = (struct lines){ .file = file, .begin = calloc(n, sizeof(*l->begin)) };
	if (!l->begin)
		return false;
	while (c < end) {
		const char *newline = memchr(c, '\n', (size_t)(end - c));

		l->begin[l->count++] = c;
		c = newline ? newline + 1 : end;
	}
	l->begin[l->count] = end;
	return true;
}

/* Without its end. */
static int line_len(const struct lines *l, size_t i)
{
	size_t len = (size_t)(l->begin[i + 1] - l->begin[i]);

	return (int)(len && l->begin[i][len - 1] == '\n' ? len - 1 : len);
}

static bool line_may_show(const struct lines *l, size_t i)
{
	return nginxredact_may_show(l->begin[i], (size_t)line_len(l, i));
}

/* The same of the lines from .. to - 1. */
static bool lines_may_show(const struct lines *l, size_t from, size_t to)
{
	for (; from < to; from++)
		if (!line_may_show(l, from))
			return false;
	return true;
}

/* May what stands behind the directive in its line? Of a comment there nothing would be lost. */
static bool rest_may_show(const struct lines *l, size_t i, const char *rest)
{
	size_t len = (size_t)(l->begin[i] + line_len(l, i) - rest);

	while (len && (*rest == ' ' || *rest == '\t')) {
		rest++;
		len--;
	}
	return (len && *rest == '#') || nginxredact_may_show(rest, len);
}

/* Does the block end in the line, behind the directive? Then the next line is outside of it. */
static bool ends_block(const struct lines *l, size_t i, const char *rest)
{
	size_t len = (size_t)(l->begin[i] + line_len(l, i) - rest);
	const char *comment = memchr(rest, '#', len);

	return memchr(rest, '}', comment ? (size_t)(comment - rest) : len);
}

/* False: it cannot be shown as a change of lines. */
static bool change_make(const struct lines *l, const struct lint_finding *f, struct change *c)
{
	size_t first = f->at->line - 1, last = first;
	const char *from = l->file->text + f->at->start, *to = l->file->text + f->at->end;
	int indent;
	struct text t;

	if (f->edit_kind == LINT_EDIT_NONE || first >= l->count || f->at->is_block)
		return false;
	while (last + 1 < l->count && l->begin[last + 1] < to)
		last++;
	indent = (int)(from - l->begin[first]);
	if ((size_t)indent != strspn(l->begin[first], " \t"))
		return false;
	*c = (struct change){ .at = last, .replaces = f->edit_kind == LINT_EDIT_REPLACE };
	if (c->replaces && (first != last || !nginxredact_may_show(from, (size_t)(to - from)) ||
			    !rest_may_show(l, first, to)))
		return false;
	if (!c->replaces && ends_block(l, last, to))
		return false;
	text_init(&t, c->text, sizeof(c->text));
	text_addf(&t, "%.*s%s", indent, l->begin[first], f->edit);
	if (c->replaces)
		text_addf(&t, "%.*s", (int)(l->begin[first] + line_len(l, first) - to), to);
	return !t.cut;
}

static int by_line(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static void hunk_line(FILE *out, char sign, const struct lines *l, size_t i)
{
	int len = line_len(l, i);

	fprintf(out, "%c%.*s\n", sign, len, l->begin[i]);
	if (l->begin[i] + len == l->file->text + l->file->len)
		fputs("\\ No newline at end of file\n", out);
}

/* What is shown of a file in one piece: the lines from .. to - 1. */
struct hunk {
	size_t from, to;
};

/* Lines around the changes: patch wants as many before as behind them, unless the file begins or ends
 * there. */
static void hunk_widen(const struct lines *l, struct hunk *h)
{
	size_t before = 0, behind = 0;

	while (before < CONTEXT && before < h->from && line_may_show(l, h->from - before - 1))
		before++;
	while (behind < CONTEXT && h->to + behind < l->count && line_may_show(l, h->to + behind))
		behind++;
	if (before < behind && before < h->from)
		behind = before;
	else if (behind < before && h->to + behind < l->count)
		before = behind;
	h->from -= before;
	h->to += behind;
}

/* Changes first .. last - 1, which are near each other. delta: lines added before. */
static long hunk_print(FILE *out, const struct lines *l, const struct change *c, size_t first,
		       size_t last, long delta)
{
	struct hunk h = { c[first].at + !c[first].replaces, c[last - 1].at + 1 };
	size_t next = first;
	long added = 0;

	hunk_widen(l, &h);
	for (size_t i = first; i < last; i++)
		added += !c[i].replaces;
	/* of no lines, the number is that of the line before */
	fprintf(out, "@@ -%zu,%zu +%ld,%ld @@\n", h.from + (h.to > h.from), h.to - h.from,
		(long)h.from + 1 + delta, (long)(h.to - h.from) + added);
	for (; next < last && c[next].at + 1 == h.from; next++)
		fprintf(out, "+%s\n", c[next].text);
	for (size_t i = h.from; i < h.to; i++) {
		bool replaced = next < last && c[next].at == i && c[next].replaces;

		hunk_line(out, replaced ? '-' : ' ', l, i);
		for (; next < last && c[next].at == i; next++)
			fprintf(out, "+%s\n", c[next].text);
	}
	return delta + added;
}

/* Does the change stand so near the one before it that they are one hunk? */
static bool is_near(const struct lines *l, const struct change *before, const struct change *c)
{
	return c->at <= before->at + 2 * CONTEXT &&
	       lines_may_show(l, before->at + 1, c->at + !c->replaces);
}

static void file_print(const struct lint_report *r, const struct lines *l, struct change *c,
		       size_t count)
{
	const char *path = lint_report_relative(r, l->file->real);
	/* patch(1) takes what is behind a space for a date, unless a tab comes first. */
	const char *tab = strchr(path, ' ') ? "\t" : "";
	size_t first = 0;
	long delta = 0;

	qsort(c, count, sizeof(*c), by_line);
	fprintf(r->out, "--- %s%s\n+++ %s%s\n", path, tab, path, tab);
	for (size_t i = 1; i <= count; i++) {
		if (i < count && is_near(l, &c[i - 1], &c[i]))
			continue;
		delta = hunk_print(r->out, l, c, first, i, delta);
		first = i;
	}
}

/* Is it there already: the same line by another rule, or the same directive replaced? */
static bool is_taken(const struct change *c, size_t count, const struct change *new)
{
	for (size_t i = 0; i < count; i++)
		if (c[i].at == new->at &&
		    ((c[i].replaces && new->replaces) || !strcmp(c[i].text, new->text)))
			return true;
	return false;
}

/* Returns how many of the findings it takes care of. */
static size_t file_diff(const struct lint_report *r, const struct nginxconf_file *file)
{
	struct change *changes = calloc(lint_count(r->lint), sizeof(*changes));
	size_t count = 0, findings = 0;
	struct lines l;

	if (!changes || !lines_split(&l, file)) {
		free(changes);
		return 0;
	}
	for (size_t i = 0; i < lint_count(r->lint); i++) {
		const struct lint_finding *f = lint_at(r->lint, i);

		if (strcmp(f->at->file->real, file->real) != 0 ||
		    !change_make(&l, f, &changes[count]))
			continue;
		count += !is_taken(changes, count, &changes[count]);
		findings++;
	}
	if (count)
		file_print(r, &l, changes, count);
	free(changes);
	free(l.begin);
	return findings;
}

size_t lint_report_diff(const struct lint_report *r)
{
	const struct nginxconf_file *done = NULL;
	size_t findings = 0;

	for (size_t i = 0; i < lint_count(r->lint); i++) {
		const struct nginxconf_file *file = lint_at(r->lint, i)->at->file;

		if ((!done || strcmp(file->real, done->real) != 0) && file->text)
			findings += file_diff(r, file);
		done = file;
	}
	return findings;
}
