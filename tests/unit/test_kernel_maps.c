/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is read out of the kernel's tables: counters of all CPUs, counts of a peer, connections that are
 * left when tracing ends. With maps of the test, which take privileges.
 */
#include <errno.h>
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

#include "kernel/counters.h"
#include "kernel/leftovers.h"
#include "scene.h"

#define NOW SCENE_MS(50)

/* Behind a connection the kernel side keeps something for itself. */
struct value {
	struct tlsfail_conn conn;
	struct tlsfail_kept kept;
};

#define NETNS 4711

static int peers_fd, conns_fd;
static struct tlsfail_conn taken[4];
static size_t taken_count;

static int setup(void **state)
{
	(void)state;
	peers_fd = bpf_map_create(BPF_MAP_TYPE_HASH, "peers", sizeof(struct tlsfail_peer_key),
				  sizeof(struct tlsfail_peer_state), 16, NULL);
	conns_fd = bpf_map_create(BPF_MAP_TYPE_HASH, "conns", sizeof(uint64_t),
				  sizeof(struct value), 16, NULL);
	taken_count = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (peers_fd >= 0)
		close(peers_fd);
	if (conns_fd >= 0)
		close(conns_fd);
	return 0;
}

static void need_maps(void)
{
	if (peers_fd < 0 || conns_fd < 0)
		skip();
}

static struct tlsfail_peer_key key_of(const struct tlsfail_conn *conn)
{
	struct tlsfail_peer_key key = { .family = conn->family,
					.port = conn->rport,
					.netns = NETNS };

	memcpy(key.addr, conn->raddr, sizeof(key.addr));
	return key;
}

static void test_counters(void **state)
{
	int cpus = libbpf_num_possible_cpus();
	struct tlsfail_counters *each = calloc((size_t)cpus, sizeof(*each)), sum;
	int fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "counters", sizeof(uint32_t),
				sizeof(sum), 1, NULL);
	uint32_t zero = 0;

	(void)state;
	if (fd < 0) {
		free(each);
		skip();
	}
	for (int cpu = 0; cpu < cpus; cpu++) {
		each[cpu].n[1] = 10;
		each[cpu].latency[2] = 3;
		each[cpu].latency_ns = 100;
	}
	assert_int_equal(bpf_map_update_elem(fd, &zero, each, BPF_ANY), 0);
	assert_int_equal(counters_read(fd, &sum), 0);
	assert_int_equal(sum.n[0], 0);
	assert_int_equal(sum.n[1], 10 * cpus);
	assert_int_equal(sum.latency[2], 3 * cpus);
	assert_int_equal(sum.latency_ns, 100 * cpus);
	free(each);
	close(fd);
	assert_true(counters_read(-1, &sum) < 0);
}

static void test_peer(void **state)
{
	struct tlsfail_peer_state peer = { .n = { .done = 3, .failed = 4 } };
	struct tlsfail_peer_key key = { .family = 2, .port = 443 };
	struct tlsfail_peer_counts counts;

	(void)state;
	need_maps();
	assert_int_equal(counters_peer(peers_fd, &key, &counts), -ENOENT);
	assert_int_equal(bpf_map_update_elem(peers_fd, &key, &peer, BPF_ANY), 0);
	assert_int_equal(counters_peer(peers_fd, &key, &counts), 0);
	assert_int_equal(counts.done, 3);
	assert_int_equal(counts.failed, 4);
}

static int take(void *context, void *record, size_t len)
{
	assert_ptr_equal(context, taken);
	assert_int_equal(len, sizeof(taken[0]));
	assert_true(taken_count < 4);
	memcpy(&taken[taken_count++], record, len);
	return 0;
}

static void conn_put(uint64_t number, uint32_t flags)
{
	struct value value = { .kept = { .netns = NETNS } };
	struct scene scene;

	scene_begin(&scene);
	value.conn = scene.conn;
	value.conn.id = number;
	value.conn.flags = flags;
	assert_int_equal(bpf_map_update_elem(conns_fd, &number, &value, BPF_ANY), 0);
}

/* Those that were refused come out, and are gone then; others may still become something. */
static void test_leftovers(void **state)
{
	uint64_t key = 2;
	struct value value;

	(void)state;
	need_maps();
	leftovers_take(conns_fd, peers_fd, NOW, take, taken);
	assert_int_equal(taken_count, 0);
	conn_put(1, TLSFAIL_F_CONNECT | TLSFAIL_F_REFUSED);
	conn_put(2, TLSFAIL_F_CONNECT | TLSFAIL_F_ESTABLISHED);
	leftovers_take(conns_fd, peers_fd, NOW, take, taken);
	assert_int_equal(taken_count, 1);
	assert_int_equal(taken[0].id, 1);
	assert_int_equal(taken[0].h.type, TLSFAIL_REC_CONN);
	assert_int_equal(taken[0].h.len, sizeof(taken[0]));
	assert_true(taken[0].flags & TLSFAIL_F_OPEN);
	assert_int_equal(taken[0].netns, NETNS);
	assert_int_equal(taken[0].t_close, NOW);
	/* the kernel side did not know the peer */
	assert_int_equal(taken[0].peer.failed, 1);
	assert_int_equal(taken[0].peer.streak, 1);
	assert_int_equal(taken[0].peer.t_failing, NOW);
	assert_int_equal(bpf_map_lookup_elem(conns_fd, &key, &value), 0);
	leftovers_take(conns_fd, peers_fd, NOW, take, taken);
	assert_int_equal(taken_count, 1);
}

/* A peer that is known has one failure more. */
static void test_leftover_of_known_peer(void **state)
{
	struct tlsfail_peer_state peer = { .n = { .failed = 4, .streak = 2, .t_failing = 5 } };
	struct tlsfail_peer_key key;
	struct scene scene;

	(void)state;
	need_maps();
	scene_begin(&scene);
	key = key_of(&scene.conn);
	assert_int_equal(bpf_map_update_elem(peers_fd, &key, &peer, BPF_ANY), 0);
	conn_put(1, TLSFAIL_F_CONNECT | TLSFAIL_F_REFUSED);
	leftovers_take(conns_fd, peers_fd, NOW, take, taken);
	assert_int_equal(taken_count, 1);
	assert_int_equal(taken[0].peer.failed, 5);
	assert_int_equal(taken[0].peer.streak, 3);
	assert_int_equal(taken[0].peer.t_failing, 5);
	assert_int_equal(taken[0].peer.t_failed, NOW);
}

/* A map of something else is left alone. */
static void test_other_map(void **state)
{
	(void)state;
	need_maps();
	leftovers_take(peers_fd, peers_fd, NOW, take, taken);
	leftovers_take(-1, peers_fd, NOW, take, taken);
	assert_int_equal(taken_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counters),
		cmocka_unit_test_setup_teardown(test_peer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leftovers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leftover_of_known_peer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_map, setup, teardown),
	};

	return cmocka_run_group_tests_name("kernel_maps", tests, NULL, NULL);
}
