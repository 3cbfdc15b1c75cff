/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model of a live view: what it counts, in which order its rows come, what passes a filter, what is
 * alike, and what makes room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "finding_set.h"
#include "view/history.h"
#include "view/model.h"

#define S 1000000000ULL

static struct view *view;
static struct finding finding;
static struct standing standing;
static struct view_row rows[VIEW_ROWS_MAX];
static struct view_query query;

static int begin(bool recorded)
{
	view = view_new(recorded);
	memset(&standing, 0, sizeof(standing));
	query = (struct view_query){ .filter = "" };
	return !view;
}

static int setup_live(void **state)
{
	(void)state;
	return begin(false);
}

static int setup_recorded(void **state)
{
	(void)state;
	return begin(true);
}

static int teardown(void **state)
{
	(void)state;
	view_free(view);
	return 0;
}

static void failure_make(uint64_t second, const char *address, const char *cause, const char *role)
{
	finding = (struct finding){ .kind = FINDING_FAILURE, .time_ns = TIME_NS + second * S };
	finding.cause = cause;
	finding.role = role;
	SET(finding.peer.address, address);
	finding.peer.port = 443;
}

static void failure_take(void)
{
	view_finding(view, &finding, "{}", 2);
}

static void fail_at(uint64_t second, const char *address, const char *cause)
{
	failure_make(second, address, cause, "client");
	failure_take();
}

static size_t rows_of(enum view_kind kind)
{
	query.kind = kind;
	return view_rows(view, &query, rows, VIEW_ROWS_MAX);
}

/* The peers of the standing at that second: done and failed of each. */
static void stand(uint64_t second, uint64_t done, uint64_t failed, uint64_t streak)
{
	struct standing_peer *p = &standing.peers[0];

	standing.time_ns = TIME_NS + second * S;
	standing.has_totals = true;
	standing.client_done = done;
	standing.client_failed = failed;
	standing.peer_count = 1;
	SET(p->peer.address, "10.0.0.1");
	p->peer.port = 443;
	if (failed > p->failed)
		p->last_failed_ns = standing.time_ns;
	if (done > p->done)
		p->last_done_ns = standing.time_ns;
	p->done = done;
	p->failed = failed;
	p->streak = streak;
	p->latency_ns = done * 2000000;
	view_standing(view, &standing);
	view_tick(view, standing.time_ns);
}

static void test_findings(void **state)
{
	(void)state;
	fail_at(0, "10.0.0.1", "verify-expired");
	fail_at(1, "10.0.0.2", "sni-missing");
	fail_at(2, "10.0.0.1", "verify-expired");
	failure_make(3, "192.0.2.9", "client-cert-missing", "server");
	failure_take();
	query.sort = VIEW_BY_FAILED;
	assert_int_equal(rows_of(VIEW_PEERS), 2);
	assert_string_equal(rows[0].name, "10.0.0.1:443");
	assert_int_equal(rows[0].failed, 2);
	assert_string_equal(rows[0].cause, "verify-expired");
	assert_true(rows[0].share == 100);
	assert_true(rows[0].last_ns == TIME_NS + 2 * S);
	assert_int_equal(rows_of(VIEW_CAUSES), 3);
	assert_string_equal(rows[0].name, "verify-expired");
	/* of clients each connection has another port */
	assert_int_equal(rows_of(VIEW_CLIENTS), 1);
	assert_string_equal(rows[0].name, "192.0.2.9");
}

static void test_folded(void **state)
{
	struct view_failure failures[8];

	(void)state;
	fail_at(0, "10.0.0.1", "verify-expired");
	fail_at(1, "10.0.0.2", "verify-expired");
	failure_make(60, "10.0.0.1", "verify-expired", "client");
	finding.kind = FINDING_FOLDED;
	finding.suppressed = 41;
	failure_take();
	query.sort = VIEW_BY_FAILED;
	rows_of(VIEW_PEERS);
	assert_int_equal(rows[0].failed, 42);
	assert_int_equal(view_failures(view, &query, "10.0.0.1:443", true, failures, 8), 1);
	assert_int_equal(failures[0].count, 42);
	assert_true(failures[0].time_ns == TIME_NS + 60 * S);
	assert_int_equal(view_failures(view, &query, "10.0.0.1:443", false, failures, 8), 2);
	assert_int_equal(view_failures(view, &query, NULL, true, failures, 8), 2);
	assert_int_equal(view_failures(view, &query, NULL, true, failures, 1), 1);
}

