/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pages of a live view, drawn on canvases of every size; and what keys do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "finding_set.h"
#include "view/page.h"

static struct view *view;
static struct page page;
static struct canvas canvas;
static char screen[200 * 1024];

static char *describe(void *context, const char *line, size_t len, int columns)
{
	char *words = malloc(256);

	(void)context;
	assert_non_null(words);
	snprintf(words, 256, "what is said of %.*s in %d\nfix: it\n", (int)len, line, columns);
	return words;
}

static void fail_at(uint64_t second, const char *address, const char *cause)
{
	static struct finding f;

	f = (struct finding){ .kind = FINDING_FAILURE, .cause = cause, .role = "client" };
	f.time_ns = TIME_NS + second * 1000000000;
	SET(f.peer.address, address);
	f.peer.port = 443;
	SET(f.hello.server_name, "b\u00e4r.example");
	view_finding(view, &f, address, strlen(address));
}

static int setup(void **state)
{
	(void)state;
	view = view_new(true);
	if (!view || !page_init(&page, view))
		return -1;
	page.source = "test";
	page.recorded = true;
	page.describe = describe;
	canvas.utf8 = true;
	fail_at(0, "10.0.0.1", "verify-expired");
	fail_at(1, "10.0.0.2", "a-slug-that-is-longer-than-any-there-is-now");
	fail_at(2, "2001:db8:85a3:8d3:1319:8a2e:370:7348", "peer-closed-in-handshake");
	fail_at(3, "10.0.0.1", "verify-expired");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	page_release(&page);
	view_free(view);
	canvas_free(&canvas);
	return 0;
}

static void draw(int rows, int columns)
{
	struct text text;

	assert_true(canvas_clear(&canvas, rows, columns));
	page_draw(&page, &canvas);
	text_init(&text, screen, sizeof(screen));
	for (int i = 0; i < rows; i++) {
		canvas_add_row(&canvas, i, &text);
		text_add(&text, "\n");
	}
	assert_false(text.cut);
}

static void shows(const char *words)
{
	draw(24, 80);
	if (!strstr(screen, words))
		fail_msg("'%s' is not to be seen:\n%s", words, screen);
}

static void shows_not(const char *words)
{
	draw(24, 80);
	if (strstr(screen, words))
		fail_msg("'%s' is to be seen:\n%s", words, screen);
}

static void type(const char *words)
{
	for (; *words; words++)
		assert_int_equal(page_key(&page, *words), PAGE_WISH_NONE);
}

static void test_table(void **state)
{
	(void)state;
	shows("10.0.0.1:443");
	shows("[2001:db8:85a3:8d3:1\u2026");
	shows("a-slug-that-is\u2026");
	/* whose name it was, as well, in few columns */
	shows("verify-expired           2x    b\u00e4r.example");
	shows("peer-closed-in-handshake       b\u00e4r.example");
	shows("history: <1 s a column");
	type("f");
	shows_not("2x");
	page_key(&page, PAGE_KEY_TAB);
	shows("UPSTREAM");
	type("3");
	shows("[Causes]");
	page_key(&page, PAGE_KEY_RIGHT);
	shows("no client has failed");
	page_key(&page, PAGE_KEY_BACK_TAB);
	shows("[Causes]");
}

/* In few columns there are fewer, whole ones; what the keys are is to be seen, and where all comes from
 * is apart from the time. */
static void test_narrow(void **state)
{
	(void)state;
	draw(24, 60);
	assert_non_null(
		strstr(screen, " STATEv    PEER                    HS/S FAIL LAST CAUSE\n"));
	assert_non_null(strstr(screen, "? help  q quit"));
	draw(12, 40);
	assert_non_null(strstr(screen, " STATEv    PEER                     FAIL\n"));
	assert_non_null(strstr(screen, " -         10.0.0.1:443             100%\n"));
	assert_non_null(strstr(screen, " tlsfail top  test    out 1.3/s"));
	assert_non_null(strstr(screen, "\n ? help  q quit  Enter open  Tab table\n"));
	type("3");
	draw(12, 40);
	assert_non_null(strstr(screen, " CAUSE "));
	assert_non_null(strstr(screen, "FAILED\n"));
	page.source = "/a/path/that/is/longer/than/it/should/be/for/this/line.rec";
	shows(" tlsfail top  /a/path/that/is/longer/than/it/should/be\u2026  out 1.3/s  01-02 15:04\n");
}

/* Every column can be sorted by, and none that a table has not. */
static void test_sorting(void **state)
{
	(void)state;
	for (int kind = 0; kind < VIEW_KINDS; kind++) {
		char key[] = { (char)('1' + kind), '\0' };

		type(key);
		for (int i = 0; i < VIEW_SORTS; i++) {
			type(">");
			draw(60, 300);
			if (!strstr(screen, "v ") && !strstr(screen, "v\n"))
				fail_msg("sorted by nothing:\n%s", screen);
		}
		type("<r");
		draw(60, 300);
		assert_non_null(strchr(screen, '^'));
		type("r");
	}
}

static void test_filter(void **state)
{
	(void)state;
	type("/expired");
	assert_int_equal(page.prompt, PAGE_PROMPT_FILTER);
	shows("filter: expired");
	page_key(&page, PAGE_KEY_ENTER);
	shows_not("10.0.0.2:443");
	/* to be mended, given up, taken away */
	type("/");
	page_key(&page, PAGE_KEY_BACKSPACE);
	page_key(&page, PAGE_KEY_ESCAPE);
	shows_not("10.0.0.2:443");
	page_key(&page, PAGE_KEY_ESCAPE);
	shows("10.0.0.2:443");
	type("/nothing like it");
	page_key(&page, PAGE_KEY_ENTER);
	shows("nothing matches the filter");
	assert_int_equal(page_key(&page, PAGE_KEY_ENTER), PAGE_WISH_NONE);
	assert_int_equal(page.mode, PAGE_TABLE);
}

