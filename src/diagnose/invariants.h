/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a finding may never say: that of which its own facts are the contrary. Checked on every
 * finding before it leaves. Pure.
 */
#ifndef TLSFAIL_DIAGNOSE_INVARIANTS_H
#define TLSFAIL_DIAGNOSE_INVARIANTS_H

#include <stddef.h>

#include "diagnose/correlate.h"
#include "finding/finding.h"

/* The first invariant that the finding breaks, in words: "the certificate has not expired"; NULL:
 * none. */
const char *invariant_broken(const struct failure *failure, const struct finding *finding);

/* Their words, by index; NULL behind the last one. */
const char *invariant_words(size_t index);

#endif
