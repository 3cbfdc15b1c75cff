/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sums by upstream group.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "diagnose/groups.h"

static const struct peer_summary failing = {
	.state = PEER_FAILING,
	.since = 200,
	.handshakes = 10,
	.failures = 10,
	.retried = 9,
	.upstream = "backend",
};
static const struct peer_summary flapping = {
	.state = PEER_FLAPPING,
	.since = 100,
	.handshakes = 400,
	.failures = 3,
	.retried = 3,
	.upstream = "backend",
};

static void test_sums(void **state)
{
	struct groups groups = { 0 };

	(void)state;
	groups_add(&groups, &failing);
	assert_int_equal(groups.all[0].state, PEER_FAILING);
	groups_add(&groups, &flapping);
	assert_int_equal(groups.count, 1);
	assert_string_equal(groups.all[0].name, "backend");
	assert_int_equal(groups.all[0].state, PEER_FLAPPING);
	assert_int_equal(groups.all[0].peers, 2);
	assert_int_equal(groups.all[0].since, 100);
	assert_int_equal(groups.all[0].handshakes, 410);
	assert_int_equal(groups.all[0].failures, 13);
	assert_int_equal(groups.all[0].retried, 12);
}

static void test_no_group(void **state)
{
	struct peer_summary alone = failing;
	struct groups groups = { 0 };

	(void)state;
	alone.upstream = "";
	groups_add(&groups, &alone);
	assert_int_equal(groups.count, 0);
}

static void test_too_many(void **state)
{
	static char names[GROUPS_MAX + 1][8];
	struct peer_summary peer = failing;
	struct groups groups = { 0 };

	(void)state;
	for (size_t i = 0; i <= GROUPS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "u%zu", i);
		peer.upstream = names[i];
		groups_add(&groups, &peer);
	}
	assert_int_equal(groups.count, GROUPS_MAX);
	/* those that are there are counted on */
	peer.upstream = names[0];
	groups_add(&groups, &peer);
	assert_int_equal(groups.all[0].peers, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_no_group),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
