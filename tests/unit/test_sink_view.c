/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The socket of live views: what one gets that comes early, late, or does not read; who is there
 * already; and how a run stands, in a line.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/queue.h"
#include "base/text.h"
#include "finding/standing.h"
#include "fixture.h"
#include "output/sink.h"
#include "output/sink_view.h"

#define VIEWS 16 /* at a time */
#define LARGE (64 * 1024)

static const struct sink_type *type = &sink_type_socket;
static struct sink *sink;
static char path[256];
static char words[512];
static struct text error;

static int open_at(const char *target)
{
	const struct sink_options options = { .fd = -1, .stop = -1 };

	text_init(&error, words, sizeof(words));
	return type->open(&options, target, &sink, &error);
}

static int setup(void **state)
{
	(void)state;
	strncpy(path, fixture_path("views"), sizeof(path) - 1);
	return open_at(path);
}

static int teardown(void **state)
{
	(void)state;
	if (sink)
		type->close(sink);
	sink = NULL;
	return 0;
}

static void say(const char *data, size_t len)
{
	const struct queue_item item = { .data = data, .len = len };
	struct sink_sent sent = { 0 };

	assert_int_equal(type->send(sink, &item, 1, &sent, &error), 0);
	assert_int_equal(sent.taken, 1);
}

static void say_line(const char *line)
{
	say(line, strlen(line));
}

/* Has the sink look at who has come. */
static void turn(void)
{
	struct sink_sent sent = { 0 };

	assert_int_equal(type->send(sink, NULL, 0, &sent, &error), 0);
}

static int view_connect(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(address.sun_path, path, strlen(path) + 1);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* What is there to be read, as a string. */
static const char *view_read(int fd)
{
	static char buf[4 * LARGE];
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	return buf;
}

/* The member of the one line, or of the first. */
static void assert_begins(const char *lines, const char *name)
{
	json_t *event = json_loads(lines, JSON_DISABLE_EOF_CHECK, NULL);

	assert_non_null(event);
	assert_string_equal(json_string_value(json_object_get(event, "event.name")), name);
	json_decref(event);
}

static void test_targets(void **state)
{
	char longer[512] = "/";

	(void)state;
	text_init(&error, words, sizeof(words));
	assert_int_equal(type->check("/run/x", &error), 0);
	assert_int_equal(type->check("-", &error), 0);
	assert_int_equal(error.len, 0);
	assert_int_equal(type->check("x", &error), -EINVAL);
	assert_non_null(strstr(words, "'x'"));
	memset(longer + 1, 'x', 200);
	assert_int_equal(type->check(longer, &error), -EINVAL);
}

/* One that comes late gets what was, but for how it stood then. */
static void test_views(void **state)
{
	static const char standing[] = "{\"event.name\":\"" STANDING_EVENT "\",\"n\":1}\n";
	int early = view_connect(), late;
	const char *lines;

	(void)state;
	turn();
	lines = view_read(early);
	assert_begins(lines, VIEW_HELLO);
	assert_ptr_equal(strchr(lines, '\n'), lines + strlen(lines) - 1);
	say_line("{\"event\":1}\n");
	say_line(standing);
	say_line("{\"event\":2}\n");
	lines = view_read(early);
	assert_non_null(strstr(lines, "{\"event\":1}\n"));
	assert_non_null(strstr(lines, standing));
	assert_non_null(strstr(lines, "{\"event\":2}\n"));
	late = view_connect();
	turn();
	lines = view_read(late);
	assert_begins(lines, VIEW_HELLO);
	assert_non_null(strstr(lines, "\n{\"event\":1}\n{\"event\":2}\n"));
	assert_null(strstr(lines, STANDING_EVENT));
	/* the end is said to both */
	type->close(sink);
	sink = NULL;
	assert_begins(view_read(early), VIEW_GOODBYE);
	assert_begins(view_read(late), VIEW_GOODBYE);
	close(early);
	close(late);
	assert_int_equal(access(path, F_OK), -1);
}

/* One that has gone is forgotten, and nobody else is disturbed. */
static void test_gone(void **state)
{
	int first = view_connect(), second = view_connect();

	(void)state;
	turn();
	close(first);
	say_line("{\"event\":1}\n");
	say_line("{\"event\":2}\n");
	assert_non_null(strstr(view_read(second), "{\"event\":2}\n"));
	close(second);
}

/* One that does not read is sent away, with the reason behind what it had begun to get. */
static void test_does_not_read(void **state)
{
	char *large = malloc(LARGE);
	int lazy = view_connect(), other = view_connect();
	const char *lines, *end;

	(void)state;
	assert_non_null(large);
	memset(large, 'x', LARGE);
	large[LARGE - 1] = '\n';
	turn();
	view_read(other);
	for (int i = 0; i < 40; i++) {
		say(large, LARGE);
		assert_true(strlen(view_read(other)) >= LARGE);
	}
	free(large);
	lines = view_read(lazy);
	turn();
	end = strrchr(lines, '{');
	if (!strstr(lines, VIEW_GOODBYE)) {
		lines = view_read(lazy);
		end = strrchr(lines, '{');
	}
	assert_non_null(end);
	assert_begins(end, VIEW_GOODBYE);
	turn();
	/* its end */
	assert_int_equal(read(lazy, words, 1), 0);
	close(lazy);
	say_line("{\"event\":3}\n");
	assert_non_null(strstr(view_read(other), "{\"event\":3}\n"));
	close(other);
}

static void test_too_many(void **state)
{
	int views[VIEWS], more;

	(void)state;
	for (size_t i = 0; i < VIEWS; i++) {
		views[i] = view_connect();
		turn();
		assert_begins(view_read(views[i]), VIEW_HELLO);
	}
	more = view_connect();
	turn();
	assert_begins(view_read(more), VIEW_GOODBYE);
	assert_int_equal(read(more, words, 1), 0);
	close(more);
	close(views[3]);
	say_line("{\"event\":1}\n");
	more = view_connect();
	turn();
	assert_begins(view_read(more), VIEW_HELLO);
	close(more);
	for (size_t i = 0; i < VIEWS; i++)
		if (i != 3)
			close(views[i]);
}

/* Others may not connect, and only a socket that nobody serves is replaced. */
static void test_place(void **state)
{
	struct sink *first = sink;
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0007, 0);
	type->close(first);
	sink = NULL;
	assert_int_equal(fixture_write("views", "x", 1), 0);
	assert_int_equal(open_at(path), -EEXIST);
	assert_non_null(strstr(words, path));
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(unlink(path), 0);
	assert_true(open_at(fixture_path("absent/views")) < 0);
	assert_non_null(strstr(words, "absent/views"));
	sink = NULL;
}

