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

static __always_inline __s64 syscall_number(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return (__s64)BPF_CORE_READ(regs, orig_ax);
#else
	return BPF_CORE_READ(regs, syscallno);
#endif
}

static __always_inline __u64 iovec_base(const struct iovec *iov)
{
	struct iovec first = {};

	/* A user structure: its layout is ABI, no relocation wanted. */
	if (bpf_probe_read_user(&first, sizeof(first), iov))
		return 0;
	return (__u64)first.iov_base;
}

/*
 * The user buffer of the socket system call that the current task is in, from its saved
 * registers; 0 when it cannot be told (io_uring, compat tasks). Of a vector only the first
 * element: TLS libraries hand over one buffer.
 */
static __always_inline __u64 syscall_user_buffer(void)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	__u64 arg2 = PT_REGS_PARM2_CORE_SYSCALL(regs);
	struct user_msghdr msg = {};

	switch (syscall_number(regs)) {
	case SYS_READ:
	case SYS_WRITE:
	case SYS_SENDTO:
	case SYS_RECVFROM:
		return arg2;
	case SYS_READV:
	case SYS_WRITEV:
		return iovec_base((const struct iovec *)arg2);
	case SYS_SENDMSG:
	case SYS_RECVMSG:
		if (bpf_probe_read_user(&msg, sizeof(msg), (const void *)arg2))
			return 0;
		return iovec_base(msg.msg_iov);
	}
	return 0;
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

static __always_inline __u64 msghdr_user_buffer(const struct msghdr *msg)
{
	const struct iov_iter *iter = &msg->msg_iter;
	const struct iov_iter___iter_type *typed = (const void *)iter;
	const struct iov_iter___type *old = (const void *)iter;
	__u64 offset = BPF_CORE_READ(iter, iov_offset);
	struct iovec first = {};
	__u32 kind;

	if (bpf_core_field_exists(typed->iter_type)) {
		kind = BPF_CORE_READ(typed, iter_type);
		if (bpf_core_enum_value_exists(enum iter_type, ITER_UBUF) &&
		    kind == bpf_core_enum_value(enum iter_type, ITER_UBUF))
			return (__u64)BPF_CORE_READ(typed, ubuf) + offset;
		if (kind != bpf_core_enum_value(enum iter_type, ITER_IOVEC))
			return 0;
	} else {
		kind = BPF_CORE_READ(old, type) & ~1U;
		if (kind != ITER_IOVEC___old)
			return 0;
	}
	/* The vector itself was copied into the kernel by the system call. */
	if (bpf_probe_read_kernel(&first, sizeof(first), iov_iter_vector(iter)))
		return 0;
	return (__u64)first.iov_base + offset;
}

#endif
