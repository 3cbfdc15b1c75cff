// SPDX-License-Identifier: BSD-2-Clause
/*
 * Records lie one after the other in a ring of bytes, none across its end; a second ring says where
 * they are. The side that puts has a copy of that for itself, and overwrites a record when
 * RECQUEUE_HISTORY others were taken after it.
 */
#include "system/recqueue.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define RECORDS 8192 /* that are in it at most, with those that are kept */
#define ALIGN	8

struct slot {
	uint64_t at; /* in data */
	uint64_t len;
};

struct shared {
	_Atomic uint64_t put;
	_Atomic uint64_t taken;
	_Atomic uint32_t ending;
	struct slot slots[RECORDS];
	uint8_t data[];
};

struct recqueue {
	struct shared *shared;
	size_t bytes; /* of data */
	size_t len_max;
	int fd;
	/* of the side that puts */
	uint64_t put;
	uint64_t taken;	  /* as last read, and it never goes back */
	uint64_t woken;	  /* put when the other side was woken last */
	uint64_t next_at; /* in data */
	struct slot slots[RECORDS];
};

static size_t shared_size(size_t bytes)
{
	return sizeof(struct shared) + bytes;
}

int recqueue_new(size_t bytes, size_t len_max, struct recqueue **out)
{
	struct recqueue *q;
	void *shared;

	if (bytes / 2 / RECQUEUE_HISTORY < len_max || bytes % ALIGN)
		return -EINVAL;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	q->bytes = bytes;
	q->len_max = len_max;
	q->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	shared = mmap(NULL, shared_size(bytes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (q->fd < 0 || shared == MAP_FAILED) {
		int err = -errno;

		if (q->fd >= 0)
			close(q->fd);
		free(q);
		return err;
	}
	q->shared = shared;
	*out = q;
	return 0;
}

void recqueue_free(struct recqueue *q)
{
	if (!q)
		return;
	munmap(q->shared, shared_size(q->bytes));
	close(q->fd);
	free(q);
}

/* -- the side that puts ------------------------------------------------------------------------ */

static size_t padded(size_t len)
{
	return (len + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

uint64_t recqueue_taken(struct recqueue *q)
{
	uint64_t taken = atomic_load_explicit(&q->shared->taken, memory_order_acquire);

	/* More than there are, or fewer than before: the other side is not itself any more. */
	if (taken > q->taken && taken <= q->put)
		q->taken = taken;
	return q->taken;
}

uint64_t recqueue_put_count(const struct recqueue *q)
{
	return q->put;
}

/* The first record that may not be overwritten. */
static uint64_t kept_from(struct recqueue *q)
{
	uint64_t taken = recqueue_taken(q);

	return taken > RECQUEUE_HISTORY ? taken - RECQUEUE_HISTORY : 0;
}

/* Where a record of len bytes can go, or bytes: there is no room. */
static size_t room_find(struct recqueue *q, size_t len)
{
	uint64_t first = kept_from(q);
	size_t begin, need = padded(len);

	if (q->put == first)
		return need <= q->bytes ? 0 : q->bytes;
	if (q->put - first == RECORDS)
		return q->bytes;
	begin = q->slots[first % RECORDS].at;
	/* free is what lies from next_at to begin, round the end; never all of it */
	if (q->next_at > begin) {
		if (need <= q->bytes - q->next_at)
			return q->next_at;
		return need < begin ? 0 : q->bytes;
	}
	return q->next_at + need < begin ? q->next_at : q->bytes;
}

bool recqueue_has_room(struct recqueue *q)
{
	return room_find(q, q->len_max) < q->bytes;
}

bool recqueue_put(struct recqueue *q, const void *data, size_t len)
{
	size_t at = len <= q->len_max ? room_find(q, len) : q->bytes;
	struct slot slot = { at, len };

	if (at == q->bytes)
		return false;
	memcpy(q->shared->data + at, data, len);
	q->slots[q->put % RECORDS] = slot;
	q->shared->slots[q->put % RECORDS] = slot;
	q->next_at = at + padded(len);
	q->put++;
	atomic_store_explicit(&q->shared->put, q->put, memory_order_release);
	return true;
}

void recqueue_wake(struct recqueue *q)
{
	uint64_t one = 1;

	if (q->woken == q->put)
		return;
	/* fails only when it is readable already */
	if (write(q->fd, &one, sizeof(one)) == sizeof(one))
		q->woken = q->put;
}

const void *recqueue_kept(struct recqueue *q, uint64_t number, size_t *len)
{
	const struct slot *slot = &q->slots[number % RECORDS];

	if (number < kept_from(q) || number >= q->put)
		return NULL;
	*len = slot->len;
	return q->shared->data + slot->at;
}

void recqueue_skip(struct recqueue *q)
{
	/* What the other side had written over is put right. */
	memcpy(q->shared->slots, q->slots, sizeof(q->slots));
	atomic_store(&q->shared->put, q->put);
	q->taken = recqueue_taken(q);
	if (q->taken < q->put)
		q->taken++;
	atomic_store(&q->shared->taken, q->taken);
	q->woken = UINT64_MAX;
	recqueue_wake(q);
}

void recqueue_end(struct recqueue *q)
{
	atomic_store(&q->shared->ending, 1);
}

/* -- the side that takes ----------------------------------------------------------------------- */

int recqueue_fd(const struct recqueue *q)
{
	return q->fd;
}

void recqueue_woken(struct recqueue *q)
{
	uint64_t count;

	if (read(q->fd, &count, sizeof(count)) < 0)
		return; /* it was not readable */
}

/* The record in the slot of that number, if it is one. */
static const void *record_at(const struct recqueue *q, uint64_t number, size_t *len)
{
	struct slot slot = q->shared->slots[number % RECORDS];

	if (slot.at >= q->bytes || slot.len > q->len_max || slot.len > q->bytes - slot.at)
		return NULL;
	*len = slot.len;
	return q->shared->data + slot.at;
}

const void *recqueue_next(struct recqueue *q, size_t *len)
{
	uint64_t taken = atomic_load_explicit(&q->shared->taken, memory_order_relaxed);

	if (taken == atomic_load_explicit(&q->shared->put, memory_order_acquire))
		return NULL;
	return record_at(q, taken, len);
}

void recqueue_done(struct recqueue *q)
{
	atomic_fetch_add_explicit(&q->shared->taken, 1, memory_order_release);
}

uint64_t recqueue_taken_here(const struct recqueue *q)
{
	return atomic_load_explicit(&q->shared->taken, memory_order_relaxed);
}

const void *recqueue_past(struct recqueue *q, uint64_t number, size_t *len)
{
	uint64_t taken = recqueue_taken_here(q);

	if (number >= taken || taken - number > RECQUEUE_HISTORY)
		return NULL;
	return record_at(q, number, len);
}

bool recqueue_is_ending(const struct recqueue *q)
{
	return atomic_load(&q->shared->ending);
}
