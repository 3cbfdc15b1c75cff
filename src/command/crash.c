// SPDX-License-Identifier: BSD-2-Clause
/*
 * The records are copied, not read: whoever they come from may have meant them for the reader. Of their
 * fields only the number of the connection is compared.
 */
#include "command/crash.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "record/factory.h"
#include "record/recording.h"
#include "system/clock.h"

struct keeping {
	struct recorder *recorder;
	struct recqueue *queue;
	uint64_t at; /* the record at hand */
	int err;
	_Alignas(8) uint8_t copy[RECORD_LEN_MAX];
};

static void write_record(void *context, const void *record, size_t len)
{
	struct keeping *k = context;

	if (!k->err)
		k->err = recorder_write(k->recorder, record, len);
}

/* Copies a record that was put: its header, which both sides can write, is put right. */
static bool copy(struct keeping *k, uint64_t number, size_t *len)
{
	const void *record = recqueue_kept(k->queue, number, len);
	struct tlsfail_header h;

	if (!record || *len < sizeof(h) || *len > sizeof(k->copy))
		return false;
	memcpy(k->copy, record, *len);
	memcpy(&h, k->copy, sizeof(h));
	h.len = (uint32_t)*len;
	memcpy(k->copy, &h, sizeof(h));
	return true;
}

/* The connection that the copied record is of; 0: none. */
static uint64_t connection(const struct keeping *k, size_t len)
{
	const struct tlsfail_header *h = (const struct tlsfail_header *)(const void *)k->copy;
	uint64_t id = 0;

	/* It follows the header in all of them. */
	if ((h->type == TLSFAIL_REC_WIRE || h->type == TLSFAIL_REC_CONN ||
	     h->type == TLSFAIL_REC_CERTS) &&
	    len >= sizeof(*h) + sizeof(id))
		memcpy(&id, k->copy + sizeof(*h), sizeof(id));
	return id;
}

/* The bytes of its connection, and the record. */
static void stream_write(struct keeping *k)
{
	uint64_t id = 0, from = k->at > RECQUEUE_HISTORY ? k->at - RECQUEUE_HISTORY : 0;
	size_t len;

	if (copy(k, k->at, &len))
		id = connection(k, len);
	for (uint64_t number = from; id && number < k->at; number++)
		if (copy(k, number, &len) && connection(k, len) == id)
			write_record(k, k->copy, len);
	if (copy(k, k->at, &len))
		write_record(k, k->copy, len);
	else
		k->err = k->err ? k->err : -ENOENT;
}

static int recording_make(struct recqueue *queue, const struct feed *feed, const char *path,
			  struct text *error)
{
	const struct tlsfail_clock clock = record_clock(clock_monotonic(), clock_realtime());
	struct keeping *k = calloc(1, sizeof(*k));
	int err, closed;

	if (!k)
		return -ENOMEM;
	k->queue = queue;
	k->at = recqueue_taken(queue);
	err = recorder_open(path, &k->recorder, error);
	if (!err) {
		write_record(k, &clock, sizeof(clock));
		feed_processes(feed, write_record, k);
		stream_write(k);
		closed = recorder_close(k->recorder);
		err = k->err ? k->err : closed;
	}
	free(k);
	return err;
}

/* A name that is free. False: there are enough. */
static bool path_find(const char *directory, struct text *path)
{
	struct stat st;

	for (unsigned int i = 1; i <= CRASH_MAX; i++) {
		text_init(path, path->buf, path->size);
		text_addf(path, "%s/crash-%u.rec", directory, i);
		/* whatever else is wrong with it is said when it is made */
		if (lstat(path->buf, &st))
			return true;
	}
	return false;
}

void crash_keep(const char *directory, struct recqueue *queue, const struct feed *feed,
		struct text *what)
{
	char buf[512], words[1024];
	struct text path, error;
	int err;

	if (recqueue_taken(queue) == recqueue_put_count(queue)) {
		text_add(what, "it had no record at hand");
		return;
	}
	text_init(&path, buf, sizeof(buf));
	text_init(&error, words, sizeof(words));
	(void)mkdir(directory, 0700);
	if (!path_find(directory, &path)) {
		text_addf(what,
			  "the record that it had at hand is not kept: %s has %d of them already",
			  directory, CRASH_MAX);
		return;
	}
	err = recording_make(queue, feed, buf, &error);
	if (err)
		text_addf(what, "the record that it had at hand cannot be kept: %s",
			  error.len ? words : strerror(-err));
	else
		text_addf(what, "the record that it had at hand is kept as %s", buf);
}
