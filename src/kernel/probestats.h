/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel counts of each loaded BPF program.
 */
#ifndef TLSFAIL_KERNEL_PROBESTATS_H
#define TLSFAIL_KERNEL_PROBESTATS_H

#include "base/probe_runs.h"

struct bpf_object;

/* Has the kernel count runs and time of all BPF programs of the host, as long as the descriptor is
 * open that is returned, the caller's to close. A negative errno on failure. */
int probestats_enable(void);

/* How often the kernel did not run one of the programs that it had to. */
uint64_t probestats_misses(const struct bpf_object *object);

/* Reads how often each program ran. enabled: there is such a descriptor; else the
 * kernel may still count, by kernel.bpf_stats_enabled. */
void probestats_read(const struct bpf_object *object, bool enabled, struct probe_runs *runs);

#endif
