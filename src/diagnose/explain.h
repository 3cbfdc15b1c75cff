/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words: the sentences of the cause table filled in, and the evidence list. Pure.
 */
#ifndef TLSFAIL_DIAGNOSE_EXPLAIN_H
#define TLSFAIL_DIAGNOSE_EXPLAIN_H

#include "finding/finding.h"
#include "diagnose/symptoms.h"
#include "base/text.h"

/* Appends words with each {word} replaced by that fact of the finding. */
void explain_words(struct text *t, const char *words, const struct failure *failure,
		   const struct finding *finding);

/* Appends ADDRESS:PORT, or [ADDRESS]:PORT. */
void explain_endpoint(struct text *t, const struct finding_endpoint *endpoint);

/* Fills in finding->evidence: what was seen, in the order of the handshake. The facts of the finding
 * are already filled in. */
void explain_evidence(const struct failure *failure, const struct diagnose_work *work,
		      struct finding *finding);

#endif
