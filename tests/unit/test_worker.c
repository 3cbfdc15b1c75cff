/* SPDX-License-Identifier: BSD-2-Clause */
/* worker: jobs come back, and a thread that is stuck holds up nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "system/worker.h"

static atomic_int dropped;

struct job {
	struct worker_job job;
	pthread_t thread; /* that has done it */
	int pipe;	  /* what it waits for, or -1 */
};

static void job_run(struct worker_job *job)
{
	struct job *j = (struct job *)job;
	char byte;

	j->thread = pthread_self();
	if (j->pipe >= 0)
		(void)!read(j->pipe, &byte, 1);
}

static void job_drop(struct worker_job *job)
{
	free(job);
	dropped++;
}

static struct worker *begin(size_t queue_max, unsigned int abandoned_max)
{
	const struct worker_options options = { queue_max, 1000, abandoned_max };
	struct worker *worker;

	dropped = 0;
	assert_int_equal(worker_new(&options, &worker), 0);
	return worker;
}

static int give(struct worker *worker, uint64_t tag, int pipe)
{
	struct job *job = calloc(1, sizeof(*job));
	int err;

	assert_non_null(job);
	*job = (struct job){ .job = { .run = job_run, .drop = job_drop, .tag = tag },
			     .pipe = pipe };
	err = worker_give(worker, &job->job);
	if (err)
		free(job);
	return err;
}

static struct job *fetch(struct worker *worker)
{
	struct pollfd fd = { .fd = worker_fd(worker), .events = POLLIN };

	assert_int_equal(poll(&fd, 1, -1), 1);
	return (struct job *)worker_fetch(worker);
}

/* Until the thread has begun the job, and for longer than it may take. */
static uint64_t abandon(struct worker *worker)
{
	uint64_t tag;

	while (!worker_abandon(worker, UINT64_MAX, &tag))
		;
	return tag;
}

static void test_jobs_come_back_in_order(void **state)
{
	struct worker *worker = begin(8, 0);
	struct pollfd fd = { .fd = worker_fd(worker), .events = POLLIN };

	(void)state;
	for (uint64_t i = 0; i < 5; i++)
		assert_int_equal(give(worker, i, -1), 0);
	for (uint64_t i = 0; i < 5;) {
		struct job *job = fetch(worker);

		if (!job)
			continue;
		assert_int_equal(job->job.tag, i);
		assert_false(pthread_equal(job->thread, pthread_self()));
		free(job);
		i++;
	}
	assert_null(worker_fetch(worker));
	assert_int_equal(poll(&fd, 1, 0), 0);
	worker_free(worker);
	assert_int_equal(dropped, 0);
}

static void test_queue_is_bounded(void **state)
{
	struct worker *worker = begin(2, 0);
	int ends[2], err, given = 0;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	do {
		err = give(worker, 0, ends[0]);
		given += !err;
	} while (!err);
	assert_int_equal(err, -EAGAIN);
	assert_true(given == 2 || given == 3); /* one may have been begun */
	close(ends[1]);
	worker_free(worker);
	assert_int_equal(dropped, given);
	close(ends[0]);
}

/* The thread comes back long after, with a job that nobody waits for. */
static void test_stuck_thread_is_left_behind(void **state)
{
	struct worker *worker = begin(8, 1);
	struct job *job;
	uint64_t tag;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_false(worker_abandon(worker, UINT64_MAX, &tag));
	assert_int_equal(give(worker, 7, ends[0]), 0);
	assert_int_equal(abandon(worker), 7);
	assert_int_equal(give(worker, 8, -1), 0);
	job = fetch(worker);
	assert_int_equal(job->job.tag, 8);
	free(job);
	assert_int_equal(dropped, 0);
	close(ends[1]);
	while (!dropped)
		;
	worker_free(worker);
	close(ends[0]);
}

static void test_too_many_stuck(void **state)
{
	struct worker *worker = begin(8, 1);
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	for (uint64_t i = 0; i < 2; i++) {
		assert_int_equal(give(worker, i, ends[0]), 0);
		assert_int_equal(abandon(worker), i);
	}
	assert_int_equal(give(worker, 2, -1), -EBUSY);
	worker_free(worker);
	close(ends[1]);
	while (dropped < 2)
		;
	close(ends[0]);
}

/* The end waits for no job that is stuck. */
static void test_end_while_stuck(void **state)
{
	struct worker *worker = begin(8, 1);
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(give(worker, 0, ends[0]), 0);
	assert_int_equal(give(worker, 1, ends[0]), 0);
	worker_free(worker);
	close(ends[1]);
	while (dropped < 2)
		;
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jobs_come_back_in_order),
		cmocka_unit_test(test_queue_is_bounded),
		cmocka_unit_test(test_stuck_thread_is_left_behind),
		cmocka_unit_test(test_too_many_stuck),
		cmocka_unit_test(test_end_while_stuck),
	};

	return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
