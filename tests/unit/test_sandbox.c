// SPDX-License-Identifier: BSD-2-Clause
/*
 * The sandbox of the process that reads what peers send: a child goes into it and tries what it should
 * not be able to, and what it has to be able to.
 */
#define _GNU_SOURCE /* unshare() */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/passfd.h"
#include "system/sandbox.h"

/* What a child has found: 0, or the line of the check that does not hold. */
static int broken;

#define HOLDS(condition)                                                                           \
	do {                                                                                       \
		if (!broken && !(condition))                                                       \
			broken = __LINE__;                                                         \
	} while (0)

/* The call fails because it is refused, and not for another reason. */
#define REFUSED(call) HOLDS((errno = 0, (call)) < 0 && errno == EPERM)

static struct sandbox_state state;
static struct sandbox_user user;
static int landlock; /* as it is seen outside */

/* Runs try() inside; what could not be done is what is wrong. */
static void inside(bool network, void (*try)(void))
{
	const struct sandbox_options options = { .user = &user, .network = network };
	int status;
	pid_t child;

	sandbox_user_find(&user);
	landlock = sandbox_landlock();
	broken = 0;
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		if (sandbox_enter(&options, &state))
			_exit(255);
		try();
		if (broken)
			dprintf(STDERR_FILENO, "%s:%d does not hold\n", __FILE__, broken);
		_exit(broken != 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void try_others(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	REFUSED(open("/etc/passwd", O_RDONLY));
	REFUSED(open("/", O_PATH | O_DIRECTORY));
	REFUSED(open("/tmp/tlsfail-sandbox", O_WRONLY | O_CREAT, 0600));
	REFUSED(unlink("/tmp/tlsfail-sandbox"));
	REFUSED(mkdir("/tmp/tlsfail-sandbox", 0700));
	REFUSED(chmod("/tmp", 0700));
	REFUSED(rename("/tmp/a", "/tmp/b"));
	REFUSED(execl("/bin/true", "true", (char *)NULL));
	REFUSED(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	REFUSED(kill(getppid(), SIGCONT));
	REFUSED(kill(getpid(), 0));
	REFUSED(syscall(SYS_tgkill, getppid(), getppid(), 0));
	REFUSED(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
	REFUSED(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
	REFUSED(syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0));
	REFUSED(syscall(SYS_prlimit64, getppid(), 0, NULL, NULL));
	REFUSED(syscall(SYS_io_uring_setup, 1, NULL));
	REFUSED(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
	REFUSED(unshare(CLONE_NEWUSER));
	REFUSED(mount("none", "/tmp", "tmpfs", 0, NULL));
	REFUSED(setuid(0));
	REFUSED(chroot("/"));
}

static void try_sockets(void)
{
	int ends[2];

	REFUSED(socket(AF_INET, SOCK_STREAM, 0));
	REFUSED(socket(AF_UNIX, SOCK_DGRAM, 0));
	REFUSED(socket(AF_NETLINK, SOCK_RAW, 0));
	/* it could send to any socket by its path */
	REFUSED(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
	REFUSED(ioctl(STDERR_FILENO, TIOCSTI, "x"));
}

static uint64_t capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2];
	uint64_t all = 0;

	if (syscall(SYS_capget, &header, sets))
		return UINT64_MAX;
	for (int i = 0; i < 2; i++)
		all |= sets[i].permitted | sets[i].effective | sets[i].inheritable;
	return all;
}

static void try_who(void)
{
	HOLDS(capabilities() == 0);
	HOLDS(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	HOLDS(prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2);
	HOLDS(!state.user || (getuid() == user.uid && geteuid() == user.uid));
	HOLDS(state.seccomp);
	HOLDS(state.landlock == (landlock > 0));
}

static void *add_one(void *context)
{
	++*(int *)context;
	return NULL;
}

/* What an analyst does all the time. */
static void try_work(void)
{
	int ends[2], pipes[2], number = 0, fd = -1;
	struct stat stat;
	pthread_t thread;
	char byte;

	HOLDS(!pthread_create(&thread, NULL, add_one, &number));
	HOLDS(!broken && !pthread_join(thread, NULL) && number == 1);
	HOLDS(!pipe(pipes));
	HOLDS(!fstat(pipes[0], &stat) && S_ISFIFO(stat.st_mode));
	HOLDS(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
	HOLDS(!passfd_send(ends[0], "x", 1, pipes[0]));
	HOLDS(passfd_receive(ends[1], &byte, 1, &fd) == 1 && fd >= 0 && byte == 'x');
	HOLDS(malloc(1U << 22) != NULL);
}

/* With Landlock, whoever may resolve names may read what that takes, and nothing else. */
static void try_network(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	HOLDS(fd >= 0);
	HOLDS(capabilities() == 0);
	HOLDS(open("/etc/hosts", O_RDONLY) >= 0);
	HOLDS(open("/tmp/tlsfail-sandbox", O_WRONLY | O_CREAT, 0600) < 0 || !state.landlock);
	HOLDS(open("/proc/self/status", O_RDONLY) < 0 || !state.landlock);
	REFUSED(execl("/bin/true", "true", (char *)NULL));
	REFUSED(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static void test_others(void **context)
{
	(void)context;
	inside(false, try_others);
}

static void test_sockets(void **context)
{
	(void)context;
	inside(false, try_sockets);
}

static void test_who(void **context)
{
	(void)context;
	inside(false, try_who);
	inside(true, try_who);
}

static void test_work(void **context)
{
	(void)context;
	inside(false, try_work);
}

static void test_network(void **context)
{
	(void)context;
	inside(true, try_network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_others),	cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_who),	cmocka_unit_test(test_work),
		cmocka_unit_test(test_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
