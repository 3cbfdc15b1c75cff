/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each cause in a few words that need nothing of the failure, for lists: the words of the table of
 * causes are filled in from one. Pure.
 */
#ifndef TLSFAIL_DIAGNOSE_TITLES_H
#define TLSFAIL_DIAGNOSE_TITLES_H

#include <stddef.h>

#include "diagnose/causes.h"

struct cause_title {
	const char *slug;
	enum cause_role role; /* that the program has in it */
	const char *words;
};

/* In the order of a list; NULL behind the last one. */
const struct cause_title *cause_title_at(size_t i);

/* NULL: it has none. */
const struct cause_title *cause_title_find(const char *slug);

#endif
