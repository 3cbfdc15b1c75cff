/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last snapshot of the metrics, which one thread makes and others show: nobody who looks, and
 * no network or disk that is slow, can hold up the one that traces.
 */
#ifndef TLSFAIL_METRICS_SHARE_H
#define TLSFAIL_METRICS_SHARE_H

#include <stddef.h>

#include "metrics/metrics.h"

struct metrics_share;

/* NULL when out of memory. */
struct metrics_share *metrics_share_new(void);
void metrics_share_free(struct metrics_share *share);

/* Replaces the snapshot with a copy. When there is no memory for one, the old one stays. */
void metrics_share_publish(struct metrics_share *share, const struct metrics *metrics);

/* The page of the snapshot, from any thread; *page is the caller's to free(). -ENOMEM; -EAGAIN:
 * nothing has been published. */
int metrics_share_page(struct metrics_share *share, enum exposition_format format, char **page,
		       size_t *len);

#endif
