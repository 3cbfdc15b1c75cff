/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The {words} of the rule table, filled in with the facts of a failure. Pure.
 */
#ifndef TLSFAIL_DIAGNOSE_WORDS_H
#define TLSFAIL_DIAGNOSE_WORDS_H

#include <stddef.h>

#include "base/text.h"
#include "diagnose/correlate.h"
#include "finding/finding.h"

/* Appends the words, with what is in braces filled in. */
void words_add(struct text *t, const char *words, const struct failure *failure,
	       const struct finding *finding);

/* The parts that are said in more than one place. */
void words_add_endpoint(struct text *t, const struct finding_endpoint *endpoint);
void words_add_version(struct text *t, const char *name);
void words_add_versions(struct text *t, const struct finding_hello *hello);
void words_add_alert(struct text *t, const struct finding_alert *alert);
void words_add_names(struct text *t, const struct finding_certificate *certificate);

/* The words that there are, by index, without braces; NULL behind the last one. */
const char *words_name(size_t index);

#endif
