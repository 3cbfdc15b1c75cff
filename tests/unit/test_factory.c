/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each record that the collector makes is one that decode_record() takes, and says what it was made of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/decode.h"
#include "record/factory.h"

static struct decoded out;

static void assert_decodes(const void *record, enum tlsfail_record_type type)
{
	const struct tlsfail_header *h = record;
	const char *problem = NULL;

	assert_non_null(record);
	assert_int_equal(h->version, TLSFAIL_ABI_VERSION);
	if (decode_record(record, h->len, &out, &problem))
		fail_msg("%s", problem);
	assert_int_equal(out.type, type);
}

static void assert_bytes(const struct decoded_bytes *bytes, const char *want)
{
	assert_int_equal(bytes->len, strlen(want));
	assert_memory_equal(bytes->data, want, bytes->len);
}

static void test_clock(void **state)
{
	struct tlsfail_clock clock = record_clock(5, 7);

	(void)state;
	assert_decodes(&clock, TLSFAIL_REC_CLOCK);
	assert_int_equal(out.clock.monotonic, 5);
	assert_int_equal(out.clock.realtime, 7);
}

static void test_peer(void **state)
{
	const struct tlsfail_peer_key key = { .family = 2, .port = 443 };
	const struct tlsfail_peer_counts counts = { .done = 3, .failed = 4 };
	struct tlsfail_peer peer = record_peer(9, &key, &counts);

	(void)state;
	assert_decodes(&peer, TLSFAIL_REC_PEER);
	assert_int_equal(out.peer.t, 9);
	assert_memory_equal(&out.peer.key, &key, sizeof(key));
	assert_memory_equal(&out.peer.n, &counts, sizeof(counts));
}

/* Each kind of loss is one, and only what is new is told. */
static void test_loss(void **state)
{
	static const enum tlsfail_counter kinds[] = { TLSFAIL_N_LOST_CONN, TLSFAIL_N_LOST_WIRE,
						      TLSFAIL_N_LOST_EXEC, TLSFAIL_N_UNTRACKED };
	struct tlsfail_counters counters = { 0 };
	struct tlsfail_lost before = { 0 };
	struct tlsfail_loss loss;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct tlsfail_lost now;

		counters.n[kinds[i]] = 3;
		now = record_lost(&counters);
		assert_true(record_loss(1, &before, &now, &loss));
		assert_decodes(&loss, TLSFAIL_REC_LOSS);
		assert_int_equal(out.loss.lost.conns + out.loss.lost.wires + out.loss.lost.execs +
					 out.loss.lost.untracked,
				 3);
		before = now;
		assert_false(record_loss(2, &before, &now, &loss));
	}
	assert_int_equal(before.conns, 3);
	assert_int_equal(before.execs, 3);
}

static void test_totals(void **state)
{
	struct tlsfail_counters counters = { 0 };
	struct tlsfail_totals totals;

	(void)state;
	for (size_t i = 0; i < TLSFAIL_COUNTERS; i++)
		counters.n[i] = 100 + i;
	totals = record_totals(8, &counters, 99);
	assert_decodes(&totals, TLSFAIL_REC_TOTALS);
	assert_int_equal(out.totals.t, 8);
	assert_int_equal(out.totals.records, 99);
	assert_int_equal(out.totals.client_seen, 100 + TLSFAIL_N_CLIENT_SEEN);
	assert_int_equal(out.totals.client_done, 100 + TLSFAIL_N_CLIENT_DONE);
	assert_int_equal(out.totals.server_seen, 100 + TLSFAIL_N_SERVER_SEEN);
	assert_int_equal(out.totals.server_done, 100 + TLSFAIL_N_SERVER_DONE);
	assert_int_equal(out.totals.server_failed, 100 + TLSFAIL_N_SERVER_FAILED);
	assert_int_equal(out.totals.reported, 100 + TLSFAIL_N_REPORTED);
	assert_int_equal(out.totals.lost.untracked, 100 + TLSFAIL_N_UNTRACKED);
}

static void test_conn_open(void **state)
{
	struct tlsfail_conn conn = { .family = 2, .flags = TLSFAIL_F_REFUSED };

	(void)state;
	record_conn_open(&conn, 6);
	assert_decodes(&conn, TLSFAIL_REC_CONN);
	assert_int_equal(out.conn.t_close, 6);
	assert_int_equal(out.conn.flags, TLSFAIL_F_REFUSED | TLSFAIL_F_OPEN);
}

static void test_host(void **state)
{
	struct tlsfail_host *host = record_host("lab");

	(void)state;
	assert_decodes(host, TLSFAIL_REC_HOST);
	assert_bytes(&out.host.name, "lab");
	free(host);
}

static void test_process(void **state)
{
	struct tlsfail_process *process =
		record_process(7, "/nginx", "/libssl.so.3", "3.0.19", "4026531992");

	(void)state;
	assert_decodes(process, TLSFAIL_REC_PROCESS);
	assert_int_equal(out.process.pid, 7);
	assert_bytes(&out.process.exe, "/nginx");
	assert_bytes(&out.process.lib, "/libssl.so.3");
	assert_bytes(&out.process.version, "3.0.19");
	assert_bytes(&out.process.where, "4026531992");
	free(process);
	process = record_process(7, "", "", "", "");
	assert_decodes(process, TLSFAIL_REC_PROCESS);
	assert_int_equal(out.process.version.len, 0);
	free(process);
}

/* One that is too long is cut rather than refused by those who read it. */
static void test_long_strings(void **state)
{
	char *name = malloc(TLSFAIL_STRING_MAX + 2);
	struct tlsfail_process *process;
	struct tlsfail_log_line *line;

	(void)state;
	memset(name, 'x', TLSFAIL_STRING_MAX + 1);
	name[TLSFAIL_STRING_MAX + 1] = '\0';
	process = record_process(7, name, name, name, name);
	assert_decodes(process, TLSFAIL_REC_PROCESS);
	assert_int_equal(out.process.exe.len, TLSFAIL_STRING_MAX);
	free(process);
	line = record_log_line(&(struct record_line){
		.file = name, .text = name, .text_len = TLSFAIL_STRING_MAX + 1 });
	assert_decodes(line, TLSFAIL_REC_LOG_LINE);
	assert_int_equal(out.log_line.text.len, TLSFAIL_STRING_MAX);
	free(line);
	free(name);
}

static void test_log_line(void **state)
{
	struct tlsfail_log_line *line = record_log_line(&(struct record_line){
		.connection = 12,
		.pid = 7,
		.level = TLSFAIL_LOG_LEVELS - 1,
		.file = "/error.log",
		.text = "SSL_do_handshake() failed, and more",
		.text_len = 25,
	});

	(void)state;
	assert_decodes(line, TLSFAIL_REC_LOG_LINE);
	assert_int_equal(out.log_line.id, 0);
	assert_int_equal(out.log_line.connection, 12);
	assert_int_equal(out.log_line.pid, 7);
	assert_int_equal(out.log_line.level, TLSFAIL_LOG_LEVELS - 1);
	assert_bytes(&out.log_line.file, "/error.log");
	assert_bytes(&out.log_line.text, "SSL_do_handshake() failed");
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock),	     cmocka_unit_test(test_peer),
		cmocka_unit_test(test_loss),	     cmocka_unit_test(test_totals),
		cmocka_unit_test(test_conn_open),    cmocka_unit_test(test_host),
		cmocka_unit_test(test_process),	     cmocka_unit_test(test_log_line),
		cmocka_unit_test(test_long_strings),
	};

	return cmocka_run_group_tests_name("factory", tests, NULL, NULL);
}
