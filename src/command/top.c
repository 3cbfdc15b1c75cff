// SPDX-License-Identifier: BSD-2-Clause
/*
 * Lines in, keys in, canvas out. Whatever this waits for, it does not wait for long: a signal, a key
 * and a change of size have their turn at once.
 */
#include "command/top.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/top_file.h"
#include "command/top_source.h"
#include "finding/reader.h"
#include "output/sink.h"
#include "record/backlog.h"
#include "screen/screen.h"
#include "system/clock.h"
#include "system/confine.h"
#include "system/log.h"
#include "tlsfail_abi.h"
#include "view/page.h"

#define WAIT_MS	  250
#define DRAW_NS	  (100 * NS_PER_MS) /* between two looks, unless a key was pressed */
#define NOTICE_NS (10 * NS_PER_S)   /* a message stays, without a key */

#define BACKLOG_BYTES (16UL * 1024 * 1024) /* of records, for a recording that is begun late */

#define MESSAGES_MAX 16
#define MESSAGE_LEN  512
#define DETAIL_LEN   SINK_FINDING_LEN

struct top {
	const struct options *options;
	struct source *source;
	struct view *view;
	struct page page;
	struct screen *screen;
	struct canvas canvas;
	struct reader reader;
	struct reader described;
	char title[256];

