/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is asked once more, and how often: which failures leave something open, once for each peer and
 * cause in an interval, one after the other. That the answers are right is for the tests with a tracer.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "command/confirm.h"
#include "command/prober.h"
#include "diagnosis.h"
#include "program/nginx/nginx.h"
#include "program/nginx/place.h"
#include "system/clock.h"

#define INTERVAL (60 * NS_PER_S)
#define QUEUE	 8 /* that wait, at most */

static struct confirm *confirm;
static struct finding settled;
static uint8_t data[TLSFAIL_NGINX_DATA];
static size_t data_len;
static uint64_t now;

static int setup(void **state)
{
	int prober;

	(void)state;
	now = 1000 * NS_PER_S;
	return prober_start(&prober) ? -1 : confirm_open(prober, INTERVAL, &confirm);
}

static int teardown(void **state)
{
	(void)state;
	confirm_close(confirm);
	confirm_close(NULL);
	return 0;
}

/* A location that passes to the peer. */
static void places_write(void)
{
	struct nginx_places places = { .count = 1 };
	struct nginx_place *place = &places.items[0];

	place->file = (struct nginx_words){ "/nginx.conf", 11 };
	place->location = (struct nginx_words){ "location /", 10 };
	place->target = (struct nginx_words){ "https://192.0.2.88:8443", 23 };
	place->line = 7;
	data_len = 0;
	assert_true(nginx_places_write(&places, data, sizeof(data), &data_len));
}

/* An alert that more than one cause fits, from a location, in a process that does not live any more. */
static void fail_openly(void)
{
	begin_hello();
	scene_alert(&scene.received, 40);
	scene.conn.pid = 0x7ffffffe;
	places_write();
	scene_end(&scene);
	scene.failure.places = data;
	scene.failure.places_len = data_len;
	scene.failure.program = &program_nginx;
	memset(&finding, 0, sizeof(finding));
	diagnose(&scene.failure, &work, &finding);
	assert_true(finding.candidate_count > 0);
	assert_true(finding.confidence < CONFIDENCE_HIGH);
}

static void offer(void)
{
	confirm_offer(confirm, &scene.failure, &finding, now);
}

/* Until nothing is asked any more. Of a process that is gone nothing can be known. */
static void answer_all(void)
{
	for (int i = 0; i < 500 && confirm_waits(confirm); i++) {
		assert_false(confirm_poll(confirm, &settled));
		poll(NULL, 0, 10);
	}
	assert_false(confirm_waits(confirm));
}

static void test_asked(void **state)
{
	(void)state;
	assert_false(confirm_waits(confirm));
	assert_false(confirm_poll(confirm, &settled));
	fail_openly();
	offer();
	assert_true(confirm_waits(confirm));
	answer_all();
}

static void test_nothing_open(void **state)
{
	(void)state;
	/* of what is certain */
	fail_openly();
	finding.confidence = CONFIDENCE_HIGH;
	offer();
	/* of what has one cause only */
	fail_openly();
	finding.candidate_count = 0;
	offer();
	/* where it is not known as whom */
	fail_openly();
	scene.failure.places = NULL;
	offer();
	fail_openly();
	finding.config.place_count = 0;
	offer();
	/* of a client: nobody is there to be asked */
	fail_openly();
	scene.conn.role = TLSFAIL_ROLE_SERVER;
	offer();
	assert_false(confirm_waits(confirm));
}

static void test_interval(void **state)
{
	(void)state;
	fail_openly();
	offer();
	answer_all();
	now += INTERVAL / 2;
	offer();
	assert_false(confirm_waits(confirm));
	/* another peer, another cause */
	scene.conn.rport++;
	offer();
	assert_true(confirm_waits(confirm));
	answer_all();
	scene.conn.rport--;
	finding.cause = "another";
	offer();
	assert_true(confirm_waits(confirm));
	answer_all();
	/* the interval is over */
	fail_openly();
	now += INTERVAL;
	offer();
	assert_true(confirm_waits(confirm));
	answer_all();
}

/* What finds no room is not asked, but may be later. */
static void test_queue(void **state)
{
	(void)state;
	fail_openly();
	for (int i = 0; i < QUEUE; i++) {
		offer();
		scene.conn.rport++;
	}
	offer();
	answer_all();
	offer();
	assert_true(confirm_waits(confirm));
	answer_all();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_asked),
		TEST(test_nothing_open),
		TEST(test_interval),
		TEST(test_queue),
	};

	return cmocka_run_group_tests_name("confirm", tests, NULL, NULL);
}
