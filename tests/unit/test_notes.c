/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notes that wait until it is clear that nothing failed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "diagnose/notes.h"

#define S 1000000000ULL

static struct finding f, taken;

static bool put(struct notes *notes, uint64_t t, uint16_t port)
{
	memset(&f, 0, sizeof(f));
	strcpy(f.peer.address, "192.0.2.1");
	f.peer.port = port;
	return notes_put(notes, t, &f);
}

static void test_wait(void **state)
{
	struct notes *notes = notes_new();

	(void)state;
	assert_int_equal(notes_deadline(notes), 0);
	assert_true(put(notes, 100 * S, 1));
	assert_true(put(notes, 101 * S, 2));
	assert_in_range(notes_deadline(notes), 100 * S, 110 * S);
	assert_false(notes_take(notes, 100 * S, &taken));
	notes_drop(notes, &(struct finding_endpoint){ "192.0.2.2", 1 });
	assert_true(notes_take(notes, 110 * S, &taken));
	assert_int_equal(taken.peer.port, 1);
	notes_drop(notes, &(struct finding_endpoint){ "192.0.2.1", 2 });
	assert_false(notes_take(notes, UINT64_MAX, &taken));
	assert_int_equal(notes_deadline(notes), 0);
	notes_free(notes);
}

/* What does not fit is the caller's to report. */
static void test_full(void **state)
{
	struct notes *notes = notes_new();
	uint16_t count = 0;

	(void)state;
	while (put(notes, S, count))
		count++;
	assert_in_range(count, 1, 1000);
	for (uint16_t i = 0; i < count; i++)
		assert_true(notes_take(notes, UINT64_MAX, &taken));
	assert_true(put(notes, S, 7));
	notes_free(notes);
}

/* One for each peer, until so many others came that it is forgotten. */
static void test_first(void **state)
{
	struct finding_endpoint peer = { "192.0.2.1", 443 }, other = { "192.0.2.1", 1 };
	struct notes *notes = notes_new();

	(void)state;
	assert_true(notes_first(notes, &peer));
	assert_false(notes_first(notes, &peer));
	peer.port++;
	assert_true(notes_first(notes, &peer));
	strcpy(peer.address, "192.0.2.2");
	assert_true(notes_first(notes, &peer));
	for (other.port = 1000; other.port < 3000; other.port++)
		assert_true(notes_first(notes, &other));
	assert_true(notes_first(notes, &peer));
	notes_free(notes);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_wait),
					    cmocka_unit_test(test_full),
					    cmocka_unit_test(test_first) };

	return cmocka_run_group_tests_name("notes", tests, NULL, NULL);
}