/* What a run that was killed has left is replaced. */
static void test_leftover(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), view;

	(void)state;
	type->close(sink);
	sink = NULL;
	memcpy(address.sun_path, path, strlen(path) + 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_int_equal(open_at(path), 0);
	view = view_connect();
	turn();
	assert_begins(view_read(view), VIEW_HELLO);
	close(view);
}

static void test_standing(void **state)
{
	static struct standing standing;
	static char line[65536];
	json_t *event, *peer;
	struct text t;

	(void)state;
	standing.time_ns = 5;
	standing.has_totals = true;
	standing.client_done = 7;
	standing.client_failed = 2;
	standing.lost = UINT64_MAX;
	standing.peer_count = 1;
	strcpy(standing.peers[0].peer.address, "192.0.2.1");
	standing.peers[0].peer.port = 443;
	standing.peers[0].done = 6;
	text_init(&t, line, sizeof(line));
	type->standing(&(struct sink_options){ 0 }, &standing, &t);
	assert_int_equal(line[t.len - 1], '\n');
	event = json_loads(line, 0, NULL);
	assert_non_null(event);
	assert_string_equal(json_string_value(json_object_get(event, "event.name")),
			    STANDING_EVENT);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(event, "client"), "done")), 7);
	assert_true(json_integer_value(json_object_get(event, "lost")) == INT64_MAX);
	peer = json_array_get(json_object_get(event, "peers"), 0);
	assert_string_equal(json_string_value(json_object_get(peer, "address")), "192.0.2.1");
	assert_int_equal(json_integer_value(json_object_get(peer, "done")), 6);
	/* what is not known is left out */
	assert_null(json_object_get(peer, "latency_ns"));
	json_decref(event);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_targets),
		TEST(test_views),
		TEST(test_gone),
		TEST(test_does_not_read),
		TEST(test_too_many),
		TEST(test_place),
		TEST(test_leftover),
		cmocka_unit_test(test_standing),
	};

	return cmocka_run_group_tests_name("sink_view", tests, fixture_setup, fixture_teardown);
}
