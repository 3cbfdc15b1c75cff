/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is counted where, and that the tables are bounded: what has no row is still counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command/exporter.h"
#include "metrics/metrics.h"
#include "metrics/share.h"

#define NS_PER_SEC 1000000000ULL
#define NOW_S	   1767366245

static struct metrics *metrics;
static struct metrics_host host;
static char page[1 << 20];

static int teardown(void **state)
{
	(void)state;
	metrics_free(metrics);
	metrics = NULL;
	host = (struct metrics_host){ 0 };
	return 0;
}

static void begin(unsigned int peers)
{
	metrics = metrics_new(peers, &exporter_names, NULL);
	assert_non_null(metrics);
}

static void show(void)
{
	struct text t;

	metrics_host_set(metrics, &host);
	text_init(&t, page, sizeof(page));
	metrics_write(metrics, EXPOSITION_TEXT, &t);
	assert_false(t.cut);
}

/* That line, whole, is on the page. */
static void assert_line(const char *line)
{
	const char *found = strstr(page, line);

	if (!found || (found != page && found[-1] != '\n') || found[strlen(line)] != '\n')
		fail_msg("not on the page: %s", line);
}

static void assert_absent(const char *words)
{
	if (strstr(page, words))
		fail_msg("on the page: %s", words);
}

static void fail_with(const char *role, const char *cause, const char *phase, uint16_t port)
{
	static struct finding f;

	f = (struct finding){ .role = role, .cause = cause, .phase = phase };
	f.noise = !strcmp(cause, "port-scan");
	strcpy(f.peer.address, "192.0.2.88");
	f.peer.port = port;
	metrics_failure(metrics, &f);
}

static void test_results(void **state)
{
	(void)state;
	begin(0);
	host.counters.n[TLSFAIL_N_CLIENT_OK] = 7;
	host.counters.n[TLSFAIL_N_SERVER_OK] = 8;
	fail_with("client", "verify-expired", "certificate", 1);
	fail_with("client", "verify-expired", "certificate", 2);
	fail_with("client", "connection-refused", "connect", 1);
	fail_with("client", "local-abort", "hello", 1);
	fail_with("server", "client-protocol-too-old", "hello", 1);
	fail_with("server", "port-scan", "hello", 1);
	show();
	assert_line("tlsfail_handshakes_total{role=\"client\",result=\"success\"} 7");
	assert_line("tlsfail_handshakes_total{role=\"client\",result=\"failure\"} 2");
	assert_line("tlsfail_handshakes_total{role=\"client\",result=\"aborted\"} 1");
	assert_line("tlsfail_handshakes_total{role=\"server\",result=\"success\"} 8");
	assert_line("tlsfail_handshakes_total{role=\"server\",result=\"failure\"} 1");
	assert_line("tlsfail_handshakes_total{role=\"server\",result=\"noise\"} 1");
	assert_line("tlsfail_failures_total{cause=\"verify-expired\",role=\"client\"} 2");
	assert_line("tlsfail_failures_total{cause=\"connection-refused\",role=\"client\"} 1");
	/* what was not met, but can be */
	assert_line("tlsfail_failures_total{cause=\"unknown\",role=\"client\"} 0");
	assert_line("tlsfail_failures_total{cause=\"unknown\",role=\"server\"} 0");
	assert_absent("cause=\"verify-expired\",role=\"server\"");
	assert_absent("cause=\"port-scan\",role=\"client\"");
}

static void test_peers(void **state)
{
	(void)state;
	begin(2);
	for (uint16_t port = 1; port <= 5; port++)
		for (uint16_t n = 0; n < port; n++)
			fail_with("client", "unknown", "hello", port);
	fail_with("server", "unknown", "hello", 40000);
	show();
	assert_line("tlsfail_failures_total{cause=\"unknown\",role=\"client\","
		    "peer=\"192.0.2.88:1\"} 1");
	assert_line("tlsfail_failures_total{cause=\"unknown\",role=\"client\","
		    "peer=\"192.0.2.88:2\"} 2");
	assert_line("tlsfail_failures_total{cause=\"unknown\",role=\"client\",peer=\"other\"} 12");
	assert_line("tlsfail_failures_total{cause=\"unknown\",role=\"server\"} 1");
	assert_absent("40000");
}

