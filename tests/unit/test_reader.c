/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of JSON, read back: those that tlsfail writes, and those that somebody else made up.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "finding/reader.h"
#include "finding_set.h"
#include "output/sink.h"
#include "base/text.h"

static struct reader reader;

static int read_line(const char *line)
{
	return reader_read(&reader, line, strlen(line));
}

static void test_no_events(void **state)
{
	static const char *const lines[] = {
		"", "{", "[]", "7", "{}", "{\"event.name\":7}", "null", "{\"message\":\"x\"}"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(read_line(lines[i]), -EBADMSG);
	assert_int_equal(read_line("{\"event.name\":\"something.new\"}"), READER_OTHER);
	assert_int_equal(read_line("{\"event.name\":\"tlsfail.goodbye\",\"message\":\"why\"}"),
			 READER_GOODBYE);
	assert_string_equal(reader.message, "why");
}

/* Of another type, of no sense, too long, and not for a terminal. */
static void test_hostile(void **state)
{
	static char line[FINDING_MESSAGE_LEN * 4];

	(void)state;
	assert_int_equal(
		read_line("{\"event.name\":\"tls.handshake.failure\",\"error.type\":7,"
			  "\"@timestamp\":\"2026-13-01T00:00:00Z\",\"message\":[],"
			  "\"network.peer.port\":70000,\"tlsfail.timeline\":[7,{\"dir\":\"up\"}],"
			  "\"tlsfail.candidates\":[{}],\"tlsfail.evidence\":[1],"
			  "\"nginx.config.places\":[\":\",\"\",\"x\"]}"),
		READER_FINDING);
	assert_string_equal(reader.finding.cause, "unknown");
	assert_int_equal(reader.finding.time_ns, 0);
	assert_int_equal(reader.finding.peer.port, 0);
	assert_string_equal(reader.finding.timeline[1].dir, "local");
	assert_string_equal(reader.finding.candidates[0], "unknown");

	assert_int_equal(read_line("{\"event.name\":\"tls.handshake.failure\","
				   "\"error.type\":\"x\\u001b[31m\",\"message\":\"a\\u001b]0;b\\n"
				   "\\\\x1b\\u202e\",\"tlsfail.patch\":\"-a\\n+b\\u0007\\n\"}"),
			 READER_FINDING);
	assert_string_equal(reader.finding.cause, "unknown");
	assert_string_equal(reader.finding.message, "a\\x1b]0;b\\x0a\\x1b\\xe2\\x80\\xae");
	assert_string_equal(reader.finding.config.patch, "-a\n+b\\x07\n");

	strcpy(line, "{\"event.name\":\"tls.handshake.failure\",\"message\":\"");
	memset(line + strlen(line), 'x', FINDING_MESSAGE_LEN * 2);
	strcat(line, "\"}");
	assert_int_equal(read_line(line), READER_FINDING);
	assert_int_equal(strlen(reader.finding.message), FINDING_MESSAGE_LEN - 1);
}

/* What the reader does not keep apart may not come from the line before. */
static void test_nothing_stays(void **state)
{
	(void)state;
	assert_int_equal(read_line("{\"event.name\":\"tls.handshake.failure\",\"tlsfail.hint\":"
				   "\"h\",\"tls.client.server_name\":\"n\"}"),
			 READER_FINDING);
	assert_int_equal(read_line("{\"event.name\":\"tls.handshake.failure\"}"), READER_FINDING);
	assert_string_equal(reader.finding.hint, "");
	assert_false(reader.finding.hello.has_server_name);
}

static void test_standing(void **state)
{
	static const struct sink_options options;
	static struct standing standing;
	static char line[SINK_FINDING_LEN];
	struct text text;

	(void)state;
	standing.time_ns = TIME_NS;
	standing.has_totals = true;
	standing.client_done = 7;
	standing.server_failed = 3;
	standing.noise = 2;
	standing.peer_count = STANDING_PEERS_MAX;
	for (unsigned int i = 0; i < STANDING_PEERS_MAX; i++) {
		struct standing_peer *p = &standing.peers[i];

		SET(p->peer.address, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
		p->peer.port = (uint16_t)(60000 + i);
		p->done = p->failed = p->streak = UINT32_MAX;
		p->last_done_ns = p->last_failed_ns = TIME_NS;
		p->latency_ns = INT64_MAX;
		p->not_after = -i;
	}
	standing.cause_count = 1;
	SET(standing.causes[0].slug, "verify-expired");
	standing.causes[0].count = 9;
	/* however many peers there are, it fits */
	text_init(&text, line, sizeof(line));
	sink_type_socket.standing(&options, &standing, &text);
	assert_false(text.cut);
	assert_int_equal(reader_read(&reader, line, text.len), READER_STANDING);
	assert_memory_equal(&reader.standing, &standing, sizeof(standing));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_events),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_nothing_stays),
		cmocka_unit_test(test_standing),
	};

	return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
