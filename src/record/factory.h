/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records, made: those that the collector adds to what the kernel side sends, so that a recording holds
 * everything that a finding needs. Facts come from the caller. Pure.
 *
 * Records that end in strings are the caller's to free(); NULL when out of memory. A string that is
 * longer than TLSFAIL_STRING_MAX is cut.
 */
#ifndef TLSFAIL_RECORD_FACTORY_H
#define TLSFAIL_RECORD_FACTORY_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tlsfail_abi.h"
#include "tlsfail_maps.h"

/* The header of a record of that type, len bytes long with it. */
struct tlsfail_header record_header(enum tlsfail_record_type type, size_t len);

/* Times are in ns; t is CLOCK_MONOTONIC. */
struct tlsfail_clock record_clock(uint64_t monotonic, uint64_t realtime);
struct tlsfail_peer record_peer(uint64_t t, const struct tlsfail_peer_key *key,
				const struct tlsfail_peer_counts *counts);

/* What was lost from before to now. False: nothing, and *record is not one. */
bool record_loss(uint64_t t, const struct tlsfail_lost *before, const struct tlsfail_lost *now,
		 struct tlsfail_loss *record);

/* What the counters say was lost. */
struct tlsfail_lost record_lost(const struct tlsfail_counters *counters);

/* The end of a run in which so many records came. */
struct tlsfail_totals record_totals(uint64_t t, const struct tlsfail_counters *counters,
				    uint64_t records);

struct tlsfail_host *record_host(const char *name);

/* lib and version are those of its TLS library, where is in the form of the ABI; "" : unknown. */
struct tlsfail_process *record_process(uint32_t pid, const char *exe, const char *lib,
				       const char *version, const char *where);

struct record_line {
	uint64_t connection;
	uint32_t pid;
	uint8_t level;
	const char *file;
	const char *text; /* not terminated */
	size_t text_len;
};

/* A line that no connection is known for. */
struct tlsfail_log_line *record_log_line(const struct record_line *line);

/* A connection as the kernel side keeps it, made the record of one whose end was not seen. */
void record_conn_open(struct tlsfail_conn *conn, uint64_t t);

#endif
