/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this kernel lets us do, found out by trying: a program that does nothing is loaded and
 * attached the very way that a hook would be. Never concluded from the kernel's version.
 */
#ifndef TLSFAIL_FEATURES_H
#define TLSFAIL_FEATURES_H

#include "hooks.h"

struct features;

/*
 * Opens the kernel's BTF. -ENOENT: the kernel has none; -EPERM: not enough privilege to use BPF
 * for tracing. On success *out is the caller's to features_close().
 */
int features_open(struct features **out);
void features_close(struct features *features);

/* Can that kind of hook be attached to target? 0, or the negative errno of the attempt; -ENOENT:
 * this kernel has no such tracepoint or function. */
int features_try(const struct features *features, enum hook_kind kind, const char *target);

#endif
