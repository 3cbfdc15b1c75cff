/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Kernel differences, each behind one accessor, with the commit that made it. Nothing else in
 * bpf/ knows that kernels differ.
 */
#ifndef COMPAT_BPF_H
#define COMPAT_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

/* System calls that move socket data, per architecture: arch/x86/entry/syscalls/syscall_64.tbl,
 * include/uapi/asm-generic/unistd.h. Those with a plain buffer, an iovec, a msghdr. */
#if defined(__TARGET_ARCH_x86)
enum {
	SYS_READ = 0,
	SYS_WRITE = 1,
	SYS_READV = 19,
	SYS_WRITEV = 20,
	SYS_SENDTO = 44,
	SYS_RECVFROM = 45,
	SYS_SENDMSG = 46,
	SYS_RECVMSG = 47,
};
#elif defined(__TARGET_ARCH_arm64)
enum {
	SYS_READ = 63,
	SYS_WRITE = 64,
	SYS_READV = 65,
	SYS_WRITEV = 66,
	SYS_SENDTO = 206,
	SYS_RECVFROM = 207,
	SYS_SENDMSG = 211,
	SYS_RECVMSG = 212,
};
#endif

/* The network namespace of a socket, as a number; 0 on kernels without CONFIG_NET_NS. */
static __always_inline __u64 socket_netns(const struct sock *sk)
{
	if (!bpf_core_field_exists(sk->__sk_common.skc_net.net))
		return 0;
	return (__u64)BPF_CORE_READ(sk, __sk_common.skc_net.net);
}

/* The same by its inode, which user space knows, too. */
static __always_inline __u32 socket_netns_inode(const struct sock *sk)
{
	if (!bpf_core_field_exists(sk->__sk_common.skc_net.net))
		return 0;
	return BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
}

/* When the process of a task began, in ns after the boot; 0 before cf25e24db61c (5.5), which gave the field
 * this name. */
static __always_inline __u64 process_born(const struct task_struct *task)
{
	if (!bpf_core_field_exists(task->start_boottime))
		return 0;
	return BPF_CORE_READ(task, group_leader, start_boottime);
}

/* bpf_get_current_task_btf(), whose fields are read without the call of a helper: since 3ca1032ab7ab (5.11). */
static __always_inline bool has_typed_task(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf);
}

/* The same of the process of the current task. */
static __always_inline __u64 current_process_born(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	if (!has_typed_task() || !bpf_core_field_exists(task->start_boottime))
		return process_born(task);
	return bpf_get_current_task_btf()->group_leader->start_boottime;
}

/* When the current task began, in ns of the monotonic clock. */
static __always_inline __u64 current_born(void)
{
	if (has_typed_task())
		return bpf_get_current_task_btf()->start_time;
	return BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), start_time);
}

static __always_inline __s64 syscall_number(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return (__s64)regs->orig_ax;
#else
	return BPF_CORE_READ(regs, syscallno);
#endif
}

/* The user buffers of an I/O: one, and what of a vector is behind it. */
struct buffers {
	__u64 at;     /* 0: it cannot be told */
	__u64 len;    /* when there are more */
	__u64 vector; /* address of the next struct iovec, which the system call may have copied */
	__u32 more;
	__u8 in_kernel;
	__u8 pad[3];
};

static __always_inline void buffers_single(struct buffers *b, __u64 at)
{
	b->at = at;
	b->more = 0;
}

/* The next of them. A struct iovec is ABI: no relocation wanted. */
static __always_inline void buffers_next(struct buffers *b)
{
	const void *next = (const void *)b->vector;
	struct iovec iov = {};

	if (!b->more || (b->in_kernel ? bpf_probe_read_kernel(&iov, sizeof(iov), next)
				      : bpf_probe_read_user(&iov, sizeof(iov), next))) {
		buffers_single(b, 0);
		return;
	}
	b->at = (__u64)iov.iov_base;
	b->len = iov.iov_len;
	b->vector += sizeof(iov);
	b->more--;
}

static __always_inline void buffers_vector(struct buffers *b, const struct iovec *vector, __u32 n,
					   bool in_kernel)
{
	b->vector = (__u64)vector;
	b->more = n;
	b->in_kernel = in_kernel;
	buffers_next(b);
}

