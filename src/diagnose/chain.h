/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The certificates of the peer.
 */
#ifndef TLSFAIL_DIAGNOSE_CHAIN_H
#define TLSFAIL_DIAGNOSE_CHAIN_H

#include "diagnose/symptoms.h"

/* Fills in the certificates of *work, from what the TLS library read, or from its view of the wire. */
void chain_read(const struct failure *failure, struct diagnose_work *work);

/* What is observed on them, as bits of enum observation. */
uint64_t chain_observe(const struct diagnose_work *work);

#endif
