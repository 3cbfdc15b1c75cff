/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The history of peers: what a series of handshakes makes of it, when a peer counts as failing, when
 * it has recovered; and that the table stays bounded. The kernel side is played by kernel_...().
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "diagnose/peers.h"

#define S   1000000000ULL
#define MIN (60 * S)

static struct peers *peers;
static struct tlsfail_peer record;
static struct tlsfail_conn conn;
static struct peer_history history;
static struct peer_recovery recovery;

static void kernel_begin(uint16_t port)
{
	record = (struct tlsfail_peer){ .key = { .family = 2, .port = port } };
	conn = (struct tlsfail_conn){ .family = 2, .rport = port };
}

static int setup(void **state)
{
	(void)state;
	peers = peers_new(NULL);
	kernel_begin(443);
	return peers ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	peers_free(peers);
	return 0;
}

/* A handshake succeeds. */
static void kernel_done(uint64_t t)
{
	if (!record.n.t_first)
		record.n.t_first = t;
	record.n.t_done = t;
	record.n.streak = 0;
	record.n.done++;
}

/* A handshake fails, and comes to the collector. Has the peer recovered before? */
static void kernel_failed(uint64_t t)
{
	if (!record.n.t_first)
		record.n.t_first = t;
	if (!record.n.streak)
		record.n.t_failing = t;
	record.n.t_failed = t;
	record.n.streak++;
	record.n.failed++;
	conn.t_close = t;
	conn.peer = record.n;
	peers_failed(peers, &conn, &history);
}

/* The collector looks: has the peer recovered? */
static bool look(uint64_t t)
{
	record.t = t;
	return peers_read(peers, &record, &recovery);
}

static bool is_watched(void)
{
	struct tlsfail_peer_key key;
	size_t at = 0;

	while (peers_watched(peers, false, &at, &key))
		if (key.port == record.key.port)
			return true;
	return false;
}

static void assert_history(enum peer_state state, uint64_t failures, uint64_t handshakes,
			   uint64_t since, uint64_t streak)
{
	assert_true(history.known);
	assert_int_equal(history.state, state);
	assert_int_equal(history.failures, failures);
	assert_int_equal(history.handshakes, handshakes);
	assert_int_equal(history.since, since);
	assert_int_equal(history.streak, streak);
}

static void test_unknown(void **state)
{
	(void)state;
	peers_failed(peers, &conn, &history);
	assert_false(history.known);
	assert_false(is_watched());
	peers_free(NULL);
}

static void test_fails_always(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= 37; n++) {
		kernel_failed(n * S);
		assert_history(PEER_FAILING, n, n, S, n);
		assert_int_equal(history.failing_since, S);
		assert_int_equal(history.last_success, 0);
		assert_true(is_watched());
	}
}

/* A recording of ABI 1 has the counts in a record before the failure. */
static void test_counts_of_abi_1(void **state)
{
	(void)state;
	kernel_done(1 * S);
	kernel_failed(2 * S);
	conn.peer = (struct tlsfail_peer_counts){ 0 };
	record.n.failed = record.n.streak = 2;
	assert_false(look(3 * S));
	peers_failed(peers, &conn, &history);
	assert_history(PEER_FLAPPING, 2, 3, S, 2);
}

/* What came later does not belong to a failure that was slow to come. */
static void test_counts_of_their_moment(void **state)
{
	struct tlsfail_peer_counts at_first;

	(void)state;
	kernel_failed(1 * S);
	at_first = record.n;
	for (uint64_t n = 2; n <= 100; n++)
		kernel_done(n * S);
	assert_true(look(100 * S));
	conn.peer = at_first;
	peers_failed(peers, &conn, &history);
	assert_history(PEER_FAILING, 1, 1, S, 1);
	/* nor has it failed since it recovered */
	assert_false(is_watched());
	kernel_done(101 * S);
	assert_false(look(110 * S));
	/* a failure of before the span that is told about */
	kernel_failed(20 * MIN);
	kernel_failed(40 * MIN);
	conn.peer = at_first;
	peers_failed(peers, &conn, &history);
	assert_false(history.known);
}

static void test_three_of_400(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= 400; n++)
		if (n % 150)
			kernel_done(n * S / 10);
		else
			kernel_failed(n * S / 10);
	kernel_failed(41 * S);
	assert_history(PEER_FLAPPING, 3, 401, S / 10, 1);
	assert_int_equal(history.failing_since, 41 * S);
	assert_int_equal(history.last_success, 40 * S);
	assert_false(is_watched());
}

/* It worked, and then does not any more: three in a row make the difference. */
static void test_begins_to_fail(void **state)
{
	(void)state;
	kernel_done(1 * S);
	kernel_failed(2 * S);
	assert_history(PEER_FLAPPING, 1, 2, S, 1);
	kernel_failed(3 * S);
	assert_history(PEER_FLAPPING, 2, 3, S, 2);
	assert_false(is_watched());
	kernel_failed(4 * S);
	assert_history(PEER_FAILING, 3, 4, S, 3);
	assert_int_equal(history.failing_since, 2 * S);
	assert_true(is_watched());
}

