// SPDX-License-Identifier: BSD-2-Clause
/*
 * One row, with its last failures; and the help.
 */
#include "view/parts.h"

#include <stdlib.h>
#include <string.h>

#define LIST_ROWS 4 /* failures to choose from, on a small screen */
#define LINE_LEN  1024

/* What it is now: the row may have gone on while it was open. */
static void open_renew(struct page *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (!strcmp(p->rows[i].name, p->open.name))
			p->open = p->rows[i];
}

/* The failure that was chosen stays so, while newer ones come. */
static void failures_take(struct page *p)
{
	p->failure_count = view_failures(p->view, &p->query, p->open.name, !p->unfolded,
					 p->failures, PAGE_DETAIL_MAX);
	p->chosen = 0;
	for (size_t i = 0; p->chosen_ns && i < p->failure_count; i++)
		if (p->failures[i].time_ns >= p->chosen_ns)
			p->chosen = i;
}

static void text_renew(struct page *p, int columns)
{
	const struct view_failure *f = &p->failures[p->chosen];

	if (!p->failure_count || !p->describe)
		return;
	if (p->text && p->text_ns == f->time_ns && p->text_columns == columns)
		return;
	free(p->text);
	p->text = f->example ? p->describe(p->context, f->example, f->example_len, columns)
			     : p->describe(p->context, f->line, f->len, columns);
	p->text_ns = f->time_ns;
	p->text_columns = columns;
}

static int draw_summary(const struct page *p, struct canvas *c)
{
	const struct view_row *r = &p->open;
	bool peers = p->query.kind == VIEW_PEERS || p->query.kind == VIEW_UPSTREAMS;
	char a[PART_LEN], b[PART_LEN], d[PART_LEN];
	int at = canvas_putf(c, 1, 1, -1, STYLE_HEADING, "%s  ", r->name);

	if (peers)
		at += canvas_putf(c, 1, 1 + at, -1, part_state_style(r->state), "%s  ",
				  view_state_name(r->state));
	if (p->paused)
		at += canvas_put(c, 1, 1 + at, -1, STYLE_WARNING, "PAUSED  ");
	if (p->query.kind == VIEW_UPSTREAMS)
		canvas_putf(c, 1, 1 + at, -1, STYLE_PLAIN, "%u peer%s", r->peers,
			    r->peers == 1 ? "" : "s");
	at = 1;
	if (peers)
		at += canvas_putf(c, 2, at, -1, STYLE_PLAIN, "%s/s  %llu done  ",
				  part_rate(a, r->rate), (unsigned long long)r->done);
	at += canvas_putf(c, 2, at, -1, STYLE_PLAIN, "%llu failed  ",
			  (unsigned long long)r->failed);
	if (peers)
		at += canvas_putf(c, 2, at, -1, STYLE_PLAIN, "now %s  took %s  ",
				  part_share(a, r->share), part_latency(b, r->latency_ns));
	if (peers && r->not_after)
		at += canvas_putf(c, 2, at, -1, part_days_style(r->not_after, p->totals.time_ns),
				  "certificate %s  ",
				  part_days(d, r->not_after, p->totals.time_ns));
	part_graph(c, 2, at, c->columns - at - 1, r->levels);
	return 3;
}

static int draw_failures(const struct page *p, struct canvas *c, int row)
{
	int rows = c->rows / 6 > LIST_ROWS ? c->rows / 6 : LIST_ROWS;
	size_t first = p->chosen >= (size_t)rows ? p->chosen - (size_t)rows + 1 : 0;

	canvas_putf(c, row, 1, -1, STYLE_HEADING, "FAILURES%s",
		    p->unfolded ? "" : "  (similar ones are folded; f: show each)");
	for (int i = 0; i < rows && first + (size_t)i < p->failure_count; i++) {
		row++;
		part_failure(p, c, row, &p->failures[first + (size_t)i]);
		if (first + (size_t)i == p->chosen)
			canvas_paint(c, row, 0, c->columns, STYLE_SELECTED);
	}
	return row + 1;
}

/* How a line of what is said of a failure is shown, by the label that it begins with. */
static enum canvas_style line_style(const char *line)
{
	line += strspn(line, " ");
	return !strncmp(line, "fix: ", 5)  ? STYLE_GOOD
	       : !strncmp(line, "in: ", 4) ? STYLE_HEADING
					   : STYLE_PLAIN;
}

static int lines_of(const char *s)
{
	int lines = 0;

	for (; *s; s++)
		lines += *s == '\n';
	return lines;
}

static void draw_text(struct page *p, struct canvas *c, int row)
{
	int rows = c->rows - 1 - row, lines;
	const char *s = p->text;
	char line[LINE_LEN];

	p->shown = rows > 1 ? (size_t)rows : 1;
	if (!s || !p->failure_count)
		return;
	lines = lines_of(s);
	if (p->scroll > lines - rows)
		p->scroll = lines > rows ? lines - rows : 0;
	for (int skip = p->scroll; skip && *s; s++)
		skip -= *s == '\n';
	for (int y = row; y < c->rows - 1 && *s; y++) {
		size_t len = strcspn(s, "\n");
		struct text t;

		text_init(&t, line, sizeof(line));
		text_addf(&t, "%.*s", (int)len, s);
		canvas_put(c, y, 0, -1, line_style(line), line);
		s += len + (s[len] == '\n');
	}
	if (*s)
		canvas_put(c, c->rows - 2, c->columns - 7, -1, STYLE_SELECTED, " more ");
}

void part_detail(struct page *p, struct canvas *c)
{
	int row;

	open_renew(p);
	failures_take(p);
	text_renew(p, c->columns);
	row = draw_summary(p, c);
	if (p->failure_count)
		row = draw_failures(p, c, row);
	else
		canvas_put(c, row, 1, -1, STYLE_DIM, "no failure of this row is stored");
	draw_text(p, c, row);
}

void part_help(struct page *p, struct canvas *c)
{
	const char *const lines[] = {
		"Tab, 1 to 4   peers, upstreams, causes, clients",
		"Enter         open a row: its failures, the handshake, the place in the",
		"              configuration, and the fix",
		"/             filter: words in the peer, cause or server name;",
		"              peer:WORD, cause:WORD, name:WORD; Esc removes it",
		"< >  r        sort by another column; reverse the order",
		"a             only what has failed, or everything",
		"f             fold similar failures, or show each",
		"p             pause; nothing is lost meanwhile",
		p->records
			? "w             write stored and new failures to a recording; NAME.json:"
			: "w             write stored and new failures to a file of JSON lines;",
		p->records ? "              JSON lines; w stops it" : "              w stops it",
		"q             back, or quit",
		"",
		"HS/S          handshakes completed or failed, per second",
		"FAIL          how many of them failed, over the history",
		"HISTORY       now is at the right; higher means more failures",
		"CERT          days until the certificate expires",
		"TIME          duration of a handshake from the connect; - if not known",
	};
	int row = 2;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		canvas_put(c, row++, 1, -1, STYLE_PLAIN, lines[i]);
	if (p->totals.forgotten)
		canvas_putf(c, ++row, 1, -1, STYLE_WARNING,
			    "%llu rows were dropped because there are more than %d",
			    (unsigned long long)p->totals.forgotten, VIEW_ROWS_MAX);
}