/* Each of the most peers that there may be has its own row. */
static void test_most_peers(void **state)
{
	struct metrics *clone;

	(void)state;
	begin(METRICS_PEERS_LIMIT);
	for (uint16_t port = 1; port <= METRICS_PEERS_LIMIT + 1; port++)
		fail_with("client", "unknown", "hello", port);
	fail_with("client", "unknown", "hello", METRICS_PEERS_LIMIT);
	clone = metrics_clone(metrics);
	assert_non_null(clone);
	metrics_free(metrics);
	metrics = clone;
	show();
	assert_line("tlsfail_failures_total{cause=\"unknown\",role=\"client\","
		    "peer=\"192.0.2.88:999\"} 1");
	assert_line("tlsfail_failures_total{cause=\"unknown\",role=\"client\","
		    "peer=\"192.0.2.88:1000\"} 2");
	assert_line("tlsfail_failures_total{cause=\"unknown\",role=\"client\",peer=\"other\"} 1");
}

static void plus_fail(struct finding *f)
{
	strcpy(f->executable_name, "nginx");
	f->phase = "hello";
	metrics_failure(metrics, f);
}

/* The counters of NGINX Plus: by server, and by peer of an upstream. */
static void test_plus(void **state)
{
	static struct finding f;
	struct finding_endpoint peer = { "192.0.2.7", 8443 };

	(void)state;
	begin(0);
	host.counters.n[TLSFAIL_N_CLIENT_OK] = 7;
	host.counters.n[TLSFAIL_N_SERVER_OK] = 8;
	f = (struct finding){ .role = "server", .cause = "client-cert-verify-failed" };
	f.local = (struct finding_endpoint){ "2001:db8::1", 443 };
	f.verify.known = f.verify.enforced = true;
	f.verify.code = 10;
	plus_fail(&f);
	f.config.place_count = 1;
	strcpy(f.config.places[0].server, "a.test b.test");
	plus_fail(&f);
	f.verify.code = 20;
	plus_fail(&f);
	f.verify.known = false;
	f.alert.known = f.alert.received = true;
	f.alert.code = 48;
	f.cause = "client-rejects-cert";
	plus_fail(&f);
	f = (struct finding){ .role = "client", .cause = "cipher-mismatch", .peer = peer };
	f.config.place_count = 1;
	strcpy(f.config.places[0].upstream, "pool");
	plus_fail(&f);
	f.cause = "handshake-timeout";
	plus_fail(&f);
	metrics_succeeded(metrics, &peer, 5);
	/* another program's, none of TLS, and noise */
	strcpy(f.executable_name, "curl");
	metrics_failure(metrics, &f);
	f.cause = "local-abort";
	plus_fail(&f);
	f = (struct finding){ .role = "server", .cause = "port-scan", .noise = true };
	plus_fail(&f);
	show();
	assert_line("nginxplus_ssl_handshakes 15");
	assert_line("nginxplus_ssl_handshakes_failed 6");
	assert_line("nginxplus_server_zone_ssl_handshakes_failed{server_zone=\"a.test\"} 3");
	assert_line("nginxplus_server_zone_ssl_verify_failures{server_zone=\"[2001:db8::1]:443\","
		    "reason=\"expired_cert\"} 1");
	assert_line("nginxplus_server_zone_ssl_verify_failures{server_zone=\"a.test\","
		    "reason=\"other\"} 1");
	assert_line("nginxplus_server_zone_ssl_peer_rejected_cert{server_zone=\"a.test\"} 1");
	assert_line("nginxplus_upstream_server_ssl_handshakes{upstream=\"pool\","
		    "server=\"192.0.2.7:8443\"} 5");
	assert_line("nginxplus_upstream_server_ssl_handshakes_failed{upstream=\"pool\","
		    "server=\"192.0.2.7:8443\"} 2");
	assert_line("nginxplus_upstream_server_ssl_no_common_cipher{upstream=\"pool\","
		    "server=\"192.0.2.7:8443\"} 1");
	assert_line("nginxplus_upstream_server_ssl_handshake_timeout{upstream=\"pool\","
		    "server=\"192.0.2.7:8443\"} 1");
	assert_line("# TYPE nginxplus_ssl_handshakes untyped");
}

/* More peers than have a row are counted together. */
static void test_plus_others(void **state)
{
	static struct finding f;

	(void)state;
	begin(0);
	for (uint16_t port = 1; port <= 258; port++) {
		f = (struct finding){ .role = "client", .cause = "cipher-mismatch" };
		f.peer = (struct finding_endpoint){ "192.0.2.7", port };
		plus_fail(&f);
	}
	show();
	assert_line("nginxplus_upstream_server_ssl_handshakes_failed{upstream=\"192.0.2.7:256\","
		    "server=\"192.0.2.7:256\"} 1");
	assert_line("nginxplus_upstream_server_ssl_handshakes_failed{upstream=\"other\","
		    "server=\"other\"} 2");
}

