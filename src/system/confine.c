// SPDX-License-Identifier: BSD-2-Clause
/*
 * Landlock is not used: a process in a domain of it may not look at others (its hook for
 * ptrace_access_check), and /proc/PID/exe, maps and root are what tracing is made of.
 */
#define _GNU_SOURCE /* syscall() */
#include "system/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define LAST_CAP 63

/* The numbers of the x32 interface begin here: x86-64's calls by another door. */
#define X32_BIT 0x40000000

/* -- capabilities ------------------------------------------------------------------------------ */

uint64_t confine_caps_reading(void)
{
	return CONFINE_CAP(CAP_SYS_PTRACE) | CONFINE_CAP(CAP_DAC_READ_SEARCH) |
	       CONFINE_CAP(CAP_CHECKPOINT_RESTORE);
}

uint64_t confine_caps_writing(void)
{
	return CONFINE_CAP(CAP_DAC_OVERRIDE) | CONFINE_CAP(CAP_DAC_READ_SEARCH);
}

int confine_capabilities(uint64_t kept)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2];

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	/* Fails for numbers that this kernel does not have, and without CAP_SETPCAP: then
	 * no_new_privs sees to it. */
	for (int cap = 0; cap <= LAST_CAP; cap++)
		if (!(kept & CONFINE_CAP(cap)))
			(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capget, &header, sets))
		return -errno;
	for (int i = 0; i < 2; i++) {
		sets[i].permitted &= (uint32_t)(kept >> (32 * i));
		sets[i].effective &= sets[i].permitted;
		sets[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, sets) ? -errno : 0;
}

/* -- system calls ------------------------------------------------------------------------------ */

static const int refused[] = {
	/* other programs, and other processes */
	SYS_execve,
	SYS_execveat,
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_process_madvise,
	SYS_pidfd_getfd,
	SYS_kcmp,
	/* mounts, namespaces, roots */
	SYS_mount,
	SYS_umount2,
	SYS_move_mount,
	SYS_open_tree,
	SYS_fsopen,
	SYS_fsmount,
	SYS_fsconfig,
	SYS_fspick,
	SYS_pivot_root,
	SYS_chroot,
	SYS_setns,
	SYS_unshare,
	SYS_open_by_handle_at,
	/* the kernel and the machine */
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_kexec_file_load,
	SYS_reboot,
	SYS_swapon,
	SYS_swapoff,
	SYS_acct,
	SYS_quotactl,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_clock_adjtime,
	SYS_adjtimex,
	SYS_syslog,
#ifdef SYS_iopl
	SYS_iopl,
	SYS_ioperm,
	SYS_modify_ldt,
#endif
	/* what has had more holes than uses */
	SYS_io_uring_setup,
	SYS_io_uring_enter,
	SYS_io_uring_register,
	SYS_userfaultfd,
	SYS_add_key,
	SYS_request_key,
	SYS_keyctl,
	SYS_personality,
	/* who it is */
	SYS_setuid,
	SYS_setgid,
	SYS_setreuid,
	SYS_setregid,
	SYS_setresuid,
	SYS_setresgid,
	SYS_setfsuid,
	SYS_setfsgid,
	SYS_setgroups,
};

#define FIELD(name) ((uint32_t)offsetof(struct seccomp_data, name))

int confine_system_calls(void)
{
	/* the head, a comparison for each, and two ends */
	struct sock_filter filter[8 + ARRAY_LEN(refused)];
	struct sock_fprog program = { .filter = filter };
	const uint8_t refuse = ARRAY_LEN(refused) + 1; /* from the first comparison, to the last */
	unsigned short n = 0;
	long ret;

	_Static_assert(ARRAY_LEN(refused) < UINT8_MAX, "jumps have eight bits");
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(arch));
	filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CONFINE_ARCH, 1, 0);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(nr));
	filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, refuse, 0);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							   (uint32_t)refused[i],
							   (uint8_t)(ARRAY_LEN(refused) - i), 0);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	program.len = n;
	ret = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
	/* more than 0 is the thread that could not be brought under it */
	return ret < 0 ? -errno : ret > 0 ? -ESRCH : 0;
}
