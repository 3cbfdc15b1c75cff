// SPDX-License-Identifier: BSD-2-Clause
/*
 * The table, and below it the last failures of all.
 */
#include "view/parts.h"

#include <string.h>

#define TABS_ROW    1
#define HEADING_ROW 2
#define FIRST_ROW   3

#define LIST_MAX 64
#define NAME_MIN 12

struct column {
	enum view_sort sort;
	const char *heading;
	int width;
	int wide; /* where there is room */
	bool right;
};

#define COLUMNS_MAX 10

static const struct column peer_columns[] = {
	{ VIEW_BY_STATE, "STATE", 9, 9, false },
	{ VIEW_BY_NAME, "PEER", 21, 48, false },
	{ VIEW_BY_RATE, "HS/S", 5, 8, true },
	{ VIEW_BY_SHARE, "FAIL", 4, 6, true },
	{ VIEW_SORTS, "HISTORY", 8, VIEW_BUCKETS, false },
	{ VIEW_BY_CAUSE, "LAST CAUSE", 15, 36, false },
	{ VIEW_BY_CERTIFICATE, "CERT", 5, 7, true },
	{ VIEW_BY_LATENCY, "TIME", 5, 7, true },
	{ VIEW_BY_FAILED, "FAILED", 0, 9, true },
	{ VIEW_BY_LAST, "LAST", 0, 12, true },
};

static const struct column cause_columns[] = {
	{ VIEW_BY_NAME, "CAUSE", 36, 48, false },
	{ VIEW_BY_RATE, "/S", 6, 8, true },
	{ VIEW_BY_FAILED, "FAILED", 9, 9, true },
	{ VIEW_SORTS, "HISTORY", 12, VIEW_BUCKETS, false },
	{ VIEW_BY_LAST, "LAST", 12, 12, true },
};

static const struct column client_columns[] = {
	{ VIEW_BY_NAME, "CLIENT", 25, 48, false },
	{ VIEW_BY_RATE, "/S", 6, 8, true },
	{ VIEW_BY_FAILED, "FAILED", 8, 9, true },
	{ VIEW_SORTS, "HISTORY", 8, VIEW_BUCKETS, false },
	{ VIEW_BY_CAUSE, "LAST CAUSE", 16, 36, false },
	{ VIEW_BY_LAST, "LAST", 11, 12, true },
};

struct layout {
	const struct column *columns;
	size_t count;
	int widths[COLUMNS_MAX];
};

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Columns that there is no room for are left out, in this order; what is left of it is for the name, or
 * missing there. */
static void layout_narrow(struct layout *l, int room)
{
	static const enum view_sort last[] = {
		VIEW_BY_LATENCY, VIEW_BY_CERTIFICATE, VIEW_SORTS,
		VIEW_BY_RATE,	 VIEW_BY_LAST,	      VIEW_BY_CAUSE
	};

	for (size_t k = 0; k < ARRAY_LEN(last); k++)
		for (size_t i = 0; i < l->count && room < 0; i++)
			if (l->columns[i].sort == last[k] && l->widths[i]) {
				room += l->widths[i] + 1;
				l->widths[i] = 0;
			}
	for (size_t i = 0; i < l->count; i++)
		if (l->columns[i].sort == VIEW_BY_NAME)
			l->widths[i] +=
				room < NAME_MIN - l->widths[i] ? NAME_MIN - l->widths[i] : room;
}

