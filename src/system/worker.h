/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work on files that somebody else made, in a thread of its own: a file system that does not answer
 * (NFS, FUSE) then holds up that thread, and nobody else. Jobs are done one after the other; those
 * that are done come back to the thread that gave them. A thread that is stuck is left behind with
 * its job, and another one goes on with the next. What the thread may do is to read: see confine.h.
 */
#ifndef TLSFAIL_SYSTEM_WORKER_H
#define TLSFAIL_SYSTEM_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct worker;

/* Begins what is given to a worker. Until it comes back it is the worker's, with all that it refers
 * to. */
struct worker_job {
	void (*run)(struct worker_job *job);  /* in the worker's thread */
	void (*drop)(struct worker_job *job); /* frees it, in any thread: it will not come back */
	uint64_t tag;			      /* for worker_abandon() */
	struct worker_job *next;	      /* the worker's */
};

struct worker_options {
	size_t queue_max;	    /* jobs that wait */
	uint64_t stuck_ns;	    /* a job that takes longer is stuck */
	unsigned int abandoned_max; /* threads left behind; after that no job is taken any more */
};

/* *out is the caller's to worker_free(). A negative errno on failure. */
int worker_new(const struct worker_options *options, struct worker **out);

/* Ends the thread when its job is done; one that takes long is left to the end of the process. Jobs that
 * were not done, and those that nobody has fetched, are dropped. NULL is allowed. */
void worker_free(struct worker *worker);

/* Readable when a job has been done. */
int worker_fd(const struct worker *worker);

/* Gives it a job, which must stay where it is. -EAGAIN: too many wait; -EBUSY: too many threads are
 * stuck. */
int worker_give(struct worker *worker, struct worker_job *job);

/* A job that was done, the caller's again; NULL: there is none. */
struct worker_job *worker_fetch(struct worker *worker);

/* Leaves a thread behind that is stuck, and begins another. Was there one? *tag is that of its job.
 * now is CLOCK_MONOTONIC in ns. */
bool worker_abandon(struct worker *worker, uint64_t now, uint64_t *tag);

#endif
