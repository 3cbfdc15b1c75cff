/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target: children of this test map libraries that are compiled here, or run executables that are,
 * and are then looked for. A "library" holds nothing but the symbols that a TLS library is
 * recognised by.
 */
#define _GNU_SOURCE /* O_PATH, pipe2() */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "children.h"
#include "fixture.h"
#include "target/target.h"

#define NOBODY 65534

static int setup(void **state)
{
	if (children_setup(state))
		return -1;
	if (mkdir(fixture_path("x y"), 0755) || mkdir(fixture_path("a\nb"), 0755))
		return -1;
	return fixture_run("cp libssl.so.3 'x y' && cp libssl.so.3 \"$(printf 'a\\nb')\"");
}

static void find_in(const struct child *child, struct target_tls *tls)
{
	struct target_process process;

	assert_int_equal(target_process_read(child->pid, &process), 0);
	assert_int_equal(target_tls_find(&process, tls), 0);
}

/* Is fd open on the file at path? */
static void assert_opens(const struct target_library *library, const char *path)
{
	struct stat st, expected;

	assert_int_equal(fstat(library->fd, &st), 0);
	assert_int_equal(stat(path, &expected), 0);
	assert_int_equal(st.st_ino, expected.st_ino);
	assert_int_equal(library->file.ino, expected.st_ino);
	assert_int_equal(library->file.dev, expected.st_dev);
}

/* ---- Identity ------------------------------------------------------------------------------ */

static void test_file_identity(void **state)
{
	struct target_file a, b;
	int fd;

	(void)state;
	fd = open("/", O_PATH | O_CLOEXEC);
	assert_int_equal(target_file_identify(fd, &a), 0);
	close(fd);
	assert_int_equal(target_file_identify(-1, &b), -EBADF);

	a.dev_known = true;
	b = a;
	assert_true(target_file_same(&a, &b));
	b.dev++;
	assert_false(target_file_same(&a, &b));
	b.dev_known = false;
	assert_true(target_file_same(&a, &b));
	b.ino++;
	assert_false(target_file_same(&a, &b));
}

static void test_kernel_dev(void **state)
{
	(void)state;
	assert_int_equal(target_kernel_dev(makedev(8, 1)), 0x800001);
	assert_int_equal(target_kernel_dev(makedev(0xabc, 0xfedcb)), 0xabcfedcb);
}

/* ---- Selection ----------------------------------------------------------------------------- */

static void test_process_read(void **state)
{
	struct target_process process;
	char exe[PATH_MAX];
	struct stat st;

	(void)state;
	assert_non_null(realpath("/proc/self/exe", exe));
	assert_int_equal(stat(exe, &st), 0);
	assert_int_equal(target_process_read(getpid(), &process), 0);
	assert_int_equal(process.pid, getpid());
	assert_string_equal(process.exe_path, exe);
	assert_string_equal(process.comm, "test_target");
	assert_int_equal(process.exe.ino, st.st_ino);
	assert_false(process.exe_deleted);
	assert_int_equal(target_process_read(0, &process), -ESRCH);
	assert_int_equal(target_process_read(INT_MAX, &process), -ESRCH);
}

static void test_zombie_is_gone(void **state)
{
	struct target_process process;
	siginfo_t info;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(target_process_read(pid, &process), -ESRCH);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(target_process_read(pid, &process), -ESRCH);
}

static void test_set_refuses(void **state)
{
	struct target_set set = { 0 };

	(void)state;
	assert_int_equal(target_set_add_exe(&set, "/nonexistent"), -ENOENT);
	assert_int_equal(target_set_add_exe(&set, fixture_path("")), -ENOEXEC);
	assert_int_equal(target_set_add_exe(&set, fixture_path("source.c")), -ENOEXEC);
	assert_int_equal(target_set_add_name(&set, ""), -EINVAL);
	assert_int_equal(target_set_add_name(&set, "a/b"), -EINVAL);
	assert_int_equal(target_set_add_comm(&set, ""), -EINVAL);
	assert_int_equal(target_set_add_comm(&set, "sixteen_letters_"), -EINVAL);
	assert_int_equal(target_set_add_pid(&set, INT_MAX), -ESRCH);
	assert_int_equal(set.count, 0);
}

struct scan {
	pid_t wanted;
	unsigned int found;
	unsigned int others;
};

static int scan_found(const struct target_process *process, void *context)
{
	struct scan *scan = context;

	if (process->pid == scan->wanted)
		scan->found++;
	else
		scan->others++;
	return 0;
}

