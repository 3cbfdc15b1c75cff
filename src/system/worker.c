// SPDX-License-Identifier: BSD-2-Clause
/*
 * All that threads share is in struct shared, which the last of them frees: a thread that was left
 * behind may come back hours later.
 */
#include "system/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "system/clock.h"
#include "system/confine.h"

#define PAUSE_NS   1000000
#define END_PAUSES 200

struct list {
	struct worker_job *first;
	struct worker_job **end; /* where the next one goes */
	size_t count;
};

struct shared {
	pthread_mutex_t lock;
	pthread_cond_t given;
	unsigned int users; /* threads, and the owner */
	bool ending;
	int fd;
	struct list waiting;
	struct list done;
};

/* Of one thread; it frees that itself. */
struct thread {
	struct shared *shared;
	pthread_t id;
	bool abandoned;
	struct worker_job *job; /* NULL: none */
	uint64_t since;		/* when that was begun */
};

struct worker {
	struct worker_options options;
	struct shared *shared;
	struct thread *thread; /* NULL: none is left that is not stuck */
	unsigned int abandoned;
};

/* -- lists ------------------------------------------------------------------------------------- */

static void list_init(struct list *list)
{
	*list = (struct list){ .end = &list->first };
}

static void list_append(struct list *list, struct worker_job *job)
{
	job->next = NULL;
	*list->end = job;
	list->end = &job->next;
	list->count++;
}

static struct worker_job *list_take(struct list *list)
{
	struct worker_job *job = list->first;

	if (!job)
		return NULL;
	list->first = job->next;
	if (!list->first)
		list->end = &list->first;
	list->count--;
	return job;
}

static void list_drop(struct list *list)
{
	struct worker_job *job;

	while ((job = list_take(list)))
		job->drop(job);
}

/* -- what is shared ---------------------------------------------------------------------------- */

static struct shared *shared_new(void)
{
	struct shared *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->fd < 0) {
		free(s);
		return NULL;
	}
	s->users = 1;
	list_init(&s->waiting);
	list_init(&s->done);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->given, NULL);
	return s;
}

/* With the lock held, which is let go. */
static void shared_leave(struct shared *s)
{
	bool last = --s->users == 0;

	pthread_mutex_unlock(&s->lock);
	if (!last)
		return;
	pthread_cond_destroy(&s->given);
	pthread_mutex_destroy(&s->lock);
	close(s->fd);
	free(s);
}

/* -- the thread -------------------------------------------------------------------------------- */

/* With the lock held but while the job is done. */
static void thread_do(struct thread *t, struct worker_job *job)
{
	struct shared *s = t->shared;
	uint64_t one = 1;

	t->job = job;
	t->since = clock_monotonic();
	pthread_mutex_unlock(&s->lock);
	job->run(job);
	pthread_mutex_lock(&s->lock);
	t->job = NULL;
	if (t->abandoned || s->ending) {
		job->drop(job);
		return;
	}
	list_append(&s->done, job);
	/* fails only when it is full, and then it is readable already */
	if (write(s->fd, &one, sizeof(one)) < 0)
		return;
}

static void *thread_main(void *context)
{
	struct thread *t = context;
	struct shared *s = t->shared;

	/* Where it cannot be done it was not needed: there are none to give up. */
	(void)confine_capabilities(confine_caps_reading());
	pthread_mutex_lock(&s->lock);
	while (!t->abandoned && !s->ending) {
		struct worker_job *job = list_take(&s->waiting);

		if (job)
			thread_do(t, job);
		else
			pthread_cond_wait(&s->given, &s->lock);
	}
	if (t->abandoned)
		free(t);
	shared_leave(s);
	return NULL;
}

