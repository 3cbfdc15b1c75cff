/* SPDX-License-Identifier: BSD-2-Clause */
/* regular: what is opened, and what is only looked at. */
#define _GNU_SOURCE /* chroot() */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/regular.h"
#include "fixture.h"

static void test_plain_file(void **state)
{
	struct stat stat;
	char buf[8] = "";
	int fd;

	(void)state;
	assert_int_equal(fixture_run("printf abc >plain && ln -sf plain link"), 0);
	fd = regular_open(AT_FDCWD, fixture_path("link"), &stat);
	assert_true(fd >= 0);
	assert_int_equal(stat.st_size, 3);
	assert_int_equal(read(fd, buf, sizeof(buf)), 3);
	assert_string_equal(buf, "abc");
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(fd);
	assert_int_equal(regular_open(AT_FDCWD, fixture_path("absent"), NULL), -ENOENT);
	assert_int_equal(regular_reopen(-EACCES, NULL), -EACCES);
}

/* What has a use by being opened or read. */
static void test_no_file(void **state)
{
	static const char *const paths[] = { "/dev/null", "/proc/kmsg", "/proc/self/status", "/",
					     "/sys/kernel/uevent_seqnum" };

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (access(paths[i], F_OK) == 0)
			assert_int_equal(regular_open(AT_FDCWD, paths[i], NULL), -ENOEXEC);
}

/* Nobody notices that a FIFO was looked at: it is not opened. */
static void test_fifo_is_not_opened(void **state)
{
	char events[1024];
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), fd;

	(void)state;
	assert_int_equal(fixture_run("rm -f fifo plain && mkfifo fifo && printf x >plain"), 0);
	assert_true(inotify_add_watch(watch, fixture_path("fifo"), IN_OPEN) >= 0);
	assert_int_equal(regular_open(AT_FDCWD, fixture_path("fifo"), NULL), -ENOEXEC);
	assert_int_equal(read(watch, events, sizeof(events)), -1);
	/* and the watch works */
	assert_true(inotify_add_watch(watch, fixture_path("plain"), IN_OPEN) >= 0);
	fd = regular_open(AT_FDCWD, fixture_path("plain"), NULL);
	assert_true(read(watch, events, sizeof(events)) > 0);
	close(fd);
	close(watch);
}

/* Behind the root of a process, links lead nowhere else. */
static void test_links_stay_inside(void **state)
{
	char path[256], root[64];
	struct stat inside, found;
	pid_t child;
	int fd;

	(void)state;
	assert_int_equal(fixture_run("mkdir -p box/etc && echo x >box/etc/log && "
				     "ln -sfn /etc/log box/link && ln -sfn /proc/self/fd/0 self"),
			 0);
	assert_int_equal(stat(fixture_path("box/etc/log"), &inside), 0);
	snprintf(path, sizeof(path), "/proc/%d/root%s", (int)getpid(), fixture_path("self"));
	assert_int_equal(regular_look(path), -ELOOP);
	if (geteuid())
		return;
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		if (chroot(fixture_path("box")) || chdir("/"))
			_exit(1);
		for (;;)
			pause();
	}
	snprintf(path, sizeof(path), "/proc/%d/root/link", (int)child);
	snprintf(root, sizeof(root), "/proc/%d/root/etc/log", (int)child);
	while (stat(root, &found) || found.st_ino != inside.st_ino)
		;
	fd = regular_reopen(regular_look(path), &found);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_true(fd >= 0);
	assert_int_equal(found.st_ino, inside.st_ino);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_file),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_fifo_is_not_opened),
		cmocka_unit_test(test_links_stay_inside),
	};

	return cmocka_run_group_tests_name("regular", tests, fixture_setup, fixture_teardown);
}
