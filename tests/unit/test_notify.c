/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the service manager is told: a real datagram socket takes it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture.h"
#include "fixture.h"
#include "system/notify.h"

/* A socket at that path, or for "@..." of that abstract name. */
static int listen_at(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	size_t len = strlen(path);

	assert_true(fd >= 0 && len < sizeof(at.sun_path));
	memcpy(at.sun_path, path, len);
	if (*path == '@')
		at.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&at,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
			 0);
	return fd;
}

static void assert_arrives(const char *path)
{
	char got[64] = "";
	int fd = listen_at(path);

	assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
	notify_send("READY=1\nSTATUS=tracing");
	assert_true(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT) > 0);
	assert_string_equal(got, "READY=1\nSTATUS=tracing");
	close(fd);
}

static void test_send(void **state)
{
	char abstract[64];

	(void)state;
	assert_arrives(fixture_path("notify"));
	snprintf(abstract, sizeof(abstract), "@tlsfail-test-%d", (int)getpid());
	assert_arrives(abstract);
}

static void test_nobody_asked(void **state)
{
	const char *said;

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	capture_begin(STDERR_FILENO);
	notify_send("READY=1");
	said = capture_end();
	assert_string_equal(said, "");
}

static void test_nobody_there_is_told_once(void **state)
{
	const char *said;

	(void)state;
	setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
	capture_begin(STDERR_FILENO);
	notify_send("READY=1");
	notify_send("WATCHDOG=1");
	said = capture_end();
	assert_string_equal(said,
			    "tlsfail: cannot notify the service manager (/nonexistent/notify): "
			    "No such file or directory\n");
}

static void test_watchdog(void **state)
{
	char pid[16];

	(void)state;
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	assert_false(notify_wants_watchdog());
	setenv("WATCHDOG_USEC", "30000000", 1);
	assert_true(notify_wants_watchdog());
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_true(notify_wants_watchdog());
	setenv("WATCHDOG_PID", "1", 1);
	assert_false(notify_wants_watchdog());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_send),
		cmocka_unit_test(test_nobody_asked),
		cmocka_unit_test(test_nobody_there_is_told_once),
		cmocka_unit_test(test_watchdog),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
