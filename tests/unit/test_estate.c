/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a process that crashed has left: the next one goes on counting, folds go on, peers have their history;
 * and whatever is found in that memory, nothing crashes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "command/exporter.h"
#include "command/tallies.h"
#include "diagnose/causes.h"
#include "diagnose/fold.h"
#include "diagnose/peers.h"
#include "metrics/metrics.h"

#define SIZE	 (16U << 20)
#define INTERVAL (60 * NS_PER_S)
#define NAMES	 4

static uint8_t *memory;
static char page[1 << 20];
static struct finding failure, out;

/* All that an analyst counts with, as another one before it left it. */
static struct {
	struct estate estate;
	struct metrics *metrics;
	struct fold *fold;
	struct peers *peers;
	struct tallies tallies;
} now;

static void begin(void)
{
	now.estate = (struct estate){ .memory = memory, .size = SIZE };
	now.metrics = metrics_new(NAMES, &exporter_names, &now.estate);
	now.fold = fold_new(INTERVAL, 0, &now.estate);
	now.peers = peers_new(&now.estate);
	assert_non_null(now.metrics);
	assert_non_null(now.fold);
	assert_non_null(now.peers);
	assert_int_equal(tallies_open(&now.tallies, &now.estate), 0);
}

static void end(void)
{
	metrics_free(now.metrics);
	fold_free(now.fold);
	peers_free(now.peers);
	tallies_close(&now.tallies);
}

static int setup(void **state)
{
	(void)state;
	memory = aligned_alloc(64, SIZE);
	if (!memory)
		return -1;
	memset(memory, 0, SIZE);
	memset(&failure, 0, sizeof(failure));
	failure.cause = cause_at(cause_index("verify-expired"))->slug;
	failure.role = "client";
	failure.phase = "verify";
	failure.network_type = "ipv4";
	failure.peer.port = 8443;
	memcpy(failure.peer.address, "192.0.2.1", sizeof("192.0.2.1"));
	memcpy(failure.executable_path, "/usr/sbin/nginx", sizeof("/usr/sbin/nginx"));
	memcpy(failure.executable_name, "nginx", sizeof("nginx"));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

/* One more failure, at so many seconds. Is it told? */
static bool failed_at(uint64_t s)
{
	struct tlsfail_conn conn = {
		.role = TLSFAIL_ROLE_CLIENT, .family = 2, .rport = 8443, .t_close = s * NS_PER_S
	};
	struct peer_history history;
	bool told;

	conn.peer = (struct tlsfail_peer_counts){ .t_first = NS_PER_S,
						  .t_failed = conn.t_close,
						  .t_failing = NS_PER_S,
						  .failed = s,
						  .streak = s };
	peers_failed(now.peers, &conn, &history);
	peers_caused(now.peers, &conn, failure.cause, "backend");
	metrics_failure(now.metrics, &failure);
	tallies_count(&now.tallies, &failure, &conn);
	return fold_take(now.fold, conn.t_close, &failure, &out, &told);
}

static void assert_page(const char *line)
{
	struct text t;

	text_init(&t, page, sizeof(page));
	metrics_write(now.metrics, EXPOSITION_TEXT, &t);
	if (!strstr(page, line))
		fail_msg("not on the page: %s", line);
}

static void test_goes_on(void **state)
{
	struct peer_failing failing;
	struct peer_summary summary;
	size_t at = 0;

	(void)state;
	begin();
	assert_true(failed_at(1));
	assert_false(failed_at(2));
	tallies_orphans(&now.tallies, 3);
	end();
	begin();
	assert_false(failed_at(3));
	tallies_orphans(&now.tallies, 1);
	assert_int_equal(now.tallies.n->failed, 3);
	assert_int_equal(now.tallies.n->orphans, 4);
	assert_int_equal(now.tallies.by_cause[cause_index("verify-expired")], 3);
	assert_page("\ntlsfail_failures_total{cause=\"verify-expired\",role=\"client\","
		    "peer=\"192.0.2.1:8443\"} 3\n");
	assert_page("\ntlsfail_handshakes_total{role=\"client\",result=\"failure\"} 3\n");
	assert_page("upstream=\"192.0.2.1:8443\",server=\"192.0.2.1:8443\"} 3\n");
	assert_true(peers_failing(now.peers, 4 * NS_PER_S, &at, &failing));
	assert_int_equal(failing.since, NS_PER_S);
	assert_string_equal(failing.cause, "verify-expired");
	at = 0;
	assert_true(peers_summarize(now.peers, 4 * NS_PER_S, true, &at, &summary));
	assert_string_equal(summary.cause, "verify-expired");
	assert_int_equal(summary.cause_count, 3);
	assert_string_equal(summary.upstream, "backend");
	assert_int_equal(fold_deadline(now.fold), NS_PER_S + INTERVAL);
	assert_true(fold_tell_due(now.fold, NS_PER_S + INTERVAL, &out));
	assert_int_equal(out.suppressed, 2);
	assert_string_equal(out.role, "client");
	assert_string_equal(out.network_type, "ipv4");
	assert_string_equal(out.executable_path, "/usr/sbin/nginx");
	end();
}

/* What a clone counts is not in the estate, and what it had is not freed with it. */
static void test_clone(void **state)
{
	struct metrics *clone;

	(void)state;
	begin();
	failed_at(1);
	clone = metrics_clone(now.metrics);
	assert_non_null(clone);
	metrics_failure(clone, &failure);
	metrics_free(clone);
	assert_page("\ntlsfail_handshakes_total{role=\"client\",result=\"failure\"} 1\n");
	end();
}

/* Counts beyond their tables, and strings without an end. */
static void test_no_sense(void **state)
{
	(void)state;
	begin();
	failed_at(1);
	end();
	for (size_t i = 0; i < SIZE; i++)
		memory[i] |= 0x80;
	begin();
	assert_page("\ntlsfail_handshakes_total{role=\"client\",result=\"failure\"} 0\n");
	assert_false(fold_tell_rest(now.fold, &out));
	assert_true(failed_at(2));
	end();
}

/* Some bytes have changed; each time others. */
static void test_damage(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (int round = 0; round < 200; round++) {
		size_t used, at = 0;
		struct peer_summary summary;

		begin();
		failed_at((uint64_t)round + 1);
		assert_page("\n");
		while (peers_summarize(now.peers, NS_PER_S, true, &at, &summary))
			assert_true(!summary.cause || *summary.cause);
		used = now.estate.used;
		while (round % 10 == 9 && fold_tell_rest(now.fold, &out))
			assert_non_null(out.cause);
		end();
		for (int i = 0; i < 3000; i++) {
			random = random * 6364136223846793005ULL + 1442695040888963407ULL;
			memory[(random >> 16) % used] ^= (uint8_t)(random >> 56);
		}
	}
}

static void test_room(void **state)
{
	struct estate small = { .memory = memory, .size = 128 };

	(void)state;
	assert_ptr_equal(estate_take(&small, 1), memory);
	assert_ptr_equal(estate_take(&small, 64), memory + 64);
	assert_null(estate_take(&small, 1));
	small.used = 0;
	assert_null(estate_take(&small, SIZE_MAX));
	assert_null(metrics_new(NAMES, &exporter_names, &small));
	assert_null(fold_new(INTERVAL, 0, &small));
	assert_null(peers_new(&small));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_sense, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
