// SPDX-License-Identifier: BSD-2-Clause
/*
 * A ring: each item is its length and its bytes, in one piece. One that does not fit before the end
 * of the memory begins at its start, and a mark tells where.
 */
#include "base/queue.h"

#include <stdint.h>
#include <string.h>

typedef uint32_t item_len;

#define LEN_SIZE sizeof(item_len)
#define MARK	 UINT32_MAX /* in place of a length: the next item is at the start */

void queue_init(struct queue *q, void *buf, size_t size)
{
	*q = (struct queue){ .buf = buf, .size = size };
}

/* Is there an item at the offset, or a mark, or no room for either? */
static size_t item_offset(const struct queue *q, size_t offset)
{
	item_len len;

	if (q->size - offset < LEN_SIZE)
		return 0;
	memcpy(&len, q->buf + offset, LEN_SIZE);
	return len == MARK ? 0 : offset;
}

static item_len item_read(const struct queue *q, size_t offset)
{
	item_len len;

	memcpy(&len, q->buf + offset, LEN_SIZE);
	return len;
}

/* The bytes from offset on that are free in one piece. */
static size_t room_at(const struct queue *q, size_t offset)
{
	if (q->count && offset <= q->head)
		return q->head - offset;
	return q->size - offset;
}

bool queue_put(struct queue *q, const void *data, size_t len)
{
	size_t need = LEN_SIZE + len;
	item_len stored = (item_len)len;
	const item_len mark = MARK;

	if (len >= MARK)
		return false;
	if (!q->count)
		q->head = q->tail = q->used = 0;
	if (q->count && q->tail == q->head)
		return false;
	if (room_at(q, q->tail) < need) {
		if (q->tail < q->head || room_at(q, 0) < need)
			return false;
		if (q->size - q->tail >= LEN_SIZE)
			memcpy(q->buf + q->tail, &mark, LEN_SIZE);
		q->used += q->size - q->tail;
		q->tail = 0;
	}
	memcpy(q->buf + q->tail, &stored, LEN_SIZE);
	memcpy(q->buf + q->tail + LEN_SIZE, data, len);
	q->tail += need;
	q->used += need;
	q->count++;
	return true;
}

size_t queue_read(const struct queue *q, struct queue_item *items, size_t max)
{
	size_t offset = q->head;
	size_t n = 0;

	for (; n < max && n < q->count; n++) {
		offset = item_offset(q, offset);
		items[n].data = q->buf + offset + LEN_SIZE;
		items[n].len = item_read(q, offset);
		offset += LEN_SIZE + items[n].len;
	}
	return n;
}

void queue_drop(struct queue *q, size_t count)
{
	for (; count && q->count; count--) {
		size_t offset = item_offset(q, q->head);
		size_t end = offset + LEN_SIZE + item_read(q, offset);

		q->used -= offset < q->head ? q->size - q->head : 0;
		q->used -= end - offset;
		q->head = end;
		q->count--;
	}
}
