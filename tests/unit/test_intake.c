/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The analyst's way in: what is put before a record so that the stream is complete, once each, and in order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmocka.h>

#include "asked.h"
#include "came.h"
#include "command/intake.h"
#include "fakenginx.h"
#include "fixture.h"
#include "system/clock.h"
#include "target/target.h"

static struct fakenginx nginx;
static struct target_set targets;
static struct outputs *outputs;
static struct pipeline *pipeline;
static struct intake *intake;
static struct scene scene;
static struct message_peers asked; /* what was asked for last */
static int ask_count;

static void emit(void *context, const void *record, size_t len)
{
	const struct tlsfail_header *h = record;

	assert_ptr_equal(context, &targets);
	came_add(record, len);
	if (h->type != TLSFAIL_REC_LOG_LINE && h->type != TLSFAIL_REC_NGINX) {
		char buf[128];
		struct text problem;

		text_init(&problem, buf, sizeof(buf));
		assert_int_equal(pipeline_feed(pipeline, record, len, &problem), 0);
	}
}

static void ask(void *context, const struct message_peers *peers)
{
	assert_ptr_equal(context, &targets);
	asked = *peers;
	ask_count++;
}

static void start(const char *const *logs, size_t log_count)
{
	const struct pipeline_options all = { .roles = PIPELINE_CLIENT | PIPELINE_SERVER };
	struct outputs_options wanted = { .queue_size = 1 << 20, .count = 1 };
	static struct tlsfail_lost late;
	struct intake_options options = {
		.error_logs = logs,
		.error_log_count = log_count,
		.roles = PIPELINE_CLIENT | PIPELINE_SERVER,
		.emit = emit,
		.late = &late,
		.ask = ask,
		.context = &targets,
	};
	char buf[512], sink[512];
	struct text error;

	text_init(&error, buf, sizeof(buf));
	snprintf(sink, sizeof(sink), "json:%s", fixture_path("findings.json"));
	wanted.specs[0] = sink;
	assert_int_equal(outputs_open(&wanted, &outputs, &error), 0);
	assert_int_equal(pipeline_open(outputs, &all, &pipeline), 0);
	if (!targets.count)
		assert_int_equal(target_set_add_comm(&targets, "tlsfail-none"), 0);
	options.pipeline = pipeline;
	assert_int_equal(intake_open(&options, &intake, &error), 0);
}

static int setup(void **state)
{
	(void)state;
	ask_count = 0;
	came.count = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	intake_close(intake);
	pipeline_close(pipeline);
	outputs_close(outputs);
	target_set_clear(&targets);
	fakenginx_stop(&nginx);
	intake = NULL;
	pipeline = NULL;
	outputs = NULL;
	return 0;
}

/* A failed connection of that process. */
static void conn_give(pid_t pid, uint64_t id)
{
	came_conn(&scene, pid, id);
	scene.conn.peer = (struct tlsfail_peer_counts){ .t_first = 1, .failed = 1, .streak = 1 };
	intake_record(intake, &scene.conn, sizeof(scene.conn));
}

static void test_begin(void **state)
{
	static const uint16_t types[] = { TLSFAIL_REC_CLOCK, TLSFAIL_REC_HOST, 0 };
	const struct tlsfail_host *host = (const void *)came.items[1].bytes;
	struct utsname uts;

	(void)state;
	start(NULL, 0);
	assert_int_equal(intake_begin(intake), 0);
	came_assert_types(types);
	assert_int_equal(uname(&uts), 0);
	assert_int_equal(host->name_len, strlen(uts.nodename));
}

/* The place in the configuration comes before the connection. */
static void test_nginx(void **state)
{
	static const char conf[] = "http { server { location /v1/ {\n"
				   "proxy_pass https://192.0.2.88:8443; } } }\n";
	static const uint16_t types[] = { TLSFAIL_REC_NGINX, TLSFAIL_REC_CONN, 0 };

	(void)state;
	assert_int_equal(fixture_write("nginx.conf", conf, sizeof(conf) - 1), 0);
	nginx = fakenginx_start(fixture_path("nginx.conf"), NULL);
	start(NULL, 0);
	conn_give(nginx.worker, 1);
	came_assert_types(types);
	/* what was told still holds */
	conn_give(nginx.worker, 2);
	assert_int_equal(came_count_of(TLSFAIL_REC_NGINX), 1);
	assert_int_equal(came_count_of(TLSFAIL_REC_CONN), 2);
}

