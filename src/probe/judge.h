/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a handshake of the probe means, by the same rules as one that was traced.
 */
#ifndef TLSFAIL_PROBE_JUDGE_H
#define TLSFAIL_PROBE_JUDGE_H

#include "diagnose/diagnose.h"
#include "probe/handshake.h"

/* Where in nginx's configuration it comes from, in the form of nginx_places_write(); data NULL:
 * nowhere. */
struct judge_place {
	const uint8_t *data;
	size_t len;
};

/* Fills in *finding, also for a handshake that works: then it has no cause. */
void judge(const struct handshake *h, const struct judge_place *place, struct diagnose_work *work,
	   struct finding *finding);

/* The failure as the rules see it; it points into *h. */
void judge_failure(const struct handshake *h, const struct judge_place *place,
		   struct failure *failure);

#endif