/* What room there is more than the least goes to the columns in this order, each up to its wide. */
static void layout_make(struct layout *l, enum view_kind kind, int columns)
{
	static const enum view_sort first[] = { VIEW_BY_CAUSE,	     VIEW_BY_NAME,    VIEW_BY_LAST,
						VIEW_BY_FAILED,	     VIEW_BY_RATE,    VIEW_BY_SHARE,
						VIEW_BY_CERTIFICATE, VIEW_BY_LATENCY, VIEW_SORTS };
	int room = columns - 1;

	*l = (struct layout){ .columns = peer_columns, .count = ARRAY_LEN(peer_columns) };
	if (kind == VIEW_CAUSES)
		*l = (struct layout){ cause_columns, ARRAY_LEN(cause_columns), { 0 } };
	else if (kind == VIEW_CLIENTS)
		*l = (struct layout){ client_columns, ARRAY_LEN(client_columns), { 0 } };
	for (size_t i = 0; i < l->count; i++) {
		l->widths[i] = l->columns[i].width;
		room -= l->widths[i] + (l->widths[i] > 0);
	}
	/* the blank behind the last is none */
	if (room < -1) {
		layout_narrow(l, room + 1);
		return;
	}
	for (size_t k = 0; k < ARRAY_LEN(first); k++)
		for (size_t i = 0; i < l->count; i++) {
			int more = l->columns[i].wide - l->widths[i];

			if (l->columns[i].sort != first[k] || room <= 0)
				continue;
			/* one that is not there yet comes whole, or not */
			if (!l->widths[i])
				more = more + 1 <= room ? more : 0;
			if (more > room)
				more = room;
			room -= more + (!l->widths[i] && more);
			l->widths[i] += more;
		}
}

static void draw_tabs(const struct page *p, struct canvas *c)
{
	static const char *const names[] = { "Peers", "Upstreams", "Causes", "Clients" };
	char span[PART_LEN];
	int at = 1;

	for (int i = 0; i < VIEW_KINDS; i++) {
		bool here = (int)p->query.kind == i;

		at += canvas_putf(c, TABS_ROW, at, -1, here ? STYLE_HEADING : STYLE_DIM,
				  here ? "[%s]" : " %s ", names[i]);
	}
	at += 2;
	if (p->paused)
		at += canvas_put(c, TABS_ROW, at, -1, STYLE_WARNING, "PAUSED  ");
	if (p->writing)
		at += canvas_put(c, TABS_ROW, at, -1, STYLE_WARNING, "WRITING  ");
	if (p->query.failing_only)
		at += canvas_put(c, TABS_ROW, at, -1, STYLE_PLAIN, "failed only  ");
	if (p->filter[0])
		at += canvas_putf(c, TABS_ROW, at, -1, STYLE_WARNING, "filter: %s  ", p->filter);
	if (p->totals.bucket_ns)
		canvas_putf(c, TABS_ROW, at, -1, STYLE_DIM, "history: %s a column",
			    part_span(span, p->totals.bucket_ns));
}

static void draw_heading(const struct page *p, struct canvas *c, const struct layout *l)
{
	int at = 1;

	for (size_t i = 0; i < l->count; i++) {
		const struct column *column = &l->columns[i];
		const char *heading =
			column->sort == VIEW_BY_NAME && p->query.kind == VIEW_UPSTREAMS
				? "UPSTREAM"
				: column->heading;
		bool sorted = column->sort == p->query.sort;
		int width = l->widths[i];
		int len = (int)strlen(heading);

		if (!width)
			continue;
		if (len + sorted > width)
			len = width - sorted;
		canvas_putf(c, HEADING_ROW, column->right ? at + width - len - sorted : at, width,
			    STYLE_HEADING, "%.*s%s", len, heading,
			    !sorted	       ? ""
			    : p->query.reverse ? "^"
					       : "v");
		at += width + 1;
	}
}

static const char *cell(const struct page *p, const struct view_row *r, const struct column *column,
			char buf[PART_LEN])
{
	struct text t;

	switch (column->sort) {
	case VIEW_BY_STATE:
		return view_state_name(r->state);
	case VIEW_BY_NAME:
		return r->name;
	case VIEW_BY_RATE:
		return part_rate(buf, r->rate);
	case VIEW_BY_SHARE:
		return part_share(buf, r->share);
	case VIEW_BY_CAUSE:
		return r->cause[0] ? r->cause : "-";
	case VIEW_BY_CERTIFICATE:
		return part_days(buf, r->not_after, p->totals.time_ns);
	case VIEW_BY_LATENCY:
		return part_latency(buf, r->latency_ns);
	case VIEW_BY_LAST:
		return part_time(buf, r->last_ns, p->zone_s, p->totals.time_ns);
	case VIEW_BY_FAILED:
		text_init(&t, buf, PART_LEN);
		text_add_number(&t, r->failed);
		return buf;
	case VIEW_SORTS:
		break;
	}
	return "";
}

