/* SPDX-License-Identifier: BSD-2-Clause */
/* pending: when a process is looked at again, and who gives way when there are too many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "kernel/pending.h"

#define MS 1000000ULL

static struct pendings all;

static int setup(void **state)
{
	(void)state;
	memset(&all, 0, sizeof(all));
	return 0;
}

static void test_pauses_double(void **state)
{
	uint64_t now = 0, pause;

	(void)state;
	assert_true(pending_start(&all, 7, now));
	assert_int_equal(all.items[0].next, 0);
	for (pause = 20 * MS; pause < 500 * MS; pause *= 2) {
		assert_true(pending_loads(&all, 7, 1, now));
		assert_int_equal(all.items[0].next, now + pause);
		assert_false(all.items[0].late);
		now = all.items[0].next;
	}
	assert_true(pending_loads(&all, 7, 1, now));
	assert_int_equal(all.items[0].next, now + 500 * MS);
}

static void test_loading_becomes_late(void **state)
{
	(void)state;
	assert_true(pending_start(&all, 7, 0));
	assert_true(pending_soon(&all));
	assert_true(pending_loads(&all, 7, 1, 5000 * MS));
	assert_true(all.items[0].late);
	assert_int_equal(all.items[0].next, 5100 * MS);
	for (int i = 0; i < 10; i++)
		assert_true(pending_is_late(&all, 7, 1, 0));
	assert_int_equal(all.items[0].pause, 4000 * MS);
	assert_false(pending_soon(&all));
	/* it has mapped other code */
	assert_true(pending_is_late(&all, 7, 2, 0));
	assert_int_equal(all.items[0].next, 100 * MS);
	/* it is another program */
	assert_true(pending_start(&all, 7, 0));
	assert_false(all.items[0].late);
	assert_int_equal(all.count, 1);
	pending_drop(&all, 7);
	pending_drop(&all, 7);
	assert_int_equal(all.count, 0);
}

static void test_late_ones_give_way(void **state)
{
	(void)state;
	for (uint32_t pid = 1; pid <= PENDING_MAX; pid++)
		assert_true(pending_start(&all, pid, 0));
	assert_false(pending_start(&all, 5000, 0));
	assert_false(pending_loads(&all, 5000, 1, 0));
	assert_true(pending_is_late(&all, 3, 1, 0));
	assert_true(pending_is_late(&all, 4, 1, 0));
	assert_true(pending_is_late(&all, 4, 1, 0));
	assert_true(pending_start(&all, 5000, 0));
	/* number 4 has not loaded anything for longer */
	assert_int_equal(all.items[3].pid, 5000);
	assert_int_equal(all.items[2].pid, 3);
	assert_int_equal(all.count, PENDING_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pauses_double, setup),
		cmocka_unit_test_setup(test_loading_becomes_late, setup),
		cmocka_unit_test_setup(test_late_ones_give_way, setup),
	};

	return cmocka_run_group_tests_name("pending", tests, NULL, NULL);
}
