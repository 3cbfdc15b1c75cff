/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happened on a connection, in the order of time: TCP, the flights of the handshake with the
 * messages in them as far as they are in clear, errors, the end. Pure.
 */
#ifndef TLSFAIL_DIAGNOSE_TIMELINE_H
#define TLSFAIL_DIAGNOSE_TIMELINE_H

#include "diagnose/correlate.h"
#include "finding/finding.h"

/* Fills in finding->timeline; the rest of the finding is already filled in. */
void timeline_fill(const struct failure *failure, struct finding *finding);

#endif
