// SPDX-License-Identifier: BSD-2-Clause
/*
 * Keys.
 */
#include "view/page.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "view/parts.h"

#define TITLE_MIN 22 /* columns: " tlsfail top  live" and some */

bool page_init(struct page *p, struct view *view)
{
	*p = (struct page){ .view = view, .shown = 1 };
	p->query.filter = p->filter;
	p->rows = calloc(VIEW_ROWS_MAX, sizeof(*p->rows));
	return p->rows;
}

void page_release(struct page *p)
{
	free(p->rows);
	free(p->text);
	p->rows = NULL;
	p->text = NULL;
}

static void set(char *to, size_t size, const char *from)
{
	struct text t;

	text_init(&t, to, size);
	text_add(&t, from);
}
#define SET(array, from) set(array, sizeof(array), from)

/* -- the table ------------------------------------------------------------------------------------ */

/* The row that is selected stays so, wherever it has gone. */
static void rows_take(struct page *p)
{
	p->count = view_rows(p->view, &p->query, p->rows, VIEW_ROWS_MAX);
	if (p->count > VIEW_ROWS_MAX)
		p->count = VIEW_ROWS_MAX;
	view_totals(p->view, &p->totals);
	for (size_t i = 0; i < p->count && p->selected_name[0]; i++)
		if (!strcmp(p->rows[i].name, p->selected_name)) {
			p->selected = i;
			return;
		}
	p->selected_name[0] = '\0';
	if (p->selected >= p->count)
		p->selected = p->count ? p->count - 1 : 0;
}

/* What somebody has chosen is followed; who is at the top looks at what is the worst. */
static void select_row(struct page *p, size_t row)
{
	p->selected = p->count && row >= p->count ? p->count - 1 : row;
	if (p->count && p->selected)
		SET(p->selected_name, p->rows[p->selected].name);
	else
		p->selected_name[0] = '\0';
}

static void select_by(struct page *p, size_t rows, bool up)
{
	if (up)
		select_row(p, p->selected > rows ? p->selected - rows : 0);
	else
		select_row(p, p->selected + rows);
}

static void kind_set(struct page *p, enum view_kind kind)
{
	p->query.kind = kind;
	p->selected_name[0] = '\0';
	p->selected = p->first = 0;
	rows_take(p);
}

/* A column that this table has not is passed over. */
static bool has_column(enum view_kind kind, enum view_sort sort)
{
	bool peers = kind == VIEW_PEERS || kind == VIEW_UPSTREAMS;

	return peers ||
	       (sort != VIEW_BY_SHARE && sort != VIEW_BY_CERTIFICATE && sort != VIEW_BY_LATENCY &&
		sort != VIEW_BY_STATE && !(sort == VIEW_BY_CAUSE && kind == VIEW_CAUSES));
}

static void sort_step(struct page *p, unsigned int step)
{
	do
		p->query.sort = (p->query.sort + step) % VIEW_SORTS;
	while (!has_column(p->query.kind, p->query.sort));
	rows_take(p);
}

static void detail_open(struct page *p)
{
	if (!p->count)
		return;
	p->open = p->rows[p->selected];
	p->mode = PAGE_DETAIL;
	p->chosen = 0;
	p->chosen_ns = 0;
	p->scroll = 0;
}

static void key_moves(struct page *p, int key)
{
	switch (key) {
	case PAGE_KEY_UP:
	case 'k':
		select_by(p, 1, true);
		break;
	case PAGE_KEY_DOWN:
	case 'j':
		select_by(p, 1, false);
		break;
	case PAGE_KEY_PAGE_UP:
		select_by(p, p->shown, true);
		break;
	case PAGE_KEY_PAGE_DOWN:
		select_by(p, p->shown, false);
		break;
	case PAGE_KEY_HOME:
		select_row(p, 0);
		break;
	case PAGE_KEY_END:
		select_row(p, p->count ? p->count - 1 : 0);
		break;
	default:
		break;
	}
}

static void prompt_open(struct page *p, enum page_prompt prompt, const char *input)
{
	p->prompt = prompt;
	SET(p->input, input);
}

