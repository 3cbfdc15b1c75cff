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

void probestats_read(const struct bpf_object *object, bool enabled, struct metrics_host *host)
{
	struct bpf_program *prog;

	host->probe_count = 0;
	host->has_probe_stats = enabled || always_enabled();
	bpf_object__for_each_program(prog, object)
	{
		struct metrics_probe *probe = &host->probes[host->probe_count];
		struct bpf_prog_info info;
		struct text t;

		if (host->probe_count == METRICS_PROBES_MAX || !info_read(prog, &info))
			continue;
		host->probe_count++;
		text_init(&t, probe->name, sizeof(probe->name));
		text_add(&t, bpf_program__name(prog));
		probe->misses = info.recursion_misses;
		probe->hits = info.run_cnt;
		probe->run_time = info.run_time_ns;
	}
}
