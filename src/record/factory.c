// SPDX-License-Identifier: BSD-2-Clause
/*
 * One function a type.
 */
#include "record/factory.h"

#include <stdlib.h>
#include <string.h>

struct tlsfail_header record_header(enum tlsfail_record_type type, size_t len)
{
	return (struct tlsfail_header){
		.type = (__u16)type,
		.version = TLSFAIL_ABI_VERSION,
		.len = (__u32)len,
	};
}

/* -- of fixed size ----------------------------------------------------------------------------- */

struct tlsfail_clock record_clock(uint64_t monotonic, uint64_t realtime)
{
	return (struct tlsfail_clock){
		.h = record_header(TLSFAIL_REC_CLOCK, sizeof(struct tlsfail_clock)),
		.monotonic = monotonic,
		.realtime = realtime,
	};
}

struct tlsfail_peer record_peer(uint64_t t, const struct tlsfail_peer_key *key,
				const struct tlsfail_peer_counts *counts)
{
	return (struct tlsfail_peer){
		.h = record_header(TLSFAIL_REC_PEER, sizeof(struct tlsfail_peer)),
		.t = t,
		.key = *key,
		.n = *counts,
	};
}

struct tlsfail_lost record_lost(const struct tlsfail_counters *counters)
{
	return (struct tlsfail_lost){
		.conns = counters->n[TLSFAIL_N_LOST_CONN],
		.wires = counters->n[TLSFAIL_N_LOST_WIRE],
		.untracked = counters->n[TLSFAIL_N_UNTRACKED],
		.execs = counters->n[TLSFAIL_N_LOST_EXEC],
	};
}

bool record_loss(uint64_t t, const struct tlsfail_lost *before, const struct tlsfail_lost *now,
		 struct tlsfail_loss *r)
{
	*r = (struct tlsfail_loss){
		.h = record_header(TLSFAIL_REC_LOSS, sizeof(*r)),
		.t = t,
		.lost = {
			.conns = now->conns - before->conns,
			.wires = now->wires - before->wires,
			.untracked = now->untracked - before->untracked,
			.execs = now->execs - before->execs,
		},
	};
	return r->lost.conns || r->lost.wires || r->lost.untracked || r->lost.execs;
}

struct tlsfail_totals record_totals(uint64_t t, const struct tlsfail_counters *counters,
				    uint64_t records)
{
	const __u64 *n = counters->n;

	return (struct tlsfail_totals){
		.h = record_header(TLSFAIL_REC_TOTALS, sizeof(struct tlsfail_totals)),
		.t = t,
		.client_seen = n[TLSFAIL_N_CLIENT_SEEN],
		.client_done = n[TLSFAIL_N_CLIENT_DONE],
		.server_seen = n[TLSFAIL_N_SERVER_SEEN],
		.server_done = n[TLSFAIL_N_SERVER_DONE],
		.server_failed = n[TLSFAIL_N_SERVER_FAILED],
		.records = records,
		.reported = n[TLSFAIL_N_REPORTED],
		.lost = record_lost(counters),
	};
}

void record_conn_open(struct tlsfail_conn *conn, uint64_t t)
{
	conn->h = record_header(TLSFAIL_REC_CONN, sizeof(*conn));
	conn->flags |= TLSFAIL_F_OPEN;
	conn->t_close = t;
}

/* -- that end in strings ------------------------------------------------------------------------ */

static size_t string_len(const char *string)
{
	return strnlen(string, TLSFAIL_STRING_MAX);
}

/* Zeroes of len bytes that begin with a header. */
static void *record_new(enum tlsfail_record_type type, size_t len)
{
	struct tlsfail_header *h = calloc(1, len);

	if (h)
		*h = record_header(type, len);
	return h;
}

struct tlsfail_host *record_host(const char *name)
{
	size_t len = string_len(name);
	struct tlsfail_host *r = record_new(TLSFAIL_REC_HOST, sizeof(*r) + len);

	if (!r)
		return NULL;
	r->name_len = (__u32)len;
	memcpy(r->name, name, len);
	return r;
}

struct tlsfail_process *record_process(uint32_t pid, const char *exe, const char *lib,
				       const char *version, const char *where)
{
	size_t exe_len = string_len(exe), lib_len = string_len(lib);
	size_t name_len = string_len(version), where_len = string_len(where);
	size_t version_len = name_len;
	struct tlsfail_process *r;

	if (where_len && name_len + 1 + where_len <= TLSFAIL_STRING_MAX)
		version_len += 1 + where_len;
	r = record_new(TLSFAIL_REC_PROCESS, sizeof(*r) + exe_len + lib_len + version_len);

	if (!r)
		return NULL;
	r->pid = pid;
	r->exe_len = (__u32)exe_len;
	r->lib_len = (__u32)lib_len;
	r->version_len = (__u32)version_len;
	memcpy(r->data, exe, exe_len);
	memcpy(r->data + exe_len, lib, lib_len);
	memcpy(r->data + exe_len + lib_len, version, name_len);
	/* record_new() gives zeros */
	if (version_len > name_len)
		memcpy(r->data + exe_len + lib_len + name_len + 1, where, where_len);
	return r;
}

struct tlsfail_log_line *record_log_line(const struct record_line *line)
{
	size_t file_len = string_len(line->file);
	size_t text_len = line->text_len < TLSFAIL_STRING_MAX ? line->text_len : TLSFAIL_STRING_MAX;
	struct tlsfail_log_line *r =
		record_new(TLSFAIL_REC_LOG_LINE, sizeof(*r) + file_len + text_len);

	if (!r)
		return NULL;
	r->connection = line->connection;
	r->pid = line->pid;
	r->level = line->level;
	r->file_len = (__u32)file_len;
	r->text_len = (__u32)text_len;
	memcpy(r->data, line->file, file_len);
	memcpy(r->data + file_len, line->text, text_len);
	return r;
}
