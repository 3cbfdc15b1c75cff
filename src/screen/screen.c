// SPDX-License-Identifier: BSD-2-Clause
/*
 * ncurses.
 */
#include "screen/screen.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "screen/curseslib.h"
#include "view/page.h"

#define ESCAPE_MS 50 /* until an Esc is known to be no beginning of a key */
#define EOFS_MAX  20 /* in a row: the terminal is gone */

struct screen {
	const struct curseslib *lib;
	SCREEN *terminal;
	WINDOW *window;
	FILE *tty;
	bool color;
	int nothing; /* reads in a row that had no key */
};

/* For the handler of a crash: what brings the terminal back. */
static struct {
	int fd;
	struct termios modes;
	char end[256];
	size_t end_len;
	volatile sig_atomic_t open;
} rescue;

static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

static void on_crash(int number)
{
	if (rescue.open) {
		(void)!write(rescue.fd, rescue.end, rescue.end_len);
		tcsetattr(rescue.fd, TCSANOW, &rescue.modes);
	}
	/* its own action is the default again (SA_RESETHAND) */
	raise(number);
}

/* Has the terminal what tigetstr() was asked for? -1: it is no string (curs_terminfo(3)). */
static bool is_string(const char *s)
{
	return s && (intptr_t)s != -1;
}

/* A string of terminfo, without the pauses that old terminals need ("$<5>"). */
static void rescue_add(const struct curseslib *lib, const char *name)
{
	const char *s = lib->tigetstr(name);

	if (!is_string(s))
		return;
	while (*s && rescue.end_len < sizeof(rescue.end)) {
		if (s[0] == '$' && s[1] == '<') {
			s += strcspn(s, ">");
			s += *s == '>';
			continue;
		}
		rescue.end[rescue.end_len++] = *s++;
	}
}

static void rescue_make(const struct curseslib *lib)
{
	struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_RESETHAND | SA_NODEFER };

	rescue.end_len = 0;
	rescue_add(lib, "sgr0");
	rescue_add(lib, "rmkx");
	rescue_add(lib, "cnorm");
	rescue_add(lib, "rmcup");
	rescue.open = 1;
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		sigaction(crashes[i], &action, NULL);
}

static void colors_begin(struct screen *s)
{
	const struct curseslib *lib = s->lib;

	s->color = s->color && lib->has_colors() && lib->start_color() == OK &&
		   lib->use_default_colors() == OK && lib->init_pair(1, COLOR_RED, -1) == OK &&
		   lib->init_pair(2, COLOR_YELLOW, -1) == OK &&
		   lib->init_pair(3, COLOR_GREEN, -1) == OK;
}

/* The modes that it has now are those that it gets back. */
static int terminal_open(struct screen *s, struct text *error)
{
	const char *term = getenv("TERM"), *cup;

	s->tty = fopen("/dev/tty", "r+e");
	if (!s->tty || tcgetattr(fileno(s->tty), &rescue.modes)) {
		text_add(error, "this needs a terminal; for programs there is tlsfail trace "
				"--format json");
		return -ENOTTY;
	}
	rescue.fd = fileno(s->tty);
	s->terminal = s->lib->newterm(NULL, s->tty, s->tty);
	cup = s->terminal ? s->lib->tigetstr("cup") : NULL;
	if (is_string(cup))
		return 0;
	if (s->terminal) {
		s->lib->endwin();
		s->lib->delscreen(s->terminal);
		text_addf(error, "the terminal '%s' cannot put text where it belongs", term);
		return -ENOTTY;
	}
	text_addf(error,
		  "the terminal '%s' is not known here: set TERM to one that is, such as xterm or "
		  "vt100",
		  term ? term : "");
	return -ENOTTY;
}

static void modes_set(struct screen *s)
{
	const struct curseslib *lib = s->lib;

	lib->cbreak();
	lib->noecho();
	lib->keypad(s->window, TRUE);
	lib->nodelay(s->window, TRUE);
	lib->set_escdelay(ESCAPE_MS);
	lib->curs_set(0);
	colors_begin(s);
}

int screen_open(bool color, struct screen **out, struct text *error)
{
	struct screen *s = calloc(1, sizeof(*s));
	int err = 0;

	if (!s)
		return -ENOMEM;
	s->color = color;
	s->lib = curseslib_load();
	if (!s->lib) {
		text_add(error, "this needs ncurses (" CURSESLIB_NAME
				", of the package libncursesw6), which is not here");
		err = -EOPNOTSUPP;
	}
	if (!err)
		err = terminal_open(s, error);
	if (err) {
		if (s->tty)
			fclose(s->tty);
		free(s);
		return err;
	}
	s->window = *s->lib->stdscr;
	rescue_make(s->lib);
	modes_set(s);
	*out = s;
	return 0;
}

void screen_close(struct screen *s)
{
	if (!s)
		return;
	/* for terminals that have no other screen to go back to */
	s->lib->wattrset(s->window, A_NORMAL);
	s->lib->werase(s->window);
	s->lib->wrefresh(s->window);
	s->lib->endwin();
	rescue.open = 0;
	s->lib->delscreen(s->terminal);
	fclose(s->tty);
	free(s);
}

int screen_fd(const struct screen *s)
{
	return fileno(s->tty);
}

void screen_size(const struct screen *s, int *rows, int *columns)
{
	*rows = s->lib->getmaxy(s->window);
	*columns = s->lib->getmaxx(s->window);
}

