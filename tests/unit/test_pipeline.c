/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records in, findings and a summary out; what becomes of records that are none, and of findings
 * that nobody takes. That the findings are right is what the recordings in tests/golden prove.
 */
#define _DEFAULT_SOURCE /* strsep() */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "capture.h"
#include "command/pipeline.h"
#include "scene.h"

#define HEADER(type, record)                                                                       \
	{                                                                                          \
		TLSFAIL_REC_##type, TLSFAIL_ABI_VERSION, sizeof(record)                            \
	}

static const uint16_t modern[] = { TLS_VERSION_1_3, 0 };

static struct scene scene;
/* no folding, no certificates */
static const struct pipeline_options all_told = { .roles = PIPELINE_CLIENT | PIPELINE_SERVER };
static struct outputs *outputs;
static struct pipeline *pipeline;
static int reader; /* of what the sink writes */
static int writer;

static int open_with(const struct pipeline_options *pipeline_options)
{
	struct outputs_options options = { .specs = { "json:-" }, .count = 1 };
	char error[256];
	struct text t;
	int fds[2];

	text_init(&t, error, sizeof(error));
	if (pipe(fds))
		return -1;
	reader = fds[0];
	writer = fds[1];
	options.sink.fd = writer;
	if (fcntl(reader, F_SETFL, O_NONBLOCK))
		return -1;
	return outputs_open(&options, &outputs, &t) ||
	       pipeline_open(outputs, pipeline_options, &pipeline);
}

static int setup(void **state)
{
	(void)state;
	return open_with(&all_told);
}

static int setup_folding(void **state)
{
	static const struct pipeline_options folding = {
		.roles = PIPELINE_CLIENT,
		.fold_ns = 60000000000,
	};

	(void)state;
	return open_with(&folding);
}

static int teardown(void **state)
{
	(void)state;
	pipeline_close(pipeline);
	outputs_close(outputs);
	close(writer);
	if (reader >= 0)
		close(reader);
	return 0;
}

static void reader_go(void)
{
	close(reader);
	reader = -1;
}

static int feed(const void *record, size_t len)
{
	char buf[128];
	struct text problem;
	int err;

	text_init(&problem, buf, sizeof(buf));
	err = pipeline_feed(pipeline, record, len, &problem);
	assert_int_equal(problem.len, 0);
	return err;
}

static void feed_clock_at(uint64_t ms)
{
	struct tlsfail_clock clock = { .h = HEADER(CLOCK, clock),
				       .monotonic = SCENE_MS(ms),
				       .realtime = SCENE_TIME_NS + (ms - 12) * 1000000 };

	assert_int_equal(feed(&clock, sizeof(clock)), 0);
}

static void feed_clock(void)
{
	feed_clock_at(12);
}

static void feed_wire(enum tlsfail_dir dir, const struct direction *bytes)
{
	struct tlsfail_wire wire = { .h = HEADER(WIRE, wire), .id = 1, .dir = dir };

	wire.data_len = bytes->len;
	wire.h.len = TLSFAIL_WIRE_FIXED + bytes->len;
	assert_true(bytes->len <= sizeof(wire.data));
	memcpy(wire.data, bytes->bytes, bytes->len);
	assert_int_equal(feed(&wire, wire.h.len), 0);
}

/* The peer asks for a name: sni-missing. */
static int feed_failure(void)
{
	scene_begin(&scene);
	scene_client_hello(&scene, NULL, modern);
	scene_alert(&scene.received, 112);
	scene_end(&scene);
	feed_wire(TLSFAIL_DIR_SENT, &scene.sent);
	feed_wire(TLSFAIL_DIR_RECEIVED, &scene.received);
	return feed(&scene.conn, sizeof(scene.conn));
}

