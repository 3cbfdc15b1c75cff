// SPDX-License-Identifier: BSD-2-Clause
/*
 * A queue, and beside it what stays: one record for each thing that it is about. The bytes of a
 * connection come before it, so a connection whose bytes made room is left out, rather than diagnosed
 * without them.
 */
#include "record/backlog.h"

#include <linux/types.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/queue.h"
#include "tlsfail_abi.h"

#define STANDING_MAX 1024 /* as many processes and places; the oldest gives way */
#define GONE_MAX     1024 /* connections of which something made room: they are close together */
#define ITEMS_MAX    64

struct standing_record {
	uint16_t type;
	uint32_t key;
	size_t len;
	void *data;
};

struct backlog {
	struct queue queue;
	struct standing_record standing[STANDING_MAX];
	size_t standing_count; /* that were ever put, the last STANDING_MAX of which are there */
	uint64_t gone[GONE_MAX];
	size_t gone_count;
	char buf[];
};

struct backlog *backlog_new(size_t size)
{
	struct backlog *b = calloc(1, sizeof(*b) + size);

	if (b)
		queue_init(&b->queue, b->buf, size);
	return b;
}

void backlog_free(struct backlog *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < STANDING_MAX; i++)
		free(b->standing[i].data);
	free(b);
}

/* -- what a record is about ----------------------------------------------------------------------- */

/* Records are not aligned here. */
static uint16_t type_of(const void *record)
{
	struct tlsfail_header header;

	memcpy(&header, record, sizeof(header));
	return header.type;
}

/* The number that is so far from the beginning. False: the record is shorter. */
static bool number_read(const void *record, size_t len, size_t offset, void *number, size_t size)
{
	if (len < offset + size)
		return false;
	memcpy(number, (const char *)record + offset, size);
	return true;
}
#define NUMBER_READ(record, len, struct_type, field, number)                                       \
	number_read(record, len, offsetof(struct struct_type, field), number, sizeof(*(number)))

/* Is it true of connections to come? Of which process, or slot. */
static bool stands(const void *record, size_t len, uint32_t *key)
{
	switch (type_of(record)) {
	case TLSFAIL_REC_HOST:
	case TLSFAIL_REC_CLOCK:
		*key = 0;
		return true;
	case TLSFAIL_REC_PROCESS:
		return NUMBER_READ(record, len, tlsfail_process, pid, key);
	case TLSFAIL_REC_NGINX:
		return NUMBER_READ(record, len, tlsfail_nginx, slot, key);
	default:
		return false;
	}
}

/* The number of the connection that it belongs to; 0: to none. */
static uint64_t connection_of(const void *record, size_t len)
{
	uint64_t id = 0;

	switch (type_of(record)) {
	case TLSFAIL_REC_CONN:
		NUMBER_READ(record, len, tlsfail_conn, id, &id);
		break;
	case TLSFAIL_REC_WIRE:
		NUMBER_READ(record, len, tlsfail_wire, id, &id);
		break;
	case TLSFAIL_REC_CERTS:
		NUMBER_READ(record, len, tlsfail_certs, id, &id);
		break;
	case TLSFAIL_REC_LOG_LINE:
		NUMBER_READ(record, len, tlsfail_log_line, id, &id);
		break;
	default:
		break;
	}
	return id;
}

static bool is_gone(const struct backlog *b, uint64_t id)
{
	for (size_t i = 0; id && i < b->gone_count && i < GONE_MAX; i++)
		if (b->gone[i] == id)
			return true;
	return false;
}

/* -- what makes room ------------------------------------------------------------------------------ */

static void stand(struct backlog *b, uint32_t key, const void *record, size_t len)
{
	const uint16_t type = type_of(record);
	struct standing_record *s = b->standing;
	void *copy = malloc(len);

	if (!copy)
		return;
	memcpy(copy, record, len);
	while (s < b->standing + STANDING_MAX && s->data && (s->type != type || s->key != key))
		s++;
	if (s == b->standing + STANDING_MAX)
		s = &b->standing[b->standing_count % STANDING_MAX];
	if (!s->data || s->type != type || s->key != key)
		b->standing_count++;
	free(s->data);
	*s = (struct standing_record){ type, key, len, copy };
}

static void make_room(struct backlog *b)
{
	struct queue_item oldest;
	uint32_t key;
	uint64_t id;

	if (!queue_read(&b->queue, &oldest, 1))
		return;
	id = connection_of(oldest.data, oldest.len);
	if (stands(oldest.data, oldest.len, &key))
		stand(b, key, oldest.data, oldest.len);
	else if (id && !is_gone(b, id))
		b->gone[b->gone_count++ % GONE_MAX] = id;
	queue_drop(&b->queue, 1);
}

bool backlog_put(struct backlog *b, const void *record, size_t len)
{
	struct tlsfail_header header;

	if (len < sizeof(header))
		return false;
	memcpy(&header, record, sizeof(header));
	if (header.len != len)
		return false;
	while (!queue_put(&b->queue, record, len)) {
		if (!b->queue.count)
			return false;
		make_room(b);
	}
	return true;
}

int backlog_give(struct backlog *b, int (*take)(void *context, const void *record, size_t len),
		 void *context)
{
	struct queue_item items[ITEMS_MAX];
	struct queue rest = b->queue;
	int ret = 0;
	size_t n;

	for (size_t i = 0; !ret && i < STANDING_MAX && b->standing[i].data; i++)
		ret = take(context, b->standing[i].data, b->standing[i].len);
	while (!ret && (n = queue_read(&rest, items, ITEMS_MAX))) {
		for (size_t i = 0; !ret && i < n; i++)
			if (!is_gone(b, connection_of(items[i].data, items[i].len)))
				ret = take(context, items[i].data, items[i].len);
		queue_drop(&rest, n);
	}
	return ret;
}