/* Scans for what set selects, and empties it. */
static void assert_scan_finds(struct target_set *set, pid_t pid, bool found)
{
	struct scan scan = { .wanted = pid };

	assert_int_equal(target_scan(set, scan_found, &scan), 0);
	assert_int_equal(scan.found, found);
	target_set_clear(set);
	assert_int_equal(set->count, 0);
}

static void test_scan_self(void **state)
{
	struct target_set set = { 0 };

	(void)state;
	assert_scan_finds(&set, getpid(), false);
	assert_int_equal(target_set_add_exe(&set, "/proc/self/exe"), 0);
	assert_scan_finds(&set, getpid(), true);
	assert_int_equal(target_set_add_name(&set, "no_such_name"), 0);
	assert_int_equal(target_set_add_name(&set, "test_target"), 0);
	assert_scan_finds(&set, getpid(), true);
	assert_int_equal(target_set_add_name(&set, "test_targe"), 0);
	assert_scan_finds(&set, getpid(), false);
	assert_int_equal(target_set_add_comm(&set, "test_target"), 0);
	assert_scan_finds(&set, getpid(), true);
	assert_int_equal(target_set_add_pid(&set, getpid()), 0);
	assert_scan_finds(&set, getpid(), true);
}

static int scan_stop(const struct target_process *process, void *context)
{
	(void)process;
	(*(int *)context)++;
	return -ECANCELED;
}

static void test_scan_stops(void **state)
{
	struct target_set set = { 0 };
	int calls = 0;

	(void)state;
	assert_int_equal(target_set_add_pid(&set, 1), 0);
	assert_int_equal(target_set_add_pid(&set, getpid()), 0);
	assert_int_equal(target_scan(&set, scan_stop, &calls), -ECANCELED);
	assert_int_equal(calls, 1);
	target_set_clear(&set);
}

static void test_scan_descendants(void **state)
{
	struct target_set set = { 0 };
	struct child child;

	(void)state;
	child_exec(&child, "./sleeper");
	assert_int_equal(target_set_add_pid(&set, getpid()), 0);
	assert_scan_finds(&set, child.pid, true);
	assert_int_equal(target_set_add_pid(&set, child.pid), 0);
	assert_scan_finds(&set, child.pid, true);
	assert_int_equal(target_set_add_pid(&set, child.pid), 0);
	assert_scan_finds(&set, getpid(), false);
	child_end(&child);
}

/* Another process has its number by now. */
static void test_scan_reused(void **state)
{
	struct target_set set = { 0 };

	(void)state;
	assert_int_equal(target_set_add_pid(&set, getpid()), 0);
	set.items[0].started++;
	assert_scan_finds(&set, getpid(), false);
}

/* A name that would lead astray who looks for the first parenthesis. */
static void test_scan_odd_comm(void **state)
{
	struct target_set set = { 0 };

	(void)state;
	assert_int_equal(prctl(PR_SET_NAME, "a) S 1 (b"), 0);
	assert_int_equal(target_set_add_comm(&set, "a) S 1 (b"), 0);
	assert_scan_finds(&set, getpid(), true);
	assert_int_equal(target_set_add_pid(&set, getppid()), 0);
	assert_scan_finds(&set, getpid(), true);
	assert_int_equal(prctl(PR_SET_NAME, "test_target"), 0);
}

static void test_exe_upgraded(void **state)
{
	struct target_process process;
	struct target_set set = { 0 };
	struct child before, after;

	(void)state;
	assert_int_equal(fixture_run("cp sleeper upgraded"), 0);
	assert_int_equal(target_set_add_exe(&set, fixture_path("upgraded")), 0);
	child_exec(&before, "./upgraded");
	assert_int_equal(fixture_run("cp sleeper new && mv new upgraded"), 0);
	child_exec(&after, "./upgraded");

	assert_int_equal(target_process_read(before.pid, &process), 0);
	assert_true(process.exe_deleted);
	assert_string_equal(process.exe_path, fixture_path("upgraded"));
	assert_true(target_matches(&set, &process));
	assert_int_equal(target_process_read(after.pid, &process), 0);
	assert_false(process.exe_deleted);
	assert_true(target_matches(&set, &process));

	child_end(&before);
	child_end(&after);
	target_set_clear(&set);
}

/* ---- Libraries ----------------------------------------------------------------------------- */

