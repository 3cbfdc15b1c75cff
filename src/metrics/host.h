/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the metrics show that is not counted finding by finding, but read from where it is kept: the
 * kernel's counters, the probes, this process.
 */
#ifndef TLSFAIL_METRICS_HOST_H
#define TLSFAIL_METRICS_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include "base/exposition.h"
#include "base/probe_runs.h"
#include "tlsfail_abi.h"
#include "tlsfail_maps.h"

#define METRICS_OUTPUTS_MAX 17

/* One output, as --sink names it. */
struct metrics_output {
	char name[256];
	uint64_t written; /* events */
	uint64_t dropped;
	uint64_t errors;  /* attempts to write that failed */
	uint64_t waiting; /* events in its queue */
	uint64_t waiting_bytes;
	bool failing; /* the last attempt failed */
};

struct metrics_process {
	bool known;
	double cpu_s;
	double start_s;	   /* since 1970 */
	uint64_t resident; /* bytes */
	uint64_t virtual;
	uint64_t open_fds;
	uint64_t max_fds;
};

struct metrics_host {
	uint64_t time_ns; /* CLOCK_REALTIME of all this */
	bool armed;	  /* at least one process is traced */
	size_t traced;	  /* processes */

	struct tlsfail_counters counters;
	uint64_t records;	 /* taken from the ring */
	uint64_t invalid;	 /* of them: no record of this ABI */
	uint64_t contradictions; /* causes that were withdrawn: the evidence contradicts them */
	uint64_t crashes;	 /* of the process that reads what peers send */
	uint64_t orphans;	 /* wire records whose connection never came */

	size_t output_count;
	struct metrics_output outputs[METRICS_OUTPUTS_MAX];

	struct probe_runs probes;

	struct metrics_process process;
};

/* Writes the families of records, outputs, probes and of the process. */
void metrics_host_write(const struct metrics_host *host, struct exposition *exposition);

#endif