static void test_recovers(void **state)
{
	(void)state;
	kernel_done(S);
	for (uint64_t n = 2; n <= 6; n++)
		kernel_failed(n * S);
	assert_false(look(60 * S)); /* quiet is not well */
	kernel_done(61 * S);
	record.n.t_failed = 60 * S; /* another failed right before */
	record.n.failed++;
	assert_false(look(62 * S));
	assert_true(look(63 * S));
	assert_int_equal(recovery.t, 63 * S);
	assert_int_equal(recovery.since, 2 * S);
	assert_int_equal(recovery.failures, 6);
	assert_int_equal(recovery.handshakes, 7);
	assert_int_equal(recovery.last_failure, 60 * S);
	assert_int_equal(recovery.last_success, 61 * S);
	assert_false(is_watched());
	assert_false(look(70 * S));
}

/* Whoever fails again soon after has to prove itself for longer, but not for ever. */
static void test_relapses(void **state)
{
	uint64_t t = S, proof = 3 * S;

	(void)state;
	for (int i = 0; i < 12; i++) {
		for (int n = 0; n < 3; n++)
			kernel_failed(t);
		kernel_done(t + 1);
		assert_false(look(t + proof - 1));
		assert_true(look(t + proof));
		t += proof + S;
		if (proof < 300 * S)
			proof *= 2;
	}
	t += 20 * MIN;
	for (int n = 0; n < 3; n++)
		kernel_failed(t);
	kernel_done(t + 1);
	assert_true(look(t + 3 * S));
}

/* What was long ago does not count for ever. */
static void test_span_moves(void **state)
{
	(void)state;
	for (uint64_t n = 0; n < 1000; n++)
		kernel_done(S + n);
	kernel_failed(10 * S);
	assert_history(PEER_FLAPPING, 1, 1001, S, 1);
	kernel_done(19 * MIN);
	kernel_failed(20 * MIN); /* 11 minutes and more after the first */
	assert_history(PEER_FLAPPING, 1, 2, 10 * S, 1);
	kernel_failed(29 * MIN);
	assert_history(PEER_FLAPPING, 2, 3, 10 * S, 2);
	kernel_failed(31 * MIN);
	assert_history(PEER_FAILING, 2, 2, 20 * MIN, 3);
}

/* The kernel side had forgotten the peer, and counts from 0. */
static void test_counts_begin_anew(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= 10; n++)
		kernel_failed(n * S);
	kernel_begin(443);
	kernel_done(20 * S);
	kernel_failed(21 * S);
	assert_history(PEER_FLAPPING, 1, 2, 20 * S, 1);
}

static struct peer_summary summary;

/* The only peer that has something to tell; false: none has. */
static bool summarize(uint64_t t, bool whole)
{
	struct peer_summary other;
	size_t at = 0;

	if (!peers_summarize(peers, t, whole, &at, &summary))
		return false;
	assert_false(peers_summarize(peers, t, whole, &at, &other));
	return true;
}

static void test_summaries(void **state)
{
	(void)state;
	assert_false(summarize(S, false));
	kernel_done(1 * S);
	record.n.retried = 1;
	kernel_failed(2 * S);
	peers_caused(peers, &conn, "one", "");
	kernel_failed(3 * S);
	peers_caused(peers, &conn, "two", "");
	kernel_failed(4 * S);
	peers_caused(peers, &conn, "two", "");
	assert_true(summarize(60 * S, false));
	assert_int_equal(summary.state, PEER_FAILING);
	assert_int_equal(summary.since, S);
	assert_int_equal(summary.handshakes, 4);
	assert_int_equal(summary.failures, 3);
	assert_int_equal(summary.retried, 1);
	assert_int_equal(summary.failing_since, 2 * S);
	assert_string_equal(summary.cause, "two");
	assert_int_equal(summary.cause_count, 2);
	/* nobody tries, and it still fails */
	assert_true(summarize(120 * S, false));
	assert_int_equal(summary.handshakes, 0);
	assert_null(summary.cause);
	kernel_done(121 * S);
	assert_true(look(125 * S));
	assert_false(summarize(180 * S, false));
	kernel_failed(181 * S);
	peers_caused(peers, &conn, "one", "");
	assert_true(summarize(240 * S, false));
	assert_int_equal(summary.state, PEER_FLAPPING);
	assert_int_equal(summary.since, 180 * S);
	assert_int_equal(summary.failing_since, 0);
	assert_int_equal(summary.failures, 1);
	assert_true(summarize(241 * S, true));
	assert_int_equal(summary.since, S);
	assert_int_equal(summary.failures, 4);
	assert_int_equal(summary.handshakes, 6);
	assert_int_equal(summary.cause_count, 2);
}

