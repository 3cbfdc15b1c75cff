/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records put together: wire bytes with their connection, the process, the host, the clock, and
 * what earlier connections tell of a later one. Tables are bounded; how large they are is not what
 * is tested, but who has to go when they are full.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "diagnose/correlate.h"

#define PID 4242

#define NS_PER_MS  1000000ULL
#define NS_PER_SEC 1000000000ULL

/* More than any table holds. */
#define MANY 2000

static struct correlator *correlator;
static struct failure failure;

static int setup(void **state)
{
	(void)state;
	correlator = correlator_new();
	return correlator ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	correlator_free(correlator);
	return 0;
}

static void feed(const struct decoded *record)
{
	assert_int_equal(correlator_feed(correlator, record, &failure), 0);
}

/* The bytes are the id, so that a mix-up shows. */
static void feed_wire(uint64_t id, enum tlsfail_dir dir)
{
	uint8_t data[sizeof(id) + 1];
	struct decoded record = {
		.type = TLSFAIL_REC_WIRE,
		.wire = { .id = id, .dir = dir, .cut = dir, .data = data, .len = sizeof(data) },
	};

	memcpy(data, &id, sizeof(id));
	data[sizeof(id)] = dir;
	feed(&record);
}

static struct decoded conn_make(uint64_t id)
{
	return (struct decoded){
		.type = TLSFAIL_REC_CONN,
		.conn = { .id = id, .pid = PID, .family = 2, .role = TLSFAIL_ROLE_CLIENT },
	};
}

static void feed_conn(const struct decoded *record)
{
	memset(&failure, 0xa5, sizeof(failure));
	assert_int_equal(correlator_feed(correlator, record, &failure), 1);
	assert_memory_equal(failure.conn, &record->conn, sizeof(record->conn));
}

static void feed_conn_id(uint64_t id)
{
	struct decoded record = conn_make(id);

	feed_conn(&record);
}

static void assert_capture(const struct tls_capture *capture, uint64_t id, enum tlsfail_dir dir)
{
	assert_non_null(capture->data);
	assert_int_equal(capture->len, sizeof(id) + 1);
	assert_memory_equal(capture->data, &id, sizeof(id));
	assert_int_equal(capture->data[sizeof(id)], dir);
	assert_int_equal(capture->cut, dir);
}

static void assert_no_capture(const struct tls_capture *capture)
{
	assert_null(capture->data);
	assert_int_equal(capture->len, 0);
	assert_false(capture->cut);
}

static const char *where = "";

static void feed_process(uint32_t pid, const char *exe, const char *version)
{
	struct decoded record = {
		.type = TLSFAIL_REC_PROCESS,
		.process = {
			.pid = pid,
			.exe = { exe, strlen(exe) },
			.lib = { "", 0 },
			.where = { where, (uint32_t)strlen(where) },
			.version = { version, strlen(version) },
		},
	};

	feed(&record);
}

static void feed_nginx(uint32_t slot, uint16_t port, const char *data)
{
	struct decoded record = {
		.type = TLSFAIL_REC_NGINX,
		.nginx = {
			.pid = PID,
			.slot = slot,
			.family = 2,
			.rport = port,
			.raddr = { 192, 0, 2, 1 },
			.data = (const uint8_t *)data,
			.len = strlen(data),
		},
	};

	feed(&record);
}

static void feed_log_line(uint64_t id, const char *text)
{
	struct decoded record = {
		.type = TLSFAIL_REC_LOG_LINE,
		.log_line = {
			.id = id,
			.connection = 5,
			.level = 4,
			.file = { "/error.log", strlen("/error.log") },
			.text = { text, strlen(text) },
		},
	};

	feed(&record);
}

static void feed_clock(uint64_t monotonic, uint64_t realtime)
{
	struct decoded record = {
		.type = TLSFAIL_REC_CLOCK,
		.clock = { .monotonic = monotonic, .realtime = realtime },
	};

	feed(&record);
}

static void feed_host(const char *name, size_t len)
{
	struct decoded record = { .type = TLSFAIL_REC_HOST, .host.name = { name, len } };

	feed(&record);
}

static void test_nothing_known(void **state)
{
	(void)state;
	feed_conn_id(1);
	assert_no_capture(&failure.sent);
	assert_no_capture(&failure.received);
	assert_int_equal(failure.time_ns, 0);
	assert_string_equal(failure.exe, "");
	assert_string_equal(failure.version, "");
	assert_string_equal(failure.host, "");
	assert_false(failure.repeats_elapsed);
	assert_int_equal(correlator_orphans(correlator), 0);
}

