// SPDX-License-Identifier: BSD-2-Clause
/*
 * The words between collector and analyst: each comes back as it was, and what is none is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "command/message.h"

static struct message out, in;
static uint8_t buf[MESSAGE_MAX];

/* Writes out and reads it into in. Its length. */
static size_t pass(void)
{
	size_t len = message_write(&out, buf);

	memset(&in, 0xa5, sizeof(in));
	assert_true(len > 0);
	assert_true(message_read(buf, len, &in));
	assert_int_equal(in.type, out.type);
	return len;
}

/* No shorter one is taken for it, and none with more behind it. */
static void refuse_others(size_t len)
{
	for (size_t cut = 0; cut < len && cut < 4096; cut++)
		assert_false(message_read(buf, cut, &in));
	if (len < sizeof(buf)) {
		buf[len] = 0;
		assert_false(message_read(buf, len + 1, &in));
	}
}

/* Of one that has any number of items of that size. */
static void refuse_others_but(size_t len, size_t item)
{
	for (size_t cut = 4; cut < len && cut < 4096; cut++)
		assert_int_equal(message_read(buf, cut, &in), (cut - 4) % item == 0);
}

static void test_plain(void **state)
{
	(void)state;
	for (int type = 0; type < MESSAGE_TYPES; type++) {
		if (type == MESSAGE_RECORD || type == MESSAGE_FIGURES || type == MESSAGE_OUTPUTS ||
		    type == MESSAGE_PEERS || type == MESSAGE_STANDS || type == MESSAGE_STANDING)
			continue;
		out.type = (enum message_type)type;
		refuse_others(pass());
	}
	memset(buf, 0xff, sizeof(buf));
	assert_false(message_read(buf, 4, &in));
}

static void test_figures(void **state)
{
	struct message_figures *f = &out.figures;

	(void)state;
	memset(&out, 0, sizeof(out));
	out.type = MESSAGE_FIGURES;
	f->armed = true;
	f->traced = 7;
	f->records = 8;
	f->crashes = 9;
	f->counters.n[TLSFAIL_N_CLIENT_SEEN] = 10;
	f->probes.count = 2;
	strcpy(f->probes.items[1].name, "probe");
	f->process.known = true;
	f->process.cpu_s = 1.5;
	refuse_others(pass());
	f = &in.figures;
	pass();
	assert_true(f->armed && f->process.known && !f->probes.timed);
	assert_int_equal(f->traced, 7);
	assert_int_equal(f->records, 8);
	assert_int_equal(f->crashes, 9);
	assert_int_equal(f->counters.n[TLSFAIL_N_CLIENT_SEEN], 10);
	assert_int_equal(f->probes.count, 2);
	assert_string_equal(f->probes.items[1].name, "probe");
	assert_true(f->process.cpu_s > 1.4 && f->process.cpu_s < 1.6);
	/* a name without an end */
	memset(out.figures.probes.items[0].name, 'x', sizeof(out.figures.probes.items[0].name));
	assert_false(message_read(buf, message_write(&out, buf), &in));
}

static void test_outputs(void **state)
{
	static char longest[MESSAGE_WORDS_MAX + 2];
	struct message_outputs *o = &out.outputs;

	(void)state;
	memset(&out, 0, sizeof(out));
	out.type = MESSAGE_OUTPUTS;
	o->ladder = o->noise = true;
	o->queue_size = 1 << 20;
	o->count = 2;
	o->specs[0] = "text:-";
	o->specs[1] = "json:/var/log/x.json";
	refuse_others(pass());
	pass();
	o = &in.outputs;
	assert_true(o->ladder && o->noise && !o->verbose && !o->color && !o->utf8 && !o->ecs);
	assert_int_equal(o->queue_size, 1 << 20);
	assert_int_equal(o->count, 2);
	assert_string_equal(o->specs[0], "text:-");
	assert_string_equal(o->specs[1], "json:/var/log/x.json");
	memset(longest, 'x', sizeof(longest) - 1);
	out.outputs.specs[1] = longest;
	assert_false(message_read(buf, message_write(&out, buf), &in));
}

static void test_peers(void **state)
{
	(void)state;
	memset(&out, 0, sizeof(out));
	out.type = MESSAGE_PEERS;
	out.peers.clock = true;
	out.peers.count = MESSAGE_PEERS_MAX;
	for (size_t i = 0; i < out.peers.count; i++)
		out.peers.keys[i].port = (uint16_t)i;
	pass();
	assert_true(in.peers.clock && !in.peers.recovered);
	assert_int_equal(in.peers.count, MESSAGE_PEERS_MAX);
	assert_memory_equal(in.peers.keys, out.peers.keys, sizeof(out.peers.keys));
	/* one more than there may be, and half of one */
	assert_false(
		message_read(buf, 8 + (MESSAGE_PEERS_MAX + 1) * sizeof(out.peers.keys[0]), &in));
	assert_false(message_read(buf, 8 + sizeof(out.peers.keys[0]) / 2, &in));
}

static void test_stands(void **state)
{
	(void)state;
	memset(&out, 0, sizeof(out));
	out.type = MESSAGE_STANDS;
	out.stands.count = MESSAGE_STANDS_MAX;
	out.stands.items[1].latency_ns = 7;
	refuse_others_but(pass(), sizeof(out.stands.items[0]));
	pass();
	assert_int_equal(in.stands.count, MESSAGE_STANDS_MAX);
	assert_int_equal(in.stands.items[1].latency_ns, 7);
	assert_false(
		message_read(buf, 4 + (MESSAGE_STANDS_MAX + 1) * sizeof(out.stands.items[0]), &in));
	memset(&out, 0, sizeof(out));
	out.type = MESSAGE_STANDING;
	out.standing.processes = 3;
	refuse_others(pass());
	pass();
	assert_int_equal(in.standing.processes, 3);
}

static void test_record(void **state)
{
	(void)state;
	memset(&out, 0, sizeof(out));
	out.type = MESSAGE_RECORD;
	out.record.len = RECORD_LEN_MAX;
	memset(out.record.data, 7, sizeof(out.record.data));
	pass();
	assert_int_equal(in.record.len, RECORD_LEN_MAX);
	assert_memory_equal(in.record.data, out.record.data, RECORD_LEN_MAX);
	out.record.len = sizeof(struct tlsfail_header) - 1;
	assert_false(message_read(buf, message_write(&out, buf), &in));
}

static void test_socket(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	assert_int_equal(message_receive(ends[1], &in), 0);
	assert_int_equal(message_send_type(ends[0], MESSAGE_READY), 0);
	assert_int_equal(message_receive(ends[1], &in), 1);
	assert_int_equal(in.type, MESSAGE_READY);
	assert_int_equal(write(ends[0], "no", 2), 2);
	assert_int_equal(message_receive(ends[1], &in), -EBADMSG);
	while (message_send(ends[0], &(struct message){ .type = MESSAGE_END }, false) == 0)
		;
	assert_int_equal(message_send(ends[0], &(struct message){ .type = MESSAGE_END }, false),
			 -EAGAIN);
	while (message_receive(ends[1], &in) == 1)
		assert_int_equal(in.type, MESSAGE_END);
	close(ends[0]);
	assert_int_equal(message_receive(ends[1], &in), -EPIPE);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	cmocka_unit_test(test_figures),
		cmocka_unit_test(test_outputs), cmocka_unit_test(test_peers),
		cmocka_unit_test(test_record),	cmocka_unit_test(test_stands),
		cmocka_unit_test(test_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