static void named_take(uint64_t second, const char *address, const char *line)
{
	failure_make(second, address, "verify-expired", "client");
	SET(finding.hello.server_name, line);
	view_finding(view, &finding, line, strlen(line));
}

static void more_take(uint64_t second, const char *address)
{
	failure_make(second, address, "verify-expired", "client");
	finding.kind = FINDING_FOLDED;
	finding.suppressed = 5;
	failure_take();
}

static void assert_example(const char *want)
{
	struct view_failure f;

	assert_int_equal(view_failures(view, &query, "10.0.0.1:443", true, &f, 1), 1);
	assert_int_equal(f.example_len, strlen(want));
	assert_memory_equal(f.example, want, f.example_len);
	assert_string_equal(f.name, want);
	assert_memory_equal(f.line, "{}", 2);
}

/* However long it goes on, and whatever else fails: what it looked like is there, and the last is. */
static void test_example(void **state)
{
	(void)state;
	named_take(0, "10.0.0.1", "first");
	more_take(5, "10.0.0.1");
	assert_example("first");
	named_take(6, "10.0.0.1", "second");
	more_take(7, "10.0.0.1");
	assert_example("second");
	for (uint64_t i = 0; i < 3 * VIEW_FAILURES_MAX; i++) {
		fail_at(10 + i, "10.0.0.2", "sni-missing");
		if (i % 100 == 0)
			more_take(10 + i, "10.0.0.1");
		assert_example("second");
	}
}

/* A file of findings alone has what they say of the others. */
static void test_history_of_findings(void **state)
{
	(void)state;
	failure_make(0, "10.0.0.1", "verify-expired", "client");
	finding.history = (struct finding_peer){ .known = true,
						 .state = FINDING_PEER_FLAPPING,
						 .since_ns = TIME_NS - S,
						 .handshakes = 100,
						 .failures = 1 };
	failure_take();
	finding.time_ns += S;
	finding.history.handshakes = 120;
	finding.history.failures = 2;
	failure_take();
	rows_of(VIEW_PEERS);
	assert_int_equal(rows[0].done, 118);
	assert_int_equal(rows[0].failed, 2);
	assert_int_equal(rows[0].state, VIEW_FLAPPING);
}

static void test_standings(void **state)
{
	struct view_totals totals;

	(void)state;
	/* what was before this view began is no rate */
	stand(0, 1000, 10, 0);
	rows_of(VIEW_PEERS);
	assert_int_equal(rows[0].done, 1000);
	assert_true(rows[0].share < 0 && rows[0].rate < 0);
	for (uint64_t s = 1; s <= 10; s++)
		stand(s, 1000 + 9 * s, 10 + s, 0);
	rows_of(VIEW_PEERS);
	assert_true(rows[0].rate > 9.9 && rows[0].rate < 10.1);
	assert_true(rows[0].share > 9.9 && rows[0].share < 10.1);
	assert_int_equal(rows[0].latency_ns, 2000000);
	assert_int_equal(rows[0].state, VIEW_FLAPPING);
	view_totals(view, &totals);
	assert_true(totals.client_rate > 9.9 && totals.client_rate < 10.1);
	/* findings are in the counts already */
	fail_at(10, "10.0.0.1", "verify-expired");
	rows_of(VIEW_PEERS);
	assert_int_equal(rows[0].failed, 20);
	assert_string_equal(rows[0].cause, "verify-expired");
	/* three in a row, and the service is another one */
	stand(11, 1090, 23, 3);
	rows_of(VIEW_PEERS);
	assert_int_equal(rows[0].state, VIEW_FAILING);
	stand(12, 5, 0, 0);
	rows_of(VIEW_PEERS);
	assert_int_equal(rows[0].done, 5);
	/* nobody says any more how it stands */
	view_tick(view, TIME_NS + 60 * S);
	rows_of(VIEW_PEERS);
	assert_true(rows[0].rate < 0);
}