	struct top_file file; /* that is written */
	char file_name[PAGE_INPUT_LEN];
	struct backlog *backlog; /* NULL: no records come */
	bool records_ended;	 /* the last of them came */
	uint64_t bad;		 /* lines that are no events */
	uint64_t good;
	bool dirty;
	uint64_t drawn_at;
	uint64_t noticed_at;
	uint64_t ticked_at;
	/* the last ones, for when the process that traces fails */
	size_t message_count;
	char messages[MESSAGES_MAX][MESSAGE_LEN];
	char error[MESSAGE_LEN]; /* why it ends; "" : it was quit */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

/* SIGTSTP and SIGWINCH are ncurses' own. */
static void signals_take(void)
{
	static const int taken[] = { SIGINT, SIGTERM, SIGQUIT, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal };

	interrupted = 0;
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		sigaction(taken[i], &action, NULL);
}

static void notice(struct top *t, const char *words)
{
	struct text text;

	text_init(&text, t->page.notice, sizeof(t->page.notice));
	text_addf(&text, " %s", words);
	t->noticed_at = clock_monotonic();
	t->dirty = true;
}

static void notice_error(struct top *t, const char *what, const char *why)
{
	char words[MESSAGE_LEN];
	struct text text;

	text_init(&text, words, sizeof(words));
	text_addf(&text, "%s: %s", what, why);
	notice(t, words);
}

/* -- a file --------------------------------------------------------------------------------------- */

/* False: there is none any more, and it is said why. */
static bool file_checked(struct top *t, int err)
{
	if (err)
		notice_error(t, t->file_name, strerror(-err));
	if (!top_file_is_open(&t->file))
		t->page.writing = NULL;
	return !err;
}

static void file_end(struct top *t)
{
	const char *readers = t->file.recorder ? "replay and report" : "top and report";
	char words[MESSAGE_LEN];
	struct text text;

	if (!top_file_is_open(&t->file))
		return;
	if (!file_checked(t, top_file_end(&t->file)))
		return;
	text_init(&text, words, sizeof(words));
	text_addf(&text, "complete; tlsfail %s read it: %s", readers, t->file_name);
	notice(t, words);
}

static int record_keep(void *context, const void *record, size_t len)
{
	struct top *t = context;

	return top_file_record(&t->file, record, len);
}

/* The failures that are kept, the oldest first. */
static int lines_keep(struct top *t)
{
	static const struct view_query all = { .filter = "" };
	static struct view_failure kept[VIEW_FAILURES_MAX];
	size_t n = view_failures(t->view, &all, NULL, false, kept, VIEW_FAILURES_MAX);
	int err = 0;

	for (; !err && n; n--) {
		const struct view_failure *f = &kept[n - 1];

		if (f->example && f->example != f->line)
			err = top_file_line(&t->file, f->example, f->example_len);
		if (!err)
			err = top_file_line(&t->file, f->line, f->len);
	}
	return err;
}

static void file_begin(struct top *t)
{
	bool recording = t->page.records && !top_file_is_lines(t->page.input);
	char words[MESSAGE_LEN];
	struct text text;
	int err;

	text_init(&text, words, sizeof(words));
	memcpy(t->file_name, t->page.input, sizeof(t->file_name));
	err = top_file_begin(&t->file, t->file_name, recording, &text);
	if (err) {
		notice(t, text.len ? words : strerror(-err));
		return;
	}
	t->page.writing = t->file_name;
	err = recording ? backlog_give(t->backlog, record_keep, t) : lines_keep(t);
	if (!file_checked(t, err) || !file_checked(t, top_file_flush(&t->file)))
		return;
	text_addf(&text, "writing %s, w stops it: %s", recording ? "a recording" : "JSON lines",
		  t->file_name);
	notice(t, words);
}

/* -- lines ---------------------------------------------------------------------------------------- */

static void take_line(void *context, const char *line, size_t len)
{
	struct top *t = context;
	int kind = reader_read(&t->reader, line, len);

	t->dirty = true;
	t->good += kind >= 0;
	t->bad += kind < 0;
	if (kind == READER_FINDING)
		view_finding(t->view, &t->reader.finding, line, len);
	else if (kind == READER_STANDING)
		view_standing(t->view, &t->reader.standing);
	else if (kind == READER_GOODBYE)
		notice(t, t->reader.message);
	if (kind == READER_FINDING || kind == READER_STANDING)
		file_checked(t, top_file_line(&t->file, line, len));
}

static void take_record(void *context, const void *record, size_t len)
{
	struct top *t = context;

	t->records_ended = ((const struct tlsfail_header *)record)->type == TLSFAIL_REC_TOTALS;
	backlog_put(t->backlog, record, len);
	file_checked(t, top_file_record(&t->file, record, len));
}

static void records_take(struct top *t)
{
	if (!t->page.records)
		return;
	source_records(t->source, take_record, t);
	file_checked(t, top_file_flush(&t->file));
	/* of a trace that has ended all is there, and can still be written */
	if (source_has_records(t->source) || t->records_ended || t->page.ended)
		return;
	t->page.records = false;
	if (t->file.recorder) {
		file_end(t);
		notice(t, "the recording ends here: this view did not read for too long");
	}
}

static void messages_take(struct top *t)
{
	char line[MESSAGE_LEN];

	while (source_message(t->source, line, sizeof(line))) {
		memcpy(t->messages[t->message_count % MESSAGES_MAX], line, sizeof(line));
		t->message_count++;
		notice(t, line);
	}
}

/* Of a file of lines none of which is an event, something else was meant. */
static void file_check(struct top *t)
{
	struct text text;

	if (source_kind(t->source) != SOURCE_FILE || t->good || !t->bad)
		return;
	text_init(&text, t->error, sizeof(t->error));
	text_addf(&text, "%s: not one line is a tlsfail event", t->options->argument);
}

static void source_take(struct top *t)
{
	bool open = source_fd(t->source) >= 0;

	if (source_kind(t->source) == SOURCE_FILE) {
		source_read(t->source, take_line, t);
		file_check(t);
	} else if (open && !source_read(t->source, take_line, t)) {
		t->page.ended = source_kind(t->source) != SOURCE_SOCKET;
		if (!t->page.notice[0])
			notice(t, source_kind(t->source) == SOURCE_SOCKET
					  ? "the service has stopped; waiting for it to come back"
				  : source_kind(t->source) == SOURCE_RECORDING
					  ? "end of the recording"
					  : "tracing has ended");
	}
	messages_take(t);
	if (!t->page.ended || !source_failed(t->source) || t->good)
		return;
	t->error[0] = '-'; /* what it said is why */
}

/* -- the page ------------------------------------------------------------------------------------- */

/* For the page: what the text sink says of the failure in a line. */
static char *describe(void *context, const char *line, size_t len, int columns)
{
	struct top *t = context;
	const struct sink_options options = {
		.verbose = true,
		.ladder = true,
		.utf8 = t->options->utf8,
		.columns = columns,
	};
	char *words = malloc(DETAIL_LEN);
	struct text text;

	if (!words || reader_read(&t->described, line, len) != READER_FINDING) {
		free(words);
		return NULL;
	}
	text_init(&text, words, DETAIL_LEN);
	sink_type_text.format(&options, &t->described.finding, &text);
	return words;
}

static void draw(struct top *t)
{
	int rows, columns;

	screen_size(t->screen, &rows, &columns);
	if (!canvas_clear(&t->canvas, rows, columns))
		return;
	page_draw(&t->page, &t->canvas);
	screen_show(t->screen, &t->canvas);
	t->drawn_at = clock_monotonic();
	t->dirty = false;
}

/* False: it is over. */
static bool keys_take(struct top *t)
{
	int key;

	while ((key = screen_key(t->screen)) != SCREEN_NO_KEY) {
		enum page_wish wish;

		if (key == SCREEN_GONE)
			return false;
		if (key == SCREEN_REDRAW || key == SCREEN_RESIZED)
			screen_redraw(t->screen);
		wish = key >= 0 ? page_key(&t->page, key) : PAGE_WISH_NONE;
		if (wish == PAGE_WISH_QUIT)
			return false;
		if (wish == PAGE_WISH_WRITE)
			file_begin(t);
		else if (wish == PAGE_WISH_STOP)
			file_end(t);
		draw(t);
	}
	return true;
}

static int64_t zone_of(uint64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / NS_PER_S);
	struct tm tm;

