/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The turns of a run. In each one a bounded number of records is taken, and then everything else has
 * its turn: signals, the end of the run, timers. So no load keeps tlsfail from ending, from feeding
 * the watchdog, or from saying what was lost.
 */
#ifndef TLSFAIL_COMMAND_LOOP_H
#define TLSFAIL_COMMAND_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is done in a turn, in this order. */
struct loop_work {
	bool (*goes_on)(void *context); /* false: the run is over */
	void (*hangup)(void *context);	/* SIGHUP came */
	void (*status)(void *context);	/* SIGUSR1 came: somebody asks how it stands */
	int (*wait_ms)(void *context);	/* how long to wait for records at most */
	/* Hands over one record after the other, until there is none left or the taker returns less
	 * than 0: ring_buffer__consume(). The taker calls loop_taken(). */
	void (*consume)(void *context);
	void (*turn)(void *context);
	void (*tick)(void *context); /* once a second */
	uint64_t (*now)(void);	     /* ns */
};

struct loop {
	const struct loop_work *work;
	void *context;
	int fd; /* readable when there are records */
	/* of the turn under way */
	uint64_t bytes; /* that may still be taken */
	uint64_t until; /* when it is over */
	unsigned int records;
	bool draining; /* it is the last one */
};

/*
 * Blocks the signals that end a run (SIGINT, SIGTERM, SIGQUIT) and SIGUSR1, but for the moments in which
 * the loop lets them in, so that none is missed and none interrupts half a line. takes_hangup: SIGHUP
 * does not end it.
 */
void loop_signals(bool takes_hangup);

/* Has one of those that end a run come since? For what takes its time before the loop runs. */
bool loop_interrupted(void);

/* Runs until work says so, or a signal. Its members work, context and fd have to be set. */
void loop_run(struct loop *loop);

/* What the taker of records has to return after one of len bytes: less than 0 when the turn is over. */
int loop_taken(struct loop *loop, size_t len);

/*
 * Takes what is left when tracing has ended: no more than bytes, which is what the source can hold, so
 * that what goes on coming is not waited for. Records that it takes too long to get to, behind a long
 * queue, are late: they are to be counted only. May be called again.
 */
void loop_drain(struct loop *loop, uint64_t bytes);
bool loop_is_late(const struct loop *loop);

#endif
