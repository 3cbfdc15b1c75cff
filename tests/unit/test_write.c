/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink_write_all(): everything, over short writes, and out of a wait that would never end.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sink.h"

/* Reads until the end. Exits with 0 when it was len bytes of 'x'. */
static void __attribute__((noreturn)) child_read_all(int fd, size_t len)
{
	char buf[1000];
	ssize_t got;

	alarm(30);
	while ((got = read(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			if (buf[i] != 'x')
				_exit(1);
		}
		len -= (size_t)got;
	}
	_exit(len != 0);
}

/* A non-blocking pipe with a slow reader: short writes, and waits. */
static void test_write_all_is_all(void **state)
{
	const size_t len = 1000000;
	char *buf = malloc(len);
	int fds[2];
	int status;
	pid_t child;

	(void)state;
	assert_non_null(buf);
	memset(buf, 'x', len);
	assert_int_equal(pipe(fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(fds[1]);
		child_read_all(fds[0], len);
	}
	close(fds[0]);
	assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(sink_write_all(fds[1], buf, len), 0);
	close(fds[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	free(buf);

	assert_int_equal(sink_write_all(-1, "x", 1), -EBADF);
	assert_int_equal(sink_write_all(-1, "", 0), 0);
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* A reader that never reads: a signal that is blocked otherwise ends the wait. */
static void test_write_all_is_interrupted(void **state)
{
	struct sigaction action = { .sa_handler = on_alarm };
	static char buf[1 << 20];
	sigset_t blocked;
	int fds[2];

	(void)state;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGALRM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(pipe(fds), 0);
	alarm(1);
	assert_int_equal(sink_write_all(fds[1], buf, sizeof(buf)), -EINTR);
	assert_int_equal(sigprocmask(SIG_UNBLOCK, &blocked, NULL), 0);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_all_is_all),
		cmocka_unit_test(test_write_all_is_interrupted),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("write", tests, NULL, NULL);
}
