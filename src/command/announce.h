/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The records that the collector makes itself, so that a recording holds everything a finding
 * needs: clock, host, processes, losses, totals.
 */
#ifndef TLSFAIL_COMMAND_ANNOUNCE_H
#define TLSFAIL_COMMAND_ANNOUNCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include "tlsfail_abi.h"
#include "tlsfail_maps.h"

/* Both clocks, now. */
void announce_clock(struct tlsfail_clock *record);

/* True when CLOCK_REALTIME has been stepped, or has drifted, since that record. */
bool announce_clock_is_stale(const struct tlsfail_clock *record);

/* The host's name; *record is the caller's to free(). */
int announce_host(struct tlsfail_host **record);

/* A process as /proc has it; *record is the caller's to free(). -ESRCH: it is gone. version is
 * that of its TLS library, "" unknown. */
int announce_process(uint32_t pid, const char *version, struct tlsfail_process **record);

/* What was lost since before, which it then equals. False: nothing. */
bool announce_loss(const struct tlsfail_counters *now, struct tlsfail_lost *before,
		   struct tlsfail_loss *record);

/* All counters; records is the number of ring records received. */
void announce_totals(const struct tlsfail_counters *now, uint64_t records,
		     struct tlsfail_totals *record);

/* The counts of a peer, as they are now. */
void announce_peer(const struct tlsfail_peer_key *key, const struct tlsfail_peer_counts *counts,
		   struct tlsfail_peer *record);

#endif