static void test_wires_are_joined(void **state)
{
	(void)state;
	feed_wire(7, TLSFAIL_DIR_SENT);
	feed_wire(7, TLSFAIL_DIR_RECEIVED);
	feed_conn_id(7);
	assert_capture(&failure.sent, 7, TLSFAIL_DIR_SENT);
	assert_capture(&failure.received, 7, TLSFAIL_DIR_RECEIVED);

	/* once: the next connection of that id has none */
	feed_conn_id(7);
	assert_no_capture(&failure.sent);
	assert_no_capture(&failure.received);
	assert_int_equal(correlator_orphans(correlator), 0);
}

static void test_wires_interleaved(void **state)
{
	(void)state;
	feed_wire(1, TLSFAIL_DIR_SENT);
	feed_wire(2, TLSFAIL_DIR_RECEIVED);
	feed_wire(3, TLSFAIL_DIR_SENT);
	feed_wire(2, TLSFAIL_DIR_SENT);
	feed_wire(1, TLSFAIL_DIR_RECEIVED);
	feed_conn_id(2);
	assert_capture(&failure.sent, 2, TLSFAIL_DIR_SENT);
	assert_capture(&failure.received, 2, TLSFAIL_DIR_RECEIVED);
	feed_conn_id(4);
	assert_no_capture(&failure.sent);
	assert_no_capture(&failure.received);
	feed_conn_id(3);
	assert_capture(&failure.sent, 3, TLSFAIL_DIR_SENT);
	assert_no_capture(&failure.received);
	feed_conn_id(1);
	assert_capture(&failure.sent, 1, TLSFAIL_DIR_SENT);
	assert_capture(&failure.received, 1, TLSFAIL_DIR_RECEIVED);
}

static void test_wires_full_size(void **state)
{
	static uint8_t data[TLSFAIL_WIRE_CAP + TLSFAIL_WIRE_CHUNK];
	struct decoded record = {
		.type = TLSFAIL_REC_WIRE,
		.wire = { .id = 9, .dir = TLSFAIL_DIR_SENT, .data = data, .len = sizeof(data) },
	};

	(void)state;
	memset(data, 0x5a, sizeof(data));
	feed(&record);
	feed_conn_id(9);
	assert_int_equal(failure.sent.len, sizeof(data));
	assert_memory_equal(failure.sent.data, data, sizeof(data));

	record.wire.len = 0;
	feed(&record);
	feed_conn_id(9);
	assert_int_equal(failure.sent.len, 0);
}

/* Bytes whose connection never comes make room, the oldest first, and each is counted. */
static void test_wires_orphaned(void **state)
{
	uint64_t kept;

	(void)state;
	for (uint64_t id = 1; id <= MANY; id++)
		feed_wire(id, TLSFAIL_DIR_RECEIVED);
	assert_in_range(correlator_orphans(correlator), 1, MANY - 64);
	kept = MANY - correlator_orphans(correlator);
	for (uint64_t id = 1; id <= MANY; id++) {
		feed_conn_id(id);
		if (id <= MANY - kept)
			assert_no_capture(&failure.received);
		else
			assert_capture(&failure.received, id, TLSFAIL_DIR_RECEIVED);
	}
	assert_int_equal(correlator_orphans(correlator), MANY - kept);

	/* all are free again */
	for (uint64_t id = 1; id <= kept; id++)
		feed_wire(id, TLSFAIL_DIR_SENT);
	assert_int_equal(correlator_orphans(correlator), MANY - kept);
}

/* A number that no connection has, in a recording that somebody made up. */
static void test_id_0(void **state)
{
	(void)state;
	feed_wire(5, TLSFAIL_DIR_SENT);
	feed_conn_id(5);
	feed_conn_id(0);
	assert_no_capture(&failure.sent);
	assert_no_capture(&failure.received);
}

#define CONTAINER "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_process(void **state)
{
	(void)state;
	feed_process(PID, "/usr/sbin/nginx", "OpenSSL 3.0.15");
	feed_process(PID + 1, "/usr/bin/curl", "");
	feed_conn_id(1);
	assert_string_equal(failure.exe, "/usr/sbin/nginx");
	assert_string_equal(failure.version, "OpenSSL 3.0.15");

	feed_process(PID, "/opt/nginx", "OpenSSL 3.5.0");
	feed_conn_id(2);
	assert_string_equal(failure.exe, "/opt/nginx");
	assert_string_equal(failure.version, "OpenSSL 3.5.0");
	assert_int_equal(failure.netns, 0);
	assert_string_equal(failure.container, "");
	where = "4026532001 " CONTAINER;
	feed_process(PID, "/opt/nginx", "");
	feed_conn_id(3);
	assert_int_equal(failure.netns, 4026532001);
	assert_string_equal(failure.container, CONTAINER);
	where = "4026532002 not-an-id";
	feed_process(PID, "/opt/nginx", "");
	feed_conn_id(4);
	assert_int_equal(failure.netns, 4026532002);
	assert_string_equal(failure.container, "");
	where = "";
}

