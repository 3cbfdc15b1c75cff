/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was found in libraries is remembered of those very files, and not for ever.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "fixture.h"
#include "kernel/plans.h"

static struct plan_key key_of(const char *ssl, const char *crypto)
{
	struct plan_key key;
	int first = open(fixture_path(ssl), O_RDONLY | O_CLOEXEC);
	int second = crypto ? open(fixture_path(crypto), O_RDONLY | O_CLOEXEC) : -1;

	assert_true(first >= 0);
	assert_true(plan_key_read(first, second, &key));
	close(first);
	if (second >= 0)
		close(second);
	return key;
}

static struct library_plan plan_of(uint64_t offset)
{
	struct library_plan plan = { 0 };

	plan.offsets[0] = offset;
	return plan;
}

static void test_same_files(void **state)
{
	struct library_plan plan = plan_of(7), found = { 0 };
	struct plan_key key;

	(void)state;
	assert_int_equal(fixture_write("ssl", "a", 1), 0);
	assert_int_equal(fixture_write("crypto", "b", 1), 0);
	key = key_of("ssl", "crypto");
	assert_false(plans_find(&key, &found));
	plans_keep(&key, &plan);
	key = key_of("ssl", "crypto");
	assert_true(plans_find(&key, &found));
	assert_int_equal(found.offsets[0], 7);
	key = key_of("ssl", NULL);
	assert_false(plans_find(&key, &found));
	key = key_of("crypto", "ssl");
	assert_false(plans_find(&key, &found));
	/* it was written to */
	assert_int_equal(fixture_write("ssl", "longer", 6), 0);
	key = key_of("ssl", "crypto");
	assert_false(plans_find(&key, &found));
}

static void test_oldest_goes(void **state)
{
	struct library_plan plan, found;
	struct plan_key first = { 0 }, key;
	char name[16];

	(void)state;
	for (uint64_t i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "ssl%d", (int)i);
		assert_int_equal(fixture_write(name, "a", 1), 0);
		plan = plan_of(i);
		key = key_of(name, NULL);
		first = i ? first : key;
		plans_keep(&key, &plan);
		assert_true(plans_find(&key, &found));
		assert_int_equal(found.offsets[0], i);
	}
	assert_false(plans_find(&first, &found));
}

static void test_no_file(void **state)
{
	struct plan_key key;

	(void)state;
	assert_false(plan_key_read(1 << 20, -1, &key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_files),
		cmocka_unit_test(test_oldest_goes),
		cmocka_unit_test(test_no_file),
	};

	return cmocka_run_group_tests_name("plans", tests, fixture_setup, fixture_teardown);
}