static void assert_found(const char *ssl, const char *crypto)
{
	const char *const names[] = { crypto, ssl, NULL };
	struct target_tls tls;
	struct child child;

	child_map(&child, names);
	find_in(&child, &tls);
	assert_int_equal(tls.outcome, TARGET_TLS_FOUND);
	assert_string_equal(tls.ssl.path, fixture_path(ssl));
	assert_opens(&tls.ssl, fixture_path(ssl));
	assert_string_equal(tls.crypto.path, fixture_path(crypto));
	assert_opens(&tls.crypto, fixture_path(crypto));
	assert_string_equal(tls.version, "9.8.7");
	target_tls_close(&tls);
	target_tls_close(&tls);
	child_end(&child);
}

static void test_tls_found(void **state)
{
	(void)state;
	assert_found("libssl.so.3", "libcrypto.so.3");
}

static void test_tls_odd_paths(void **state)
{
	(void)state;
	assert_found("x y/libssl.so.3", "libcrypto.so.3");
	assert_found("a\nb/libssl.so.3", "libcrypto.so.3");
}

/* Not called libssl, as when another library has OpenSSL linked in. */
static void test_tls_other_name(void **state)
{
	(void)state;
	assert_found("libother.so", "libcrypto.so.3");
}

static void test_tls_deleted(void **state)
{
	static const char *const names[] = { "libcrypto.so.3", "gone/libssl.so.3", NULL };
	struct target_process process;
	struct target_tls tls;
	struct child child;
	struct stat st, now;
	int err;

	(void)state;
	assert_int_equal(fixture_run("mkdir gone && cp libssl.so.3 gone"), 0);
	assert_int_equal(stat(fixture_path("gone/libssl.so.3"), &st), 0);
	child_map(&child, names);
	assert_int_equal(fixture_run("rm -r gone"), 0);
	assert_int_equal(target_process_read(child.pid, &process), 0);
	err = target_tls_find(&process, &tls);
	child_end(&child);
	if (err == -EPERM) /* the file can be reached through map_files only */
		skip();
	assert_int_equal(err, 0);
	assert_int_equal(tls.outcome, TARGET_TLS_FOUND);
	assert_string_equal(tls.ssl.path, fixture_path("gone/libssl.so.3"));
	assert_int_equal(fstat(tls.ssl.fd, &now), 0);
	assert_int_equal(now.st_ino, st.st_ino);
	target_tls_close(&tls);
}

static void assert_outcome(const char *name, enum target_tls_outcome outcome)
{
	const char *const names[] = { name, NULL };
	struct target_tls tls;
	struct child child;

	child_map(&child, names);
	find_in(&child, &tls);
	assert_int_equal(tls.outcome, outcome);
	assert_int_equal(tls.ssl.fd, -1);
	assert_int_equal(tls.crypto.fd, -1);
	assert_string_equal(tls.ssl.path, fixture_path(name));
	child_end(&child);
}

/* libcrypto, on which it depends, is not mapped; then it is. */
static void test_tls_not_yet(void **state)
{
	(void)state;
	assert_outcome("libssl.so.3", TARGET_TLS_NOT_YET);
	assert_found("libssl.so.3", "libcrypto.so.3");
}

static void test_tls_no_symbol(void **state)
{
	(void)state;
	assert_outcome("libssl.so.8", TARGET_TLS_NO_SYMBOL);
}

static void test_tls_foreign(void **state)
{
	static const Elf32_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB, 1 },
		.e_type = ET_DYN,
		.e_machine = EM_386,
		.e_version = 1,
	};

	(void)state;
	assert_int_equal(fixture_write("libssl.so.32", &header, sizeof(header)), 0);
	assert_outcome("libssl.so.32", TARGET_TLS_FOREIGN);
}

static void test_tls_static(void **state)
{
	struct target_tls tls;
	struct child child;

	(void)state;
	child_exec(&child, "./static");
	find_in(&child, &tls);
	assert_int_equal(tls.outcome, TARGET_TLS_FOUND);
	assert_opens(&tls.ssl, fixture_path("static"));
	assert_opens(&tls.crypto, fixture_path("static"));
	assert_int_not_equal(tls.ssl.fd, tls.crypto.fd);
	assert_string_equal(tls.version, "BoringSSL");
	target_tls_close(&tls);
	child_end(&child);
}

static void assert_exec_outcome(const char *name, enum target_tls_outcome outcome,
				const char *explanation)
{
	struct target_process process;
	char buf[1024], expected[1024];
	struct target_tls tls;
	struct child child;
	struct text t;

	assert_true(child_run(&child, fixture_path(name), (const char *const[]){ NULL }));
	assert_int_equal(target_process_read(child.pid, &process), 0);
	assert_int_equal(target_tls_find(&process, &tls), 0);
	assert_int_equal(tls.outcome, outcome);
	text_init(&t, buf, sizeof(buf));
	target_tls_explain(&process, &tls, &t);
	snprintf(expected, sizeof(expected), "%s (pid %d) %s", fixture_path(name), (int)child.pid,
		 explanation);
	assert_string_equal(buf, expected);
	target_tls_close(&tls);
	child_end(&child);
}

