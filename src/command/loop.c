// SPDX-License-Identifier: BSD-2-Clause
/*
 * epoll_pwait(2) and ppoll(2) let signals in only while they sleep. As long as records come they do
 * not sleep, so each turn begins with a look at what is pending.
 */
#define _GNU_SOURCE /* ppoll() */
#include "command/loop.h"

#include <poll.h>
#include <signal.h>

#include "system/clock.h"

#define TICK_NS NS_PER_S

/* A turn. At 50 us a record, which is slow, its records take some milliseconds. */
#define TURN_RECORDS 128
#define TURN_NS	     (20 * NS_PER_MS)

/* The end: so many records are looked at, however long that takes, and others for so long. */
#define DRAIN_RECORDS 256
#define DRAIN_NS      (200 * NS_PER_MS)

static volatile sig_atomic_t interrupted;
static volatile sig_atomic_t hung_up;
static volatile sig_atomic_t asked; /* how it stands */
static bool hangup_ends;

static void on_signal(int signal)
{
	if (signal == SIGHUP && !hangup_ends)
		hung_up = 1;
	else if (signal == SIGUSR1)
		asked = 1;
	else
		interrupted = 1;
}

void loop_signals(bool takes_hangup)
{
	static const int taken[] = { SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGUSR1 };
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t blocked;

	interrupted = hung_up = asked = 0;
	/* the terminal is gone, where there is nothing to be read anew */
	hangup_ends = !takes_hangup;
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		sigaddset(&blocked, taken[i]);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		sigaction(taken[i], &action, NULL);
}

/* A signal that is pending is delivered before sigprocmask(2) returns. */
static void signals_let_in(void)
{
	sigset_t none, blocked;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, &blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
}

bool loop_interrupted(void)
{
	signals_let_in();
	return interrupted;
}

static bool records_wait(const struct loop *loop)
{
	struct pollfd fd = { .fd = loop->fd, .events = POLLIN };
	struct timespec limit;
	sigset_t none;
	int ms = loop->work->wait_ms(loop->context);

	sigemptyset(&none);
	limit = clock_timespec((uint64_t)ms * NS_PER_MS);
	return ppoll(&fd, 1, &limit, &none) > 0;
}

static void records_take(struct loop *loop)
{
	loop->bytes = UINT64_MAX;
	loop->records = 0;
	loop->until = loop->work->now() + TURN_NS;
	loop->work->consume(loop->context);
}

int loop_taken(struct loop *loop, size_t len)
{
	loop->records++;
	loop->bytes -= len < loop->bytes ? len : loop->bytes;
	if (!loop->bytes)
		return -1;
	/* At the end, those that are late go on to come, to be counted. */
	return loop->draining || (loop->records < TURN_RECORDS && loop->work->now() < loop->until)
		       ? 0
		       : -1;
}

void loop_run(struct loop *loop)
{
	const struct loop_work *work = loop->work;
	void *context = loop->context;
	uint64_t last_tick = work->now();

	for (;;) {
		if (loop_interrupted() || !work->goes_on(context))
			return;
		if (hung_up) {
			hung_up = 0;
			work->hangup(context);
		}
		if (asked) {
			asked = 0;
			work->status(context);
		}
		if (records_wait(loop))
			records_take(loop);
		work->turn(context);
		if (work->now() - last_tick >= TICK_NS) {
			last_tick = work->now();
			work->tick(context);
		}
	}
}

void loop_drain(struct loop *loop, uint64_t bytes)
{
	if (!loop->draining) {
		loop->draining = true;
		loop->records = 0;
		loop->until = loop->work->now() + DRAIN_NS;
	}
	loop->bytes = bytes;
	loop->work->consume(loop->context);
}

bool loop_is_late(const struct loop *loop)
{
	return loop->draining && loop->records >= DRAIN_RECORDS && loop->work->now() >= loop->until;
}