/* What nginx logged about the connection of that number. */
static void feed_log_line(uint64_t id, const char *text)
{
	static const char file[] = "/var/log/nginx/error.log";
	union {
		struct tlsfail_log_line fixed;
		char bytes[sizeof(struct tlsfail_log_line) + 256];
	} r = { .fixed = { .id = id, .connection = 5, .level = 4 } };

	r.fixed.file_len = sizeof(file) - 1;
	r.fixed.text_len = strlen(text);
	memcpy(r.fixed.data, file, r.fixed.file_len);
	memcpy(r.fixed.data + r.fixed.file_len, text, r.fixed.text_len);
	r.fixed.h = (struct tlsfail_header)HEADER(LOG_LINE, r.fixed);
	r.fixed.h.len += r.fixed.file_len + r.fixed.text_len;
	assert_int_equal(feed(&r, r.fixed.h.len), 0);
}

/* A client goes away, after the bytes that the scene has. */
static int feed_client(void)
{
	scene_turn(&scene);
	scene.conn.flags |= TLSFAIL_F_TLS | TLSFAIL_F_PEER_FIN;
	scene_end(&scene);
	feed_wire(TLSFAIL_DIR_RECEIVED, &scene.received);
	return feed(&scene.conn, sizeof(scene.conn));
}

static int feed_refused(void)
{
	scene_begin(&scene);
	scene.conn.flags = TLSFAIL_F_CONNECT | TLSFAIL_F_REFUSED;
	scene_end(&scene);
	return feed(&scene.conn, sizeof(scene.conn));
}

static int feed_loss(void)
{
	struct tlsfail_loss loss = { .h = HEADER(LOSS, loss), .t = SCENE_MS(12), .lost.conns = 7 };

	return feed(&loss, sizeof(loss));
}

static void feed_totals(const struct tlsfail_totals *totals)
{
	struct tlsfail_totals record = *totals;

	record.h = (struct tlsfail_header)HEADER(TOTALS, record);
	assert_int_equal(feed(&record, sizeof(record)), 0);
}

/* The one object that was written since, the caller's to json_decref(). */
static json_t *take(void)
{
	static char line[16384];
	ssize_t len = read(reader, line, sizeof(line) - 1);
	json_error_t error;
	json_t *object;

	assert_true(len > 0);
	line[len] = '\0';
	assert_ptr_equal(strchr(line, '\n'), line + len - 1);
	object = json_loads(line, 0, &error);
	assert_non_null(object);
	return object;
}

/* Of several objects that were written since, the first; take_next() gives those after it, then NULL. */
static char *rest;

static json_t *take_next(void)
{
	char *line = strsep(&rest, "\n");

	return line && *line ? json_loads(line, 0, NULL) : NULL;
}

static json_t *take_first(void)
{
	static char lines[65536];
	ssize_t len = read(reader, lines, sizeof(lines) - 1);

	assert_true(len > 0);
	lines[len] = '\0';
	rest = lines;
	return take_next();
}

