/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "Did you mean": which of the known words a mistyped one is closest to. Pure.
 */
#ifndef TLSFAIL_BASE_SIMILAR_H
#define TLSFAIL_BASE_SIMILAR_H

#include <stddef.h>

struct similar {
	const char *word; /* need not be terminated */
	size_t len;
	const char *best;      /* of the words that were offered; NULL: none is close enough */
	unsigned int distance; /* of best */
};

void similar_begin(struct similar *similar, const char *word, size_t len);

/* Looks at one known word, which has to outlive *similar. Of several as close the first wins. */
void similar_offer(struct similar *similar, const char *known);

#endif
