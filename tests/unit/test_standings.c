/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is kept of peers for live views.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "command/standings.h"
#include "finding_set.h"

#define S 1000000000ULL

static struct standing_peer peer_make(unsigned int number, uint64_t done_ns)
{
	struct standing_peer p = { .done = 1, .last_done_ns = done_ns };

	snprintf(p.peer.address, sizeof(p.peer.address), "10.0.%u.%u", number / 256 % 256,
		 number % 256);
	p.peer.port = 443;
	return p;
}

static void test_standings(void **state)
{
	struct certificate_ends ends = { .time_ns = TIME_NS, .leaf = 77, .chain = 66 };
	struct standings *s = standings_new();
	struct standing_peer p = peer_make(1, TIME_NS);
	const struct standing *all;

	(void)state;
	assert_non_null(s);
	all = standings_all(s);
	p.latency_ns = 5;
	standings_peer(s, &p);
	ends.peer = p.peer;
	standings_certificates(s, &ends);
	/* what the next counts leave open stays */
	p.done = 2;
	p.latency_ns = 0;
	standings_peer(s, &p);
	assert_int_equal(all->peer_count, 1);
	assert_int_equal(all->peers[0].done, 2);
	assert_int_equal(all->peers[0].not_after, 77);
	assert_int_equal(all->peers[0].latency_ns, 5);
	/* there is no more room: the one that was quiet for longest goes, and is counted */
	for (unsigned int i = 2; i <= STANDING_PEERS_MAX + 1; i++) {
		p = peer_make(i, TIME_NS + i);
		standings_peer(s, &p);
	}
	assert_int_equal(all->peer_count, STANDING_PEERS_MAX);
	assert_int_equal(all->peers_omitted, 1);
	assert_string_equal(all->peers[0].peer.address,
			    peer_make(STANDING_PEERS_MAX + 1, 0).peer.address);
	p = peer_make(1, 1);
	standings_peer(s, &p);
	assert_int_equal(all->peers_omitted, 2);
	standings_free(s);
}

static void test_due(void **state)
{
	struct standings *s = standings_new();

	(void)state;
	assert_false(standings_due(s, TIME_NS));
	assert_false(standings_due(s, TIME_NS + S - 1));
	assert_true(standings_due(s, TIME_NS + S));
	assert_false(standings_due(s, TIME_NS + S));
	assert_true(standings_due(s, TIME_NS + 100 * S));
	standings_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_standings),
		cmocka_unit_test(test_due),
	};

	return cmocka_run_group_tests_name("standings", tests, NULL, NULL);
}