	return localtime_r(&seconds, &tm) ? tm.tm_gmtoff : 0;
}

static void tick(struct top *t, uint64_t now)
{
	bool recorded = t->page.recorded;

	t->ticked_at = now;
	if (now - t->noticed_at > NOTICE_NS && !t->page.ended)
		t->page.notice[0] = '\0';
	view_tick(t->view, clock_realtime());
	t->page.zone_s = zone_of(recorded && t->page.totals.time_ns ? t->page.totals.time_ns
								    : clock_realtime());
	if (source_again(t->source)) {
		source_take(t);
		if (source_kind(t->source) == SOURCE_SOCKET)
			notice(t, "the service is back");
	}
	t->dirty = true;
}

static bool turn(struct top *t)
{
	struct pollfd fds[] = {
		{ .fd = screen_fd(t->screen), .events = POLLIN },
		{ .fd = source_fd(t->source), .events = POLLIN },
		{ .fd = source_message_fd(t->source), .events = POLLIN },
		{ .fd = source_records_fd(t->source), .events = POLLIN },
	};
	uint64_t now;

	/* A signal ends it; so does SIGWINCH, of which ncurses has a key. */
	if (poll(fds, sizeof(fds) / sizeof(fds[0]), source_has_more(t->source) ? 0 : WAIT_MS) < 0 &&
	    errno != EINTR)
		return false;
	if (interrupted || !keys_take(t))
		return false;
	if (fds[1].revents || fds[2].revents || source_has_more(t->source))
		source_take(t);
	if (fds[3].revents)
		records_take(t);
	now = clock_monotonic();
	if (now - t->ticked_at >= NS_PER_S)
		tick(t, now);
	if (t->dirty && now - t->drawn_at >= DRAW_NS)
		draw(t);
	return !t->error[0];
}

/* -- the command ---------------------------------------------------------------------------------- */

static void title_make(struct top *t)
{
	struct text text;

	text_init(&text, t->title, sizeof(t->title));
	switch (source_kind(t->source)) {
	case SOURCE_TRACE:
		text_add(&text, "live");
		break;
	case SOURCE_SOCKET:
		text_add(&text, "service");
		break;
	case SOURCE_RECORDING:
	case SOURCE_FILE:
		text_add(&text, t->options->argument);
		break;
	}
	t->page.source = t->title;
}

static int top_open(struct top *t, struct text *error)
{
	int err = source_open(t->options, &t->source, error);
	bool recorded;

	if (err)
		return err;
	/* What traces has its own process; and all that is left to do is for a user's rights. */
	if (confine_capabilities(0))
		text_add(error, "cannot drop privileges");
	recorded =
		source_kind(t->source) == SOURCE_RECORDING || source_kind(t->source) == SOURCE_FILE;
	t->view = view_new(recorded);
	if (!t->view || !page_init(&t->page, t->view))
		return -ENOMEM;
	t->page.recorded = recorded;
	if (source_has_records(t->source))
		t->backlog = backlog_new(BACKLOG_BYTES);
	t->page.records = t->backlog;
	t->page.describe = describe;
	t->page.context = t;
	t->canvas.utf8 = t->options->utf8;
	title_make(t);
	signals_take();
	return screen_open(t->options->color, &t->screen, error);
}

static void top_close(struct top *t)
{
	screen_close(t->screen);
	file_end(t);
	source_close(t->source);
	page_release(&t->page);
	view_free(t->view);
	canvas_free(&t->canvas);
	backlog_free(t->backlog);
}

/* After the terminal was given back. */
static void why_tell(const struct top *t)
{
	size_t first = t->message_count > MESSAGES_MAX ? t->message_count - MESSAGES_MAX : 0;

	if (t->error[0] != '-') {
		log_line("%s", t->error);
		return;
	}
	for (size_t i = first; i < t->message_count; i++) {
		const char *line = t->messages[i % MESSAGES_MAX];

		log_line("%s", strncmp(line, "tlsfail: ", 9) ? line : line + 9);
	}
}

int top_run(const struct options *options)
{
	struct top *t = calloc(1, sizeof(*t));
	int status = EXIT_SUCCESS, err;
	char words[MESSAGE_LEN];
	struct text error;

	if (!t) {
		log_line("%s", strerror(ENOMEM));
		return EXIT_CANNOT;
	}
	t->options = options;
	t->file.fd = -1;
	text_init(&error, words, sizeof(words));
	err = top_open(t, &error);
	if (!err) {
		t->dirty = true;
		tick(t, clock_monotonic());
		while (turn(t))
			;
	}
	top_close(t);
	if (err)
		log_line("%s", error.len ? words : strerror(-err));
	else if (t->error[0])
		why_tell(t);
	if (err || t->error[0])
		status = EXIT_CANNOT;
	free(t);
	return status;
}
