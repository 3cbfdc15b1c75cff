/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a timeline says of flights that come when the handshake is just done: times have microseconds,
 * and a handshake's last flight may have the very one in which it was done.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "diagnosis.h"

#define DONE_US		 9000
#define CHANGE_CIPHER	 20
#define APPLICATION_DATA 23
#define CLOSE_NOTIFY_LEN 24
#define ENCRYPTED_LEN	 200

static void flight_add(uint32_t dir, uint32_t t_us, size_t len)
{
	scene.conn.flights[scene.conn.flight_count++] =
		(struct tlsfail_flight){ .t_us = t_us, .len = (uint32_t)len, .dir = dir };
}

/* A handshake of TLS 1.3 that is done DONE_US after its begin, and its last flight sent at sent_us. */
static void begin_done(uint32_t sent_us)
{
	static const uint8_t change = 1, encrypted[ENCRYPTED_LEN];
	size_t hello;

	begin_hello();
	hello = scene.sent.len;
	flight_add(TLSFAIL_DIR_SENT, 1000, hello);
	scene_server_hello(&scene, TLS_VERSION_1_3);
	record_put(&scene.received, APPLICATION_DATA, encrypted, sizeof(encrypted));
	flight_add(TLSFAIL_DIR_RECEIVED, 2000, scene.received.len);
	record_put(&scene.sent, CHANGE_CIPHER, &change, sizeof(change));
	record_put(&scene.sent, APPLICATION_DATA, encrypted, sizeof(encrypted));
	flight_add(TLSFAIL_DIR_SENT, sent_us, scene.sent.len - hello);
	scene.conn.flags |= TLSFAIL_F_DONE | TLSFAIL_F_LOCAL_NOTIFY;
	scene.conn.t_done = scene.conn.t_start + DONE_US * 1000ULL + 250;
}

static unsigned int said(const char *words)
{
	unsigned int times = 0;

	for (unsigned int i = 0; i < finding.timeline_count; i++)
		times += strstr(finding.timeline[i].what, words) == finding.timeline[i].what;
	return times;
}

static void test_last_flight(void **state)
{
	static const uint32_t sent_us[] = { DONE_US - 1, DONE_US };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sent_us); i++) {
		begin_done(sent_us[i]);
		flight_add(TLSFAIL_DIR_SENT, DONE_US + 1000, CLOSE_NOTIFY_LEN);
		diagnose_scene();
		assert_int_equal(said("ChangeCipherSpec, encrypted ("), 1);
		assert_int_equal(said("close_notify (24 bytes)"), 1);
		assert_int_equal(said("close_notify"), 1);
	}
}

/* Of a later flight nothing is kept. */
static void test_at_once(void **state)
{
	(void)state;
	begin_done(DONE_US - 1);
	flight_add(TLSFAIL_DIR_SENT, DONE_US, CLOSE_NOTIFY_LEN);
	diagnose_scene();
	assert_int_equal(said("close_notify (24 bytes)"), 1);
}

/* A close_notify comes last: what was sent before it is a request. */
static void test_request_first(void **state)
{
	(void)state;
	begin_done(DONE_US - 1);
	flight_add(TLSFAIL_DIR_SENT, DONE_US + 1000, ENCRYPTED_LEN);
	flight_add(TLSFAIL_DIR_RECEIVED, DONE_US + 2000, ENCRYPTED_LEN);
	flight_add(TLSFAIL_DIR_SENT, DONE_US + 3000, CLOSE_NOTIFY_LEN);
	diagnose_scene();
	assert_int_equal(said("request (encrypted) (200 bytes)"), 1);
	assert_int_equal(said("close_notify (24 bytes)"), 1);
}

/* Of more flights than have places, the last one takes the last place. */
static void test_too_many(void **state)
{
	(void)state;
	begin_done(DONE_US - 1);
	while (scene.conn.flight_count < TLSFAIL_FLIGHTS_MAX - 1)
		flight_add(scene.conn.flight_count % 2 ? TLSFAIL_DIR_RECEIVED : TLSFAIL_DIR_SENT,
			   DONE_US + 1000 + scene.conn.flight_count, ENCRYPTED_LEN);
	flight_add(TLSFAIL_DIR_RECEIVED, DONE_US + 4000, ENCRYPTED_LEN);
	scene.conn.flight_count++;
	diagnose_scene();
	assert_int_equal(said("close_notify"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_last_flight),
		cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_request_first),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests_name("timeline", tests, NULL, NULL);
}