static void test_tls_none(void **state)
{
	(void)state;
	assert_exec_outcome("sleeper", TARGET_TLS_NONE, "has not loaded a TLS library so far");
}

static void test_tls_stripped(void **state)
{
	(void)state;
	assert_exec_outcome("stripped", TARGET_TLS_STRIPPED,
			    "has OpenSSL 1.1.1 linked in with its symbols stripped: install an "
			    "unstripped build, or one that uses the system's libssl");
}

static void test_tls_explain_is_escaped(void **state)
{
	const struct target_process process = { .pid = 7, .exe_path = "/usr/sbin/nginx" };
	struct target_tls tls = { .outcome = TARGET_TLS_FOUND, .version = "3.0.19" };
	char buf[256];
	struct text t;

	(void)state;
	snprintf(tls.ssl.path, sizeof(tls.ssl.path), "/a\nb/libssl.so.3");
	text_init(&t, buf, sizeof(buf));
	target_tls_explain(&process, &tls, &t);
	assert_string_equal(buf, "/usr/sbin/nginx (pid 7) has its TLS library in "
				 "/a\\x0ab/libssl.so.3, version 3.0.19");
}

static void test_tls_gone(void **state)
{
	struct target_process process;
	struct target_tls tls;
	struct child child;

	(void)state;
	child_exec(&child, "./sleeper");
	assert_int_equal(target_process_read(child.pid, &process), 0);
	child_end(&child);
	assert_int_equal(target_tls_find(&process, &tls), -ESRCH);
	assert_int_equal(tls.ssl.fd, -1);
}

/* Between the two calls it executes another program. */
static void test_tls_other_program(void **state)
{
	struct target_process process;
	struct target_tls tls;
	struct child child;

	(void)state;
	child_exec(&child, "./sleeper");
	assert_int_equal(target_process_read(getpid(), &process), 0);
	process.pid = child.pid;
	assert_int_equal(target_tls_find(&process, &tls), -ESRCH);
	child_end(&child);
}

/* ---- Without privileges -------------------------------------------------------------------- */

