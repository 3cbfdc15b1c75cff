/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way in: what is put before a record so that the stream is complete, once each, and in order. Without
 * a kernel side: its maps are not there, or are made by the test.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "command/intake.h"
#include "fakenginx.h"
#include "fixture.h"
#include "scene.h"
#include "system/clock.h"

#define RECORDS_MAX 64
#define RECORD_LEN  16384

static const uint16_t modern[] = { TLS_VERSION_1_3, 0 };

static struct fakenginx nginx;
static struct target_set targets;
static struct discovery *discovery;
static struct outputs *outputs;
static struct pipeline *pipeline;
static struct intake *intake;
static struct scene scene;
static int counters_fd, peers_fd;

/* What came out. */
static struct {
	struct tlsfail_header h;
	char bytes[RECORD_LEN];
} records[RECORDS_MAX];
static size_t record_count;

static void emit(void *context, const void *record, size_t len)
{
	const struct tlsfail_header *h = record;

	assert_ptr_equal(context, &targets);
	assert_int_equal(h->len, len);
	assert_true(record_count < RECORDS_MAX && len <= RECORD_LEN);
	records[record_count].h = *h;
	memcpy(records[record_count].bytes, record, len);
	record_count++;
	if (h->type != TLSFAIL_REC_LOG_LINE && h->type != TLSFAIL_REC_NGINX) {
		char buf[128];
		struct text problem;

		text_init(&problem, buf, sizeof(buf));
		assert_int_equal(pipeline_feed(pipeline, record, len, &problem), 0);
	}
}

