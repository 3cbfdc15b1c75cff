// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whatever stands before PRIVATE KEY in the line (RSA, EC, ENCRYPTED, OPENSSH ...), as RFC 7468 and the
 * older forms have it. One whose end is missing goes on to the end of the text.
 */
#include "system/keyblank.h"

#include <string.h>

static const char begin[] = "-BEGIN ", key[] = "PRIVATE KEY", end[] = "-END ";

/* (Under AddressSanitizer memmem() looks at all that follows, however near the word is.) */
static char *find(char *text, const char *to, const char *word)
{
	const size_t len = strlen(word);

	while ((text = memchr(text, *word, (size_t)(to - text)))) {
		if ((size_t)(to - text) < len)
			return NULL;
		if (!memcmp(text, word, len))
			return text;
		text++;
	}
	return NULL;
}

static char *line_end(char *text, char *to)
{
	char *newline = memchr(text, '\n', (size_t)(to - text));

	return newline ? newline : to;
}

/* Behind the dashes that end the key which begins at text. */
static char *key_end(char *text, char *to)
{
	char *at = find(text, to, end);

	if (!at)
		return to;
	at += strlen(end);
	while (at < to && *at != '-' && *at != '\n')
		at++;
	while (at < to && *at == '-')
		at++;
	return at;
}

/* Blanks that begin at from, up to to: what stands right before them is not to begin a key with the first. */
static void blank(const char *text, char *from, const char *to)
{
	const size_t word = strlen(begin) - 1;

	while ((size_t)(from - text) >= word && !memcmp(from - word, begin, word))
		from -= word;
	for (; from < to; from++)
		if (*from != '\n' && *from != '\r')
			*from = ' ';
}

bool keyblank(char *text, size_t len)
{
	char *to = text + len, *at = text, *stop = text, *word = text;
	bool found = false;

	/* each of the words is looked for once, however many lines or beginnings there are */
	while (word && (at = find(at, to, begin))) {
		char *after;

		if (stop <= at)
			stop = line_end(at, to);
		if (word <= at)
			word = find(at, to, key);
		if (!word || word >= stop) {
			at = stop;
			continue;
		}
		found = true;
		after = key_end(at, to);
		blank(text, at, after);
		at = after;
	}
	return found;
}