static void assert_nothing_written(void)
{
	char byte;

	assert_int_equal(read(reader, &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
}

static void assert_member(const json_t *object, const char *key, const char *want)
{
	const json_t *member = json_object_get(object, key);

	assert_non_null(member);
	assert_string_equal(json_string_value(member), want);
}

static void assert_summary(const char *want)
{
	capture_begin(STDERR_FILENO);
	pipeline_summary(pipeline);
	assert_string_equal(capture_end(), want);
}

static void test_a_failure_comes_out(void **state)
{
	struct output_counts counts;
	json_t *object;

	(void)state;
	feed_clock();
	assert_nothing_written();
	assert_int_equal(feed_failure(), 0);
	object = take();
	assert_member(object, "error.type", "sni-missing");
	assert_member(object, "@timestamp", "2026-01-02T15:04:05.000000000Z");
	assert_member(object, "tls.alert.name", "unrecognized_name");
	json_decref(object);
	assert_int_equal(pipeline_findings(pipeline), 1);
	assert_true(outputs_counts(outputs, 0, &counts));
	assert_int_equal(counts.written, 1);
	assert_int_equal(counts.dropped, 0);
	assert_false(outputs_counts(outputs, 1, &counts));
}

static void test_a_line_of_error_log_comes_out(void **state)
{
	json_t *object;

	(void)state;
	feed_log_line(1, "SSL_do_handshake() failed \x1b\xff");
	assert_nothing_written();
	assert_int_equal(feed_failure(), 0);
	object = take();
	assert_member(object, "nginx.error_log.level", "error");
	assert_member(object, "nginx.error_log.message", "SSL_do_handshake() failed \\x1b\\xff");
	assert_member(object, "nginx.error_log.file", "/var/log/nginx/error.log");
	assert_int_equal(json_integer_value(json_object_get(object, "nginx.connection")), 5);
	json_decref(object);
	assert_int_equal(feed_failure(), 0);
	object = take();
	assert_null(json_object_get(object, "nginx.error_log.message"));
	json_decref(object);
}

static void test_a_loss_comes_out(void **state)
{
	json_t *object;

	(void)state;
	feed_clock();
	assert_int_equal(feed_loss(), 0);
	object = take();
	assert_member(object, "event.name", "tlsfail.loss");
	assert_member(object, "@timestamp", "2026-01-02T15:04:05.000000000Z");
	json_decref(object);
	assert_int_equal(pipeline_findings(pipeline), 0);
}

static void test_other_records_are_taken(void **state)
{
	struct tlsfail_exec exec = { .h = HEADER(EXEC, exec), .pid = 1, .comm = "nginx" };

	(void)state;
	assert_int_equal(feed(&exec, sizeof(exec)), 0);
	feed_totals(&(struct tlsfail_totals){ 0 });
	assert_nothing_written();
	assert_int_equal(pipeline_findings(pipeline), 0);
}

/* The first comes out, the others are counted: by the clock, and at the end. All are findings. */
static void test_failures_are_folded(void **state)
{
	json_t *object;

	(void)state;
	feed_clock();
	assert_int_equal(pipeline_deadline(pipeline), 0);
	assert_int_equal(feed_failure(), 0);
	json_decref(take());
	assert_int_equal(feed_failure(), 0);
	assert_int_equal(feed_failure(), 0);
	assert_nothing_written();
	assert_int_equal(pipeline_deadline(pipeline), SCENE_MS(60012));
	feed_clock_at(60011);
	assert_nothing_written();
	feed_clock_at(62000);
	object = take();
	assert_member(object, "event.name", "tlsfail.folded");
	assert_int_equal(json_integer_value(json_object_get(object, "tlsfail.suppressed")), 2);
	json_decref(object);
	assert_int_equal(feed_failure(), 0);
	assert_nothing_written();
	assert_int_equal(pipeline_finish(pipeline), 0);
	object = take();
	assert_member(object, "error.type", "sni-missing");
	assert_int_equal(json_integer_value(json_object_get(object, "tlsfail.suppressed")), 1);
	json_decref(object);
	assert_int_equal(pipeline_findings(pipeline), 4);
}

/* The records of several CPUs are not quite in order: a late one does not turn the clock back. */
static void test_time_goes_forward_only(void **state)
{
	(void)state;
	feed_clock_at(30000);
	feed_clock_at(12);
	assert_int_equal(feed_failure(), 0); /* closed at 12 ms */
	json_decref(take());
	assert_int_equal(pipeline_deadline(pipeline), SCENE_MS(90000));
}

/* What is folded of a peer is reported before its recovery, what is folded of another is not. */
static void test_folded_comes_before_the_recovery(void **state)
{
	struct tlsfail_peer record = { .h = HEADER(PEER, record), .t = SCENE_MS(9000) };
	json_t *object;

	(void)state;
	feed_clock();
	for (int i = 0; i < 3; i++) {
		scene_begin(&scene);
		scene.conn.flags = TLSFAIL_F_CONNECT | TLSFAIL_F_REFUSED;
		scene_end(&scene);
		scene.conn.peer = (struct tlsfail_peer_counts){ .t_first = SCENE_MS(1),
								.t_failing = SCENE_MS(1),
								.t_failed = SCENE_MS(12),
								.failed = 3 + (unsigned int)i,
								.streak = 3 + (unsigned int)i };
		scene.conn.rport = i < 2 ? 8443 : 9443;
		assert_int_equal(feed(&scene.conn, sizeof(scene.conn)), 0);
		if (i != 1)
			json_decref(take());
	}
	assert_nothing_written();
	memcpy(record.key.addr, scene.conn.raddr, sizeof(record.key.addr));
	record.key.family = scene.conn.family;
	record.key.port = 8443;
	record.n = (struct tlsfail_peer_counts){ .t_first = SCENE_MS(1),
						 .t_failed = SCENE_MS(12),
						 .t_done = SCENE_MS(8000),
						 .done = 1,
						 .failed = 4 };
	assert_int_equal(feed(&record, sizeof(record)), 0);
	object = take_first();
	assert_member(object, "event.name", "tlsfail.folded");
	assert_int_equal(json_integer_value(json_object_get(object, "network.peer.port")), 8443);
	json_decref(object);
	object = take_next();
	assert_member(object, "event.name", "tlsfail.peer.recovered");
	json_decref(object);
	assert_null(take_next());
}

static void assert_refused(const void *record, size_t len, int want)
{
	char buf[128];
	struct text problem;

	text_init(&problem, buf, sizeof(buf));
	assert_int_equal(pipeline_feed(pipeline, record, len, &problem), want);
	assert_true(problem.len > 0);
	assert_false(problem.cut);
}

/* They are named, and what comes after them is taken. */
static void test_records_that_are_none(void **state)
{
	struct tlsfail_clock clock = { .h = HEADER(CLOCK, clock) };
	struct tlsfail_nginx nginx = { .h = HEADER(NGINX, nginx), .family = 2 };

	(void)state;
	assert_refused(&nginx, sizeof(nginx), -EBADMSG); /* not even the number of its places */
	assert_refused(&clock, 0, -EBADMSG);
	assert_refused(&clock, sizeof(clock) - 1, -EBADMSG);
	clock.h.version = TLSFAIL_ABI_VERSION + 1;
	assert_refused(&clock, sizeof(clock), -EPROTONOSUPPORT);
	clock.h.version = TLSFAIL_ABI_VERSION;
	clock.h.type = 99;
	assert_refused(&clock, sizeof(clock), -ENOMSG);
	assert_nothing_written();

	assert_int_equal(feed_failure(), 0);
	json_decref(take());
}

/* The error is told once; from then on findings are counted. */
static void test_reader_gone(void **state)
{
	(void)state;
	assert_int_equal(feed_failure(), 0);
	reader_go();
	assert_int_equal(feed_failure(), -EPIPE);
	assert_int_equal(feed_failure(), 0);
	assert_int_equal(feed_loss(), 0);
	assert_int_equal(pipeline_findings(pipeline), 3);
	assert_summary("tlsfail: 3 failed; the totals are missing\n"
		       "tlsfail:   3 sni-missing\n"
		       "tlsfail: 3 findings were not written: json:- did not accept them\n");
}

static void test_sink_that_does_not_open(void **state)
{
	struct outputs_options options = { .specs = { "text:-" }, .count = 1 };
	struct outputs *none = NULL;
	char error[256];
	struct text t;

	(void)state;
	text_init(&t, error, sizeof(error));
	options.sink.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_true(options.sink.fd >= 0);
	assert_int_equal(outputs_open(&options, &none, &t), -ENOSPC);
	assert_non_null(strstr(error, "cannot write the output"));
	assert_null(none);
	close(options.sink.fd);
	outputs_close(NULL);
	pipeline_close(NULL);
}

static void test_summary_of_nothing(void **state)
{
	(void)state;
	assert_summary("tlsfail: 0 failed; the totals are missing\n");
	feed_totals(&(struct tlsfail_totals){ 0 });
	assert_summary("tlsfail: 0 handshakes seen, 0 failed; refused connections: 0\n"
		       "tlsfail: 0 records received, 0 records lost\n");
}

/* How it stands, in between. */
static void test_status(void **state)
{
	(void)state;
	assert_int_equal(feed_failure(), 0);
	assert_int_equal(feed_refused(), 0);
	capture_begin(STDERR_FILENO);
	pipeline_status(pipeline);
	assert_non_null(strstr(capture_end(), " 2 failures "));
}

/* With the options that the test is given. */
static int setup_with(void **state)
{
	return open_with(*state);
}

static struct pipeline_options periodic = { .roles = PIPELINE_CLIENT, .summary_ns = 60000000000 };
static struct pipeline_options seen = { .roles = PIPELINE_CLIENT, .certs = { .seen = true } };

/* Each peer that has failed has an event in each interval. */
static void test_periodic_summary(void **state)
{
	unsigned int peers = 0;
	json_t *event;

	(void)state;
	feed_clock_at(12);
	for (uint8_t i = 0; i < 5; i++) {
		scene_begin(&scene);
		scene.conn.flags = TLSFAIL_F_CONNECT | TLSFAIL_F_REFUSED;
		scene.conn.raddr[3] = (uint8_t)(100 + i);
		scene.conn.peer = (struct tlsfail_peer_counts){ .t_first = SCENE_MS(1),
								.t_failed = SCENE_MS(12),
								.t_failing = SCENE_MS(12),
								.failed = 1,
								.streak = 1 };
		scene_end(&scene);
		assert_int_equal(feed(&scene.conn, sizeof(scene.conn)), 0);
	}
	for (event = take_first(); event; event = take_next())
		json_decref(event);
	assert_true(pipeline_summary_is_due(pipeline, SCENE_MS(70000)));
	feed_clock_at(70000);
	for (event = take_first(); event; event = take_next(), peers++) {
		assert_member(event, "event.name", "tlsfail.summary");
		json_decref(event);
	}
	assert_int_equal(peers, 5);
}

/* The certificates of a handshake that works, once for each peer. */
static void test_certificates(void **state)
{
	struct tlsfail_certs certs = { .h = HEADER(CERTS, certs),
				       .id = 1,
				       .t = SCENE_MS(12),
				       .pid = SCENE_PID,
				       .cert_count = 1,
				       .family = 2,
				       .rport = 8443,
				       .raddr = { 192, 0, 2, 88 } };
	struct direction der = { .len = 0 };
	json_t *event;

	(void)state;
	scene_begin(&scene);
	scene_certificate(&scene, &(struct certificate_spec){ "api.test", "CA", -60, 86400 });
	assert_true(scene.cert_lens[0] < sizeof(der.bytes));
	memcpy(der.bytes, scene.certs[0], scene.cert_lens[0]);
	der.len = (uint32_t)scene.cert_lens[0];
	scene_free(&scene);
	feed_clock();
	for (int i = 0; i < 2; i++) {
		feed_wire(TLSFAIL_DIR_CERT, &der);
		assert_int_equal(feed(&certs, sizeof(certs)), 0);
	}
	event = take();
	assert_member(event, "event.name", "tls.certificate.seen");
	assert_member(event, "tls.server.subject", "CN=api.test");
	assert_int_equal(json_integer_value(json_object_get(event, "network.peer.port")), 8443);
	json_decref(event);
	assert_nothing_written();
}

/* A refused connection was no handshake; causes are in the order of the table. */
static void test_summary_of_failures(void **state)
{
	(void)state;
	assert_int_equal(feed_failure(), 0);
	assert_int_equal(feed_failure(), 0);
	assert_int_equal(feed_refused(), 0);
	feed_totals(&(struct tlsfail_totals){ .client_seen = 5, .client_done = 3, .records = 7 });
	assert_summary("tlsfail: 5 handshakes seen, 2 failed; refused connections: 1\n"
		       "tlsfail:   2 sni-missing\n"
		       "tlsfail:   1 connection-refused\n"
		       "tlsfail: 7 records received, 0 records lost\n");
}

static void test_summary_of_losses(void **state)
{
	(void)state;
	assert_int_equal(feed_loss(), 0);
	feed_totals(&(struct tlsfail_totals){
		.records = 1,
		.lost = { .conns = 7, .wires = 2, .untracked = 3, .execs = 4 },
	});
	assert_summary("tlsfail: 0 handshakes seen, 0 failed; refused connections: 0\n"
		       "tlsfail: 1 records received, 16 records lost\n"
		       "tlsfail:   7 failures, 2 wire records, 3 connections not followed, 4 "
		       "process starts\n");
}

static int setup_server(void **state)
{
	static const struct pipeline_options server = { .roles = PIPELINE_SERVER, .noise = true };

	(void)state;
	return open_with(&server);
}

/* Noise is counted, and told to those who want all; the other role is not even counted. */
static void test_noise(void **state)
{
	json_t *object;

	(void)state;
	assert_int_equal(feed_failure(), 0);
	assert_nothing_written();
	scene_begin(&scene);
	assert_int_equal(feed_client(), 0);
	object = take();
	assert_member(object, "error.type", "port-scan");
	assert_member(object, "tlsfail.role", "server");
	json_decref(object);
	assert_int_equal(pipeline_findings(pipeline), 1);
	feed_totals(&(struct tlsfail_totals){ .client_seen = 3, .server_seen = 2 });
	assert_summary("tlsfail: 2 handshakes seen as the server, 0 failed; noise: 1\n"
		       "tlsfail:   1 port-scan\n"
		       "tlsfail: 0 records received, 0 records lost\n");
}

static void test_summary_of_a_server(void **state)
{
	(void)state;
	scene_begin(&scene);
	assert_int_equal(feed_client(), 0);
	assert_nothing_written();
	scene_begin(&scene);
	scene_client_hello(&scene, "api.test", modern);
	assert_int_equal(feed_client(), 0);
	assert_int_equal(pipeline_findings(pipeline), 1);
	feed_totals(&(struct tlsfail_totals){ .server_seen = 9, .server_failed = 2 });
	assert_summary(
		"tlsfail: 0 handshakes seen, 0 failed; refused connections: 0\n"
		"tlsfail: 9 handshakes seen as the server, 1 failed; noise (-v shows it): 1\n"
		"tlsfail:   1 port-scan\n"
		"tlsfail:   1 client-closed-in-handshake\n"
		"tlsfail: 0 records received, 0 records lost\n");
}

static void test_summary_of_error_log(void **state)
{
	(void)state;
	feed_log_line(1, "SSL_do_handshake() failed");
	assert_int_equal(feed_failure(), 0);
	feed_log_line(0, "SSL_do_handshake() failed");
	feed_log_line(0, "SSL_do_handshake() failed");
	assert_summary("tlsfail: 1 failed; the totals are missing\n"
		       "tlsfail:   1 sni-missing\n"
		       "tlsfail: error.log: findings with a matching line: 1; SSL lines without a "
		       "finding: 2\n");
}

/* The wire bytes of a connection whose own record was lost. */
static void test_summary_of_orphans(void **state)
{
	struct direction bytes = { .len = 1 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		feed_wire(TLSFAIL_DIR_SENT, &bytes);
	feed_totals(&(struct tlsfail_totals){ 0 });
	capture_begin(STDERR_FILENO);
	pipeline_summary(pipeline);
	assert_non_null(strstr(capture_end(), " wire records arrived without their connection\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_failure_comes_out),
		TEST(test_a_line_of_error_log_comes_out),
		TEST(test_a_loss_comes_out),
		TEST(test_other_records_are_taken),
		cmocka_unit_test_setup_teardown(test_failures_are_folded, setup_folding, teardown),
		cmocka_unit_test_setup_teardown(test_time_goes_forward_only, setup_folding,
						teardown),
		cmocka_unit_test_setup_teardown(test_folded_comes_before_the_recovery,
						setup_folding, teardown),
		TEST(test_records_that_are_none),
		TEST(test_reader_gone),
		TEST(test_sink_that_does_not_open),
		TEST(test_summary_of_nothing),
		TEST(test_summary_of_failures),
		TEST(test_summary_of_losses),
		TEST(test_summary_of_a_server),
		TEST(test_summary_of_error_log),
		cmocka_unit_test_setup_teardown(test_noise, setup_server, teardown),
		TEST(test_summary_of_orphans),
		cmocka_unit_test_setup_teardown(test_status, setup, teardown),
		cmocka_unit_test_prestate_setup_teardown(test_periodic_summary, setup_with,
							 teardown, &periodic),
		cmocka_unit_test_prestate_setup_teardown(test_certificates, setup_with, teardown,
							 &seen),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
