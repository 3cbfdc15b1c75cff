/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The collector's way of a record: what is put before it, once each, and in order, and what is counted when
 * there is no room. Without a kernel side: its maps are not there, or are made by the test.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "came.h"
#include "command/feed.h"
#include "fixture.h"
#include "record/recording.h"
#include "system/clock.h"
#include "system/recqueue.h"
#include "system/procfs.h"
#include "target/target.h"
#include "tlsfail_maps.h"

static struct target_set targets;
static struct discovery *discovery;
static struct recqueue *queue;
static struct feed *feed;
static struct scene scene;
static int counters_fd, peers_fd;

/* Takes what is in the queue. */
static void take(void)
{
	const void *record;
	size_t len;

	while ((record = recqueue_next(queue, &len))) {
		came_add(record, len);
		recqueue_done(queue);
	}
}

static void start(void)
{
	const struct discovery_options found = { .set = &targets, .any_user = true };
	struct feed_options options = { .counters_fd = counters_fd, .peers_fd = peers_fd };

	assert_int_equal(recqueue_new(4U << 20, RECORD_LEN_MAX, &queue), 0);
	assert_int_equal(target_set_add_comm(&targets, "tlsfail-none"), 0);
	assert_int_equal(discovery_new(&found, &discovery), 0);
	options.discovery = discovery;
	options.queue = queue;
	assert_int_equal(feed_new(&options, &feed), 0);
}

static int setup(void **state)
{
	(void)state;
	counters_fd = peers_fd = -1;
	came.count = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	feed_free(feed);
	discovery_free(discovery);
	recqueue_free(queue);
	target_set_clear(&targets);
	feed = NULL;
	discovery = NULL;
	queue = NULL;
	if (counters_fd >= 0)
		close(counters_fd);
	if (peers_fd >= 0)
		close(peers_fd);
	return 0;
}

/* A failed connection of a process that began then, 0: that is not known. */
static void conn_give_of(pid_t pid, uint64_t started, uint64_t id)
{
	came_conn(&scene, pid, id);
	scene.conn.born = started * TLSFAIL_TICK_NS;
	feed_record(feed, &scene.conn, sizeof(scene.conn));
	take();
}

static void conn_give(pid_t pid, uint64_t id)
{
	conn_give_of(pid, 0, id);
}

/* A process comes before its first connection, and once. */
static void test_process(void **state)
{
	static const uint16_t types[] = { TLSFAIL_REC_PROCESS, TLSFAIL_REC_CONN, TLSFAIL_REC_CONN,
					  0 };
	const struct tlsfail_process *process = (const void *)came.items[0].bytes;

	(void)state;
	start();
	conn_give(getpid(), 1);
	conn_give(getpid(), 2);
	came_assert_types(types);
	assert_int_equal(process->pid, getpid());
	assert_true(process->exe_len > 0);
	assert_int_equal(feed_records(feed), 2);
}

/* One that has ended cannot be described, and its connection comes all the same. */
static void test_process_gone(void **state)
{
	static const uint16_t types[] = { TLSFAIL_REC_CONN, 0 };

	(void)state;
	start();
	conn_give(0x7fffffff, 1);
	came_assert_types(types);
}

/* Its number was another's, which is gone: nothing is said of that one but that it is not this one. */
static void test_process_reused(void **state)
{
	static const uint16_t types[] = { TLSFAIL_REC_PROCESS, TLSFAIL_REC_CONN, TLSFAIL_REC_CONN,
					  TLSFAIL_REC_PROCESS, TLSFAIL_REC_CONN, TLSFAIL_REC_CONN,
					  TLSFAIL_REC_PROCESS, TLSFAIL_REC_CONN, 0 };
	const struct tlsfail_process *other = (const void *)came.items[3].bytes;
	const struct tlsfail_process *again = (const void *)came.items[6].bytes;
	uint64_t started;

	(void)state;
	start();
	assert_int_equal(procfs_started(getpid(), &started), 0);
	conn_give_of(getpid(), started, 1);
	conn_give_of(getpid(), started, 2);
	conn_give_of(getpid(), started - 1, 3);
	conn_give_of(getpid(), started - 1, 4);
	conn_give_of(getpid(), started, 5);
	came_assert_types(types);
	assert_int_equal(other->pid, getpid());
	assert_int_equal(other->exe_len, 0);
	assert_true(again->exe_len > 0);
}

/* It has become another program: it is described anew. */
static void test_exec(void **state)
{
	static const uint16_t types[] = { TLSFAIL_REC_PROCESS, TLSFAIL_REC_CONN, TLSFAIL_REC_EXEC,
					  TLSFAIL_REC_PROCESS, TLSFAIL_REC_CONN, 0 };
	struct tlsfail_exec exec = {
		.h = { TLSFAIL_REC_EXEC, TLSFAIL_ABI_VERSION, sizeof(exec) },
		.pid = (uint32_t)getpid(),
	};

	(void)state;
	start();
	conn_give(getpid(), 1);
	feed_record(feed, &exec, sizeof(exec));
	conn_give(getpid(), 2);
	came_assert_types(types);
	/* it is looked at soon */
	assert_true(feed_wait_ms(feed, 1000) < 1000);
	for (int i = 0; i < 200 && feed_wait_ms(feed, 1000) < 1000; i++) {
		feed_turn(feed);
		poll(NULL, 0, 25);
	}
	assert_int_equal(feed_wait_ms(feed, 1000), 1000);
	assert_false(discovery_seen(discovery));
}

