/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a failure to a finding: derives what was observed, walks the cause table, fills in the
 * words. Pure: the same failure gives the same finding, byte for byte.
 */
#ifndef TLSFAIL_DIAGNOSE_DIAGNOSE_H
#define TLSFAIL_DIAGNOSE_DIAGNOSE_H

#include "diagnose/causes.h"
#include "diagnose/correlate.h"
#include "finding/finding.h"
#include "diagnose/groups.h"
#include "diagnose/symptoms.h"

/* The first row of the table that fits; never NULL. */
const struct cause *diagnose_match(const struct symptoms *symptoms);

/* Fills in *finding. Of *work, the caller has set x509; the rest is scratch space. */
void diagnose(const struct failure *failure, struct diagnose_work *work, struct finding *finding);

/*
 * A probe has shown what it was: makes *finding, which is that of the failure, one about the cause of
 * that slug. proof says how, in a sentence without its end. Of the failure only conn, places and program are looked at.
 */
void diagnose_prove(const struct failure *failure, const char *slug, const char *proof,
		    struct finding *finding);

/* The finding for records that were lost; time_ns is CLOCK_REALTIME. */
void diagnose_loss(const struct tlsfail_loss *loss, uint64_t time_ns, const char *host,
		   struct finding *finding);

/* The finding that sums up a peer; t is now, and time_ns CLOCK_REALTIME at t, 0 unknown. */
void diagnose_summary(const struct peer_summary *summary, uint64_t t, uint64_t time_ns,
		      const char *host, struct finding *finding);

/* The same for an upstream group. */
void diagnose_group(const struct group *group, uint64_t t, uint64_t time_ns, const char *host,
		    struct finding *finding);

/* The finding that a peer works again; time_ns is CLOCK_REALTIME at recovery->t, 0 unknown. */
void diagnose_recovery(const struct tlsfail_peer *peer, const struct peer_recovery *recovery,
		       uint64_t time_ns, const char *host, struct finding *finding);

#endif
