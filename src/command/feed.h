/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The collector's way of a record: from the ring into the queue, for the analyst to take. Before it goes
 * what only the collector can find out: the process, how peers stand, what was lost. Of what comes from
 * a peer nothing is looked at but where it begins and ends.
 */
#ifndef TLSFAIL_COMMAND_FEED_H
#define TLSFAIL_COMMAND_FEED_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/discover.h"
#include "system/recqueue.h"
#include "tlsfail_abi.h"
#include "tlsfail_maps.h"

struct feed;

struct feed_options {
	struct discovery *discovery;
	struct recqueue *queue;
	/* maps of the kernel side */
	int counters_fd;
	int peers_fd;
};

/* What options point to has to outlive *out, which is the caller's to feed_free(). -ENOMEM on failure. */
int feed_new(const struct feed_options *options, struct feed **out);
void feed_free(struct feed *feed);

/* Takes a record of the kernel side. */
void feed_record(struct feed *feed, const void *record, size_t len);

/* Counts one that there is no room for, or that an analyst died of, as lost; a process that it is about is
 * looked at all the same. */
void feed_lose(struct feed *feed, const void *record);

/* What has become due: processes that have loaded their library. In how many ms it is to be called again,
 * limit at most. */
void feed_turn(struct feed *feed);
int feed_wait_ms(const struct feed *feed, int limit);

/* What is due each second: losses. */
void feed_tick(struct feed *feed);

/* The counts of a peer; recovered: only if it has succeeded after it failed. */
void feed_peer(struct feed *feed, const struct tlsfail_peer_key *key, bool recovered);

/* What time it is. */
void feed_clock(struct feed *feed);

/* The end of the stream. */
void feed_end(struct feed *feed);

/* The records of processes that an analyst who begins anew has to know. */
void feed_processes(const struct feed *feed,
		    void (*take)(void *context, const void *record, size_t len), void *context);

/* The counters of the kernel side, with what was lost here. A negative errno on failure. */
int feed_counters(const struct feed *feed, struct tlsfail_counters *sum);

/* Records of the kernel side so far. */
uint64_t feed_records(const struct feed *feed);

#endif
