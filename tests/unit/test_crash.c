// SPDX-License-Identifier: BSD-2-Clause
/*
 * What an analyst has died of is kept as a recording: the record at hand, with the bytes of its connection
 * and of no other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "command/crash.h"
#include "fixture.h"
#include "record/recording.h"
#include "tlsfail_abi.h"

static struct recqueue *queue;
static struct feed *feed;
static char directory[256], words[512];
static struct text what;

static int setup(void **state)
{
	const struct feed_options options = { 0 };

	(void)state;
	snprintf(directory, sizeof(directory), "%s", fixture_path("crashes"));
	text_init(&what, words, sizeof(words));
	if (recqueue_new(4U << 20, RECORD_LEN_MAX, &queue))
		return -1;
	return feed_new(&options, &feed);
}

static int teardown(void **state)
{
	(void)state;
	recqueue_free(queue);
	feed_free(feed);
	return fixture_run("rm -rf crashes");
}

static void wire_put(uint64_t id)
{
	const struct tlsfail_wire wire = {
		.h = { TLSFAIL_REC_WIRE, TLSFAIL_ABI_VERSION, TLSFAIL_WIRE_FIXED + 8 },
		.id = id,
		.data_len = 8,
	};

	assert_true(recqueue_put(queue, &wire, wire.h.len));
}

static void conn_put(uint64_t id)
{
	const struct tlsfail_conn conn = {
		.h = { TLSFAIL_REC_CONN, TLSFAIL_ABI_VERSION, sizeof(conn) },
		.id = id,
	};

	assert_true(recqueue_put(queue, &conn, sizeof(conn)));
}

static void take(int count)
{
	for (int i = 0; i < count; i++)
		recqueue_done(queue);
}

/* The types of the records that were kept. */
static size_t kept(const char *name, uint16_t *types, uint64_t *ids, size_t max)
{
	struct recording *recording;
	char path[512], buf[256];
	struct text error;
	const void *data;
	size_t len, count = 0;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	text_init(&error, buf, sizeof(buf));
	assert_int_equal(recording_open(path, &recording, &error), 0);
	while (recording_next(recording, &data, &len, &error) == 1) {
		struct tlsfail_header h;

		assert_true(count < max);
		memcpy(&h, data, sizeof(h));
		types[count] = (uint16_t)h.type;
		memcpy(&ids[count++], (const char *)data + sizeof(h), sizeof(*ids));
	}
	assert_int_equal(error.len, 0);
	recording_close(recording);
	return count;
}

static void test_connection(void **state)
{
	uint16_t types[8];
	uint64_t ids[8];
	struct stat st;

	(void)state;
	wire_put(1);
	wire_put(2);
	wire_put(1);
	conn_put(2);
	conn_put(1);
	conn_put(3);
	take(4);
	crash_keep(directory, queue, feed, &what);
	assert_non_null(strstr(words, "crashes/crash-1.rec"));
	assert_int_equal(kept("crash-1.rec", types, ids, 8), 4);
	assert_int_equal(types[0], TLSFAIL_REC_CLOCK);
	assert_true(types[1] == TLSFAIL_REC_WIRE && ids[1] == 1);
	assert_true(types[2] == TLSFAIL_REC_WIRE && ids[2] == 1);
	assert_true(types[3] == TLSFAIL_REC_CONN && ids[3] == 1);
	assert_int_equal(stat(directory, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void test_nothing_at_hand(void **state)
{
	(void)state;
	conn_put(1);
	take(1);
	crash_keep(directory, queue, feed, &what);
	assert_non_null(strstr(words, "no record at hand"));
	assert_int_equal(access(directory, F_OK), -1);
}

/* So many are kept, and none is overwritten. */
static void test_enough(void **state)
{
	(void)state;
	conn_put(1);
	for (int i = 0; i < CRASH_MAX; i++)
		crash_keep(directory, queue, feed, &what);
	text_init(&what, words, sizeof(words));
	crash_keep(directory, queue, feed, &what);
	assert_non_null(strstr(words, "is not kept"));
}

/* What the other side has written over a record is kept as it is, and is a record still. */
static void test_written_over(void **state)
{
	uint16_t types[8];
	uint64_t ids[8];
	size_t len;

	(void)state;
	conn_put(1);
	memset((void *)(uintptr_t)recqueue_next(queue, &len), 0xff, 64);
	crash_keep(directory, queue, feed, &what);
	assert_int_equal(kept("crash-1.rec", types, ids, 8), 2);
}

static void test_cannot(void **state)
{
	(void)state;
	conn_put(1);
	assert_int_equal(fixture_write("crashes", "", 0), 0);
	crash_keep(directory, queue, feed, &what);
	assert_non_null(strstr(words, "cannot be kept"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_connection),	 TEST(test_nothing_at_hand), TEST(test_enough),
		TEST(test_written_over), TEST(test_cannot),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