static void start(const char *const *logs, size_t log_count)
{
	const struct pipeline_options all = { .roles = PIPELINE_CLIENT | PIPELINE_SERVER };
	struct outputs_options wanted = { .queue_size = 1 << 20, .count = 1 };
	const struct discovery_options found = { .set = &targets, .any_user = true };
	struct intake_options options = {
		.targets = &targets,
		.counters_fd = counters_fd,
		.peers_fd = peers_fd,
		.error_logs = logs,
		.error_log_count = log_count,
		.roles = PIPELINE_CLIENT | PIPELINE_SERVER,
		.emit = emit,
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
	assert_int_equal(discovery_new(&found, &discovery), 0);
	options.discovery = discovery;
	options.pipeline = pipeline;
	assert_int_equal(intake_open(&options, &intake, &error), 0);
}

static int setup(void **state)
{
	(void)state;
	counters_fd = peers_fd = -1;
	record_count = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	intake_close(intake);
	discovery_free(discovery);
	pipeline_close(pipeline);
	outputs_close(outputs);
	target_set_clear(&targets);
	fakenginx_stop(&nginx);
	intake = NULL;
	discovery = NULL;
	pipeline = NULL;
	outputs = NULL;
	if (counters_fd >= 0)
		close(counters_fd);
	if (peers_fd >= 0)
		close(peers_fd);
	return 0;
}

/* A failed connection of that process. */
static void conn_give(pid_t pid, uint64_t id)
{
	scene_begin(&scene);
	scene_client_hello(&scene, NULL, modern);
	scene.conn.h = (struct tlsfail_header){ TLSFAIL_REC_CONN, TLSFAIL_ABI_VERSION,
						sizeof(scene.conn) };
	scene.conn.id = id;
	scene.conn.pid = (uint32_t)pid;
	scene.conn.t_start = clock_monotonic();
	scene.conn.t_close = scene.conn.t_start + NS_PER_MS;
	intake_record(intake, &scene.conn, sizeof(scene.conn));
}

static size_t count_of(uint16_t type)
{
	size_t count = 0;

	for (size_t i = 0; i < record_count; i++)
		count += records[i].h.type == type;
	return count;
}

/* The types of all that came out, in order; ends with 0. */
static void assert_types(const uint16_t *types)
{
	size_t i = 0;

	for (; types[i]; i++) {
		assert_true(i < record_count);
		assert_int_equal(records[i].h.type, types[i]);
	}
	assert_int_equal(record_count, i);
}

static void test_begin(void **state)
{
	static const uint16_t types[] = { TLSFAIL_REC_CLOCK, TLSFAIL_REC_HOST, 0 };
	const struct tlsfail_host *host = (const void *)records[1].bytes;
	struct utsname uts;

	(void)state;
	start(NULL, 0);
	assert_int_equal(intake_begin(intake), 0);
	assert_types(types);
	assert_int_equal(uname(&uts), 0);
	assert_int_equal(host->name_len, strlen(uts.nodename));
}

/* A process comes before its first connection, and once. */
static void test_process(void **state)
{
	static const uint16_t types[] = { TLSFAIL_REC_PROCESS, TLSFAIL_REC_CONN, TLSFAIL_REC_CONN,
					  0 };
	const struct tlsfail_process *process = (const void *)records[0].bytes;

	(void)state;
	start(NULL, 0);
	conn_give(getpid(), 1);
	conn_give(getpid(), 2);
	assert_types(types);
	assert_int_equal(process->pid, getpid());
	assert_true(process->exe_len > 0);
	assert_int_equal(intake_records(intake), 2);
}

/* One that has ended cannot be described, and its connection comes all the same. */
static void test_process_gone(void **state)
{
	static const uint16_t types[] = { TLSFAIL_REC_CONN, 0 };

	(void)state;
	start(NULL, 0);
	conn_give(0x7fffffff, 1);
	assert_types(types);
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
	start(NULL, 0);
	conn_give(getpid(), 1);
	intake_record(intake, &exec, sizeof(exec));
	conn_give(getpid(), 2);
	assert_types(types);
	/* it is looked at soon */
	assert_true(intake_wait_ms(intake, 1000) < 1000);
	for (int i = 0; i < 200 && intake_wait_ms(intake, 1000) < 1000; i++) {
		intake_turn(intake);
		poll(NULL, 0, 25);
	}
	assert_int_equal(intake_wait_ms(intake, 1000), 1000);
	assert_false(discovery_seen(discovery));
}

/* The place in the configuration comes before the connection. */
static void test_nginx(void **state)
{
	static const char conf[] = "http { server { location /v1/ {\n"
				   "proxy_pass https://192.0.2.88:8443; } } }\n";
	static const uint16_t types[] = { TLSFAIL_REC_PROCESS, TLSFAIL_REC_NGINX, TLSFAIL_REC_CONN,
					  0 };

	(void)state;
	assert_int_equal(fixture_write("nginx.conf", conf, sizeof(conf) - 1), 0);
	nginx = fakenginx_start(fixture_path("nginx.conf"), NULL);
	start(NULL, 0);
	conn_give(nginx.worker, 1);
	assert_types(types);
	/* what was told still holds */
	conn_give(nginx.worker, 2);
	assert_int_equal(count_of(TLSFAIL_REC_NGINX), 1);
	assert_int_equal(count_of(TLSFAIL_REC_CONN), 2);
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
	static const uint16_t types[] = { TLSFAIL_REC_PROCESS, TLSFAIL_REC_LOG_LINE,
					  TLSFAIL_REC_CONN, 0 };
	char path[256];
	const char *logs[] = { path };

	(void)state;
	snprintf(path, sizeof(path), "%s", fixture_path("error.log"));
	assert_int_equal(fixture_write("error.log", "", 0), 0);
	start(logs, 1);
	conn_give(getpid(), 1);
	assert_int_equal(count_of(TLSFAIL_REC_CONN), 0);
	line_write(getpid(), 8443);
	line_write(getpid(), 9999);
	intake_turn(intake);
	intake_finish(intake, false);
	assert_types(types);
}

static void test_ticks(void **state)
{
	(void)state;
	start(NULL, 0);
	assert_int_equal(intake_begin(intake), 0);
	record_count = 0;
	/* neither has the clock been set, nor is anything known to be lost */
	intake_tick(intake);
	assert_int_equal(count_of(TLSFAIL_REC_LOSS), 0);
	assert_int_equal(count_of(TLSFAIL_REC_PEER), 0);
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
	const struct tlsfail_loss *loss = (const void *)records[0].bytes;
	struct tlsfail_counters counters;

	(void)state;
	if (!maps_make())
		skip(); /* BPF maps take privileges */
	start(NULL, 0);
	counters_set(TLSFAIL_N_LOST_CONN, 5);
	intake_lose(intake, &wire);
	assert_int_equal(intake_counters(intake, &counters), 0);
	assert_int_equal(counters.n[TLSFAIL_N_LOST_CONN], 5);
	assert_int_equal(counters.n[TLSFAIL_N_LOST_WIRE], 1);
	assert_int_equal(intake_begin(intake), 0);
	record_count = 0;
	intake_tick(intake);
	assert_int_equal(count_of(TLSFAIL_REC_LOSS), 1);
	assert_int_equal(loss->lost.conns, 5);
	assert_int_equal(loss->lost.wires, 1);
	intake_tick(intake);
	assert_int_equal(count_of(TLSFAIL_REC_LOSS), 1);
	counters_set(TLSFAIL_N_LOST_CONN, 7);
	intake_finish(intake, true);
	assert_int_equal(count_of(TLSFAIL_REC_LOSS), 2);
	assert_int_equal(count_of(TLSFAIL_REC_TOTALS), 1);
	assert_int_equal(records[record_count - 1].h.type, TLSFAIL_REC_TOTALS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_begin), TEST(test_process),	TEST(test_process_gone), TEST(test_exec),
		TEST(test_nginx), TEST(test_error_log), TEST(test_ticks),	 TEST(test_losses),
	};

	return cmocka_run_group_tests_name("intake", tests, fakenginx_setup, fixture_teardown);
}
