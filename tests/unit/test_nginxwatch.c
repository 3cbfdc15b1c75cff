/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a failed connection of a worker to the places of its configuration: which version of it counts,
 * what is told once only, and what is taken back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "fakenginx.h"
#include "fixture.h"
#include "program/nginx/live/places.h"
#include "program/nginx/live/watch.h"
#include "program/nginx/place.h"

static struct nginxwatch *watch;
static struct nginxplaces *finder;
static struct fakenginx nginx;
static struct nginx_places places;
static unsigned int emitted;

static void conf_write(const char *content)
{
	assert_int_equal(fixture_write("nginx.conf", content, strlen(content)), 0);
}

static const char first_conf[] = "http {\n"
				 "  server {\n"
				 "    listen 443 ssl;\n"
				 "    server_name app.test;\n"
				 "    location /v1/ {\n"
				 "      proxy_pass https://192.0.2.1:8443;\n"
				 "    }\n"
				 "  }\n"
				 "}\n";
static const char second_conf[] = "http { server {\n"
				  "location /v2/ { proxy_pass https://192.0.2.1:8443; } } }\n";

static int setup(void **state)
{
	(void)state;
	conf_write(first_conf);
	nginx = fakenginx_start(fixture_path("nginx.conf"), NULL);
	watch = nginxwatch_new();
	emitted = 0;
	return watch ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	nginxwatch_free(watch);
	nginxplaces_free(finder);
	finder = NULL;
	fakenginx_stop(&nginx);
	return 0;
}

static struct tlsfail_conn conn_of(pid_t pid)
{
	struct tlsfail_conn conn = {
		.h = { TLSFAIL_REC_CONN, TLSFAIL_ABI_VERSION, sizeof(conn) },
		.pid = (uint32_t)pid,
		.role = TLSFAIL_ROLE_CLIENT,
		.family = 2,
		.lport = 50000,
		.rport = 8443,
		.laddr = { 127, 0, 0, 1 },
		.raddr = { 192, 0, 2, 1 },
	};

	return conn;
}

/* Of the record, which has to be there, and is not for long. */
static void places_take(const struct tlsfail_nginx *record, pid_t pid)
{
	static uint8_t data[TLSFAIL_NGINX_DATA];

	assert_non_null(record);
	assert_int_equal(record->h.type, TLSFAIL_REC_NGINX);
	assert_int_equal(record->pid, pid);
	assert_true(record->data_len <= sizeof(data));
	memcpy(data, record->data, record->data_len);
	assert_true(nginx_places_read(data, record->data_len, &places));
}

static void look_at(const struct tlsfail_conn *conn)
{
	places_take(nginxwatch_look(watch, conn, true, ""), (pid_t)conn->pid);
}

static void assert_place(const char *location, uint32_t line)
{
	assert_int_equal(places.count, 1);
	assert_true(nginx_words_are(&places.items[0].location, location));
	assert_true(nginx_words_are(&places.items[0].file, fixture_path("nginx.conf")));
	assert_int_equal(places.items[0].line, line);
}

static void test_place(void **state)
{
	struct tlsfail_conn conn = conn_of(nginx.worker);

	(void)state;
	look_at(&conn);
	assert_place("location /v1/", 6);
	assert_int_equal(places.items[0].certainty, NGINX_CERTAIN);
	assert_false(places.items[0].changed);
	/* it still holds */
	assert_null(nginxwatch_look(watch, &conn, true, ""));
	/* about another peer, or another name, it says nothing */
	assert_non_null(nginxwatch_look(watch, &conn, true, "other.test"));
	conn.rport = 9443;
	look_at(&conn);
	assert_int_equal(places.count, 0);
}

/* A connection that was accepted is one of the server block. */
static void test_server(void **state)
{
	struct tlsfail_conn conn = conn_of(nginx.worker);

	(void)state;
	conn.role = TLSFAIL_ROLE_SERVER;
	conn.lport = 443;
	places_take(nginxwatch_look(watch, &conn, true, "app.test"), nginx.worker);
	assert_int_equal(places.count, 1);
	assert_int_equal(places.items[0].module, NGINX_MODULE_SERVER);
	assert_true(nginx_words_are(&places.items[0].server, "app.test"));
}

/* A worker runs what its master had read before it was forked; a later one what has been changed. */
static void test_reload(void **state)
{
	struct tlsfail_conn first = conn_of(nginx.worker), second;

	(void)state;
	look_at(&first);
	assert_place("location /v1/", 6);
	conf_write(second_conf);
	fakenginx_reload(&nginx);
	second = conn_of(nginx.worker);
	look_at(&second);
	assert_place("location /v2/", 2);
	first.rport = 8444;
	assert_non_null(nginxwatch_look(watch, &first, true, ""));
	first.rport = 8443;
	assert_non_null(nginxwatch_look(watch, &first, true, "x.test"));
	look_at(&first);
	assert_place("location /v1/", 6);
}