static int key_of(int key)
{
	static const struct {
		int curses;
		int page;
	} keys[] = {
		{ KEY_UP, PAGE_KEY_UP },	 { KEY_DOWN, PAGE_KEY_DOWN },
		{ KEY_LEFT, PAGE_KEY_LEFT },	 { KEY_RIGHT, PAGE_KEY_RIGHT },
		{ KEY_PPAGE, PAGE_KEY_PAGE_UP }, { KEY_NPAGE, PAGE_KEY_PAGE_DOWN },
		{ KEY_HOME, PAGE_KEY_HOME },	 { KEY_END, PAGE_KEY_END },
		{ KEY_ENTER, PAGE_KEY_ENTER },	 { '\r', PAGE_KEY_ENTER },
		{ '\n', PAGE_KEY_ENTER },	 { '\t', PAGE_KEY_TAB },
		{ KEY_BTAB, PAGE_KEY_BACK_TAB }, { KEY_BACKSPACE, PAGE_KEY_BACKSPACE },
		{ 127, PAGE_KEY_BACKSPACE },	 { '\b', PAGE_KEY_BACKSPACE },
		{ KEY_RESIZE, SCREEN_RESIZED },	 { 'L' & 0x1f, SCREEN_REDRAW },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].curses == key)
			return keys[i].page;
	/* keys that have no meaning here are not taken for letters */
	return key < 0x100 ? key : 0;
}

/* After ESC: a sequence that terminfo does not have for this terminal, but that the one in front of
 * somebody sends (ECMA-48, 5.4, with the numbers of DEC's function keys). 0: it has no meaning here. */
static int sequence_key(struct screen *s)
{
	static const char letters[] = "ABCDHFZ";
	static const int keys[] = { PAGE_KEY_UP,   PAGE_KEY_DOWN, PAGE_KEY_RIGHT,   PAGE_KEY_LEFT,
				    PAGE_KEY_HOME, PAGE_KEY_END,  PAGE_KEY_BACK_TAB };
	static const int numbered[] = { 0,
					PAGE_KEY_HOME,
					0,
					0,
					PAGE_KEY_END,
					PAGE_KEY_PAGE_UP,
					PAGE_KEY_PAGE_DOWN,
					PAGE_KEY_HOME,
					PAGE_KEY_END };
	int key = s->lib->wgetch(s->window), first = 0;
	const char *letter;

	if (key != '[' && key != 'O') {
		if (key != ERR)
			s->lib->ungetch(key);
		return PAGE_KEY_ESCAPE;
	}
	for (key = s->lib->wgetch(s->window); key != ERR && key < 0x40;
	     key = s->lib->wgetch(s->window))
		first = first ? first : key;
	letter = key > 0 && key < 0x7f ? strchr(letters, key) : NULL;
	if (letter)
		return keys[letter - letters];
	return key == '~' && first >= '0' && first <= '8' ? numbered[first - '0'] : 0;
}

int screen_key(struct screen *s)
{
	int key = s->lib->wgetch(s->window);

	if (key != ERR) {
		s->nothing = 0;
		return key == 27 ? sequence_key(s) : key_of(key);
	}
	/* a terminal that has gone is readable for ever, and has nothing */
	s->nothing++;
	return s->nothing > EOFS_MAX && tcgetpgrp(fileno(s->tty)) < 0 ? SCREEN_GONE : SCREEN_NO_KEY;
}

static chtype attributes(const struct screen *s, enum canvas_style style)
{
	switch (style) {
	case STYLE_BAR:
	case STYLE_SELECTED:
		return A_REVERSE;
	case STYLE_HEADING:
		return A_BOLD;
	case STYLE_BAD:
		return s->color ? A_BOLD | (chtype)s->lib->COLOR_PAIR(1) : A_BOLD;
	case STYLE_WARNING:
		return s->color ? (chtype)s->lib->COLOR_PAIR(2) : A_BOLD;
	case STYLE_GOOD:
		return s->color ? (chtype)s->lib->COLOR_PAIR(3) : A_NORMAL;
	case STYLE_DIM:
	case STYLE_PLAIN:
	case STYLE_COUNT:
		break;
	}
	return A_NORMAL;
}

static void row_show(struct screen *s, const struct canvas *c, int row, int columns)
{
	const struct canvas_cell *cells = &c->cells[row * c->columns];
	/* Writing into the last cell of all would scroll some terminals. */
	int end = row == c->rows - 1 && columns == c->columns ? columns - 1 : columns;
	int i = 0;

	s->lib->wmove(s->window, row, 0);
	while (i < end) {
		uint8_t style = cells[i].style;
		char run[1024];
		size_t len = 0;

		for (; i < end && cells[i].style == style && len + 4 <= sizeof(run); i++) {
			memcpy(run + len, cells[i].bytes, cells[i].len);
			len += cells[i].len;
		}
		s->lib->wattrset(s->window, (int)attributes(s, style));
		s->lib->waddnstr(s->window, run, (int)len);
	}
}

void screen_show(struct screen *s, const struct canvas *c)
{
	int rows, columns;

	screen_size(s, &rows, &columns);
	s->lib->werase(s->window);
	for (int row = 0; row < c->rows && row < rows; row++)
		row_show(s, c, row, c->columns < columns ? c->columns : columns);
	s->lib->wattrset(s->window, A_NORMAL);
	s->lib->wrefresh(s->window);
}

void screen_redraw(struct screen *s)
{
	s->lib->clearok(s->window, TRUE);
}
