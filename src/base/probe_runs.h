/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How often the probes ran: from the kernel to the metrics.
 */
#ifndef TLSFAIL_BASE_PROBE_RUNS_H
#define TLSFAIL_BASE_PROBE_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROBE_RUNS_MAX 48

/* One attached BPF program. */
struct probe_run {
	char name[64];
	uint64_t misses;   /* times that it should have run, and the kernel did not let it */
	uint64_t hits;	   /* if timed */
	uint64_t run_time; /* ns, likewise */
};

struct probe_runs {
	size_t count;
	bool timed; /* the kernel counts hits and run time */
	struct probe_run items[PROBE_RUNS_MAX];
};

#endif
