/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The evidence list. Pure.
 */
#ifndef TLSFAIL_DIAGNOSE_EXPLAIN_H
#define TLSFAIL_DIAGNOSE_EXPLAIN_H

#include "finding/finding.h"
#include "diagnose/symptoms.h"

/* Fills in finding->evidence: what was seen, in the order of the handshake. The facts of the finding
 * are already filled in. */
void explain_evidence(const struct failure *failure, const struct diagnose_work *work,
		      struct finding *finding);

/* Appends to it that a cause was withdrawn, and why. */
void explain_withdrawn(struct finding *finding, const char *slug, const char *why);

#endif
