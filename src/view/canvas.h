/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a screen shows, cell by cell, before there is a screen: so that pages are drawn, and tested,
 * without a terminal. A character takes one cell; one that may take more, or none, is shown as '?'.
 */
#ifndef TLSFAIL_VIEW_CANVAS_H
#define TLSFAIL_VIEW_CANVAS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* Each has to be told from the others by its words, too: there are terminals without colours. */
enum canvas_style {
	STYLE_PLAIN,
	STYLE_BAR, /* the first line and the last */
	STYLE_HEADING,
	STYLE_SELECTED,
	STYLE_BAD,
	STYLE_WARNING,
	STYLE_GOOD,
	STYLE_DIM,
	STYLE_COUNT,
};

struct canvas_cell {
	char bytes[4];
	uint8_t len;
	uint8_t style;
};

struct canvas {
	int rows;
	int columns;
	bool utf8; /* else ASCII is all that may be shown */
	struct canvas_cell *cells;
};

/* Makes it blank, and of this size; canvas is zero at first. False: out of memory. */
bool canvas_clear(struct canvas *c, int rows, int columns);
void canvas_free(struct canvas *c);

/* Puts s there, in width columns at most; less than 0: to the end of the line. What does not fit is cut
 * off, and ends in a mark. Returns the columns taken. What is outside is left out. */
int canvas_put(struct canvas *c, int row, int column, int width, enum canvas_style style,
	       const char *s);
int canvas_putf(struct canvas *c, int row, int column, int width, enum canvas_style style,
		const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Gives so many cells a style. */
void canvas_paint(struct canvas *c, int row, int column, int width, enum canvas_style style);

/* Appends a row as it is seen, without the blanks at its end. */
void canvas_add_row(const struct canvas *c, int row, struct text *t);

/* Columns that s takes. */
int canvas_width(const char *s);

#endif
