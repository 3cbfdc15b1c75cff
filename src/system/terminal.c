// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the terminal behind a descriptor can show, as the kernel and the environment say.
 */
#include "system/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_DEFAULT 80
#define COLUMNS_MIN	40
/* Longer lines are hard to read. */
#define COLUMNS_MAX 200

int terminal_columns(int fd)
{
	struct winsize size;

	if (!isatty(fd) || ioctl(fd, TIOCGWINSZ, &size) || !size.ws_col)
		return COLUMNS_DEFAULT;
	if (size.ws_col < COLUMNS_MIN)
		return COLUMNS_MIN;
	return size.ws_col > COLUMNS_MAX ? COLUMNS_MAX : size.ws_col;
}

bool terminal_has_color(int fd)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	/* present and not empty */
	if (no_color && *no_color)
		return false;
	return isatty(fd) && !(term && !strcmp(term, "dumb"));
}

bool terminal_has_status(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}
