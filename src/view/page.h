/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What somebody looks at: a table, one of its rows, or the help; what keys do, and how it is drawn.
 * Pure: keys in, a canvas and wishes out.
 */
#ifndef TLSFAIL_VIEW_PAGE_H
#define TLSFAIL_VIEW_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "view/canvas.h"
#include "view/model.h"

/* Characters are keys by their code. */
enum page_key {
	PAGE_KEY_UP = 0x100,
	PAGE_KEY_DOWN,
	PAGE_KEY_LEFT,
	PAGE_KEY_RIGHT,
	PAGE_KEY_PAGE_UP,
	PAGE_KEY_PAGE_DOWN,
	PAGE_KEY_HOME,
	PAGE_KEY_END,
	PAGE_KEY_ENTER,
	PAGE_KEY_ESCAPE,
	PAGE_KEY_TAB,
	PAGE_KEY_BACK_TAB,
	PAGE_KEY_BACKSPACE,
};

enum page_mode {
	PAGE_TABLE,
	PAGE_DETAIL,
	PAGE_HELP,
};

/* What is being typed. */
enum page_prompt {
	PAGE_PROMPT_NONE,
	PAGE_PROMPT_FILTER,
	PAGE_PROMPT_FILE,
};

/* What a key asks of the owner of the page. */
enum page_wish {
	PAGE_WISH_NONE,
	PAGE_WISH_QUIT,
	PAGE_WISH_WRITE, /* begin to write a file of that name: input */
	PAGE_WISH_STOP,	 /* end it */
};

#define PAGE_INPUT_LEN	256
#define PAGE_DETAIL_MAX 64 /* failures of a row that are listed */

struct page {
	/* the owner's to set */
	const char *source; /* where all comes from */
	bool recorded;
	bool ended;	     /* nothing comes any more */
	bool records;	     /* are at hand, of which a recording can be written */
	const char *writing; /* file that is being written, or NULL */
	char notice[512];    /* in the last line, until a key */
	int64_t zone_s;	     /* seconds east of UTC */
	/* What is to be said of a failure, in lines of so many columns: the caller's to free(), or
	 * NULL. */
	char *(*describe)(void *context, const char *line, size_t len, int columns);
	void *context;

	struct view *view;
	struct view_query query;
	char filter[PAGE_INPUT_LEN];
	enum page_mode mode;
	bool paused;
	bool unfolded;
	enum page_prompt prompt;
	char input[PAGE_INPUT_LEN];

	/* as they were when it was not paused */
	struct view_totals totals;
	struct view_row *rows;
	size_t count;
	size_t selected;
	char selected_name[VIEW_NAME_LEN];
	size_t first; /* row that is shown */
	size_t shown; /* how many there is room for */

	/* of the row that is open */
	struct view_row open;
	struct view_failure failures[PAGE_DETAIL_MAX];
	size_t failure_count;
	size_t chosen;
	uint64_t chosen_ns; /* 0: the last one, whichever that is */
	char *text;	    /* that describes it */
	uint64_t text_ns;   /* and which that is */
	int text_columns;
	int scroll;
};

/* view outlives it. False: out of memory. */
bool page_init(struct page *p, struct view *view);
void page_release(struct page *p);

enum page_wish page_key(struct page *p, int key);

/* Draws it on a canvas, which is of its size and clear. */
void page_draw(struct page *p, struct canvas *c);

#endif
