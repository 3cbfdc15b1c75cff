/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many handshakes ended, and how many of them failed, in each of the last spans of time; and how
 * fast a count grows. Pure.
 */
#ifndef TLSFAIL_VIEW_HISTORY_H
#define TLSFAIL_VIEW_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "view/model.h"

#define HISTORY_SAMPLES 6

/* The time that the histories of all rows share. */
struct history_time {
	uint64_t origin; /* 0: nothing came yet */
	uint64_t width;	 /* of a bucket, ns */
	uint64_t now;	 /* the bucket that is filled */
	bool grows;	 /* the width does, so that all fits */
};

struct history {
	uint64_t at; /* the last bucket that was filled */
	uint32_t done[VIEW_BUCKETS];
	uint32_t failed[VIEW_BUCKETS];
};

/* A count, sampled once a second. */
struct history_rate {
	unsigned int used;
	uint64_t times[HISTORY_SAMPLES];
	uint64_t counts[HISTORY_SAMPLES];
};

/* Time goes on to t. True: the width has doubled, and history_halve() is due for all. */
bool history_time_to(struct history_time *time, uint64_t t);

/* Of what grows, a bucket is to be as wide as this: what fills it comes no more often. True: as above. */
bool history_time_widen(struct history_time *time, uint64_t width);

void history_halve(struct history *h);

/* Adds what ended in the bucket of now. */
void history_add(struct history *h, const struct history_time *time, uint64_t done,
		 uint64_t failed);

/* Adds up all that it holds. */
void history_sum(const struct history *h, const struct history_time *time, uint64_t *done,
		 uint64_t *failed);

/* The buckets of other, into h. */
void history_merge(struct history *h, const struct history *other, const struct history_time *time);

/* shares: of what ended; else failures by the worst bucket. */
void history_levels(const struct history *h, const struct history_time *time, bool shares,
		    uint8_t levels[VIEW_BUCKETS]);

void history_sample(struct history_rate *r, uint64_t t, uint64_t count);

/* A second; less than 0: it is not known yet. */
double history_rate(const struct history_rate *r);

#endif