/* More causes than are kept: the commonest stays. */
static void test_commonest_cause(void **state)
{
	static const char *const rare[] = { "a", "b", "c", "d", "e", "f", "g" };

	(void)state;
	kernel_failed(S);
	for (int i = 0; i < 7; i++) {
		peers_caused(peers, &conn, "common", "");
		peers_caused(peers, &conn, "common", "");
		peers_caused(peers, &conn, rare[i], "");
	}
	assert_true(summarize(S, true));
	assert_string_equal(summary.cause, "common");
	assert_int_equal(summary.cause_count, 14);
}

/* Many peers, each with its own history; the quietest is forgotten. */
static void test_table_is_bounded(void **state)
{
	(void)state;
	for (uint16_t n = 0; n < PEERS_MAX + 10; n++) {
		kernel_begin(1000 + n);
		kernel_failed(S);
		assert_history(PEER_FAILING, 1, 1, S, 1);
	}
	kernel_begin(1000);
	peers_failed(peers, &conn, &history);
	assert_false(history.known);
	kernel_begin(1000 + PEERS_MAX);
	peers_failed(peers, &conn, &history);
	assert_true(history.known);
}

/* From the third failure in a row on, until it recovers, or nobody tries it any more. */
static void test_failing(void **state)
{
	struct peer_failing failing;
	size_t at = 0;

	(void)state;
	kernel_done(10 * S);
	kernel_failed(20 * S);
	assert_false(peers_failing(peers, 20 * S, &at, &failing));
	kernel_failed(21 * S);
	kernel_failed(22 * S);
	peers_caused(peers, &conn, "one", "");
	peers_caused(peers, &conn, "two", "");
	kernel_begin(444);
	kernel_failed(30 * S);
	at = 0;
	assert_true(peers_failing(peers, 30 * S, &at, &failing));
	assert_int_equal(failing.key.port, 443);
	assert_int_equal(failing.since, 20 * S);
	assert_int_equal(failing.last, 22 * S);
	assert_int_equal(failing.streak, 3);
	assert_string_equal(failing.cause, "two");
	assert_true(peers_failing(peers, 30 * S, &at, &failing));
	assert_int_equal(failing.key.port, 444);
	assert_int_equal(failing.streak, 1);
	assert_null(failing.cause);
	assert_false(peers_failing(peers, 30 * S, &at, &failing));
	/* one is tried again, one is not */
	kernel_failed(30 * MIN);
	at = 0;
	assert_true(peers_failing(peers, 31 * MIN, &at, &failing));
	assert_int_equal(failing.key.port, 444);
	assert_false(peers_failing(peers, 31 * MIN, &at, &failing));
	/* and works again */
	kernel_done(32 * MIN);
	assert_true(look(33 * MIN));
	at = 0;
	assert_false(peers_failing(peers, 33 * MIN, &at, &failing));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Each network namespace has a loopback of its own. */
static void test_mixed(void **state)
{
	(void)state;
	conn = (struct tlsfail_conn){ .family = 2, .rport = 8443, .raddr = { 127, 0, 0, 1 } };
	conn.peer = (struct tlsfail_peer_counts){ .t_first = 1, .failed = 1, .t_failed = 2 };
	peers_failed(peers, &conn, &history);
	assert_false(peers_mixed(peers, &conn, 1, false));
	assert_false(peers_mixed(peers, &conn, 1, false));
	assert_true(peers_mixed(peers, &conn, 2, false));
	assert_true(peers_mixed(peers, &conn, 1, false));
	conn.rport = 8444;
	peers_failed(peers, &conn, &history);
	assert_true(peers_mixed(peers, &conn, 3, true));
	conn.raddr[0] = 192;
	peers_failed(peers, &conn, &history);
	assert_false(peers_mixed(peers, &conn, 3, true));
}

/* One address, reached from two namespaces: two peers. */
static void test_namespaces(void **state)
{
	(void)state;
	conn = (struct tlsfail_conn){ .family = 2, .rport = 8443, .raddr = { 127, 0, 0, 1 } };
	conn.netns = 1;
	conn.peer = (struct tlsfail_peer_counts){ .t_first = 1, .failed = 5, .t_failed = 2 };
	peers_failed(peers, &conn, &history);
	assert_int_equal(history.failures, 5);
	conn.netns = 2;
	conn.peer =
		(struct tlsfail_peer_counts){ .t_first = 1, .done = 7, .failed = 1, .t_failed = 2 };
	peers_failed(peers, &conn, &history);
	assert_int_equal(history.failures, 1);
	assert_int_equal(history.handshakes, 8);
	assert_false(peers_mixed(peers, &conn, 2, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_unknown),
		TEST(test_namespaces),
		TEST(test_fails_always),
		TEST(test_three_of_400),
		TEST(test_begins_to_fail),
		TEST(test_recovers),
		TEST(test_relapses),
		TEST(test_span_moves),
		TEST(test_counts_begin_anew),
		TEST(test_table_is_bounded),
		TEST(test_summaries),
		TEST(test_commonest_cause),
		TEST(test_failing),
		TEST(test_counts_of_abi_1),
		TEST(test_counts_of_their_moment),
		TEST(test_mixed),
	};

	return cmocka_run_group_tests_name("peers", tests, NULL, NULL);
}
