// SPDX-License-Identifier: BSD-2-Clause
/*
 * Written every now and then. Figures that are written anew every ten seconds do not wait for the disk: a
 * busy one takes longer than the end of tlsfail may.
 */
#include "metrics/file.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "system/confine.h"
#include "system/files.h"
#include "system/log.h"

struct metrics_file {
	const char *path;
	struct metrics_share *share;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool ending;
	bool failing;
};

int metrics_file_replace(const char *path, const char *page, size_t len, bool on_disk)
{
	return files_own_replace(path, page, len, on_disk);
}

static int file_write(struct metrics_file *f)
{
	char *page = NULL;
	size_t len;
	int err = metrics_share_page(f->share, EXPOSITION_TEXT, &page, &len);

	if (!err)
		err = metrics_file_replace(f->path, page, len, false);
	free(page);
	return err;
}

static void file_write_told(struct metrics_file *f)
{
	int err = file_write(f);

	if (err && !f->failing)
		log_line("cannot write metrics to %s: %s; retrying", f->path, strerror(-err));
	else if (!err && f->failing)
		log_line("writing metrics to %s works again", f->path);
	f->failing = err;
}

/* Until the next time, or the end. True: it is the end. */
static bool file_wait(struct metrics_file *f)
{
	struct timespec until;
	bool ending;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += METRICS_FILE_INTERVAL_S;
	pthread_mutex_lock(&f->lock);
	while (!f->ending && pthread_cond_timedwait(&f->wake, &f->lock, &until) != ETIMEDOUT)
		;
	ending = f->ending;
	pthread_mutex_unlock(&f->lock);
	return ending;
}

static void *file_thread(void *context)
{
	struct metrics_file *f = context;

	/* Where it cannot be done there is nothing to give up. */
	(void)confine_capabilities(confine_caps_writing());
	while (!file_wait(f))
		file_write_told(f);
	file_write_told(f);
	return NULL;
}

int metrics_file_open(const char *path, struct metrics_share *share, struct metrics_file **out)
{
	struct metrics_file *f = calloc(1, sizeof(*f));
	pthread_condattr_t clock;
	int err;

	if (!f)
		return -ENOMEM;
	f->path = path;
	f->share = share;
	pthread_mutex_init(&f->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&f->wake, &clock);
	pthread_condattr_destroy(&clock);
	err = file_write(f);
	if (!err)
		err = -pthread_create(&f->thread, NULL, file_thread, f);
	if (err) {
		free(f);
		return err;
	}
	*out = f;
	return 0;
}

void metrics_file_close(struct metrics_file *f)
{
	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	f->ending = true;
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	pthread_cond_destroy(&f->wake);
	pthread_mutex_destroy(&f->lock);
	free(f);
}
