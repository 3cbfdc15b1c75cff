// SPDX-License-Identifier: BSD-2-Clause
/*
 * In the place of screen.c in a static program, which cannot load a library.
 */
#include "screen/screen.h"

#include <errno.h>

int screen_open(bool color, struct screen **out, struct text *error)
{
	(void)color;
	(void)out;
	text_add(error, "this build is static, and has no live view; trace --socket here, and "
			"look at it with another build");
	return -EOPNOTSUPP;
}

void screen_close(struct screen *s)
{
	(void)s;
}

int screen_fd(const struct screen *s)
{
	(void)s;
	return -1;
}

void screen_size(const struct screen *s, int *rows, int *columns)
{
	(void)s;
	*rows = 0;
	*columns = 0;
}

int screen_key(struct screen *s)
{
	(void)s;
	return SCREEN_GONE;
}

void screen_show(struct screen *s, const struct canvas *c)
{
	(void)s;
	(void)c;
}

void screen_redraw(struct screen *s)
{
	(void)s;
}
