/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bounded queue of byte strings in one piece of memory: what is put is copied, what is read stays
 * in place. Whoever uses it from two threads locks; items that were read stay valid without the lock
 * until they are dropped.
 */
#ifndef TLSFAIL_BASE_QUEUE_H
#define TLSFAIL_BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

struct queue_item {
	const char *data;
	size_t len;
};

struct queue {
	char *buf;
	size_t size;
	size_t head;  /* offset of the first item */
	size_t tail;  /* offset behind the last */
	size_t count; /* of items */
	size_t used;  /* bytes, with what items take beside their own */
};

/* Begins an empty queue in buf, which the caller keeps alive. */
void queue_init(struct queue *q, void *buf, size_t size);

/* Appends a copy of data. Returns false, and does nothing, when there is no room. */
bool queue_put(struct queue *q, const void *data, size_t len);

/* Sets the first of items, max at most, to the items that have waited longest. Returns how many. */
size_t queue_read(const struct queue *q, struct queue_item *items, size_t max);

/* Takes away the count items that have waited longest, or all when there are fewer. */
void queue_drop(struct queue *q, size_t count);

#endif