static void test_alerts(void **state)
{
	struct finding f = { .role = "client", .cause = "unknown", .phase = "hello" };

	(void)state;
	begin(0);
	f.alert = (struct finding_alert){ .known = true, .received = true, .code = 112 };
	metrics_failure(metrics, &f);
	f.alert = (struct finding_alert){ .known = true, .code = 255 };
	metrics_failure(metrics, &f);
	show();
	assert_line("tlsfail_alerts_total{direction=\"received\",code=\"112\","
		    "name=\"unrecognized_name\"} 1");
	assert_line("tlsfail_alerts_total{direction=\"sent\",code=\"255\",name=\"unassigned\"} 1");
}

static void test_durations(void **state)
{
	(void)state;
	begin(0);
	host.counters.latency[0] = 1;  /* below 2 us */
	host.counters.latency[7] = 2;  /* 128 to 256 us */
	host.counters.latency[8] = 4;  /* 256 to 512 us */
	host.counters.latency[25] = 8; /* 33 to 67 s */
	host.counters.latency[26] = 16;
	host.counters.latency[31] = 32;
	host.counters.latency_ns = 2500000000;
	show();
	assert_line("tlsfail_handshake_duration_seconds_bucket{le=\"0.000256\"} 3");
	assert_line("tlsfail_handshake_duration_seconds_bucket{le=\"0.000512\"} 7");
	assert_line("tlsfail_handshake_duration_seconds_bucket{le=\"33.554432\"} 7");
	assert_line("tlsfail_handshake_duration_seconds_bucket{le=\"67.108864\"} 15");
	assert_line("tlsfail_handshake_duration_seconds_bucket{le=\"+Inf\"} 63");
	assert_line("tlsfail_handshake_duration_seconds_sum 2.5");
	assert_line("tlsfail_handshake_duration_seconds_count 63");
}

static void see(uint16_t port, int64_t leaf)
{
	struct certificate_ends ends = { .leaf = leaf, .chain = leaf - 1 };

	strcpy(ends.peer.address, "2001:db8::1");
	ends.peer.port = port;
	ends.time_ns = NOW_S * NS_PER_SEC;
	metrics_certificates(metrics, &ends);
}

static void test_certificates(void **state)
{
	(void)state;
	begin(0);
	host.time_ns = NOW_S * NS_PER_SEC;
	see(443, 1000);
	see(443, 2000000000);
	show();
	assert_line("tlsfail_certificate_not_after_timestamp_seconds{peer=\"[2001:db8::1]:443\"} "
		    "2000000000");
	assert_line("tlsfail_certificate_chain_not_after_timestamp_seconds"
		    "{peer=\"[2001:db8::1]:443\"} 1999999999");
	host.time_ns += METRICS_CERT_FORGET_S * NS_PER_SEC;
	show();
	assert_non_null(strstr(page, ":443\"}"));
	host.time_ns += 1;
	show();
	assert_absent(":443\"}");
}

/* When there are too many, those that end first stay. */
static void test_most_certificates(void **state)
{
	(void)state;
	begin(0);
	host.time_ns = NOW_S * NS_PER_SEC;
	for (uint16_t port = 1; port <= METRICS_CERTS_MAX; port++)
		see(port, 3000000000 + port);
	show();
	assert_line("tlsfail_certificate_sightings_omitted_total 0");
	see(5000, 4000000000);
	see(5001, 2900000000);
	show();
	assert_line("tlsfail_certificate_sightings_omitted_total 2");
	assert_absent(":5000\"}");
	assert_absent(":1024\"}");
	assert_non_null(strstr(page, ":5001\"}"));
	assert_non_null(strstr(page, ":1023\"}"));
}

static void test_failing(void **state)
{
	const struct metrics_failing how = { 1500000000, 2500000000, 4, "sni-missing" };
	const struct metrics_failing unknown = { .failures = 1 };
	struct finding_endpoint peer = { "192.0.2.88", 1 };

	(void)state;
	begin(0);
	host.counters.n[TLSFAIL_N_RETRIED] = 6;
	metrics_failing_begin(metrics);
	metrics_failing_add(metrics, &peer, &how);
	show();
	assert_line("tlsfail_retries_total 6");
	assert_line("tlsfail_failing_peers 1");
	assert_line("tlsfail_peer_failing_since_timestamp_seconds{peer=\"192.0.2.88:1\"} 1.5");
	assert_line("tlsfail_peer_last_failure_timestamp_seconds{peer=\"192.0.2.88:1\"} 2.5");
	assert_line("tlsfail_peer_failures_in_row{peer=\"192.0.2.88:1\"} 4");
	assert_line("tlsfail_peer_failing_cause{peer=\"192.0.2.88:1\",cause=\"sni-missing\"} 1");
	metrics_failing_begin(metrics);
	for (peer.port = 1; peer.port <= METRICS_FAILING_MAX + 5; peer.port++)
		metrics_failing_add(metrics, &peer, &unknown);
	show();
	assert_line("tlsfail_failing_peers 105");
	assert_line("tlsfail_peer_failures_in_row{peer=\"192.0.2.88:100\"} 1");
	assert_absent("192.0.2.88:101");
	assert_absent("tlsfail_peer_failing_cause{");
	metrics_failing_begin(metrics);
	show();
	assert_line("tlsfail_failing_peers 0");
	assert_absent("192.0.2.88");
}