static void line_write(pid_t pid, unsigned int port)
{
	char command[512];

	snprintf(
		command, sizeof(command),
		"echo '2026/11/21 18:00:00 [error] %d#1: *1 peer closed connection in SSL handshake "
		"while SSL handshaking to upstream, client: 127.0.0.1, server: , upstream: "
		"\"https://192.0.2.88:%u/\"' >> error.log",
		(int)pid, port);
	assert_int_equal(fixture_run(command), 0);
}

/* A line comes before the connection that it is about; one that another program wrote, and that is about
 * none, is nobody's. */
static void test_error_log(void **state)
{
	static const uint16_t types[] = { TLSFAIL_REC_LOG_LINE, TLSFAIL_REC_CONN,
					  TLSFAIL_REC_TOTALS, 0 };
	const struct tlsfail_totals totals = {
		.h = { TLSFAIL_REC_TOTALS, TLSFAIL_ABI_VERSION, sizeof(totals) },
	};
	char path[256];
	const char *logs[] = { path };

	(void)state;
	snprintf(path, sizeof(path), "%s", fixture_path("error.log"));
	assert_int_equal(fixture_write("error.log", "", 0), 0);
	start(logs, 1);
	conn_give(getpid(), 1);
	assert_int_equal(came_count_of(TLSFAIL_REC_CONN), 0);
	line_write(getpid(), 8443);
	line_write(getpid(), 9999);
	intake_turn(intake);
	intake_finish(intake, false);
	assert_int_equal(ask_count, 0);
	assert_false(intake_is_over(intake));
	intake_record(intake, &totals, sizeof(totals));
	assert_true(intake_is_over(intake));
	came_assert_types(types);
}

static void test_ticks(void **state)
{
	(void)state;
	start(NULL, 0);
	assert_int_equal(intake_begin(intake), 0);
	came.count = 0;
	/* neither has the clock been set, nor is any peer known */
	intake_tick(intake);
	assert_int_equal(came.count, 0);
	assert_int_equal(ask_count, 0);
}

/* Peers that have failed are asked about, at the end all of them. */
static void test_peers(void **state)
{
	(void)state;
	start(NULL, 0);
	assert_int_equal(intake_begin(intake), 0);
	conn_give(getpid(), 1);
	intake_finish(intake, true);
	assert_int_equal(ask_count, 1);
	assert_false(asked.recovered || asked.clock);
	assert_int_equal(asked.count, 1);
	assert_int_equal(asked.keys[0].port, scene.conn.rport);
}

/* What nobody had time for is told, and is part of the totals. */
static void test_lost(void **state)
{
	struct tlsfail_wire wire = { .h = { TLSFAIL_REC_WIRE, TLSFAIL_ABI_VERSION, 0 } };
	struct tlsfail_conn conn = { .h = { TLSFAIL_REC_CONN, TLSFAIL_ABI_VERSION, 0 } };
	const struct tlsfail_totals totals = {
		.h = { TLSFAIL_REC_TOTALS, TLSFAIL_ABI_VERSION, sizeof(totals) },
		.lost = { .conns = 4 },
	};
	static const uint16_t types[] = { TLSFAIL_REC_LOSS, TLSFAIL_REC_TOTALS, 0 };
	const struct tlsfail_loss *loss = (const void *)came.items[0].bytes;
	const struct tlsfail_totals *told = (const void *)came.items[1].bytes;
	struct tlsfail_counters counters = { 0 };

	(void)state;
	start(NULL, 0);
	intake_lose(intake, &wire);
	intake_lose(intake, &conn);
	intake_lose(intake, &conn);
	intake_count_lost(intake, &counters);
	assert_int_equal(counters.n[TLSFAIL_N_LOST_CONN], 2);
	assert_int_equal(counters.n[TLSFAIL_N_LOST_WIRE], 1);
	intake_record(intake, &totals, sizeof(totals));
	came_assert_types(types);
	assert_int_equal(loss->lost.conns, 2);
	assert_int_equal(loss->lost.wires, 1);
	assert_int_equal(told->lost.conns, 6);
	assert_int_equal(told->lost.wires, 1);
}

static int group_setup(void **state)
{
	int err = fakenginx_setup(state);

	return err ? err : asked_begin(&targets);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_begin), TEST(test_nginx), TEST(test_error_log),
		TEST(test_ticks), TEST(test_peers), TEST(test_lost),
	};

	return cmocka_run_group_tests_name("intake", tests, group_setup, fixture_teardown);
}
