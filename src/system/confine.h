/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Giving up what is not needed any more, so that a mistake in the reading of hostile bytes is worth
 * less to whoever finds it.
 */
#ifndef TLSFAIL_SYSTEM_CONFINE_H
#define TLSFAIL_SYSTEM_CONFINE_H

#include <linux/audit.h>
#include <stdbool.h>
#include <stdint.h>

/* What a seccomp filter has to see as the architecture. */
#if defined(__x86_64__)
#define CONFINE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define CONFINE_ARCH AUDIT_ARCH_AARCH64
#else
#error "system calls are known for x86-64 and arm64 only"
#endif

/* A set of capabilities, as bits by their numbers (linux/capability.h). */
#define CONFINE_CAP(number) (UINT64_C(1) << (number))

/* What reading the files of other processes takes: /proc/PID of another user, files that are only
 * their owner's, and /proc/PID/map_files. */
uint64_t confine_caps_reading(void);

/* What writing the files takes that the user has named, wherever they are. */
uint64_t confine_caps_writing(void);

/*
 * The calling thread, and those that it starts from now on, have no capabilities but these; those that
 * they do not have are not gained. Nor can a program that they would execute gain any. A negative errno
 * on failure.
 */
int confine_capabilities(uint64_t kept);

/*
 * All threads lose the system calls that a tracer that is armed never uses: to run programs, to look
 * into or write to other processes, to change mounts, namespaces, modules, clocks and keys. They fail
 * with EPERM. Call confine_capabilities() before. A negative errno on failure.
 */
int confine_system_calls(void);

#endif
