/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this kernel lets us do, found out by trying: a program that does nothing is loaded and
 * attached the very way that a hook would be. Never concluded from the kernel's version.
 */
#ifndef TLSFAIL_KERNEL_FEATURES_H
#define TLSFAIL_KERNEL_FEATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kernel/hooks.h"

struct features;

/*
 * Opens the kernel's BTF. -ENOENT: the kernel has none; -EPERM: not enough privilege to use BPF
 * for tracing. On success *out is the caller's to features_close().
 */
int features_open(struct features **out);
void features_close(struct features *features);

/* Can that kind of hook be attached to target? 0, or the negative errno of the attempt; -ENOENT:
 * this kernel has no such tracepoint or function; -EOPNOTSUPP: it has no hooks of that kind. */
int features_try(const struct features *features, enum hook_kind kind, const char *target);

/* The same error of features_try() for people. */
const char *features_explain(enum hook_kind kind, int err);

/* May we load a tracing program, one that reads kernel memory, have a ring buffer, have maps of so
 * many bytes? 0, or the negative errno of the attempt. */
int features_try_load(void);
int features_try_kernel_read(void);
int features_try_ring_buffer(void);
int features_try_maps(size_t bytes);

/*
 * Puts a uprobe, or a return probe, without a program at that offset of a file, in one process
 * alone. Returns a descriptor, the probe's as long as it is open; or a negative errno,
 * -EOPNOTSUPP: this kernel has no uprobes.
 */
int features_uprobe_open(pid_t pid, const char *path, uint64_t offset, bool ret);

/* May our programs keep something with a task (5.12, a10787e6d58c), and is there memory for it? */
bool features_task_storage(void);

/*
 * Uprobes by one link each, without perf events (6.6, 89ae89f53d20): attached and detached without
 * the kernel-wide lock under which each perf uprobe waits some 100 ms.
 */
bool features_uprobe_multi(void);

/* The kernel's numbers, newer than the headers of Debian 12: include/uapi/linux/bpf.h */
#define FEATURES_UPROBE_MULTI	     48 /* enum bpf_attach_type, BPF_TRACE_UPROBE_MULTI */
#define FEATURES_UPROBE_MULTI_RETURN 1	/* BPF_F_UPROBE_MULTI_RETURN */

/* Attaches a program loaded with FEATURES_UPROBE_MULTI to an offset in the file at path, in every
 * process. Returns a descriptor that detaches when it is closed, or a negative errno. */
int features_uprobe_attach(int prog_fd, const char *path, uint64_t offset, bool ret);

#endif