/* What is configured is that of the process and the peer; what comes later for the slot replaces it,
 * whatever it is about. */
static void test_nginx(void **state)
{
	struct decoded conn = conn_make(1);

	(void)state;
	conn.conn.rport = 443;
	conn.conn.raddr[0] = 192;
	conn.conn.raddr[2] = 2;
	conn.conn.raddr[3] = 1;
	feed_conn(&conn);
	assert_null(failure.places);
	feed_nginx(0, 443, "first");
	feed_nginx(TLSFAIL_NGINX_SERVER_SLOT - 1, 444, "other");
	feed_conn(&conn);
	assert_int_equal(failure.places_len, 5);
	assert_memory_equal(failure.places, "first", 5);
	conn.conn.rport = 444;
	feed_conn(&conn);
	assert_memory_equal(failure.places, "other", 5);
	conn.conn.pid++;
	feed_conn(&conn);
	assert_null(failure.places);
	conn.conn.pid--;
	conn.conn.raddr[3]++;
	feed_conn(&conn);
	assert_null(failure.places);
	conn.conn.raddr[3]--;
	conn.conn.rport = 443;
	feed_nginx(0, 443, "second");
	feed_conn(&conn);
	assert_memory_equal(failure.places, "second", 6);
	/* What clients connect to is told apart from peers. */
	feed_nginx(TLSFAIL_NGINX_SERVER_SLOT, 443, "server");
	feed_conn(&conn);
	assert_memory_equal(failure.places, "second", 6);
	conn.conn.role = TLSFAIL_ROLE_SERVER;
	feed_conn(&conn);
	assert_null(failure.places);
	conn.conn.lport = 443;
	memcpy(conn.conn.laddr, conn.conn.raddr, sizeof(conn.conn.laddr));
	feed_conn(&conn);
	assert_memory_equal(failure.places, "server", 6);
	conn.conn.role = TLSFAIL_ROLE_CLIENT;
	feed_nginx(0, 445, "third");
	feed_conn(&conn);
	assert_null(failure.places);
}

/* Bytes can be looked at before the record of their connection comes. */
static void test_bytes(void **state)
{
	struct tls_capture sent;

	(void)state;
	assert_false(correlator_bytes(correlator, 1, TLSFAIL_DIR_SENT, &sent));
	feed_wire(1, TLSFAIL_DIR_RECEIVED);
	assert_false(correlator_bytes(correlator, 1, TLSFAIL_DIR_SENT, &sent));
	feed_wire(1, TLSFAIL_DIR_SENT);
	assert_true(correlator_bytes(correlator, 1, TLSFAIL_DIR_SENT, &sent));
	assert_capture(&sent, 1, TLSFAIL_DIR_SENT);
	assert_false(correlator_bytes(correlator, 0, TLSFAIL_DIR_SENT, &sent));
	feed_conn_id(1);
	assert_capture(&failure.sent, 1, TLSFAIL_DIR_SENT);
	assert_false(correlator_bytes(correlator, 1, TLSFAIL_DIR_SENT, &sent));
}

static void test_processes_oldest_out(void **state)
{
	(void)state;
	for (uint32_t pid = 1; pid <= MANY; pid++) {
		char exe[16];

		snprintf(exe, sizeof(exe), "/bin/%u", pid);
		feed_process(pid, exe, "1.1.1");
	}
	for (uint32_t pid = MANY - 63; pid <= MANY; pid++) {
		struct decoded record = conn_make(pid);
		char exe[16];

		record.conn.pid = pid;
		feed_conn(&record);
		snprintf(exe, sizeof(exe), "/bin/%u", pid);
		assert_string_equal(failure.exe, exe);
	}
	for (uint32_t pid = 1; pid <= 64; pid++) {
		struct decoded record = conn_make(pid);

		record.conn.pid = pid;
		feed_conn(&record);
		assert_string_equal(failure.exe, "");
		assert_string_equal(failure.version, "");
	}
}