static void key_table(struct page *p, int key)
{
	switch (key) {
	case PAGE_KEY_TAB:
	case PAGE_KEY_RIGHT:
		kind_set(p, (p->query.kind + 1) % VIEW_KINDS);
		break;
	case PAGE_KEY_BACK_TAB:
	case PAGE_KEY_LEFT:
		kind_set(p, (p->query.kind + VIEW_KINDS - 1) % VIEW_KINDS);
		break;
	case '1':
	case '2':
	case '3':
	case '4':
		kind_set(p, (enum view_kind)(key - '1'));
		break;
	case PAGE_KEY_ENTER:
		detail_open(p);
		break;
	case PAGE_KEY_ESCAPE:
		p->filter[0] = '\0';
		rows_take(p);
		break;
	case '>':
	case '.':
		sort_step(p, 1);
		break;
	case '<':
	case ',':
		sort_step(p, VIEW_SORTS - 1);
		break;
	case 'r':
		p->query.reverse = !p->query.reverse;
		rows_take(p);
		break;
	case 'a':
		p->query.failing_only = !p->query.failing_only;
		rows_take(p);
		break;
	default:
		key_moves(p, key);
	}
}

/* -- one row -------------------------------------------------------------------------------------- */

static void choose(struct page *p, size_t failure)
{
	if (failure >= p->failure_count)
		return;
	p->chosen = failure;
	p->chosen_ns = failure ? p->failures[failure].time_ns : 0;
	p->scroll = 0;
}

static void key_detail(struct page *p, int key)
{
	switch (key) {
	case PAGE_KEY_ESCAPE:
	case PAGE_KEY_LEFT:
	case PAGE_KEY_BACKSPACE:
		p->mode = PAGE_TABLE;
		break;
	case PAGE_KEY_UP:
	case 'k':
		p->scroll -= p->scroll > 0;
		break;
	case PAGE_KEY_DOWN:
	case 'j':
		p->scroll++;
		break;
	case PAGE_KEY_PAGE_UP:
		p->scroll = p->scroll > (int)p->shown ? p->scroll - (int)p->shown : 0;
		break;
	case PAGE_KEY_PAGE_DOWN:
	case ' ':
		p->scroll += (int)p->shown;
		break;
	case PAGE_KEY_HOME:
		p->scroll = 0;
		break;
	case 'n':
		choose(p, p->chosen + 1);
		break;
	case 'N':
		choose(p, p->chosen ? p->chosen - 1 : 0);
		break;
	default:
		break;
	}
}

/* -- all ------------------------------------------------------------------------------------------ */

static enum page_wish prompt_end(struct page *p)
{
	enum page_prompt prompt = p->prompt;

	p->prompt = PAGE_PROMPT_NONE;
	if (prompt == PAGE_PROMPT_FILE)
		return p->input[0] ? PAGE_WISH_WRITE : PAGE_WISH_NONE;
	SET(p->filter, p->input);
	p->selected_name[0] = '\0';
	rows_take(p);
	return PAGE_WISH_NONE;
}

static enum page_wish key_prompt(struct page *p, int key)
{
	size_t len = strlen(p->input);

	if (key == PAGE_KEY_ENTER)
		return prompt_end(p);
	if (key == PAGE_KEY_ESCAPE)
		p->prompt = PAGE_PROMPT_NONE;
	else if (key == PAGE_KEY_BACKSPACE && len)
		p->input[len - 1] = '\0';
	else if (key == 0x15) /* ^U */
		p->input[0] = '\0';
	else if (key >= ' ' && key < 0x7f && len + 1 < sizeof(p->input)) {
		p->input[len] = (char)key;
		p->input[len + 1] = '\0';
	}
	return PAGE_WISH_NONE;
}

/* Those that mean the same everywhere. */
static bool key_common(struct page *p, int key, enum page_wish *wish)
{
	switch (key) {
	case '?':
	case 'h':
		p->mode = PAGE_HELP;
		return true;
	case '/':
		prompt_open(p, PAGE_PROMPT_FILTER, p->filter);
		p->mode = PAGE_TABLE;
		return true;
	case 'p':
		p->paused = !p->paused;
		return true;
	case 'f':
		p->unfolded = !p->unfolded;
		return true;
	case 'w':
		if (p->writing)
			*wish = PAGE_WISH_STOP;
		else
			prompt_open(p, PAGE_PROMPT_FILE, "");
		return true;
	default:
		return false;
	}
}

