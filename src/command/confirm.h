/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace --confirm: what a failure leaves open is asked of the peer. The finding is not held back: when
 * the answer is there, an event of its own follows (tls.handshake.confirmed). One request at a time, and
 * one for each peer and cause in an interval; what finds no room to wait is not asked.
 */
#ifndef TLSFAIL_COMMAND_CONFIRM_H
#define TLSFAIL_COMMAND_CONFIRM_H

#include <stdbool.h>
#include <stdint.h>

#include "diagnose/diagnose.h"

struct confirm;

/* Asks the process that prober_start() has started; *out is the caller's to confirm_close(), which closes
 * prober. -ENOMEM on failure. */
int confirm_open(int prober, uint64_t interval_ns, struct confirm **out);
void confirm_close(struct confirm *c);

/* Takes a failure whose finding is about to be told, if it leaves something open. t: CLOCK_MONOTONIC. */
void confirm_offer(struct confirm *c, const struct failure *failure, const struct finding *finding,
		   uint64_t t);

/* Asks what is to be asked; true: a failure was settled, and *finding is about that. */
bool confirm_poll(struct confirm *c, struct finding *finding);

/* Is an answer being waited for? */
bool confirm_waits(const struct confirm *c);

#endif
