// SPDX-License-Identifier: BSD-2-Clause
/*
 * The lock is held while a pointer is taken or given, never while anything is copied or written.
 */
#include "metrics/share.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define PAGE_FIRST (64 * 1024) /* most pages are smaller */
#define PAGE_MAX   (256 * 1024 * 1024)

struct snapshot {
	unsigned int users; /* and the share itself */
	struct metrics *metrics;
};

struct metrics_share {
	pthread_mutex_t lock;
	struct snapshot *last; /* or NULL */
};

struct metrics_share *metrics_share_new(void)
{
	struct metrics_share *share = calloc(1, sizeof(*share));

	if (share)
		pthread_mutex_init(&share->lock, NULL);
	return share;
}

static struct snapshot *snapshot_take(struct metrics_share *share)
{
	struct snapshot *s;

	pthread_mutex_lock(&share->lock);
	s = share->last;
	if (s)
		s->users++;
	pthread_mutex_unlock(&share->lock);
	return s;
}

static void snapshot_give(struct metrics_share *share, struct snapshot *s)
{
	bool unused;

	if (!s)
		return;
	pthread_mutex_lock(&share->lock);
	unused = !--s->users;
	pthread_mutex_unlock(&share->lock);
	if (!unused)
		return;
	metrics_free(s->metrics);
	free(s);
}

void metrics_share_free(struct metrics_share *share)
{
	if (!share)
		return;
	snapshot_give(share, share->last);
	pthread_mutex_destroy(&share->lock);
	free(share);
}

void metrics_share_publish(struct metrics_share *share, const struct metrics *metrics)
{
	struct snapshot *s = calloc(1, sizeof(*s)), *old;

	if (!s)
		return;
	s->users = 1;
	s->metrics = metrics_clone(metrics);
	if (!s->metrics) {
		free(s);
		return;
	}
	pthread_mutex_lock(&share->lock);
	old = share->last;
	share->last = s;
	pthread_mutex_unlock(&share->lock);
	snapshot_give(share, old);
}

static int page_make(const struct metrics *metrics, enum exposition_format format, char **page,
		     size_t *len)
{
	for (size_t size = PAGE_FIRST; size <= PAGE_MAX; size *= 2) {
		char *buf = malloc(size);
		struct text t;

		if (!buf)
			break;
		text_init(&t, buf, size);
		metrics_write(metrics, format, &t);
		if (!t.cut) {
			*page = buf;
			*len = t.len;
			return 0;
		}
		free(buf);
	}
	return -ENOMEM;
}

int metrics_share_page(struct metrics_share *share, enum exposition_format format, char **page,
		       size_t *len)
{
	struct snapshot *s = snapshot_take(share);
	int err = s ? page_make(s->metrics, format, page, len) : -EAGAIN;

	snapshot_give(share, s);
	return err;
}
