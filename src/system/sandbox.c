// SPDX-License-Identifier: BSD-2-Clause
/*
 * The order matters: who has changed its user has no capabilities left, and the last step takes away
 * the calls that the others need.
 */
#define _GNU_SOURCE
#include "system/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "system/confine.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define NOBODY	     65534 /* nobody and nogroup, everywhere */

/* -- who ----------------------------------------------------------------------------------------- */

/* Not by getpwnam(3), which loads what /etc/nsswitch.conf names. */
void sandbox_user_find(struct sandbox_user *user)
{
	FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *entry;

	*user = (struct sandbox_user){ NOBODY, NOBODY, "nobody" };
	while (file && (entry = fgetpwent(file))) {
		if (strcmp(entry->pw_name, SANDBOX_USER) != 0 || !entry->pw_uid || !entry->pw_gid)
			continue;
		*user = (struct sandbox_user){ entry->pw_uid, entry->pw_gid, SANDBOX_USER };
		break;
	}
	if (file)
		fclose(file);
}

static bool user_become(const struct sandbox_user *user)
{
	if (setgroups(0, NULL) || setresgid(user->gid, user->gid, user->gid) ||
	    setresuid(user->uid, user->uid, user->uid))
		return false;
	return getuid() == user->uid && geteuid() == user->uid;
}

/* -- files --------------------------------------------------------------------------------------- */

/* What later versions handle, as uapi/linux/landlock.h has it. */
#define FS_REFER     (1ULL << 13)
#define FS_TRUNCATE  (1ULL << 14)
#define FS_IOCTL_DEV (1ULL << 15)
#define NET_TCP	     3ULL /* bind and connect */
#define SCOPE_ALL    3ULL /* abstract Unix sockets and signals */
#define FS_VERSION_1 ((1ULL << 13) - 1)
#define FS_READ	     (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

/* struct landlock_ruleset_attr of version 6: that of the headers may be older. */
struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

/* What resolving a name and verifying a server's certificate take. */
static const char *const network_paths[] = { "/etc",
					     "/usr/lib",
					     "/usr/lib64",
					     "/lib",
					     "/lib64",
					     "/usr/share",
					     "/usr/local/share/ca-certificates",
					     "/run/systemd/resolve",
					     "/run/resolvconf",
					     "/run/NetworkManager",
					     "/var/lib/ca-certificates" };

int sandbox_landlock(void)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return version < 0 ? 0 : (int)version;
}

static void path_allow(int ruleset, const char *path)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = FS_READ };

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return;
	/* what is not allowed is missing, and that is said by whoever misses it */
	(void)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
}

static bool files_close(bool network)
{
	int version = sandbox_landlock(), fd;
	struct ruleset ruleset = { .fs = FS_VERSION_1 };
	size_t size = sizeof(ruleset.fs);
	bool closed;

	if (!version)
		return false;
	if (version >= 2)
		ruleset.fs |= FS_REFER;
	if (version >= 3)
		ruleset.fs |= FS_TRUNCATE;
	if (version >= 4) {
		ruleset.net = network ? 0 : NET_TCP;
		size = offsetof(struct ruleset, scoped);
	}
	if (version >= 5)
		ruleset.fs |= FS_IOCTL_DEV;
	if (version >= 6) {
		ruleset.scoped = SCOPE_ALL;
		size = sizeof(ruleset);
	}
	fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
	if (fd < 0)
		return false;
	for (size_t i = 0; network && i < ARRAY_LEN(network_paths); i++)
		path_allow(fd, network_paths[i]);
	closed = !syscall(SYS_landlock_restrict_self, fd, 0);
	close(fd);
	return closed;
}

/* -- system calls -------------------------------------------------------------------------------- */

static const int allowed[] = {
	/* memory */
	SYS_brk,
	SYS_mmap,
	SYS_munmap,
	SYS_mremap,
	SYS_mprotect,
	SYS_madvise,
	/* descriptors that it has */
	SYS_read,
	SYS_readv,
	SYS_pread64,
	SYS_write,
	SYS_writev,
	SYS_pwrite64,
	SYS_lseek,
	SYS_close,
	SYS_dup,
	SYS_dup3,
	SYS_fcntl,
	SYS_fstat,
	SYS_ftruncate,
	SYS_fsync,
	SYS_fdatasync,
	SYS_getdents64,
	SYS_eventfd2,
	SYS_pipe2,
	SYS_memfd_create,
	SYS_timerfd_create,
	SYS_timerfd_settime,
	SYS_ppoll,
	SYS_pselect6,
	SYS_epoll_create1,
	SYS_epoll_ctl,
	SYS_epoll_pwait,
	/* sockets that it has, and such as lead to nobody else */
	SYS_sendmsg,
	SYS_recvmsg,
	SYS_sendto,
	SYS_recvfrom,
	SYS_sendmmsg,
	SYS_recvmmsg,
	SYS_shutdown,
	SYS_setsockopt,
	SYS_getsockopt,
	SYS_getsockname,
	SYS_getpeername,
	SYS_accept,
	SYS_accept4,
	/* threads, signals, time */
	SYS_futex,
	SYS_set_robust_list,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_sigaltstack,
	SYS_restart_syscall,
	SYS_sched_yield,
	SYS_sched_getaffinity,
	SYS_membarrier,
	SYS_exit,
	SYS_exit_group,
	SYS_nanosleep,
	SYS_clock_nanosleep,
	SYS_clock_gettime,
	SYS_clock_getres,
	SYS_gettimeofday,
	/* about itself */
	SYS_getpid,
	SYS_getppid,
	SYS_gettid,
	SYS_getuid,
	SYS_geteuid,
	SYS_getgid,
	SYS_getegid,
	SYS_getrandom,
	SYS_getrusage,
	SYS_sysinfo,
	SYS_uname,
	SYS_prctl,
	SYS_capget,
	SYS_capset,
#ifdef SYS_rseq
	SYS_rseq,
#endif
#ifdef __x86_64__
	SYS_poll,
	SYS_select,
	SYS_epoll_wait,
	SYS_epoll_create,
	SYS_pipe,
	SYS_dup2,
	SYS_time,
	SYS_arch_prctl,
	SYS_getrlimit,
#endif
};

