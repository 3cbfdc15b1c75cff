/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flat form of places: what is written is read again, what does not fit is counted, and bytes
 * that are none are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "program/nginx/place.h"

static struct nginx_places places;
static struct nginx_places again;

static struct nginx_words words(const char *string)
{
	return (struct nginx_words){ string, (uint32_t)strlen(string) };
}

/* Two places, the first with all that there can be. */
static int setup(void **state)
{
	struct nginx_place *p = &places.items[0];

	(void)state;
	places = (struct nginx_places){ .count = 2, .more = 5 };
	*p = (struct nginx_place){
		.module = NGINX_MODULE_GRPC,
		.certainty = NGINX_LIKELY,
		.changed = true,
		.line = 77,
		.file = words("/etc/nginx/nginx.conf"),
		.location = words("location /"),
		.server = words("a.test"),
		.target = words("grpcs://pool"),
		.upstream = words("pool"),
		.upstream_file = words("/etc/nginx/up.conf"),
		.upstream_line = 8,
		.peer_name = words("b.test"),
		.value_count = 1,
		.spot_count = 1,
		.note_count = 1,
	};
	p->values[0] =
		(struct nginx_value){ NGINX_SSL_CRL, true, true, 9, words("f"), words("x y") };
	p->spots[0] = (struct nginx_spot){
		.setting = NGINX_PASS,
		.shared = true,
		.line = 3,
		.from = 1,
		.to = 4,
		.file = words("f"),
		.text = words("abcdef"),
	};
	p->notes[0] = (struct nginx_note){ NGINX_NOTE_ENDS, NGINX_SSL_CERTIFICATE, -5, words("w") };
	places.items[1] = (struct nginx_place){ .line = 78 };
	return 0;
}

static size_t write_all(uint8_t *buf, size_t size)
{
	size_t len = 0;

	assert_true(nginx_places_write(&places, buf, size, &len));
	return len;
}

static void assert_words(const struct nginx_words *w, const char *string)
{
	assert_true(nginx_words_are(w, string));
}

static void test_round_trip(void **state)
{
	const struct nginx_place *p = &again.items[0];
	uint8_t buf[4096];
	size_t len = write_all(buf, sizeof(buf));

	(void)state;
	assert_true(nginx_places_read(buf, len, &again));
	assert_int_equal(again.count, 2);
	assert_int_equal(again.more, 5);
	assert_int_equal(p->module, NGINX_MODULE_GRPC);
	assert_int_equal(p->certainty, NGINX_LIKELY);
	assert_true(p->changed);
	assert_int_equal(p->line, 77);
	assert_words(&p->file, "/etc/nginx/nginx.conf");
	assert_words(&p->location, "location /");
	assert_words(&p->server, "a.test");
	assert_words(&p->target, "grpcs://pool");
	assert_words(&p->upstream, "pool");
	assert_words(&p->upstream_file, "/etc/nginx/up.conf");
	assert_int_equal(p->upstream_line, 8);
	assert_words(&p->peer_name, "b.test");
	assert_words(&nginx_place_value(p, NGINX_SSL_CRL)->value, "x y");
	assert_int_equal(nginx_place_value(p, NGINX_SSL_CRL)->line, 9);
	assert_null(nginx_place_value(p, NGINX_SSL_VERIFY));
	assert_words(&nginx_place_spot(p, NGINX_PASS)->text, "abcdef");
	assert_int_equal(nginx_place_spot(p, NGINX_PASS)->to, 4);
	assert_true(nginx_place_spot(p, NGINX_PASS)->shared);
	assert_null(nginx_place_spot(p, NGINX_SSL_CRL));
	assert_int_equal(p->notes[0].kind, NGINX_NOTE_ENDS);
	assert_int_equal(p->notes[0].number, -5);
	assert_int_equal(again.items[1].line, 78);
}

/* Cut anywhere, or with bytes behind its end, it is refused. */
static void test_cut(void **state)
{
	uint8_t buf[4096];
	size_t len = write_all(buf, sizeof(buf));

	(void)state;
	for (size_t i = 0; i < len; i++) {
		uint8_t *copy = malloc(i ? i : 1);

		assert_non_null(copy);
		memcpy(copy, buf, i);
		assert_false(nginx_places_read(copy, i, &again));
		free(copy);
	}
	buf[len] = 0;
	assert_false(nginx_places_read(buf, len + 1, &again));
}

static void test_out_of_range(void **state)
{
	uint8_t buf[4096];
	size_t len;

	(void)state;
	places.items[0].module = NGINX_MODULE_COUNT;
	len = write_all(buf, sizeof(buf));
	assert_false(nginx_places_read(buf, len, &again));
	setup(NULL);
	places.items[0].values[0].setting = NGINX_SETTING_COUNT;
	len = write_all(buf, sizeof(buf));
	assert_false(nginx_places_read(buf, len, &again));
	setup(NULL);
	places.items[0].spots[0].setting = NGINX_SETTING_COUNT;
	len = write_all(buf, sizeof(buf));
	assert_false(nginx_places_read(buf, len, &again));
	setup(NULL);
	places.items[0].spots[0].to = 7;
	len = write_all(buf, sizeof(buf));
	assert_false(nginx_places_read(buf, len, &again));
	setup(NULL);
	places.items[0].spots[0].from = 5;
	len = write_all(buf, sizeof(buf));
	assert_false(nginx_places_read(buf, len, &again));
	setup(NULL);
	places.items[0].notes[0].kind = NGINX_NOTE_KIND_COUNT;
	len = write_all(buf, sizeof(buf));
	assert_false(nginx_places_read(buf, len, &again));
}

static void test_what_does_not_fit(void **state)
{
	uint8_t buf[4096];
	size_t whole = write_all(buf, sizeof(buf)), len = 0;

	(void)state;
	/* The first does not fit any more; the second is much smaller. */
	len = write_all(buf, whole - 1);
	assert_true(nginx_places_read(buf, len, &again));
	assert_int_equal(again.count + again.more, 7);
	assert_int_equal(again.count, 1);
	len = 0;
	assert_false(nginx_places_write(&places, buf, 7, &len));
	assert_int_equal(len, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip),
		TEST(test_cut),
		TEST(test_out_of_range),
		TEST(test_what_does_not_fit),
	};

	return cmocka_run_group_tests_name("nginxplace", tests, NULL, NULL);
}
