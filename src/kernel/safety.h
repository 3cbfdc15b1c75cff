/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The traced process must not suffer. From Linux 6.11 on a return probe makes the process enter
 * the kernel by a system call of its own, uretprobe. Until a kernel lets that one past seccomp, a
 * filter that does not know it kills the process. Whether this kernel does so is found out on a
 * child of our own, which has such a filter; no other process is touched.
 */
#ifndef TLSFAIL_KERNEL_SAFETY_H
#define TLSFAIL_KERNEL_SAFETY_H

/*
 * Does a process under a seccomp filter survive a return probe? 0: it does; -EKEYREJECTED: it was
 * killed; another negative errno: it could not be tried, so do not rely on it; -EOPNOTSUPP: this
 * kernel has no uprobes; -ETIME: the machine had no time for the child. The answer is kept: only
 * the first call takes time, some milliseconds. It leaves SIGCHLD ignored, so that the child needs
 * no waiting for.
 */
int safety_return_probes(void);

#endif
