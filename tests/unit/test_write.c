/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink_write_all(): everything, over short writes, and out of a wait that would never end. And the
 * sink of standard output, which is built on it.
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
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "output/sink.h"
#include "base/text.h"

static char words[256];
static struct text error;

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
	size_t done = 0;
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
	assert_int_equal(sink_write_all(fds[1], -1, buf, len, &done), 0);
	assert_int_equal(done, len);
	close(fds[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	free(buf);

	assert_int_equal(sink_write_all(-1, -1, "x", 1, &done), -EBADF);
	assert_int_equal(sink_write_all(-1, -1, "", 0, &done), 0);
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
	size_t done;
	int fds[2];

	(void)state;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGALRM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(pipe(fds), 0);
	alarm(1);
	assert_int_equal(sink_write_all(fds[1], -1, buf, sizeof(buf), &done), -EINTR);
	assert_int_equal(sigprocmask(SIG_UNBLOCK, &blocked, NULL), 0);
	close(fds[0]);
	close(fds[1]);
}

/* Standard output as the file sinks write to it. */
static void sink_open_fd(int fd, struct sink **sink)
{
	struct sink_options options = { .fd = fd, .stop = -1 };

	text_init(&error, words, sizeof(words));
	assert_int_equal(sink_file_open(&options, "-", sink, &error), 0);
}

static int sink_send(struct sink *sink, const struct queue_item *items, size_t count)
{
	struct sink_sent sent = { 0 };
	int err = sink_file_send(sink, items, count, &sent, &error);

	assert_true(err || sent.taken == count);
	return err;
}

/* One item is one write(2): the socket keeps the bounds of messages. */
static void test_an_item_is_one_write(void **state)
{
	const struct queue_item items[] = { { "one\n", 4 }, { "three\n", 6 } };
	struct sink *sink;
	char got[16];
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	sink_open_fd(fds[0], &sink);
	assert_int_equal(sink_send(sink, items, 2), 0);
	sink_file_close(sink);
	assert_int_equal(recv(fds[1], got, sizeof(got), MSG_DONTWAIT), 4);
	assert_memory_equal(got, "one\n", 4);
	assert_int_equal(recv(fds[1], got, sizeof(got), MSG_DONTWAIT), 6);
	assert_memory_equal(got, "three\n", 6);
	close(fds[0]);
	close(fds[1]);
}

static void test_reader_gone(void **state)
{
	const struct queue_item item = { "one\n", 4 };
	struct sink *sink;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	sink_open_fd(fds[1], &sink);
	close(fds[0]);
	assert_int_equal(sink_send(sink, &item, 1), -EPIPE);
	sink_file_close(sink);
	close(fds[1]);
}

static void test_device_full(void **state)
{
	const struct queue_item item = { "one\n", 4 };
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct sink *sink;

	(void)state;
	assert_true(fd >= 0);
	sink_open_fd(fd, &sink);
	assert_int_equal(sink_send(sink, &item, 1), -ENOSPC);
	assert_string_equal(words, "cannot write: No space left on device");
	sink_file_close(sink);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_all_is_all),
		cmocka_unit_test(test_write_all_is_interrupted),
		cmocka_unit_test(test_an_item_is_one_write),
		cmocka_unit_test(test_reader_gone),
		cmocka_unit_test(test_device_full),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("write", tests, NULL, NULL);
}