/*
 * Those of the socket system call that the current task is in, from its saved registers; unknown in
 * io_uring, splice() and compat tasks.
 */
static __always_inline void syscall_buffers(struct buffers *b)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	__u64 arg2 = PT_REGS_PARM2_SYSCALL(regs);
	__u64 at = 0;
	struct user_msghdr msg = {};

	switch (syscall_number(regs)) {
	case SYS_READ:
	case SYS_WRITE:
	case SYS_SENDTO:
	case SYS_RECVFROM:
		at = arg2;
		break;
	case SYS_READV:
	case SYS_WRITEV:
		msg.msg_iov = (struct iovec *)arg2;
		msg.msg_iovlen = PT_REGS_PARM3_SYSCALL(regs);
		break;
	case SYS_SENDMSG:
	case SYS_RECVMSG:
		bpf_probe_read_user(&msg, sizeof(msg), (const void *)arg2);
	}
	if (msg.msg_iov)
		buffers_vector(b, msg.msg_iov, msg.msg_iovlen, false);
	else
		buffers_single(b, at);
}

/*
 * struct iov_iter, read at the entry of tcp_sendmsg and inet_recvmsg:
 *  - before 8cd54c1c8480 (5.14) the kind is in the bits of `type` above READ/WRITE, after it in
 *    `iter_type`;
 *  - fcb14cb1bdac (6.0) added ITER_UBUF with `ubuf`, a plain user pointer;
 *  - de4f5fed3f23 and 747b1f65d39a (6.4) renamed `iov` to `__iov` and renumbered the kinds.
 */
enum iter_type___old {
	ITER_IOVEC___old = 4,
};

enum iter_type {
	ITER_IOVEC = 1,
	ITER_UBUF = 0,
};

struct iov_iter___type {
	unsigned int type;
} __attribute__((preserve_access_index));

struct iov_iter___iter_type {
	__u8 iter_type;
	size_t iov_offset;
	const struct iovec *iov;
	void *ubuf;
} __attribute__((preserve_access_index));

struct iov_iter___underscore {
	const struct iovec *__iov;
} __attribute__((preserve_access_index));

struct iov_iter {
	size_t iov_offset;
	unsigned long nr_segs;
} __attribute__((preserve_access_index));

struct msghdr {
	struct iov_iter msg_iter;
} __attribute__((preserve_access_index));

static __always_inline const struct iovec *iov_iter_vector(const struct iov_iter *iter)
{
	const struct iov_iter___underscore *renamed = (const void *)iter;
	const struct iov_iter___iter_type *named = (const void *)iter;

	if (bpf_core_field_exists(renamed->__iov))
		return BPF_CORE_READ(renamed, __iov);
	return BPF_CORE_READ(named, iov);
}

static __always_inline void msghdr_buffers(struct buffers *b, const struct msghdr *msg)
{
	const struct iov_iter *iter = &msg->msg_iter;
	const struct iov_iter___iter_type *typed = (const void *)iter;
	const struct iov_iter___type *old = (const void *)iter;
	__u64 offset = BPF_CORE_READ(iter, iov_offset);
	__u32 kind;

	buffers_single(b, 0);

	if (bpf_core_field_exists(typed->iter_type)) {
		kind = BPF_CORE_READ(typed, iter_type);
		if (bpf_core_enum_value_exists(enum iter_type, ITER_UBUF) &&
		    kind == bpf_core_enum_value(enum iter_type, ITER_UBUF))
			b->at = (__u64)BPF_CORE_READ(typed, ubuf) + offset;
		if (kind != bpf_core_enum_value(enum iter_type, ITER_IOVEC))
			return;
	} else {
		kind = BPF_CORE_READ(old, type) & ~1U;
		if (kind != ITER_IOVEC___old)
			return;
	}
	/* The vector itself was copied into the kernel by the system call. */
	buffers_vector(b, iov_iter_vector(iter), BPF_CORE_READ(iter, nr_segs), true);
	if (!b->at)
		return;
	b->at += offset;
	b->len -= offset;
}

#endif