/* It belongs to the connection that it names, and to no other. */
static void test_log_line(void **state)
{
	(void)state;
	feed_log_line(7, "connect() failed");
	feed_conn_id(7);
	assert_non_null(failure.log_line);
	assert_int_equal(failure.log_line->connection, 5);
	assert_int_equal(failure.log_line->level, 4);
	assert_string_equal(failure.log_line->file, "/error.log");
	assert_string_equal(failure.log_line->text, "connect() failed");

	feed_conn_id(8);
	assert_null(failure.log_line);
	feed_log_line(9, "one");
	feed_log_line(10, "another");
	feed_conn_id(9);
	assert_null(failure.log_line);
	feed_conn_id(10);
	assert_string_equal(failure.log_line->text, "another");
}

/* A line that belongs to no connection; and a connection without a number. */
static void test_log_line_alone(void **state)
{
	(void)state;
	feed_log_line(0, "connect() failed");
	feed_conn_id(0);
	assert_null(failure.log_line);
}

/* Not a process that there is, so it has no executable. */
static void test_pid_0(void **state)
{
	struct decoded record = conn_make(1);

	(void)state;
	record.conn.pid = 0;
	feed_conn(&record);
	assert_string_equal(failure.exe, "");
	assert_string_equal(failure.version, "");
	feed_process(0, "/bin/zero", "0");
	feed_conn(&record);
	assert_non_null(failure.exe);
	assert_non_null(failure.version);
}

static void test_clock(void **state)
{
	struct decoded record = conn_make(1);

	(void)state;
	record.conn.t_close = 50 * NS_PER_SEC;
	feed_conn(&record);
	assert_int_equal(failure.time_ns, 0);
	assert_int_equal(correlator_realtime(correlator, 1), 0);

	feed_clock(40 * NS_PER_SEC, 1000 * NS_PER_SEC);
	feed_conn(&record);
	assert_int_equal(failure.time_ns, 1010 * NS_PER_SEC);
	assert_int_equal(correlator_realtime(correlator, 40 * NS_PER_SEC), 1000 * NS_PER_SEC);

	/* it ended before the clocks were read */
	record.conn.t_close = 39 * NS_PER_SEC;
	feed_conn(&record);
	assert_int_equal(failure.time_ns, 999 * NS_PER_SEC);

	/* the clock was set back */
	feed_clock(60 * NS_PER_SEC, 500 * NS_PER_SEC);
	record.conn.t_close = 61 * NS_PER_SEC;
	feed_conn(&record);
	assert_int_equal(failure.time_ns, 501 * NS_PER_SEC);
}

static void test_host(void **state)
{
	static const char hostile[] = "edge\033[2J\xff-1";
	char longest[TLSFAIL_STRING_MAX];

	(void)state;
	feed_host("edge-1", 6);
	feed_conn_id(1);
	assert_string_equal(failure.host, "edge-1");
	assert_string_equal(correlator_host(correlator), "edge-1");

	feed_host(hostile, sizeof(hostile) - 1);
	feed_conn_id(2);
	assert_string_equal(failure.host, "edge\\x1b[2J\\xff-1");

	memset(longest, 'h', sizeof(longest));
	feed_host(longest, sizeof(longest));
	feed_conn_id(3);
	assert_in_range(strlen(failure.host), 253, sizeof(longest) - 1);
}

/* Feeds a connection that lasted so long; does it look like one before? */
static bool repeats(uint32_t pid, uint32_t flags, uint64_t elapsed)
{
	struct decoded record = conn_make(1);

	record.conn.pid = pid;
	record.conn.flags = flags;
	record.conn.t_start = 7 * NS_PER_SEC;
	record.conn.t_close = record.conn.t_start + elapsed;
	feed_conn(&record);
	return failure.repeats_elapsed;
}

static void test_elapsed_repeats(void **state)
{
	const uint64_t elapsed = 5 * NS_PER_SEC;

	(void)state;
	assert_false(repeats(PID, TLSFAIL_F_LOCAL_FIN, elapsed));
	assert_true(repeats(PID, TLSFAIL_F_LOCAL_FIN, elapsed + 20 * NS_PER_MS));
	assert_true(repeats(PID, TLSFAIL_F_LOCAL_FIN, elapsed - 20 * NS_PER_MS));
	assert_false(repeats(PID, TLSFAIL_F_LOCAL_FIN, elapsed + 41 * NS_PER_MS));
	assert_false(repeats(PID, TLSFAIL_F_LOCAL_FIN, elapsed - 41 * NS_PER_MS));

	/* another process has timers of its own */
	assert_false(repeats(PID + 1, TLSFAIL_F_LOCAL_FIN, elapsed));
	assert_true(repeats(PID + 1, TLSFAIL_F_LOCAL_FIN, elapsed));
}