/* Signals are for the thread that waits for them. */
static int thread_start(struct worker *w)
{
	struct thread *t = calloc(1, sizeof(*t));
	sigset_t all, before;
	int err;

	if (!t)
		return -ENOMEM;
	t->shared = w->shared;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_mutex_lock(&w->shared->lock);
	err = pthread_create(&t->id, NULL, thread_main, t);
	if (!err)
		w->shared->users++;
	pthread_mutex_unlock(&w->shared->lock);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err)
		free(t);
	else
		w->thread = t;
	return -err;
}

/* -- the owner --------------------------------------------------------------------------------- */

int worker_new(const struct worker_options *options, struct worker **out)
{
	struct worker *w = calloc(1, sizeof(*w));
	int err = -ENOMEM;

	if (!w)
		return err;
	w->options = *options;
	w->shared = shared_new();
	if (w->shared)
		err = thread_start(w);
	if (err)
		worker_free(w);
	else
		*out = w;
	return err;
}

/* With the lock held. */
static bool is_stuck(const struct worker *w, uint64_t now)
{
	return w->thread && w->thread->job && now > w->thread->since &&
	       now - w->thread->since > w->options.stuck_ns;
}

/* With the lock held. The thread frees itself when it comes back. */
static void thread_abandon(struct worker *w)
{
	w->thread->abandoned = true;
	pthread_detach(w->thread->id);
	w->thread = NULL;
}

/* Waits for a job that is under way, but not long: nobody wants its answer. */
static void thread_end(struct worker *w)
{
	struct shared *s = w->shared;
	struct thread *t = w->thread;
	const struct timespec pause = { .tv_nsec = PAUSE_NS };

	for (int i = 0; t->job && i < END_PAUSES; i++) {
		pthread_mutex_unlock(&s->lock);
		nanosleep(&pause, NULL);
		pthread_mutex_lock(&s->lock);
	}
	if (t->job) {
		thread_abandon(w);
		return;
	}
	pthread_cond_broadcast(&s->given);
	pthread_mutex_unlock(&s->lock);
	pthread_join(t->id, NULL);
	free(t);
	pthread_mutex_lock(&s->lock);
}

void worker_free(struct worker *w)
{
	struct shared *s;

	if (!w)
		return;
	s = w->shared;
	if (s) {
		pthread_mutex_lock(&s->lock);
		s->ending = true;
		if (w->thread)
			thread_end(w);
		list_drop(&s->waiting);
		list_drop(&s->done);
		shared_leave(s);
	}
	free(w);
}

int worker_fd(const struct worker *w)
{
	return w->shared->fd;
}

int worker_give(struct worker *w, struct worker_job *job)
{
	struct shared *s = w->shared;
	int err = 0;

	pthread_mutex_lock(&s->lock);
	if (!w->thread)
		err = -EBUSY;
	else if (s->waiting.count == w->options.queue_max)
		err = -EAGAIN;
	else
		list_append(&s->waiting, job);
	pthread_cond_signal(&s->given);
	pthread_mutex_unlock(&s->lock);
	return err;
}

struct worker_job *worker_fetch(struct worker *w)
{
	struct shared *s = w->shared;
	struct worker_job *job;
	uint64_t count;

	pthread_mutex_lock(&s->lock);
	job = list_take(&s->done);
	if (!job && read(s->fd, &count, sizeof(count)) < 0)
		job = NULL; /* it was not readable either */
	pthread_mutex_unlock(&s->lock);
	return job;
}

bool worker_abandon(struct worker *w, uint64_t now, uint64_t *tag)
{
	struct shared *s = w->shared;
	bool stuck;

	pthread_mutex_lock(&s->lock);
	stuck = is_stuck(w, now);
	if (stuck) {
		*tag = w->thread->job->tag;
		thread_abandon(w);
		w->abandoned++;
	}
	/* Nobody will do them. */
	if (stuck && w->abandoned > w->options.abandoned_max)
		list_drop(&s->waiting);
	pthread_mutex_unlock(&s->lock);
	if (stuck && w->abandoned <= w->options.abandoned_max)
		(void)thread_start(w); /* without it jobs are not taken any more */
	return stuck;
}
