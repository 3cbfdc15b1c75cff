/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Repetition, folded: the first failure of a kind is told at once, those that follow are counted, and
 * the count is told once an interval. So a dead upstream makes a readable screen and a small log, and
 * still no failure goes uncounted. A kind is cause, wording and program, and of a client's failures the
 * peer, of a server's where they arrived and the name that was asked for: a thousand clients that
 * refuse a certificate are one kind. Beyond a limit of kinds, those of a program with one cause are
 * counted together. Pure: time is what the records say.
 */
#ifndef TLSFAIL_DIAGNOSE_FOLD_H
#define TLSFAIL_DIAGNOSE_FOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/estate.h"
#include "finding/finding.h"

struct fold;

/* Kinds that are remembered at a time; the oldest is told, and forgotten, for a new one. */
#define FOLD_KINDS_MAX 1024

/* interval_ns 0: nothing is folded. limit: failures of one program that are told in full within an
 * interval, of all programs four times as many; 0: any. estate: where what is counted is kept, and another
 * process may have counted some; NULL: in memory of its own. NULL when out of memory. */
struct fold *fold_new(uint64_t interval_ns, uint64_t limit, struct estate *estate);
void fold_free(struct fold *fold);

/*
 * Is the failure to be told now, as the first of its kind? Else it has been counted. t is the time
 * of its record, CLOCK_MONOTONIC in ns. When the table was full, a count had to make room: then
 * *told is true, and *out tells it.
 */
bool fold_take(struct fold *fold, uint64_t t, const struct finding *failure, struct finding *out,
	       bool *told);

/* Is there a count whose interval was over at t? Then it is begun anew, and *out tells it. To be
 * called until it returns false. */
bool fold_tell_due(struct fold *fold, uint64_t t, struct finding *out);

/* The same for any count of that peer, which is forgotten: its next failure is told at once. */
bool fold_tell_peer(struct fold *fold, const struct finding_endpoint *peer, struct finding *out);

/* The same for any count: the end. */
bool fold_tell_rest(struct fold *fold, struct finding *out);

/* When fold_tell_due() will have something to do next, CLOCK_MONOTONIC in ns; 0: never. */
uint64_t fold_deadline(const struct fold *fold);

#endif
