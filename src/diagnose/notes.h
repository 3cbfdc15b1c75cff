/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notes about peers whose handshake succeeded, which wait until it is clear that nothing failed after it:
 * a failure says more. Pure: time is what the records say.
 */
#ifndef TLSFAIL_DIAGNOSE_NOTES_H
#define TLSFAIL_DIAGNOSE_NOTES_H

#include <stdbool.h>
#include <stdint.h>

#include "finding/finding.h"

struct notes;

/* NULL when out of memory. */
struct notes *notes_new(void);
void notes_free(struct notes *notes);

/* Is there to be a note about that peer, of which there is one for each? The next time it is not. */
bool notes_first(struct notes *notes, const struct finding_endpoint *peer);

/* Keeps a copy of the finding, which came at t, in ns. False: there is no room. */
bool notes_put(struct notes *notes, uint64_t t, const struct finding *finding);

/* A handshake with that peer has failed. */
void notes_drop(struct notes *notes, const struct finding_endpoint *peer);

/* The next one that has waited long enough at t; false: there is none. */
bool notes_take(struct notes *notes, uint64_t t, struct finding *finding);

/* When the first of them has waited long enough; 0: none waits. */
uint64_t notes_deadline(const struct notes *notes);

#endif
