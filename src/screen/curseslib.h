/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ncurses, loaded when it is asked for: who traces on a server without it shall not need it.
 */
#ifndef TLSFAIL_SCREEN_CURSESLIB_H
#define TLSFAIL_SCREEN_CURSESLIB_H

#define NCURSES_NOMACROS /* each is to be a function, that can be looked up */
#include <curses.h>

/* Of wide characters: what it writes is UTF-8. */
#define CURSESLIB_NAME "libncursesw.so.6"

#define CURSESLIB_FUNCTIONS(x)                                                                     \
	x(newterm) x(delscreen) x(endwin) x(cbreak) x(noecho) x(keypad) x(nodelay) x(curs_set)     \
		x(has_colors) x(start_color) x(use_default_colors) x(init_pair) x(set_escdelay)    \
			x(wgetch) x(ungetch) x(wmove) x(waddnstr) x(wattrset) x(werase)            \
				x(wrefresh) x(clearok) x(COLOR_PAIR) x(getmaxx) x(getmaxy)

struct curseslib {
#define CURSESLIB_MEMBER(name) __typeof__(name) *(name);
	CURSESLIB_FUNCTIONS(CURSESLIB_MEMBER)
#undef CURSESLIB_MEMBER
	WINDOW **stdscr; /* its variable */
	/* its header, term.h, makes a macro of many a common word */
	char *(*tigetstr)(const char *name);
};

/* NULL when this host has no ncurses that has them all. */
const struct curseslib *curseslib_load(void);

#endif
