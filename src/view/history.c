// SPDX-License-Identifier: BSD-2-Clause
/*
 * Buckets are numbered from the origin on, and a ring holds the last of them. What is recorded has a
 * beginning that is to be seen too: there the buckets get wider instead, and the ring never turns.
 */
#include "view/history.h"

#include <string.h>

#include "base/units.h"

#define LIVE_WIDTH     (5 * NS_PER_S)
#define RECORDED_WIDTH (NS_PER_S / 4)

bool history_time_to(struct history_time *time, uint64_t t)
{
	bool doubled = false;

	if (!time->origin) {
		time->width = time->grows ? RECORDED_WIDTH : LIVE_WIDTH;
		time->origin = t;
	}
	/* records of several CPUs are not quite in order */
	if (t < time->origin + time->now * time->width)
		return false;
	if (time->grows && (t - time->origin) / time->width >= VIEW_BUCKETS) {
		time->width *= 2;
		time->now /= 2;
		doubled = true;
	}
	/* Of a doubling too little the next one is due at once. */
	if (!doubled)
		time->now = (t - time->origin) / time->width;
	return doubled;
}

bool history_time_widen(struct history_time *time, uint64_t width)
{
	/* before the first there are no buckets */
	if (!time->origin || !time->grows || time->width >= width)
		return false;
	time->width *= 2;
	time->now /= 2;
	return true;
}

void history_halve(struct history *h)
{
	for (unsigned int i = 0; i < VIEW_BUCKETS / 2; i++) {
		h->done[i] = h->done[2 * i] + h->done[2 * i + 1];
		h->failed[i] = h->failed[2 * i] + h->failed[2 * i + 1];
	}
	memset(&h->done[VIEW_BUCKETS / 2], 0, sizeof(h->done) / 2);
	memset(&h->failed[VIEW_BUCKETS / 2], 0, sizeof(h->failed) / 2);
	h->at /= 2;
}

/* Empties what was passed over. */
static void advance(struct history *h, uint64_t now)
{
	if (now - h->at >= VIEW_BUCKETS) {
		memset(h->done, 0, sizeof(h->done));
		memset(h->failed, 0, sizeof(h->failed));
		h->at = now;
	}
	while (h->at < now) {
		h->at++;
		h->done[h->at % VIEW_BUCKETS] = 0;
		h->failed[h->at % VIEW_BUCKETS] = 0;
	}
}

void history_add(struct history *h, const struct history_time *time, uint64_t done, uint64_t failed)
{
	advance(h, time->now);
	h->done[time->now % VIEW_BUCKETS] += (uint32_t)done;
	h->failed[time->now % VIEW_BUCKETS] += (uint32_t)failed;
}

/* The slot of the bucket that is age buckets old; false: it holds nothing of it. */
static bool slot_of(const struct history *h, const struct history_time *time, uint64_t age,
		    unsigned int *slot)
{
	if (age > time->now || time->now - age > h->at || h->at - (time->now - age) >= VIEW_BUCKETS)
		return false;
	*slot = (unsigned int)((time->now - age) % VIEW_BUCKETS);
	return true;
}

void history_sum(const struct history *h, const struct history_time *time, uint64_t *done,
		 uint64_t *failed)
{
	unsigned int slot;

	*done = *failed = 0;
	for (uint64_t age = 0; age < VIEW_BUCKETS; age++)
		if (slot_of(h, time, age, &slot)) {
			*done += h->done[slot];
			*failed += h->failed[slot];
		}
}

void history_merge(struct history *h, const struct history *other, const struct history_time *time)
{
	unsigned int slot;

	advance(h, time->now);
	for (uint64_t age = 0; age < VIEW_BUCKETS; age++)
		if (slot_of(other, time, age, &slot)) {
			h->done[slot] += other->done[slot];
			h->failed[slot] += other->failed[slot];
		}
}

static uint8_t level(uint64_t part, uint64_t whole)
{
	uint64_t steps = VIEW_LEVEL_MAX - VIEW_LEVEL_GOOD;

	/* whatever failed is to be seen */
	return (uint8_t)(VIEW_LEVEL_GOOD + (part * steps + whole - 1) / whole);
}

void history_levels(const struct history *h, const struct history_time *time, bool shares,
		    uint8_t levels[VIEW_BUCKETS])
{
	uint64_t worst = 0;
	unsigned int slot;

	for (unsigned int i = 0; i < VIEW_BUCKETS; i++)
		if (h->failed[i] > worst)
			worst = h->failed[i];
	for (unsigned int i = 0; i < VIEW_BUCKETS; i++) {
		uint64_t ended, age = VIEW_BUCKETS - 1 - i;

		levels[i] = VIEW_LEVEL_NONE;
		if (!slot_of(h, time, age, &slot))
			continue;
		ended = h->done[slot] + (uint64_t)h->failed[slot];
		if (ended)
			levels[i] = level(h->failed[slot], shares ? ended : worst ? worst : 1);
	}
}

void history_sample(struct history_rate *r, uint64_t t, uint64_t count)
{
	if (r->used && t <= r->times[r->used - 1])
		return;
	if (r->used == HISTORY_SAMPLES) {
		memmove(r->times, r->times + 1, sizeof(r->times) - sizeof(r->times[0]));
		memmove(r->counts, r->counts + 1, sizeof(r->counts) - sizeof(r->counts[0]));
		r->used--;
	}
	r->times[r->used] = t;
	r->counts[r->used] = count;
	r->used++;
}

double history_rate(const struct history_rate *r)
{
	unsigned int last = r->used - 1;

	if (r->used < 2 || r->counts[last] < r->counts[0])
		return -1;
	return (double)(r->counts[last] - r->counts[0]) * NS_PER_S /
	       (double)(r->times[last] - r->times[0]);
}
