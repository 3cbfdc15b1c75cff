// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any lines as those that a live view reads, from a file or a socket: what they say is shown on screens of
 * several sizes and in words, and is fit for a terminal.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "finding/reader.h"
#include "fuzz.h"
#include "harmless.h"
#include "output/sink.h"
#include "view/page.h"

static struct reader reader;
static char words[SINK_FINDING_LEN];

/* In lines, each of which is harmless. */
static void check_words(void)
{
	static const struct sink_options options = { .verbose = true, .ladder = true };
	struct text text;

	text_init(&text, words, sizeof(words));
	sink_type_text.format(&options, &reader.finding, &text);
	for (char *line = words; *line;) {
		char *end = line + strcspn(line, "\n");
		bool last = !*end;

		*end = '\0';
		FUZZ_ASSERT(is_harmless(line));
		line = end + !last;
	}
}

static void take(struct view *view, const char *line, size_t len)
{
	switch (reader_read(&reader, line, len)) {
	case READER_FINDING:
		view_finding(view, &reader.finding, line, len);
		check_words();
		break;
	case READER_STANDING:
		view_standing(view, &reader.standing);
		view_tick(view, reader.standing.time_ns);
		break;
	default:
		break;
	}
}

static void look(struct page *page, struct canvas *canvas, int rows, int columns)
{
	if (!canvas_clear(canvas, rows, columns))
		abort();
	page_draw(page, canvas);
	for (int i = 0; i < rows * columns; i++)
		FUZZ_ASSERT(canvas->cells[i].len && (uint8_t)canvas->cells[i].bytes[0] >= ' ');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view *view = view_new(size % 2);
	const char *line = (const char *)data, *end = line + size;
	struct canvas canvas = { .utf8 = true };
	struct page page;

	if (!view || !page_init(&page, view))
		abort();
	page.source = "fuzz";
	while (line < end) {
		const char *next = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)((next ? next : end) - line);

		take(view, line, len);
		line += len + 1;
	}
	for (int kind = 0; kind < VIEW_KINDS; kind++) {
		page_key(&page, '1' + kind);
		look(&page, &canvas, 24, 80);
		page_key(&page, PAGE_KEY_ENTER);
		look(&page, &canvas, 60, 200);
		page_key(&page, 'q');
	}
	page_release(&page);
	view_free(view);
	canvas_free(&canvas);
	return 0;
}