/* Another analyst gets to know the processes that the one before knew. */
static void process_count(void *context, const void *record, size_t len)
{
	const struct tlsfail_process *process = record;

	assert_int_equal(process->h.type, TLSFAIL_REC_PROCESS);
	assert_int_equal(process->h.len, len);
	assert_int_equal(process->pid, getpid());
	++*(int *)context;
}

static void test_processes(void **state)
{
	int count = 0;

	(void)state;
	start();
	feed_processes(feed, process_count, &count);
	assert_int_equal(count, 0);
	conn_give(getpid(), 1);
	feed_processes(feed, process_count, &count);
	assert_int_equal(count, 1);
}

/* What does not fit is counted, of the kind that it is; a process that starts is looked at all the same. */
static void test_no_room(void **state)
{
	static struct tlsfail_wire wire = { .h = { TLSFAIL_REC_WIRE, TLSFAIL_ABI_VERSION,
						   sizeof(wire) } };
	struct tlsfail_exec exec = {
		.h = { TLSFAIL_REC_EXEC, TLSFAIL_ABI_VERSION, sizeof(exec) },
		.pid = (uint32_t)getpid(),
	};
	uint64_t put;

	(void)state;
	start();
	while (recqueue_has_room(queue))
		feed_record(feed, &wire, sizeof(wire));
	put = recqueue_put_count(queue);
	for (int i = 0; i < 100; i++)
		feed_record(feed, &wire, sizeof(wire));
	assert_true(recqueue_put_count(queue) < put + 100);
	feed_record(feed, &exec, sizeof(exec));
	feed_lose(feed, &exec);
	assert_true(feed_wait_ms(feed, 1000) < 1000);
	assert_int_equal(feed_records(feed), put + 102);
}

/* -- with maps --------------------------------------------------------------------------------- */

static bool maps_make(void)
{
	counters_fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "counters", sizeof(uint32_t),
				     sizeof(struct tlsfail_counters), 1, NULL);
	peers_fd = bpf_map_create(BPF_MAP_TYPE_HASH, "peers", sizeof(struct tlsfail_peer_key),
				  sizeof(struct tlsfail_peer_state), 16, NULL);
	return counters_fd >= 0 && peers_fd >= 0;
}

static void counters_set(size_t which, uint64_t value)
{
	int cpus = libbpf_num_possible_cpus();
	struct tlsfail_counters *each = calloc((size_t)cpus, sizeof(*each));
	uint32_t zero = 0;

	assert_non_null(each);
	each[0].n[which] = value - 1;
	each[cpus - 1].n[which] += 1;
	assert_int_equal(bpf_map_update_elem(counters_fd, &zero, each, BPF_ANY), 0);
	free(each);
}

/* What the kernel side has lost, and what was lost here, each told once. */
static void test_losses(void **state)
{
	struct tlsfail_wire wire = { .h = { TLSFAIL_REC_WIRE, TLSFAIL_ABI_VERSION, 0 } };
	const struct tlsfail_loss *loss = (const void *)came.items[0].bytes;
	struct tlsfail_counters counters;

	(void)state;
	if (!maps_make())
		skip(); /* BPF maps take privileges */
	start();
	counters_set(TLSFAIL_N_LOST_CONN, 5);
	feed_lose(feed, &wire);
	assert_int_equal(feed_counters(feed, &counters), 0);
	assert_int_equal(counters.n[TLSFAIL_N_LOST_CONN], 5);
	assert_int_equal(counters.n[TLSFAIL_N_LOST_WIRE], 1);
	feed_tick(feed);
	take();
	assert_int_equal(came_count_of(TLSFAIL_REC_LOSS), 1);
	assert_int_equal(loss->lost.conns, 5);
	assert_int_equal(loss->lost.wires, 1);
	feed_tick(feed);
	take();
	assert_int_equal(came_count_of(TLSFAIL_REC_LOSS), 1);
	counters_set(TLSFAIL_N_LOST_CONN, 7);
	feed_end(feed);
	take();
	assert_int_equal(came_count_of(TLSFAIL_REC_LOSS), 2);
	assert_int_equal(came_count_of(TLSFAIL_REC_TOTALS), 1);
	assert_int_equal(came.items[came.count - 1].h.type, TLSFAIL_REC_TOTALS);
}

static void test_peers(void **state)
{
	const struct tlsfail_peer_key key = { .family = 2, .port = 443 };
	const struct tlsfail_peer_key other = { .family = 2, .port = 444 };
	const struct tlsfail_peer_state failing = {
		.n = { .failed = 3, .t_failed = 9, .t_done = 5 }
	};
	static const uint16_t types[] = { TLSFAIL_REC_PEER, TLSFAIL_REC_CLOCK, 0 };
	const struct tlsfail_peer *peer = (const void *)came.items[0].bytes;

	(void)state;
	if (!maps_make())
		skip(); /* BPF maps take privileges */
	start();
	assert_int_equal(bpf_map_update_elem(peers_fd, &key, &failing, BPF_ANY), 0);
	feed_peer(feed, &key, true); /* it has not recovered */
	feed_peer(feed, &other, false);
	feed_peer(feed, &key, false);
	feed_clock(feed);
	take();
	came_assert_types(types);
	assert_int_equal(peer->n.failed, 3);
	assert_int_equal(peer->key.port, 443);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_process), TEST(test_process_gone), TEST(test_process_reused),
		TEST(test_exec),    TEST(test_processes),    TEST(test_no_room),
		TEST(test_losses),  TEST(test_peers),
	};

	return cmocka_run_group_tests_name("feed", tests, fixture_setup, fixture_teardown);
}
