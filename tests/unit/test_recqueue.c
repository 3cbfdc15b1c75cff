// SPDX-License-Identifier: BSD-2-Clause
/*
 * The queue between collector and analyst: what is put comes out, also round its end and from a process
 * that takes; what it is full of is refused; and whoever takes can write what it likes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/recqueue.h"

#define LEN_MAX 1024
#define BYTES	(2UL * RECQUEUE_HISTORY * LEN_MAX)

struct record {
	uint64_t number;
	uint8_t rest[LEN_MAX - sizeof(uint64_t)];
};

static struct recqueue *begin(void)
{
	struct recqueue *queue = NULL;

	assert_int_equal(recqueue_new(BYTES, LEN_MAX, &queue), 0);
	return queue;
}

/* Lengths that do not divide the ring, and that can be told from the number. */
static size_t len_of(uint64_t number)
{
	return sizeof(uint64_t) + number * 37 % (LEN_MAX - sizeof(uint64_t));
}

static bool put(struct recqueue *queue, uint64_t number)
{
	struct record record = { .number = number };

	memset(record.rest, (int)(number & 0xff), sizeof(record.rest));
	return recqueue_put(queue, &record, len_of(number));
}

static bool is_record(const struct record *record, size_t len, uint64_t number)
{
	if (!record || len != len_of(number) || record->number != number)
		return false;
	for (size_t i = 0; i < len - sizeof(uint64_t); i++)
		if (record->rest[i] != (number & 0xff))
			return false;
	return true;
}

static bool take(struct recqueue *queue, uint64_t number)
{
	size_t len = 0;
	const void *record = recqueue_next(queue, &len);
	bool right = is_record(record, len, number);

	if (record)
		recqueue_done(queue);
	return right;
}

static void test_in_order(void **state)
{
	struct recqueue *queue = begin();
	uint64_t put_count = 0, taken = 0;
	size_t len;

	(void)state;
	assert_null(recqueue_next(queue, &len));
	for (int round = 0; round < 2000; round++) {
		for (int i = 0; i < 1 + round % 7; i++)
			assert_true(put(queue, put_count++));
		while (taken < put_count)
			assert_true(take(queue, taken++));
		assert_null(recqueue_next(queue, &len));
	}
	assert_int_equal(recqueue_taken(queue), taken);
	assert_int_equal(recqueue_put_count(queue), put_count);
	recqueue_free(queue);
}

/* Full is full; each record that was put is there all the same, and one that is taken makes room when
 * it has left the history. */
static void test_full(void **state)
{
	struct recqueue *queue = begin();
	uint64_t count = 0;

	(void)state;
	while (put(queue, count))
		count++;
	assert_true(count > RECQUEUE_HISTORY);
	assert_false(recqueue_has_room(queue));
	for (uint64_t i = 0; i < count; i++)
		assert_true(take(queue, i));
	assert_true(recqueue_has_room(queue));
	assert_true(put(queue, count));
	assert_true(take(queue, count));
	recqueue_free(queue);
}

static void test_refused(void **state)
{
	struct recqueue *queue = NULL;
	uint8_t record[LEN_MAX + 1] = { 0 };

	(void)state;
	assert_int_equal(recqueue_new(BYTES / 2, LEN_MAX, &queue), -EINVAL);
	queue = begin();
	assert_false(recqueue_put(queue, record, sizeof(record)));
	assert_true(recqueue_put(queue, record, LEN_MAX));
	recqueue_free(queue);
}

static void test_woken(void **state)
{
	struct recqueue *queue = begin();
	struct pollfd fd = { .fd = recqueue_fd(queue), .events = POLLIN };

	(void)state;
	recqueue_wake(queue);
	assert_int_equal(poll(&fd, 1, 0), 0);
	assert_true(put(queue, 0));
	recqueue_wake(queue);
	assert_int_equal(poll(&fd, 1, 0), 1);
	recqueue_woken(queue);
	assert_int_equal(poll(&fd, 1, 0), 0);
	assert_false(recqueue_is_ending(queue));
	recqueue_end(queue);
	assert_true(recqueue_is_ending(queue));
	recqueue_free(queue);
}

/* What a process died of is still there for the one that put it; the next goes on behind it. */
static void test_died(void **state)
{
	struct recqueue *queue = begin();
	const void *record;
	size_t len = 0;
	int status;
	pid_t child;

	(void)state;
	for (uint64_t i = 0; i < 10; i++)
		assert_true(put(queue, i));
	child = fork();
	if (!child) {
		for (uint64_t i = 0; i < 4; i++)
			if (!take(queue, i))
				_exit(1);
		_exit(recqueue_next(queue, &len) ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(recqueue_taken(queue), 4);
	record = recqueue_kept(queue, 4, &len);
	assert_true(is_record(record, len, 4));
	record = recqueue_kept(queue, 0, &len);
	assert_true(is_record(record, len, 0));
	assert_null(recqueue_kept(queue, 10, &len));
	recqueue_skip(queue);
	assert_int_equal(recqueue_taken_here(queue), 5);
	record = recqueue_past(queue, 3, &len);
	assert_true(is_record(record, len, 3));
	assert_null(recqueue_past(queue, 5, &len));
	assert_true(take(queue, 5));
	recqueue_free(queue);
}

/* Done that was never there: the side that puts goes by what it knows. */
static void test_lies(void **state)
{
	struct recqueue *queue = begin();
	size_t len = 0;

	(void)state;
	assert_true(put(queue, 0));
	for (int i = 0; i < 1000; i++)
		recqueue_done(queue);
	assert_true(recqueue_taken(queue) <= 1);
	for (uint64_t i = 1; put(queue, i); i++)
		assert_true(i < BYTES);
	assert_non_null(recqueue_kept(queue, recqueue_put_count(queue) - 1, &len));
	recqueue_skip(queue);
	assert_true(recqueue_taken_here(queue) <= recqueue_put_count(queue));
	recqueue_free(queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order), cmocka_unit_test(test_full),
		cmocka_unit_test(test_refused),	 cmocka_unit_test(test_woken),
		cmocka_unit_test(test_died),	 cmocka_unit_test(test_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