static void test_recovers(void **state)
{
	(void)state;
	stand(0, 0, 0, 0);
	stand(1, 0, 3, 3);
	rows_of(VIEW_PEERS);
	assert_int_equal(rows[0].state, VIEW_FAILING);
	stand(2, 4, 3, 0);
	failure_make(2, "10.0.0.1", "", "client");
	finding.kind = FINDING_RECOVERED;
	failure_take();
	rows_of(VIEW_PEERS);
	assert_int_equal(rows[0].state, VIEW_RECOVERED);
	stand(400, 500, 3, 0);
	rows_of(VIEW_PEERS);
	assert_int_equal(rows[0].state, VIEW_OK);
}

static void test_upstreams(void **state)
{
	(void)state;
	for (int i = 1; i <= 3; i++) {
		char address[] = "10.0.0.0";

		address[7] += i;
		failure_make(0, address, "sni-missing", "client");
		finding.config.place_count = 1;
		SET(finding.config.places[0].upstream, i < 3 ? "pool" : "");
		failure_take();
	}
	query.sort = VIEW_BY_FAILED;
	assert_int_equal(rows_of(VIEW_UPSTREAMS), 2);
	assert_string_equal(rows[0].name, "pool");
	assert_int_equal(rows[0].peers, 2);
	assert_int_equal(rows[0].failed, 2);
	assert_string_equal(rows[1].name, "10.0.0.3:443");
}

static void filter_is(const char *filter, size_t peers)
{
	query.filter = filter;
	if (rows_of(VIEW_PEERS) != peers)
		fail_msg("'%s' lets %zu pass, not %zu", filter, rows_of(VIEW_PEERS), peers);
}

static void test_filter(void **state)
{
	(void)state;
	failure_make(0, "10.0.0.1", "verify-expired", "client");
	SET(finding.hello.server_name, "Sni.example");
	failure_take();
	fail_at(0, "10.0.0.2", "sni-missing");
	filter_is("", 2);
	filter_is("sni", 2);
	filter_is("cause:sni", 1);
	filter_is("name:sni", 1);
	filter_is("peer:sni", 0);
	filter_is("10.0.0 expired", 1);
	filter_is("name:SNI  cause:verify", 1);
	filter_is("443", 2);
}

static void test_order(void **state)
{
	(void)state;
	fail_at(0, "10.0.0.2", "b");
	fail_at(1, "10.0.0.1", "c");
	fail_at(2, "10.0.0.3", "a");
	query.sort = VIEW_BY_NAME;
	rows_of(VIEW_PEERS);
	assert_string_equal(rows[0].name, "10.0.0.1:443");
	query.reverse = true;
	rows_of(VIEW_PEERS);
	assert_string_equal(rows[0].name, "10.0.0.3:443");
	query.reverse = false;
	query.sort = VIEW_BY_LAST;
	rows_of(VIEW_PEERS);
	assert_string_equal(rows[0].name, "10.0.0.3:443");
	assert_string_equal(rows[2].name, "10.0.0.2:443");
	/* a certificate that is not known comes behind all that are */
	failure_make(3, "10.0.0.9", "", "client");
	finding.kind = FINDING_CERTIFICATE_SEEN;
	finding.certificate.has_validity = true;
	finding.certificate.not_after = 4000000000;
	failure_take();
	query.sort = VIEW_BY_CERTIFICATE;
	rows_of(VIEW_PEERS);
	assert_string_equal(rows[0].name, "10.0.0.9:443");
	query.failing_only = true;
	assert_int_equal(rows_of(VIEW_PEERS), 3);
}

/* More peers than there is room for: those that were quiet go, and that is counted. */
static void test_room(void **state)
{
	struct view_failure failures[VIEW_FAILURES_MAX + 1];
	struct view_totals totals;

	(void)state;
	for (unsigned int i = 0; i < VIEW_ROWS_MAX + 10; i++) {
		char address[FINDING_ADDRESS_LEN];

		snprintf(address, sizeof(address), "10.0.%u.%u", i / 256, i % 256);
		fail_at(i, address, "verify-expired");
	}
	assert_int_equal(rows_of(VIEW_PEERS), VIEW_ROWS_MAX);
	view_totals(view, &totals);
	assert_int_equal(totals.forgotten, 10);
	query.filter = "peer:10.0.0.9:";
	assert_int_equal(rows_of(VIEW_PEERS), 0);
	query.filter = "";
	assert_int_equal(view_failures(view, &query, NULL, false, failures, VIEW_FAILURES_MAX + 1),
			 VIEW_FAILURES_MAX);
}

