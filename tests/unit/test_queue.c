/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The queue against a list that is never short of room: the same items in the same order, whatever
 * their lengths and however they lie in the memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/queue.h"

#define SIZE	  1000
#define ITEM_MAX  300
#define STEPS	  200000
#define HEAD_SIZE 4 /* what an item takes beside its bytes */

static struct queue queue;
static char *memory;

/* Exactly as large as it says, so that the sanitizer sees each byte beyond. */
static int setup(void **state)
{
	(void)state;
	memory = malloc(SIZE);
	queue_init(&queue, memory, SIZE);
	return memory ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

/* The item of that number: its length and its bytes follow from it. */
static size_t item_make(unsigned int number, char *item)
{
	size_t len = number * 2654435761U % ITEM_MAX;

	memset(item, (int)(number % 251), len);
	return len;
}

static void assert_item(const struct queue_item *got, unsigned int number)
{
	char want[ITEM_MAX];
	size_t len = item_make(number, want);

	assert_int_equal(got->len, len);
	assert_memory_equal(got->data, want, len);
}

static void test_order_and_bytes(void **state)
{
	unsigned int in = 0, out = 0, chance = 1;
	unsigned int refused = 0;

	(void)state;
	for (int step = 0; step < STEPS; step++) {
		chance = chance * 1103515245 + 12345;
		if (chance >> 16 & 1) {
			char item[ITEM_MAX];
			size_t len = item_make(in, item);

			if (queue_put(&queue, item, len))
				in++;
			else
				refused++;
		} else {
			struct queue_item items[8];
			size_t n = queue_read(&queue, items, chance >> 17 & 7);

			for (size_t i = 0; i < n; i++)
				assert_item(&items[i], out + (unsigned int)i);
			queue_drop(&queue, n);
			out += (unsigned int)n;
		}
		assert_int_equal(queue.count, in - out);
		assert_true(queue.used <= queue.size);
	}
	assert_true(in > STEPS / 8);
	assert_true(refused > STEPS / 100);
	queue_drop(&queue, SIZE);
	assert_int_equal(queue.count, 0);
	assert_int_equal(queue.used, 0);
}

static void test_full_to_the_last_byte(void **state)
{
	static const char item[SIZE];
	struct queue_item got;

	(void)state;
	assert_false(queue_put(&queue, item, SIZE - HEAD_SIZE + 1));
	assert_true(queue_put(&queue, item, SIZE - HEAD_SIZE));
	assert_false(queue_put(&queue, item, 0));
	assert_int_equal(queue_read(&queue, &got, 1), 1);
	assert_int_equal(got.len, SIZE - HEAD_SIZE);
	queue_drop(&queue, 1);
	assert_true(queue_put(&queue, item, SIZE - HEAD_SIZE));
}

static void test_empty(void **state)
{
	struct queue_item got;

	(void)state;
	assert_int_equal(queue_read(&queue, &got, 1), 0);
	queue_drop(&queue, 1);
	assert_true(queue_put(&queue, "", 0));
	assert_int_equal(queue_read(&queue, &got, 1), 1);
	assert_int_equal(got.len, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_order_and_bytes),
		TEST(test_full_to_the_last_byte),
		TEST(test_empty),
	};

	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
