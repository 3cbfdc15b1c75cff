// SPDX-License-Identifier: BSD-2-Clause
/*
 * Misses are always counted; runs and time only while somebody asks for it, by a descriptor or by
 * kernel.bpf_stats_enabled.
 */
#include "kernel/probestats.h"

#include <errno.h>
#include <stdio.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/text.h"

int probestats_enable(void)
{
	int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);

	return fd < 0 ? -errno : fd;
}

/* The administrator may have the kernel count all the time. */
static bool always_enabled(void)
{
	FILE *file = fopen("/proc/sys/kernel/bpf_stats_enabled", "re");
	int first = file ? fgetc(file) : '0';

	if (file)
		fclose(file);
	return first == '1';
}

/* Is the program loaded? Then info is filled in. */
static bool info_read(const struct bpf_program *prog, struct bpf_prog_info *info)
{
	__u32 len = sizeof(*info);

	*info = (struct bpf_prog_info){ 0 };
	return bpf_program__fd(prog) >= 0 &&
	       !bpf_obj_get_info_by_fd(bpf_program__fd(prog), info, &len);
}

uint64_t probestats_misses(const struct bpf_object *object)
{
	struct bpf_prog_info info;
	struct bpf_program *prog;
	uint64_t misses = 0;

	bpf_object__for_each_program(prog, object)
	{
		if (info_read(prog, &info))
			misses += info.recursion_misses;
	}
	return misses;
}

void probestats_read(const struct bpf_object *object, bool enabled, struct probe_runs *runs)
{
	struct bpf_program *prog;

	runs->count = 0;
	runs->timed = enabled || always_enabled();
	bpf_object__for_each_program(prog, object)
	{
		struct probe_run *run = &runs->items[runs->count];
		struct bpf_prog_info info;
		struct text t;

		if (runs->count == PROBE_RUNS_MAX || !info_read(prog, &info))
			continue;
		runs->count++;
		text_init(&t, run->name, sizeof(run->name));
		text_add(&t, bpf_program__name(prog));
		run->misses = info.recursion_misses;
		run->hits = info.run_cnt;
		run->run_time = info.run_time_ns;
	}
}