static enum canvas_style cell_style(const struct page *p, const struct view_row *r,
				    const struct column *column)
{
	if (column->sort == VIEW_BY_STATE)
		return part_state_style(r->state);
	if (column->sort == VIEW_BY_SHARE && r->share > 0)
		return STYLE_WARNING;
	if (column->sort == VIEW_BY_CERTIFICATE)
		return part_days_style(r->not_after, p->totals.time_ns);
	return STYLE_PLAIN;
}

static void draw_row(const struct page *p, struct canvas *c, const struct layout *l, int row,
		     const struct view_row *r)
{
	int at = 1;

	for (size_t i = 0; i < l->count; i++) {
		const struct column *column = &l->columns[i];
		int width = l->widths[i];
		char buf[PART_LEN];
		const char *words = cell(p, r, column, buf);
		int pad = column->right ? width - canvas_width(words) : 0;

		if (column->sort == VIEW_SORTS)
			part_graph(c, row, at, width, r->levels);
		else if (width)
			canvas_put(c, row, at + (pad > 0 ? pad : 0), width,
				   cell_style(p, r, column), words);
		at += width + (width > 0);
	}
}

static void draw_list(const struct page *p, struct canvas *c, int row, int rows)
{
	struct view_failure failures[LIST_MAX];
	size_t max = rows - 1 < LIST_MAX ? (size_t)(rows - 1) : LIST_MAX;
	size_t n = view_failures(p->view, &p->query, NULL, !p->unfolded, failures, max);

	canvas_putf(c, row, 1, -1, STYLE_HEADING, "LAST FAILURES%s",
		    p->unfolded ? "" : "  (similar ones are folded; f: show each)");
	for (size_t i = 0; i < n; i++)
		part_failure(p, c, row + 1 + (int)i, &failures[i]);
	if (!n)
		canvas_put(c, row + 1, 1, -1, STYLE_DIM, "none");
}

static void draw_nothing(const struct page *p, struct canvas *c)
{
	canvas_put(c, FIRST_ROW, 1, -1, STYLE_DIM,
		   p->filter[0] || p->query.failing_only ? "nothing matches the filter"
		   : p->ended				 ? "no events"
		   : p->query.kind == VIEW_CLIENTS	 ? "no client has failed"
		   : p->query.kind == VIEW_CAUSES	 ? "nothing has failed"
							 : "no handshakes yet");
}

void part_table(struct page *p, struct canvas *c)
{
	int list = c->rows >= 16 ? c->rows / 3 : 0;
	int rows = c->rows - 1 - FIRST_ROW - list;
	struct layout layout;

	layout_make(&layout, p->query.kind, c->columns);
	draw_tabs(p, c);
	draw_heading(p, c, &layout);
	if (!p->count)
		draw_nothing(p, c);
	p->shown = rows > 0 ? (size_t)rows : 1;
	if (p->selected < p->first)
		p->first = p->selected;
	if (p->selected >= p->first + p->shown)
		p->first = p->selected - p->shown + 1;
	for (size_t i = 0; i < p->shown && p->first + i < p->count; i++) {
		draw_row(p, c, &layout, FIRST_ROW + (int)i, &p->rows[p->first + i]);
		if (p->first + i == p->selected)
			canvas_paint(c, FIRST_ROW + (int)i, 0, c->columns, STYLE_SELECTED);
	}
	if (list)
		draw_list(p, c, c->rows - 1 - list, list);
}