/* Read for the first time after it had been changed: it may not be what the worker runs. */
static void test_changed(void **state)
{
	const struct timespec while_ = { .tv_nsec = 300000000 };
	struct tlsfail_conn conn = conn_of(nginx.worker);

	(void)state;
	nanosleep(&while_, NULL);
	conf_write(second_conf);
	look_at(&conn);
	assert_place("location /v2/", 2);
	assert_true(places.items[0].changed);
}

static void test_unknown(void **state)
{
	struct tlsfail_conn conn = conn_of(1);

	(void)state;
	assert_null(nginxwatch_look(watch, &conn, true, ""));
	conn.pid = 0x7fffffff;
	assert_null(nginxwatch_look(watch, &conn, true, ""));
}

static void test_unreadable(void **state)
{
	struct tlsfail_conn conn = conn_of(nginx.worker);

	(void)state;
	conf_write("http {");
	assert_null(nginxwatch_look(watch, &conn, true, ""));
	assert_null(nginxwatch_look(watch, &conn, true, ""));
	/* what the next worker runs can be read */
	conf_write(first_conf);
	fakenginx_reload(&nginx);
	conn = conn_of(nginx.worker);
	look_at(&conn);
	assert_place("location /v1/", 6);
}

/* Of one that has ended what is known still holds. */
static void test_ended(void **state)
{
	struct tlsfail_conn conn = conn_of(nginx.worker);

	(void)state;
	look_at(&conn);
	fakenginx_stop(&nginx);
	assert_null(nginxwatch_look(watch, &conn, true, ""));
	look_at(&(struct tlsfail_conn){ .pid = conn.pid,
					.role = TLSFAIL_ROLE_CLIENT,
					.family = 2,
					.rport = 8443,
					.raddr = { 192, 0, 2, 2 } });
	assert_int_equal(places.count, 0);
}

/* More peers than there is room for: what fell out is told again. */
static void test_many_peers(void **state)
{
	struct tlsfail_conn conn = conn_of(nginx.worker);

	(void)state;
	look_at(&conn);
	for (uint16_t i = 0; i < TLSFAIL_NGINX_SLOTS; i++) {
		conn.rport = (uint16_t)(10000 + i);
		assert_non_null(nginxwatch_look(watch, &conn, true, ""));
	}
	conn.rport = 8443;
	look_at(&conn);
	assert_place("location /v1/", 6);
}

/* More masters than configurations are kept. */
static void test_many_masters(void **state)
{
	struct fakenginx others[9];

	(void)state;
	for (size_t i = 0; i < 9; i++) {
		struct tlsfail_conn conn;

		others[i] = fakenginx_start(fixture_path("nginx.conf"), NULL);
		conn = conn_of(others[i].worker);
		look_at(&conn);
		assert_place("location /v1/", 6);
	}
	for (size_t i = 0; i < 9; i++) {
		struct tlsfail_conn conn = conn_of(others[i].worker);

		conn.raddr[3] = 9;
		conn.rport = 1;
		look_at(&conn);
		assert_int_equal(places.count, 0);
		fakenginx_stop(&others[i]);
	}
}

/* -- in a thread of its own -------------------------------------------------------------------- */

static void emit(void *context, const struct tlsfail_nginx *record)
{
	assert_ptr_equal(context, &emitted);
	emitted++;
	places_take(record, (pid_t)record->pid);
}

/* Until it is there, however busy the machine is. */
static void find(const struct tlsfail_conn *conn, unsigned int wanted)
{
	for (int i = 0; i < 100 && emitted < wanted; i++)
		nginxplaces_look(finder, conn, true, "", emit, &emitted);
	assert_int_equal(emitted, wanted);
}

static void test_finder(void **state)
{
	struct tlsfail_conn conn = conn_of(nginx.worker);

	(void)state;
	assert_int_equal(nginxplaces_new(&finder), 0);
	find(&conn, 1);
	assert_place("location /v1/", 6);
	/* neither while it is fresh, nor as long as it holds */
	nginxplaces_look(finder, &conn, true, "", emit, &emitted);
	assert_int_equal(emitted, 1);
	conn.role = TLSFAIL_ROLE_SERVER;
	conn.lport = 443;
	find(&conn, 2);
	assert_int_equal(places.items[0].module, NGINX_MODULE_SERVER);
	conn.pid = 1;
	nginxplaces_look(finder, &conn, true, "", emit, &emitted);
	assert_int_equal(emitted, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_server, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reload, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unreadable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ended, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_peers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_masters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_finder, setup, teardown),
	};

	return cmocka_run_group_tests_name("nginxwatch", tests, fakenginx_setup, fixture_teardown);
}
