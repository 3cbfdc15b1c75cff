// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whatever stands before PRIVATE KEY in the line (RSA, EC, ENCRYPTED, OPENSSH ...), as RFC 7468 and the
 * older forms have it. One whose end is missing goes on to the end of the text.
 */
#define _GNU_SOURCE /* memmem() */
#include "system/keyblank.h"

#include <string.h>

static const char begin[] = "-BEGIN ", key[] = "PRIVATE KEY", end[] = "-END ";

static char *find(char *text, const char *to, const char *word)
{
	return memmem(text, (size_t)(to - text), word, strlen(word));
}

static char *line_end(char *text, char *to)
{
	char *newline = memchr(text, '\n', (size_t)(to - text));

	return newline ? newline : to;
}

/* Behind the line of dashes that ends the key which begins at text. */
static char *key_end(char *text, char *to)
{
	char *at = find(text, to, end), *stop;

	if (!at)
		return to;
	at += strlen(end);
	stop = line_end(at, to);
	at = memchr(at, '-', (size_t)(stop - at));
	if (!at)
		return stop;
	while (at < stop && *at == '-')
		at++;
	return at;
}

bool keyblank(char *text, size_t len)
{
	char *to = text + len, *at = text;
	bool found = false;

	while ((at = find(at, to, begin))) {
		char *after;

		if (!find(at, line_end(at, to), key)) {
			at += strlen(begin);
			continue;
		}
		found = true;
		after = key_end(at, to);
		for (; at < after; at++)
			if (*at != '\n' && *at != '\r')
				*at = ' ';
	}
	return found;
}
