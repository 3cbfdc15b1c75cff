/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A queue of records between two processes, in memory that they share: one puts, one takes, neither
 * waits for the other. The side that puts trusts nothing that the other can write: where its records
 * are it keeps to itself. The record that is being looked at, and some that were looked at before it,
 * stay where they are, so that what the taking side has died of can be kept.
 */
#ifndef TLSFAIL_SYSTEM_RECQUEUE_H
#define TLSFAIL_SYSTEM_RECQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Records that stay for a while after they were taken. */
#define RECQUEUE_HISTORY 64

struct recqueue;

/* A queue for records of len_max bytes at most, bytes for all: twice what the kept ones can take or more.
 * Made before the fork. *out is to be ended
 * with recqueue_free(), by each side. A negative errno on failure. */
int recqueue_new(size_t bytes, size_t len_max, struct recqueue **out);
void recqueue_free(struct recqueue *queue);

/* -- the side that puts -- */

/* Is there room for a record of any length? */
bool recqueue_has_room(struct recqueue *queue);

/* Puts a record, whose beginning may come apart. False: there was no room. */
bool recqueue_put(struct recqueue *queue, const void *data, size_t len);

/* Wakes the other side, if anything was put since. */
void recqueue_wake(struct recqueue *queue);

/* How many records were taken so far, of those that were put; and how many were put. */
uint64_t recqueue_taken(struct recqueue *queue);
uint64_t recqueue_put_count(const struct recqueue *queue);

/* The record with that number, from 0 on, as it is in the memory that both can write: to be copied, not
 * to be believed. NULL: it is not kept any more, or was never put. */
const void *recqueue_kept(struct recqueue *queue, uint64_t number, size_t *len);

/* The record that the other side had at hand counts as taken: nobody else may be taking. */
void recqueue_skip(struct recqueue *queue);

/* Tells the other side that nothing but the end comes. */
void recqueue_end(struct recqueue *queue);

/* -- the side that takes -- */

/* Readable when there may be something. */
int recqueue_fd(const struct recqueue *queue);

/* Forgets what fd has told; to be called before recqueue_next(). */
void recqueue_woken(struct recqueue *queue);

/* The next record, which stays as it is until recqueue_done(). NULL: there is none. */
const void *recqueue_next(struct recqueue *queue, size_t *len);
void recqueue_done(struct recqueue *queue);

/* How many were taken so far, also by those that took before. */
uint64_t recqueue_taken_here(const struct recqueue *queue);

/* The record with that number, one that was taken already; NULL: it is not kept. */
const void *recqueue_past(struct recqueue *queue, uint64_t number, size_t *len);

bool recqueue_is_ending(const struct recqueue *queue);

#endif
