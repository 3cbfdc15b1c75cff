// SPDX-License-Identifier: BSD-2-Clause
/*
 * Cells.
 */
#include "view/canvas.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LINE_LEN 1024

bool canvas_clear(struct canvas *c, int rows, int columns)
{
	size_t count = (size_t)(rows > 0 ? rows : 1) * (size_t)(columns > 0 ? columns : 1);
	struct canvas_cell *cells = c->cells;

	if (rows != c->rows || columns != c->columns || !cells)
		cells = realloc(c->cells, count * sizeof(*cells));
	if (!cells)
		return false;
	c->cells = cells;
	c->rows = rows;
	c->columns = columns;
	for (size_t i = 0; i < count; i++)
		cells[i] = (struct canvas_cell){ .bytes = " ", .len = 1 };
	return true;
}

void canvas_free(struct canvas *c)
{
	free(c->cells);
	*c = (struct canvas){ 0 };
}

/* Bytes of the character that s begins with. What is not well-formed is a character for each byte. */
static size_t char_len(const char *s)
{
	uint8_t first = (uint8_t)*s;
	size_t len = first < 0xc2 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 1;

	for (size_t i = 1; i < len; i++)
		if (((uint8_t)s[i] & 0xc0) != 0x80)
			return 1;
	return len;
}

static uint32_t char_code(const char *s, size_t len)
{
	uint32_t code = (uint8_t)*s;

	if (len == 1)
		return code < 0x80 ? code : 0;
	code &= 0x7fU >> len;
	for (size_t i = 1; i < len; i++)
		code = code << 6 | ((uint8_t)s[i] & 0x3fU);
	return code;
}

/* Of these it is certain that every terminal gives them one column: Latin, Greek, Cyrillic, Armenian,
 * punctuation, arrows, mathematics, lines and blocks. */
static bool is_narrow(uint32_t code)
{
	return (code >= 0x20 && code < 0x7f) || (code >= 0xa1 && code < 0x300 && code != 0xad) ||
	       (code >= 0x370 && code < 0x483) || (code >= 0x48a && code < 0x591) ||
	       (code >= 0x2010 && code < 0x2028) || (code >= 0x2030 && code < 0x205f) ||
	       (code >= 0x2190 && code < 0x2300) || (code >= 0x2500 && code < 0x25fd);
}

static void cell_set(struct canvas *c, int row, int column, enum canvas_style style, const char *s,
		     size_t len)
{
	struct canvas_cell *cell;
	uint32_t code = char_code(s, len);

	if (row < 0 || row >= c->rows || column < 0 || column >= c->columns)
		return;
	cell = &c->cells[row * c->columns + column];
	if (!is_narrow(code) || (code > 0x7f && !c->utf8)) {
		s = "?";
		len = 1;
	}
	*cell = (struct canvas_cell){ .len = (uint8_t)len, .style = (uint8_t)style };
	memcpy(cell->bytes, s, len);
}

int canvas_width(const char *s)
{
	int width = 0;

	for (; *s; s += char_len(s))
		width++;
	return width;
}

int canvas_put(struct canvas *c, int row, int column, int width, enum canvas_style style,
	       const char *s)
{
	int limit = width < 0 || width > c->columns - column ? c->columns - column : width;
	bool cut = canvas_width(s) > limit;
	int taken = 0;

	for (; *s && taken < limit; s += char_len(s), taken++)
		cell_set(c, row, column + taken, style, s, char_len(s));
	if (cut && limit > 1)
		cell_set(c, row, column + limit - 1, style, c->utf8 ? "\u2026" : "~",
			 c->utf8 ? 3 : 1);
	return taken;
}

int canvas_putf(struct canvas *c, int row, int column, int width, enum canvas_style style,
		const char *format, ...)
{
	char line[LINE_LEN];
	struct text t;
	va_list args;

	text_init(&t, line, sizeof(line));
	va_start(args, format);
	text_addv(&t, format, args);
	va_end(args);
	return canvas_put(c, row, column, width, style, line);
}

void canvas_paint(struct canvas *c, int row, int column, int width, enum canvas_style style)
{
	if (row < 0 || row >= c->rows)
		return;
	for (int i = column < 0 ? 0 : column; i < column + width && i < c->columns; i++)
		c->cells[row * c->columns + i].style = (uint8_t)style;
}

void canvas_add_row(const struct canvas *c, int row, struct text *t)
{
	const struct canvas_cell *cells = &c->cells[row * c->columns];
	int end = c->columns;

	while (end && cells[end - 1].bytes[0] == ' ')
		end--;
	for (int i = 0; i < end; i++)
		text_add_bytes(t, cells[i].bytes, cells[i].len);
}