static void test_outputs(void **state)
{
	(void)state;
	begin(0);
	host.output_count = 2;
	host.counters.n[TLSFAIL_N_UNSURE] = 2;
	host.counters.n[TLSFAIL_N_UNOWNED] = 7;
	host.outputs[0] = (struct metrics_output){ .name = "text:-", .written = 5, .dropped = 1 };
	host.outputs[1] = (struct metrics_output){ .name = "json:/a\"b",
						   .dropped = 2,
						   .errors = 4,
						   .waiting = 6,
						   .waiting_bytes = 7,
						   .failing = true };
	show();
	assert_line("tlsfail_sink_events_written_total{sink=\"text:-\"} 5");
	assert_line("tlsfail_sink_events_dropped_total{sink=\"json:/a\\\"b\"} 2");
	assert_line("tlsfail_sink_errors_total{sink=\"text:-\"} 0");
	assert_line("tlsfail_sink_errors_total{sink=\"json:/a\\\"b\"} 4");
	assert_line("tlsfail_sink_queue_length{sink=\"json:/a\\\"b\"} 6");
	assert_line("tlsfail_sink_queue_size_bytes{sink=\"json:/a\\\"b\"} 7");
	assert_line("tlsfail_sink_failing{sink=\"json:/a\\\"b\"} 1");
	assert_line("tlsfail_records_lost_total{stage=\"output\",record=\"event\"} 3");
	assert_line("tlsfail_undecided_total{what=\"handshake\"} 2");
	assert_line("tlsfail_undecided_total{what=\"error\"} 7");
}

static void test_probes(void **state)
{
	(void)state;
	begin(0);
	host.probes.count = 1;
	strcpy(host.probes.items[0].name, "state_tp");
	host.probes.items[0].hits = 3;
	host.probes.items[0].run_time = 500000000;
	show();
	assert_line("tlsfail_probe_misses_total{probe=\"state_tp\"} 0");
	assert_absent("tlsfail_probe_hits");
	host.probes.timed = true;
	show();
	assert_line("tlsfail_probe_hits_total{probe=\"state_tp\"} 3");
	assert_line("tlsfail_probe_run_seconds_total{probe=\"state_tp\"} 0.5");
}

/* A page that is longer than the first buffer, and a snapshot that outlives what it was made of. */
static void test_share(void **state)
{
	struct metrics_share *share = metrics_share_new();
	char *made;
	size_t len;

	(void)state;
	assert_non_null(share);
	assert_int_equal(metrics_share_page(share, EXPOSITION_TEXT, &made, &len), -11);
	begin(METRICS_PEERS_LIMIT);
	for (uint16_t port = 1; port <= METRICS_PEERS_LIMIT; port++) {
		fail_with("client", "unknown", "hello", port);
		fail_with("client", "local-abort", "hello", port);
	}
	host.traced = 1;
	show();
	metrics_share_publish(share, metrics);
	metrics_share_publish(share, metrics);
	host.traced = 2;
	metrics_host_set(metrics, &host);
	assert_int_equal(metrics_share_page(share, EXPOSITION_TEXT, &made, &len), 0);
	assert_true(len > 64 * 1024);
	assert_int_equal(len, strlen(made));
	assert_string_equal(made, page);
	free(made);
	metrics_share_free(share);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_results, teardown),
		cmocka_unit_test_teardown(test_peers, teardown),
		cmocka_unit_test_teardown(test_most_peers, teardown),
		cmocka_unit_test_teardown(test_alerts, teardown),
		cmocka_unit_test_teardown(test_plus, teardown),
		cmocka_unit_test_teardown(test_plus_others, teardown),
		cmocka_unit_test_teardown(test_durations, teardown),
		cmocka_unit_test_teardown(test_certificates, teardown),
		cmocka_unit_test_teardown(test_most_certificates, teardown),
		cmocka_unit_test_teardown(test_failing, teardown),
		cmocka_unit_test_teardown(test_outputs, teardown),
		cmocka_unit_test_teardown(test_probes, teardown),
		cmocka_unit_test_teardown(test_share, teardown),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
