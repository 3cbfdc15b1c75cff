/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The terminal: shows a canvas, reads keys, and is left as it was found, whichever way the program
 * ends but SIGKILL. There is one at a time.
 */
#ifndef TLSFAIL_SCREEN_SCREEN_H
#define TLSFAIL_SCREEN_SCREEN_H

#include <stdbool.h>

#include "base/text.h"
#include "view/canvas.h"

struct screen;

/* Opens the terminal that controls this process. A negative errno, with a sentence in error;
 * -EOPNOTSUPP: this program or this host has no ncurses. *out is the caller's to screen_close(). */
int screen_open(bool color, struct screen **out, struct text *error);
void screen_close(struct screen *s);

/* What to poll(2) for keys. */
int screen_fd(const struct screen *s);

void screen_size(const struct screen *s, int *rows, int *columns);

/* The next key, as pages take them (view/page.h); less than 0: there is none. */
#define SCREEN_NO_KEY  (-1)
#define SCREEN_RESIZED (-2)
#define SCREEN_REDRAW  (-3) /* ^L */
#define SCREEN_GONE    (-4) /* there is no terminal any more */
int screen_key(struct screen *s);

void screen_show(struct screen *s, const struct canvas *c);

/* The next screen_show() writes all of it. */
void screen_redraw(struct screen *s);

#endif
