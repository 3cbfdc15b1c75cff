// SPDX-License-Identifier: BSD-2-Clause
/*
 * The ladder: a handshake as a sequence diagram, time at the left, our side, the peer.
 */
#include "report/page/parts.h"

#include <string.h>

#include "base/units.h"

#define WIDTH	    960
#define TIME_RIGHT  110
#define LEFT	    190
#define RIGHT	    840
#define TOP	    44
#define STEP	    34
#define LINE	    15
#define ROOM	    92 /* characters of a label in a line */
#define LINES_MAX   2
#define LABEL_CHARS 40

/* The bytes of s that fit into a line: whole words, or as many characters as there is room for. */
static size_t fitting(const char *s)
{
	size_t at = 0, words = 0, width = 0;

	while (s[at] && width < ROOM) {
		do
			at++;
		while (((unsigned char)s[at] & 0xc0) == 0x80);
		width++;
		if (s[at] == ' ')
			words = at;
	}
	return !s[at] ? at : words ? words : at;
}

static void label_add(struct page *p, const char *what, unsigned int y, const char *style)
{
	size_t first = fitting(what), rest = fitting(what + first);
	bool two = what[first];
	unsigned int at = two ? y - 6 - LINE : y - 6;

	html_add(&p->h, "<text class=\"%s\" x=\"%d\" y=\"%u\" text-anchor=\"middle\">", style,
		 (LEFT + RIGHT) / 2, at);
	html_text_part(&p->h, what, first);
	html_add(&p->h, "</text>");
	if (!two)
		return;
	html_add(&p->h, "<text class=\"%s\" x=\"%d\" y=\"%u\" text-anchor=\"middle\">", style,
		 (LEFT + RIGHT) / 2, y - 6);
	html_text_part(&p->h, what + first, rest);
	html_add(&p->h, "%s</text>", what[first + rest] ? "…" : "");
}

static void arrow_add(struct page *p, char direction, bool bad, unsigned int y)
{
	const char *style = bad ? "arrow bad" : "arrow";

	if (direction == 's')
		html_add(&p->h,
			 "<path class=\"%s\" d=\"M%d %uH%d\"/><path class=\"%s head\" d=\"M%d "
			 "%ul-9-5v10z\"/>",
			 style, LEFT, y, RIGHT - 8, style, RIGHT, y);
	else if (direction == 'r')
		html_add(&p->h,
			 "<path class=\"%s\" d=\"M%d %uH%d\"/><path class=\"%s head\" d=\"M%d "
			 "%ul9-5v10z\"/>",
			 style, RIGHT, y, LEFT + 8, style, LEFT, y);
	else
		html_add(&p->h, "<circle class=\"%s head\" cx=\"%d\" cy=\"%u\" r=\"4\"/>", style,
			 LEFT, y - 10);
}

static bool is_bad(const char *what)
{
	return (strstr(what, "alert") && !strstr(what, "close_notify")) || strstr(what, "reset") ||
	       strstr(what, "refused") || strstr(what, "RST");
}

static unsigned int step_add(struct page *p, const json_t *step, unsigned int y)
{
	const char *direction = report_string(step, "dir"), *what = report_string(step, "what");
	uint64_t us = report_number(step, "t") / NS_PER_US;
	bool bad = is_bad(what);
	bool two = what[fitting(what)];

	y += two ? STEP + LINE : STEP;
	html_add(&p->h,
		 "<text class=\"axis\" x=\"%d\" y=\"%u\" text-anchor=\"end\">%llu.%03llu ms</text>",
		 TIME_RIGHT, y - (*direction == 'l' ? 6 : 0) + 2, (unsigned long long)(us / 1000),
		 (unsigned long long)(us % 1000));
	label_add(p, what, y, bad ? "step badtext" : *direction == 'l' ? "step local" : "step");
	arrow_add(p, *direction, bad, y);
	return y;
}

static void description_add(struct page *p, const json_t *steps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const json_t *step = json_array_get(steps, i);
		uint64_t us = report_number(step, "t") / NS_PER_US;

		html_add(&p->h, "%llu.%03llu ms, ", (unsigned long long)(us / 1000),
			 (unsigned long long)(us % 1000));
		html_text(&p->h, report_string(step, "dir"));
		html_add(&p->h, ": ");
		html_text(&p->h, report_string(step, "what"));
		html_add(&p->h, ". ");
	}
}

static unsigned int height_of(const json_t *steps, size_t count)
{
	unsigned int height = TOP + 20;

	for (size_t i = 0; i < count; i++) {
		const char *what = report_string(json_array_get(steps, i), "what");

		height += what[fitting(what)] ? STEP + LINE : STEP;
	}
	return height;
}

static void side_add(struct page *p, const char *name, int x, unsigned int bottom)
{
	size_t len = strlen(name), shown = len;

	if (shown > LABEL_CHARS)
		for (shown = LABEL_CHARS; shown && ((unsigned char)name[shown] & 0xc0) == 0x80;)
			shown--;
	html_add(&p->h, "<text class=\"peer\" x=\"%d\" y=\"20\" text-anchor=\"middle\">", x);
	html_text_part(&p->h, name, shown);
	html_add(&p->h, "%s</text><line class=\"life\" x1=\"%d\" y1=\"30\" x2=\"%d\" y2=\"%u\"/>",
		 shown < len ? "…" : "", x, x, bottom);
}

void page_ladder(struct page *p, const struct report_kind_row *kind)
{
	const json_t *steps = json_object_get(kind->example, "tlsfail.timeline");
	const char *us = report_string(kind->example, "process.executable.name");
	const struct report_peer *peer =
		REPORT_ROW(&p->report->peers, struct report_peer, kind->peer);
	const char *them =
		peer->server ? report_string(kind->example, "network.peer.address") : peer->label;
	size_t count = json_array_size(steps);
	unsigned int height, y = TOP - 10;

	if (!count)
		return;
	if (count > PAGE_LADDER_STEPS)
		count = PAGE_LADDER_STEPS;
	us = *us ? us : "this host";
	height = height_of(steps, count);
	html_add(&p->h,
		 "<figure><figcaption>One of these handshakes</figcaption><div class=\"wide\" "
		 "tabindex=\"0\" role=\"region\" aria-label=\"Handshake\">");
	page_graphic_begin(p, WIDTH, height);
	html_add(&p->h, "Handshake between ");
	html_text(&p->h, us);
	html_add(&p->h, " and ");
	html_text(&p->h, them);
	page_graphic_description(p);
	description_add(p, steps, count);
	page_graphic_begun(p);
	side_add(p, us, LEFT, height - 6);
	side_add(p, them, RIGHT, height - 6);
	for (size_t i = 0; i < count; i++)
		y = step_add(p, json_array_get(steps, i), y);
	html_add(&p->h, "</svg></div></figure>\n");
}