/* What the peer ended, or what came after the handshake, is no timer of the handshake. */
static void test_elapsed_of_other_ends(void **state)
{
	const uint64_t elapsed = 5 * NS_PER_SEC;

	(void)state;
	assert_false(repeats(PID, TLSFAIL_F_PEER_FIN, elapsed));
	assert_false(repeats(PID, TLSFAIL_F_LOCAL_FIN | TLSFAIL_F_DONE, elapsed));
	assert_false(repeats(PID, TLSFAIL_F_LOCAL_FIN, elapsed));
	assert_false(repeats(PID, TLSFAIL_F_PEER_FIN, elapsed));
	assert_false(repeats(PID, TLSFAIL_F_LOCAL_FIN | TLSFAIL_F_DONE, elapsed));
}

static void test_elapsed_is_forgotten(void **state)
{
	(void)state;
	assert_false(repeats(PID, TLSFAIL_F_LOCAL_FIN, NS_PER_SEC));
	for (uint64_t i = 2; i < MANY; i++)
		assert_false(repeats(PID, TLSFAIL_F_LOCAL_FIN, i * NS_PER_SEC));
	assert_false(repeats(PID, TLSFAIL_F_LOCAL_FIN, NS_PER_SEC));
}

/* A connection of that thread fails: which attempt is it? */
static unsigned int attempt(uint32_t tid, uint32_t flags, uint64_t t_start)
{
	static uint64_t id = 100;
	struct decoded record = {
		.type = TLSFAIL_REC_CONN,
		.conn = { .id = ++id,
			  .tid = tid,
			  .flags = TLSFAIL_F_CONNECT | flags,
			  .t_start = t_start,
			  .t_close = t_start + NS_PER_MS },
	};

	assert_int_equal(correlator_feed(correlator, &record, &failure), 1);
	return failure.attempt;
}

static void test_attempts(void **state)
{
	uint64_t group;

	(void)state;
	assert_int_equal(attempt(1, 0, NS_PER_SEC), 1);
	group = failure.group;
	assert_int_equal(group, failure.conn->id);
	assert_int_equal(attempt(2, 0, NS_PER_SEC), 1);
	assert_int_not_equal(failure.group, group);
	assert_int_equal(attempt(1, TLSFAIL_F_RETRY, 2 * NS_PER_SEC), 2);
	assert_int_equal(failure.group, group);
	assert_int_equal(attempt(1, TLSFAIL_F_RETRY, 3 * NS_PER_SEC), 3);
	assert_int_equal(failure.group, group);
	/* another request */
	assert_int_equal(attempt(1, 0, 4 * NS_PER_SEC), 1);
	assert_int_equal(failure.group, failure.conn->id);
	/* what it follows was lost */
	assert_int_equal(attempt(3, TLSFAIL_F_RETRY, 4 * NS_PER_SEC), 2);
	assert_int_equal(failure.group, failure.conn->id);
	for (uint32_t tid = 4; tid < MANY; tid++)
		assert_int_equal(attempt(tid, 0, NS_PER_SEC), 1);
	assert_int_equal(attempt(3, TLSFAIL_F_RETRY, 5 * NS_PER_SEC), 2);
}

/* Its connect was not seen, so whether it is a retry is not known. */
static void test_attempt_unknown(void **state)
{
	struct decoded record = { .type = TLSFAIL_REC_CONN, .conn = { .id = 7, .tid = 1 } };

	(void)state;
	assert_int_equal(correlator_feed(correlator, &record, &failure), 1);
	assert_int_equal(failure.attempt, 0);
}

static void test_other_records(void **state)
{
	static const enum tlsfail_record_type types[] = { TLSFAIL_REC_EXEC, TLSFAIL_REC_LOSS,
							  TLSFAIL_REC_TOTALS, TLSFAIL_REC_PEER };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct decoded record = { .type = types[i] };

		feed(&record);
	}
	correlator_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_known),
		TEST(test_wires_are_joined),
		TEST(test_wires_interleaved),
		TEST(test_wires_full_size),
		TEST(test_wires_orphaned),
		TEST(test_id_0),
		TEST(test_process),
		TEST(test_nginx),
		TEST(test_bytes),
		TEST(test_processes_oldest_out),
		TEST(test_pid_0),
		TEST(test_log_line),
		TEST(test_log_line_alone),
		TEST(test_clock),
		TEST(test_host),
		TEST(test_elapsed_repeats),
		TEST(test_elapsed_of_other_ends),
		TEST(test_elapsed_is_forgotten),
		TEST(test_attempts),
		TEST(test_attempt_unknown),
		TEST(test_other_records),
	};

	return cmocka_run_group_tests_name("correlate", tests, NULL, NULL);
}