enum page_wish page_key(struct page *p, int key)
{
	enum page_wish wish = PAGE_WISH_NONE;

	p->notice[0] = '\0';
	if (p->prompt)
		return key_prompt(p, key);
	if (p->mode == PAGE_HELP || (key == 'q' && p->mode == PAGE_DETAIL)) {
		p->mode = PAGE_TABLE;
	} else if (key == 'q') {
		wish = PAGE_WISH_QUIT;
	} else if (key_common(p, key, &wish)) {
		return wish;
	} else if (p->mode == PAGE_DETAIL) {
		key_detail(p, key);
	} else {
		key_table(p, key);
	}
	return wish;
}

/* -- drawing -------------------------------------------------------------------------------------- */

static void draw_title(const struct page *p, struct canvas *c)
{
	const struct view_totals *t = &p->totals;
	char rate[PART_LEN], server[PART_LEN], latency[PART_LEN], now[PART_LEN], words[256];
	struct text text;
	int left;

	text_init(&text, words, sizeof(words));
	text_addf(&text, "out %s/s", part_rate(rate, t->client_rate));
	if (t->server_rate >= 0 && (t->server_done || t->server_failed))
		text_addf(&text, "  in %s/s", part_rate(server, t->server_rate));
	if (t->latency_ns)
		text_addf(&text, "  took %s", part_latency(latency, t->latency_ns));
	if (t->lost)
		text_addf(&text, "  LOST %llu", (unsigned long long)t->lost);
	text_addf(&text, "  %s ",
		  part_time(now, t->time_ns, p->zone_s, p->recorded ? 0 : t->time_ns));
	/* the name of a file gives way, as long as something of it is there */
	left = c->columns - canvas_width(words);
	if (left < TITLE_MIN)
		left = TITLE_MIN;
	canvas_putf(c, 0, 0, left - 2, STYLE_BAR, " tlsfail top  %s", p->source);
	canvas_put(c, 0, left, -1, STYLE_BAR, words);
	canvas_paint(c, 0, 0, c->columns, STYLE_BAR);
}

static const char *prompt_words(const struct page *p)
{
	if (p->prompt == PAGE_PROMPT_FILTER)
		return "filter: ";
	return p->records ? "write a recording (NAME.json: JSON lines) to: "
			  : "write JSON lines to: ";
}

static void draw_last_line(const struct page *p, struct canvas *c)
{
	static const char *const keys[] = {
		[PAGE_TABLE] =
			" Tab table  Enter open  / filter  <> sort  p pause  w write  ? help  q quit",
		[PAGE_DETAIL] = " n/N older/newer  arrows scroll  f fold  p pause  ? help  q back",
		[PAGE_HELP] = " any key: back",
	};
	/* that there are others, the help says */
	static const char *const narrow[] = {
		[PAGE_TABLE] = " ? help  q quit  Enter open  Tab table",
		[PAGE_DETAIL] = " ? help  q back",
		[PAGE_HELP] = " any key: back",
	};
	int row = c->rows - 1;

	if (p->prompt) {
		int at = canvas_put(c, row, 0, -1, STYLE_HEADING, prompt_words(p));

		at += canvas_put(c, row, at, -1, STYLE_PLAIN, p->input);
		canvas_put(c, row, at, -1, STYLE_SELECTED, " ");
		return;
	}
	canvas_put(c, row, 0, -1, STYLE_BAR,
		   p->notice[0]				       ? p->notice
		   : canvas_width(keys[p->mode]) <= c->columns ? keys[p->mode]
							       : narrow[p->mode]);
	canvas_paint(c, row, 0, c->columns, STYLE_BAR);
}

void page_draw(struct page *p, struct canvas *c)
{
	if (!p->paused)
		rows_take(p);
	draw_title(p, c);
	switch (p->mode) {
	case PAGE_TABLE:
		part_table(p, c);
		break;
	case PAGE_DETAIL:
		part_detail(p, c);
		break;
	case PAGE_HELP:
		part_help(p, c);
		break;
	}
	draw_last_line(p, c);
}
