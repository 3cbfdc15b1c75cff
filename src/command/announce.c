// SPDX-License-Identifier: BSD-2-Clause
/*
 * Facts that come from this side of the kernel: clocks, uname, /proc, the counters.
 */
#include "command/announce.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "system/clock.h"
#include "target/target.h"

/* A step of the clock by more is worth a record: times are shown to the millisecond. */
#define CLOCK_STEP_NS 1000000

static struct tlsfail_header header_of(__u16 type, size_t len)
{
	return (struct tlsfail_header){
		.type = type,
		.version = TLSFAIL_ABI_VERSION,
		.len = (__u32)len,
	};
}

void announce_clock(struct tlsfail_clock *r)
{
	*r = (struct tlsfail_clock){
		.h = header_of(TLSFAIL_REC_CLOCK, sizeof(*r)),
		.monotonic = clock_monotonic(),
		.realtime = clock_realtime(),
	};
}

bool announce_clock_is_stale(const struct tlsfail_clock *r)
{
	struct tlsfail_clock now;
	int64_t step;

	announce_clock(&now);
	step = (int64_t)(now.realtime - now.monotonic - (r->realtime - r->monotonic));
	return step > CLOCK_STEP_NS || step < -CLOCK_STEP_NS;
}

int announce_host(struct tlsfail_host **out)
{
	struct tlsfail_host *r;
	struct utsname uts;
	size_t len;

	if (uname(&uts))
		return -errno;
	len = strlen(uts.nodename);
	r = calloc(1, sizeof(*r) + len);
	if (!r)
		return -ENOMEM;
	r->h = header_of(TLSFAIL_REC_HOST, sizeof(*r) + len);
	r->name_len = (__u32)len;
	memcpy(r->name, uts.nodename, len);
	*out = r;
	return 0;
}

int announce_process(uint32_t pid, const char *version, struct tlsfail_process **out)
{
	size_t exe_len, version_len = strlen(version), len;
	struct target_process process;
	struct tlsfail_process *r;
	int err;

	err = target_process_read((pid_t)pid, &process);
	if (err)
		return err;
	exe_len = strlen(process.exe_path);
	len = sizeof(*r) + exe_len + version_len;
	r = calloc(1, len);
	if (!r)
		return -ENOMEM;
	r->h = header_of(TLSFAIL_REC_PROCESS, len);
	r->pid = pid;
	r->exe_len = (__u32)exe_len;
	r->version_len = (__u32)version_len;
	memcpy(r->data, process.exe_path, exe_len);
	memcpy(r->data + exe_len, version, version_len);
	*out = r;
	return 0;
}

static struct tlsfail_lost lost_of(const struct tlsfail_counters *now)
{
	return (struct tlsfail_lost){
		.conns = now->n[TLSFAIL_N_LOST_CONN],
		.wires = now->n[TLSFAIL_N_LOST_WIRE],
		.untracked = now->n[TLSFAIL_N_UNTRACKED],
		.execs = now->n[TLSFAIL_N_LOST_EXEC],
	};
}

bool announce_loss(const struct tlsfail_counters *now, struct tlsfail_lost *before,
		   struct tlsfail_loss *r)
{
	struct tlsfail_lost total = lost_of(now);

	*r = (struct tlsfail_loss){
		.h = header_of(TLSFAIL_REC_LOSS, sizeof(*r)),
		.t = clock_monotonic(),
		.lost = {
			.conns = total.conns - before->conns,
			.wires = total.wires - before->wires,
			.untracked = total.untracked - before->untracked,
			.execs = total.execs - before->execs,
		},
	};
	*before = total;
	return r->lost.conns || r->lost.wires || r->lost.untracked || r->lost.execs;
}

void announce_totals(const struct tlsfail_counters *now, uint64_t records, struct tlsfail_totals *r)
{
	*r = (struct tlsfail_totals){
		.h = header_of(TLSFAIL_REC_TOTALS, sizeof(*r)),
		.t = clock_monotonic(),
		.client_seen = now->n[TLSFAIL_N_CLIENT_SEEN],
		.client_done = now->n[TLSFAIL_N_CLIENT_DONE],
		.server_seen = now->n[TLSFAIL_N_SERVER_SEEN],
		.server_done = now->n[TLSFAIL_N_SERVER_DONE],
		.server_failed = now->n[TLSFAIL_N_SERVER_FAILED],
		.records = records,
		.reported = now->n[TLSFAIL_N_REPORTED],
		.lost = lost_of(now),
	};
}

void announce_peer(const struct tlsfail_peer_key *key, const struct tlsfail_peer_counts *counts,
		   struct tlsfail_peer *r)
{
	*r = (struct tlsfail_peer){
		.h = header_of(TLSFAIL_REC_PEER, sizeof(*r)),
		.t = clock_monotonic(),
		.key = *key,
		.n = *counts,
	};
}
