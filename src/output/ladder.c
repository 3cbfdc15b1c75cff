// SPDX-License-Identifier: BSD-2-Clause
/*
 * Time at the left, our side, arrows with what they carry, the peer. What is longer than an arrow
 * goes on below it.
 */
#include "output/ladder.h"

#include <inttypes.h>
#include <string.h>

#include "finding/finding.h"
#include "base/text.h"
#include "base/units.h"

#define TIME_WIDTH 12 /* "12345.678 ms" */
#define US_PER_MS  1000

struct glyphs {
	const char *side;
	const char *line;
	const char *to; /* the head of an arrow */
	const char *from;
};

static const struct glyphs ascii = { "|", "-", ">", "<" };
static const struct glyphs unicode = { "\u2502", "\u2500", "\u25b6", "\u25c0" };

struct frame {
	const struct glyphs *glyphs;
	int indent;
	int columns;
};

/* Columns of s, when it is what the findings hold: escaped UTF-8 of single width. */
static int width_of(const char *s, size_t len)
{
	int width = 0;

	for (size_t i = 0; i < len; i++)
		width += ((unsigned char)s[i] & 0xc0) != 0x80;
	return width;
}

/* The bytes of s that fit into room columns: whole words, or as many characters as there are. */
static size_t fitting(const char *s, int room)
{
	size_t len = strlen(s), at = 0, words = 0;
	int width = 0;

	if (width_of(s, len) <= room)
		return len;
	while (s[at] && width < room) {
		do
			at++;
		while (((unsigned char)s[at] & 0xc0) == 0x80);
		width++;
		if (s[at] == ' ')
			words = at;
	}
	return words ? words : at;
}

static void add_times(struct text *t, const char *glyph, int count)
{
	for (int i = 0; i < count; i++)
		text_add(t, glyph);
}

/* One line between the two sides; label NULL: nothing but the sides. arrow: 's', 'r', or ' '. */
static void line_add(struct text *t, const struct frame *frame, const char *time, char arrow,
		     const char *label, size_t len)
{
	const struct glyphs *g = frame->glyphs;
	int inner = frame->columns - frame->indent - TIME_WIDTH - 3;
	int rest = inner - width_of(label, len) - 4;
	const char *fill = arrow == ' ' ? " " : g->line;

	text_addf(t, "%*s%*s ", frame->indent, "", TIME_WIDTH, time);
	text_add(t, g->side);
	text_add(t, arrow == 'r' ? g->from : fill);
	text_addf(t, "%s %.*s ", fill, (int)len, label);
	add_times(t, fill, rest - 1);
	text_add(t, arrow == 's' ? g->to : fill);
	text_add(t, g->side);
	text_add(t, "\n");
}

static void event_add(struct text *t, const struct frame *frame, const struct finding_event *e)
{
	int room = frame->columns - frame->indent - TIME_WIDTH - 3 - 5;
	char arrow = e->dir[0] == 'l' ? ' ' : e->dir[0];
	const char *words = e->what;
	char time[32];
	struct text label;

	text_init(&label, time, sizeof(time));
	text_addf(&label, "%" PRIu64 ".%03u ms", e->t_ns / NS_PER_US / US_PER_MS,
		  (unsigned int)(e->t_ns / NS_PER_US % US_PER_MS));
	do {
		size_t len = fitting(words, room);

		line_add(t, frame, time, arrow, words, len);
		words += len;
		words += *words == ' ';
		arrow = ' ';
		time[0] = '\0';
	} while (*words);
}

void ladder_add(struct text *t, const struct finding *f, int indent, int columns, bool utf8)
{
	const struct frame frame = { utf8 ? &unicode : &ascii, indent, columns };
	int inner = columns - indent - TIME_WIDTH - 1;
	const char *us = f->executable_name[0] ? f->executable_name : "this host";
	char peer[FINDING_ADDRESS_LEN + 8];
	struct text words;
	int room = inner - width_of(us, strlen(us));

	if (!f->timeline_count)
		return;
	text_init(&words, peer, sizeof(peer));
	text_addf(&words, strchr(f->peer.address, ':') ? "[%s]:%u" : "%s:%u", f->peer.address,
		  f->peer.port);
	/* A long name of ours keeps a line for itself. */
	text_addf(t, "%*s%s", indent + TIME_WIDTH + 1, "", us);
	if (room <= (int)words.len) {
		text_addf(t, "\n%*s", inner < (int)words.len ? 0 : indent + TIME_WIDTH + 1, "");
		room = inner < (int)words.len ? columns : inner;
	}
	text_addf(t, "%*s\n", room, peer);
	for (unsigned int i = 0; i < f->timeline_count; i++)
		event_add(t, &frame, &f->timeline[i]);
}
