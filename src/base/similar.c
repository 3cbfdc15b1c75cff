// SPDX-License-Identifier: BSD-2-Clause
/*
 * The distance between words: what Damerau and Levenshtein count, a letter that is added, left out,
 * another one, or that changed places with its neighbour (optimal string alignment).
 */
#include "base/similar.h"

#include <stdbool.h>
#include <string.h>

#define WORD_MAX 64

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

static unsigned int distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned int rows[3][WORD_MAX + 1]; /* of a's letter i - 2, i - 1 and i */
	unsigned int *before = rows[0], *last = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		last[j] = (unsigned int)j;
	memset(before, 0, sizeof(rows[0]));
	for (size_t i = 1; i <= a_len; i++) {
		unsigned int *unused = before;

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = least(last[j], row[j - 1]) + 1;
			row[j] = least(row[j], last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = unused;
	}
	return last[b_len];
}

void similar_begin(struct similar *s, const char *word, size_t len)
{
	*s = (struct similar){ .word = word, .len = len };
}

void similar_offer(struct similar *s, const char *known)
{
	size_t len = strlen(known);
	unsigned int d;
	bool begins = s->len >= 3 && len > s->len && !memcmp(known, s->word, s->len);

	if (!s->len || s->len > WORD_MAX || len > WORD_MAX)
		return;
	d = begins ? 1 : distance(s->word, s->len, known, len);
	/* A third of its letters may be wrong: "lnit" is lint, "sink" is not pid. */
	if (d > (s->len + 2) / 3 || (s->best && d >= s->distance))
		return;
	s->best = known;
	s->distance = d;
}