/* Whatever time a recording spans, the history has all of it; of a live one the last minutes. */
static void test_spans(void **state)
{
	uint64_t done, failed;

	(void)state;
	for (int grows = 0; grows < 2; grows++) {
		struct history_time time = { .grows = grows };
		struct history h = { 0 };
		uint8_t levels[VIEW_BUCKETS];

		for (uint64_t s = 0; s < 10000; s++) {
			while (history_time_to(&time, TIME_NS + s * S))
				history_halve(&h);
			history_add(&h, &time, 0, 1);
		}
		history_sum(&h, &time, &done, &failed);
		assert_true(grows ? failed == 10000 : failed > 250 && failed <= 300);
		history_levels(&h, &time, true, levels);
		assert_int_equal(levels[VIEW_BUCKETS - 1], VIEW_LEVEL_MAX);
		/* nothing happens for long, and time goes back a bit */
		assert_false(history_time_to(&time, TIME_NS + 9990 * S));
		while (history_time_to(&time, TIME_NS + 20000 * S))
			history_halve(&h);
		history_sum(&h, &time, &done, &failed);
		assert_int_equal(failed, grows ? 10000 : 0);
		history_levels(&h, &time, true, levels);
		assert_int_equal(levels[VIEW_BUCKETS - 1], VIEW_LEVEL_NONE);
	}
}

static void test_levels(void **state)
{
	struct history_time time = { 0 };
	struct history h = { 0 };
	uint8_t levels[VIEW_BUCKETS];

	(void)state;
	history_time_to(&time, TIME_NS);
	history_add(&h, &time, 100, 0);
	history_time_to(&time, TIME_NS + 5 * S);
	history_add(&h, &time, 9999, 1);
	history_time_to(&time, TIME_NS + 15 * S);
	history_add(&h, &time, 50, 50);
	history_levels(&h, &time, true, levels);
	assert_int_equal(levels[VIEW_BUCKETS - 4], VIEW_LEVEL_GOOD);
	assert_int_equal(levels[VIEW_BUCKETS - 3], VIEW_LEVEL_GOOD + 1);
	assert_int_equal(levels[VIEW_BUCKETS - 2], VIEW_LEVEL_NONE);
	assert_int_equal(levels[VIEW_BUCKETS - 1], VIEW_LEVEL_GOOD + 4);
}

/* Standings that are late by now and then leave no gap in the history of a peer that is always asked. */
static void test_steady(void **state)
{
	int seen = 0;

	(void)state;
	for (uint64_t second = 0; second < 40; second++)
		if (second % 4 != 3)
			stand(second, 10 * (second + 1), 0, 0);
	assert_int_equal(rows_of(VIEW_PEERS), 1);
	for (int i = 0; i < VIEW_BUCKETS; i++) {
		if (seen)
			assert_int_equal(rows[0].levels[i], VIEW_LEVEL_GOOD);
		seen += rows[0].levels[i] == VIEW_LEVEL_GOOD;
	}
	assert_in_range(seen, 19, 20);
}

/* A line may be anybody's: one that is of no time is counted, and there is no history of it. */
static void test_timeless(void **state)
{
	(void)state;
	standing.peer_count = 1;
	SET(standing.peers[0].peer.address, "10.0.0.1");
	view_standing(view, &standing);
	assert_int_equal(rows_of(VIEW_PEERS), 1);
	stand(3, 5, 0, 0);
	rows_of(VIEW_PEERS);
	assert_int_equal(rows[0].levels[VIEW_BUCKETS - 1], VIEW_LEVEL_GOOD);
}

#define LIVE(test)     cmocka_unit_test_setup_teardown(test, setup_live, teardown)
#define RECORDED(test) cmocka_unit_test_setup_teardown(test, setup_recorded, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RECORDED(test_findings),      RECORDED(test_folded),
		RECORDED(test_example),	      RECORDED(test_steady),
		RECORDED(test_timeless),      RECORDED(test_history_of_findings),
		LIVE(test_standings),	      LIVE(test_recovers),
		RECORDED(test_upstreams),     RECORDED(test_filter),
		RECORDED(test_order),	      RECORDED(test_room),
		cmocka_unit_test(test_spans), cmocka_unit_test(test_levels),
	};

	return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