/* Runs check as an ordinary user, in a child. */
static void assert_as_nobody(bool (*check)(void))
{
	int status;
	pid_t pid;

	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 && (setgid(NOBODY) || setuid(NOBODY)))
			_exit(2);
		_exit(check() ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static bool check_not_permitted(void)
{
	struct target_process process;

	return target_process_read(1, &process) == -EACCES;
}

static void test_not_permitted(void **state)
{
	(void)state;
	assert_as_nobody(check_not_permitted);
}

/* map_files is for the privileged. */
static bool check_by_path(void)
{
	static const char *const names[] = { "x y/libssl.so.3", "libcrypto.so.3", NULL };
	struct target_process process;
	struct target_tls tls;
	struct child child;
	bool found;

	if (!child_run(&child, "./sleeper", names))
		return false;
	found = target_process_read(child.pid, &process) == 0 &&
		target_tls_find(&process, &tls) == 0 && tls.outcome == TARGET_TLS_FOUND &&
		strcmp(tls.ssl.path, fixture_path(names[0])) == 0;
	child_end(&child);
	if (found)
		target_tls_close(&tls);
	return found;
}

static void test_by_path(void **state)
{
	(void)state;
	assert_as_nobody(check_by_path);
}

/* The path leads to another file now: rather none than the wrong one. */
static bool check_replaced(void)
{
	static const char *const names[] = { "libcrypto.so.3", "replaced/libssl.so.3", NULL };
	struct target_process process;
	struct target_tls tls;
	struct child child;
	bool denied;

	if (!child_run(&child, "./sleeper", names))
		return false;
	denied = rename(fixture_path("replaced/new"), fixture_path(names[1])) == 0 &&
		 target_process_read(child.pid, &process) == 0 &&
		 target_tls_find(&process, &tls) == -EPERM;
	child_end(&child);
	return denied;
}

static void test_replaced(void **state)
{
	(void)state;
	assert_int_equal(fixture_run("mkdir replaced && cp libssl.so.3 replaced && "
				     "cp libssl.so.3 replaced/new && chmod 777 replaced"),
			 0);
	assert_as_nobody(check_replaced);
}

/* ---- Whose it is --------------------------------------------------------------------------- */

/* Of nobody's children: what root has installed is, and a copy of it that is nobody's is not. */
static bool check_trust(void)
{
	struct target_process process;
	struct child child;
	bool installed, copied;

	if (!child_run(&child, "./sleeper", (const char *const[]){ NULL }))
		return false;
	installed = target_process_read(child.pid, &process) == 0 && process.exe_owner == 0 &&
		    target_is_trusted(&process);
	child_end(&child);
	if (!child_run(&child, "./nobodys", (const char *const[]){ NULL }))
		return false;
	copied = target_process_read(child.pid, &process) == 0 && process.exe_owner == NOBODY &&
		 !target_is_trusted(&process);
	child_end(&child);
	return installed && copied;
}

static void test_trust(void **state)
{
	struct target_process process;
	struct child child;

	(void)state;
	if (geteuid() != 0)
		skip(); /* it takes root to have files of somebody else */
	assert_int_equal(fixture_run("cp sleeper nobodys && chmod 755 nobodys"), 0);
	assert_int_equal(chown(fixture_path("nobodys"), NOBODY, NOBODY), 0);
	assert_as_nobody(check_trust);
	/* nor is it because root has started it: that is another program */
	child.pid = fork();
	if (child.pid == 0) {
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
		if (!setresgid(NOBODY, NOBODY, NOBODY) && !setresuid(NOBODY, NOBODY, NOBODY))
			execl(fixture_path("nobodys"), "nobodys", (char *)NULL);
		_exit(1);
	}
	for (int i = 0; i < 500; i++) {
		assert_int_equal(target_process_read(child.pid, &process), 0);
		if (process.exe_owner == NOBODY)
			break;
		usleep(10000);
	}
	assert_int_equal(process.exe_owner, NOBODY);
	assert_false(target_is_trusted(&process));
	child_end(&child);
	/* whatever root runs is root's own decision */
	child_exec(&child, "./nobodys");
	assert_int_equal(target_process_read(child.pid, &process), 0);
	assert_true(target_is_trusted(&process));
	child_end(&child);
}

/* By the name alone; what cannot be told by it may be. */
static void test_may_match(void **state)
{
	struct target_set set = { 0 };
	struct child child;

	(void)state;
	child_exec(&child, "./sleeper");
	assert_false(target_may_match(&set, child.pid));
	assert_int_equal(target_set_add_name(&set, "nginx"), 0);
	assert_false(target_may_match(&set, child.pid));
	assert_int_equal(target_set_add_name(&set, "sleeper"), 0);
	assert_true(target_may_match(&set, child.pid));
	/* also when an upgrade has replaced it */
	assert_int_equal(fixture_run("cp sleeper kept && rm sleeper && cp kept sleeper"), 0);
	assert_true(target_may_match(&set, child.pid));
	child_end(&child);
	assert_false(target_may_match(&set, child.pid));
	target_set_clear(&set);
	assert_int_equal(target_set_add_comm(&set, "whatever"), 0);
	assert_true(target_may_match(&set, getpid()));
	target_set_clear(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_identity), cmocka_unit_test(test_kernel_dev),
		cmocka_unit_test(test_process_read),  cmocka_unit_test(test_zombie_is_gone),
		cmocka_unit_test(test_set_refuses),   cmocka_unit_test(test_scan_self),
		cmocka_unit_test(test_scan_stops),    cmocka_unit_test(test_scan_descendants),
		cmocka_unit_test(test_scan_reused),   cmocka_unit_test(test_scan_odd_comm),
		cmocka_unit_test(test_exe_upgraded),  cmocka_unit_test(test_tls_found),
		cmocka_unit_test(test_tls_odd_paths), cmocka_unit_test(test_tls_other_name),
		cmocka_unit_test(test_tls_deleted),   cmocka_unit_test(test_tls_not_yet),
		cmocka_unit_test(test_tls_no_symbol), cmocka_unit_test(test_tls_foreign),
		cmocka_unit_test(test_tls_static),    cmocka_unit_test(test_tls_none),
		cmocka_unit_test(test_tls_stripped),  cmocka_unit_test(test_tls_explain_is_escaped),
		cmocka_unit_test(test_tls_gone),      cmocka_unit_test(test_tls_other_program),
		cmocka_unit_test(test_not_permitted), cmocka_unit_test(test_by_path),
		cmocka_unit_test(test_replaced),      cmocka_unit_test(test_trust),
		cmocka_unit_test(test_may_match),
	};

	/* By whatever name this is run. */
	prctl(PR_SET_NAME, "test_target");
	return cmocka_run_group_tests_name("target", tests, setup, fixture_teardown);
}
