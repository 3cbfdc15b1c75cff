/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How each peer stands, kept for live views: the last counts of each, and when its certificate ends.
 * Of bounded size: the peer that was quiet for longest makes room. Times are CLOCK_REALTIME in ns.
 */
#ifndef TLSFAIL_COMMAND_STANDINGS_H
#define TLSFAIL_COMMAND_STANDINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "finding/certificate_ends.h"
#include "finding/standing.h"

struct standings;

/* NULL when out of memory. */
struct standings *standings_new(void);
void standings_free(struct standings *s);

/* The counts of a peer are now these. What they leave open (not_after, latency_ns 0) stays as it was. */
void standings_peer(struct standings *s, const struct standing_peer *peer);

void standings_certificates(struct standings *s, const struct certificate_ends *ends);

/* Is it a second since this last said so? For who reads a recording, at its time. */
bool standings_due(struct standings *s, uint64_t time_ns);

/* What is to be told, which is the caller's to complete before it tells it. It is valid until the next
 * call of any of these. */
struct standing *standings_all(struct standings *s);

#endif