static void test_detail(void **state)
{
	(void)state;
	type(">"); /* by name */
	draw(24, 80);
	page_key(&page, PAGE_KEY_ENTER);
	shows("what is said of 10.0.0.1 in 80");
	shows("fix: it");
	type("f");
	draw(24, 80);
	type("n");
	assert_int_equal(page.chosen, 1);
	/* a newer one comes, and what was chosen stays so */
	fail_at(9, "10.0.0.1", "verify-expired");
	draw(24, 80);
	assert_int_equal(page.chosen, 2);
	page_key(&page, PAGE_KEY_DOWN);
	page_key(&page, PAGE_KEY_PAGE_DOWN);
	draw(24, 80);
	assert_int_equal(page.scroll, 0);
	assert_int_equal(page_key(&page, 'q'), PAGE_WISH_NONE);
	assert_int_equal(page.mode, PAGE_TABLE);
	assert_int_equal(page_key(&page, 'q'), PAGE_WISH_QUIT);
}

/* The row that was selected stays so, wherever it goes. */
static void test_selection(void **state)
{
	(void)state;
	draw(24, 80);
	page_key(&page, PAGE_KEY_END);
	draw(24, 80);
	assert_int_equal(page.selected, 2);
	for (int i = 0; i < 40; i++) {
		char address[32];

		snprintf(address, sizeof(address), "10.0.9.%d", i);
		fail_at(4, address, "verify-expired");
	}
	draw(24, 80);
	assert_true(page.selected > 2 ||
		    !strcmp(page.rows[page.selected].name, page.selected_name));
	page_key(&page, PAGE_KEY_HOME);
	page_key(&page, PAGE_KEY_PAGE_DOWN);
	draw(24, 80);
	assert_true(page.first <= page.selected && page.selected < page.first + page.shown);
}

static void test_pause(void **state)
{
	(void)state;
	draw(24, 80);
	type("p");
	fail_at(5, "10.0.0.77", "verify-expired");
	shows("PAUSED");
	draw(12, 80);
	assert_null(strstr(screen, "10.0.0.77"));
	type("p");
	shows("10.0.0.77");
}

static void test_file(void **state)
{
	(void)state;
	type("w");
	assert_int_equal(page_key(&page, PAGE_KEY_ENTER), PAGE_WISH_NONE);
	type("w/tmp/x");
	assert_int_equal(page_key(&page, PAGE_KEY_ENTER), PAGE_WISH_WRITE);
	assert_string_equal(page.input, "/tmp/x");
	page.writing = "/tmp/x";
	shows("WRITING");
	assert_int_equal(page_key(&page, 'w'), PAGE_WISH_STOP);
}

/* What the key writes, and what else it can, is said where it is pressed, and in the help. */
static void test_recording(void **state)
{
	(void)state;
	type("w");
	shows("write JSON lines to:");
	page_key(&page, PAGE_KEY_ESCAPE);
	type("?");
	shows("new failures to a file of JSON lines;");
	page_key(&page, 'x');
	page.records = true;
	type("w");
	shows("write a recording (NAME.json: JSON lines) to:");
	page_key(&page, PAGE_KEY_ESCAPE);
	type("?");
	shows("new failures to a recording; NAME.json:");
}

/* From a cell to a wall, with and without UTF-8. */
static void test_sizes(void **state)
{
	(void)state;
	for (int mode = PAGE_TABLE; mode <= PAGE_HELP; mode++)
		for (int rows = 1; rows < 70; rows += rows < 30 ? 1 : 13)
			for (int columns = 1; columns < 260; columns += columns < 90 ? 1 : 31) {
				page.mode = PAGE_TABLE;
				draw(rows, columns);
				if (mode == PAGE_DETAIL)
					page_key(&page, PAGE_KEY_ENTER);
				page.mode = (enum page_mode)mode;
				canvas.utf8 = columns % 2;
				draw(rows, columns);
				for (const char *c = screen; *c && !canvas.utf8; c++)
					assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
			}
}

/* What takes two columns, or none, would shift all that follows. */
static void test_canvas(void **state)
{
	char line[64];
	struct text text;

	(void)state;
	canvas_clear(&canvas, 1, 12);
	canvas_put(&canvas, 0, 0, -1, STYLE_PLAIN, "a\u4e2d\u0301\U0001f600\xff\x1b\u00e4b\u2588");
	text_init(&text, line, sizeof(line));
	canvas_add_row(&canvas, 0, &text);
	assert_string_equal(line, "a?????\u00e4b\u2588");
	canvas_put(&canvas, 0, 8, 3, STYLE_PLAIN, "long");
	canvas_put(&canvas, 3, -5, 3, STYLE_PLAIN, "outside");
	canvas_paint(&canvas, 9, -3, 300, STYLE_BAD);
	text_init(&text, line, sizeof(line));
	canvas_add_row(&canvas, 0, &text);
	assert_string_equal(line, "a?????\u00e4blo\u2026");
}

#define PAGE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAGE(test_table),     PAGE(test_narrow),    PAGE(test_sorting), PAGE(test_filter),
		PAGE(test_detail),    PAGE(test_selection), PAGE(test_pause),	PAGE(test_file),
		PAGE(test_recording), PAGE(test_sizes),	    PAGE(test_canvas),
	};

	return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
