/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop, with a source whose records never end: a real one calls its taker again and again while
 * there are records, and so does this one. Time passes by the record, so that what is held is the
 * order of events.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "command/loop.h"
#include "system/clock.h"

#define RECORD_LEN 848

/* A turn's worth of records: more may not come between two looks at anything else. */
#define TURN_MAX 128

static struct loop loop;
static int pipe_ends[2];

static uint64_t clock_ns;
static uint64_t record_ns; /* what a record costs */
static uint64_t available; /* records that the source has, UINT64_MAX: it never ends */
static uint64_t taken;
static uint64_t late;
static uint64_t turns;
static uint64_t ticks;
static uint64_t hangups;
static uint64_t turns_max; /* the run is over after so many */
static uint64_t longest;   /* records between two turns */
static uint64_t taken_before;
static uint64_t tick_before;
static uint64_t longest_tick; /* ns between two ticks */
static void (*at_record)(uint64_t n);

static uint64_t fake_now(void)
{
	return clock_ns;
}

static bool goes_on(void *context)
{
	(void)context;
	return turns < turns_max;
}

static int wait_ms(void *context)
{
	(void)context;
	return 0;
}

static void consume(void *context)
{
	(void)context;
	while (available) {
		available -= available != UINT64_MAX;
		taken++;
		late += loop_is_late(&loop);
		clock_ns += record_ns;
		if (at_record)
			at_record(taken);
		if (loop_taken(&loop, RECORD_LEN) < 0)
			return;
	}
}

static void hangup(void *context)
{
	(void)context;
	hangups++;
}

static void turn(void *context)
{
	(void)context;
	turns++;
	if (taken - taken_before > longest)
		longest = taken - taken_before;
	taken_before = taken;
}

static void tick(void *context)
{
	(void)context;
	ticks++;
	if (clock_ns - tick_before > longest_tick)
		longest_tick = clock_ns - tick_before;
	tick_before = clock_ns;
}

static const struct loop_work work = {
	.goes_on = goes_on,
	.wait_ms = wait_ms,
	.consume = consume,
	.hangup = hangup,
	.turn = turn,
	.tick = tick,
	.now = fake_now,
};

static int setup(void **state)
{
	(void)state;
	if (pipe(pipe_ends) || write(pipe_ends[1], "", 1) != 1)
		return -1;
	loop_signals(true);
	loop = (struct loop){ .work = &work, .fd = pipe_ends[0] };
	clock_ns = tick_before = NS_PER_S;
	record_ns = 10000;
	available = UINT64_MAX;
	taken = late = turns = ticks = hangups = longest = taken_before = longest_tick = 0;
	turns_max = UINT64_MAX;
	at_record = NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	return 0;
}

static void interrupt_at_1000(uint64_t n)
{
	if (n == 1000)
		kill(getpid(), SIGINT);
}

static void test_signal_ends_a_storm(void **state)
{
	(void)state;
	at_record = interrupt_at_1000;
	loop_run(&loop);
	assert_in_range(taken, 1000, 1000 + TURN_MAX);
}

static void terminate_at_1000(uint64_t n)
{
	if (n == 1000)
		kill(getpid(), SIGTERM);
}

static void test_slow_records_end_sooner(void **state)
{
	(void)state;
	record_ns = 5 * NS_PER_MS;
	at_record = terminate_at_1000;
	loop_run(&loop);
	assert_in_range(taken, 1000, 1010);
	assert_in_range(longest, 1, 10);
}

/* One that came while nothing could let it in: before the run, and in one that begins after it. */
static void test_signal_before_the_run(void **state)
{
	(void)state;
	assert_false(loop_interrupted());
	kill(getpid(), SIGHUP);
	kill(getpid(), SIGUSR1);
	assert_false(loop_interrupted());
	kill(getpid(), SIGTERM);
	assert_true(loop_interrupted());
	assert_true(loop_interrupted());
	loop_run(&loop);
	assert_int_equal(taken, 0);
}

static void hang_up_at_1000(uint64_t n)
{
	if (n == 1000)
		kill(getpid(), SIGHUP);
	if (n > 1000 + TURN_MAX)
		assert_int_equal(hangups, 1);
	turns_max = n > 2000 ? 0 : UINT64_MAX;
}

static void test_reload_in_a_storm(void **state)
{
	(void)state;
	at_record = hang_up_at_1000;
	loop_run(&loop);
	assert_int_equal(hangups, 1);
	assert_in_range(taken, 2000, 2000 + TURN_MAX);
}

/* The watchdog wants a sign, losses want to be told: each second, and others in each turn. */
static void test_everybody_has_a_turn(void **state)
{
	(void)state;
	turns_max = 10000;
	loop_run(&loop);
	assert_in_range(longest, 1, TURN_MAX);
	assert_in_range(ticks, (clock_ns - NS_PER_S) / (NS_PER_S + 20 * NS_PER_MS),
			(clock_ns - NS_PER_S) / NS_PER_S);
	assert_true(ticks >= 10);
	assert_in_range(longest_tick, NS_PER_S, NS_PER_S + 20 * NS_PER_MS);
}

/* What a source can hold, and no more. */
static void test_drain_ends(void **state)
{
	(void)state;
	record_ns = 1;
	loop_drain(&loop, 4 << 20);
	assert_int_equal(taken, (4 << 20) / RECORD_LEN + 1);
	assert_int_equal(late, 0);
	loop_drain(&loop, 4 << 20);
	assert_int_equal(taken, 2 * ((4 << 20) / RECORD_LEN + 1));
}

/* A few are looked at, however slow that is; of many, those are late for which there is no time. */
static void test_drain_counts_what_is_late(void **state)
{
	(void)state;
	available = 256;
	record_ns = NS_PER_S;
	loop_drain(&loop, 4 << 20);
	assert_int_equal(taken, 256);
	assert_int_equal(late, 0);
	available = 1000;
	loop_drain(&loop, 4 << 20);
	assert_int_equal(taken, 1256);
	assert_int_equal(late, 1000);
}

static void test_drain_in_time(void **state)
{
	(void)state;
	available = 4000;
	record_ns = 100000;
	loop_drain(&loop, 4 << 20);
	assert_int_equal(taken, 4000);
	assert_int_equal(late, 2000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_signal_ends_a_storm), TEST(test_slow_records_end_sooner),
		TEST(test_reload_in_a_storm),	TEST(test_everybody_has_a_turn),
		TEST(test_drain_ends),		TEST(test_drain_counts_what_is_late),
		TEST(test_drain_in_time),	TEST(test_signal_before_the_run),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