/* And where it may connect to others. */
static const int
	allowed_network[] = {
		SYS_socket,	SYS_socketpair, SYS_newfstatat,
		SYS_connect,	SYS_bind, /* to any port of a netlink socket: getaddrinfo(3) */
		SYS_openat,	SYS_faccessat,	SYS_faccessat2,
		SYS_readlinkat, SYS_statx,	SYS_fstatfs,
#ifdef __x86_64__
		SYS_open,	SYS_access,	SYS_stat,
		SYS_lstat,	SYS_readlink,
#endif
	};

#define FILTER_MAX (64 + 2 * (ARRAY_LEN(allowed) + ARRAY_LEN(allowed_network)))

/* A thread, and nothing else that clone(2) makes. */
#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

struct program {
	unsigned short len;
	struct sock_filter code[FILTER_MAX];
};

static void add(struct program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	p->code[p->len++] = (struct sock_filter){ code, jt, jf, k };
}

static void add_return(struct program *p, uint32_t action)
{
	add(p, BPF_RET | BPF_K, action, 0, 0);
}

static void add_load(struct program *p, size_t offset)
{
	add(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* The action for that call. */
static void add_call(struct program *p, int number, uint32_t action)
{
	add(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1);
	add_return(p, action);
}

static void add_calls(struct program *p, const int *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_call(p, numbers[i], SECCOMP_RET_ALLOW);
}

/* Allows a call when those bits of one of its arguments are value. */
static void add_call_if(struct program *p, int number, int argument, uint32_t bits, uint32_t value)
{
	add(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 5);
	add_load(p, offsetof(struct seccomp_data, args) + 8 * (size_t)argument);
	add(p, BPF_ALU | BPF_AND | BPF_K, bits, 0, 0);
	add(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	add_return(p, SECCOMP_RET_ALLOW);
	add_return(p, SECCOMP_RET_ERRNO | EPERM);
}

/* Is it a terminal, and how wide; sockets that do not block. Not: to type into a terminal. */
static void add_ioctl(struct program *p)
{
	static const uint32_t requests[] = { TCGETS, TIOCGWINSZ, FIONBIO, FIONREAD };

	add(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 2 * ARRAY_LEN(requests) + 2);
	add_load(p, offsetof(struct seccomp_data, args[1]));
	for (size_t i = 0; i < ARRAY_LEN(requests); i++)
		add_call(p, (int)requests[i], SECCOMP_RET_ALLOW);
	add_return(p, SECCOMP_RET_ERRNO | EPERM);
}

static void program_make(struct program *p, bool network)
{
	p->len = 0;
	add_load(p, offsetof(struct seccomp_data, arch));
	add(p, BPF_JMP | BPF_JEQ | BPF_K, CONFINE_ARCH, 1, 0);
	add_return(p, SECCOMP_RET_KILL_PROCESS);
	add_load(p, offsetof(struct seccomp_data, nr));
	add_calls(p, allowed, ARRAY_LEN(allowed));
	if (network)
		add_calls(p, allowed_network, ARRAY_LEN(allowed_network));
	/* fstat(3), as libc has it now */
	add_call_if(p, SYS_newfstatat, 3, AT_EMPTY_PATH, AT_EMPTY_PATH);
	/* not a datagram socket, which can send to any other */
	add_call_if(p, SYS_socketpair, 1, 0xf, SOCK_SEQPACKET);
	/* itself */
	add_call_if(p, SYS_tgkill, 0, UINT32_MAX, (uint32_t)getpid());
	add_call_if(p, SYS_prlimit64, 0, UINT32_MAX, 0);
	add_call_if(p, SYS_clone, 0, THREAD_FLAGS, THREAD_FLAGS);
	add_ioctl(p);
	/* What has its flags behind a pointer: libc goes on with clone(2). */
	add_call(p, SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
	add_return(p, SECCOMP_RET_ERRNO | EPERM);
}

static bool calls_close(bool network)
{
	struct program p;
	struct sock_fprog program;

	program_make(&p, network);
	program = (struct sock_fprog){ p.len, p.code };
	return !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}

/* -- all together -------------------------------------------------------------------------------- */

int sandbox_enter(const struct sandbox_options *options, struct sandbox_state *state)
{
	const struct rlimit none = { 0, 0 };
	int err;

	*state = (struct sandbox_state){ 0 };
	if (setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return -errno;
	if (options->user)
		state->user = user_become(options->user);
	err = confine_capabilities(0);
	if (err)
		return err;
	state->landlock = files_close(options->network);
	state->seccomp = calls_close(options->network);
	return state->seccomp ? 0 : -EOPNOTSUPP;
}
