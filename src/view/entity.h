/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the model holds inside: an entity is a peer, a cause or a client. For the files of the model.
 */
#ifndef TLSFAIL_VIEW_ENTITY_H
#define TLSFAIL_VIEW_ENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "view/history.h"
#include "view/model.h"

struct entity {
	char name[VIEW_NAME_LEN];
	uint64_t hash;
	/* of its last failure */
	char cause[VIEW_SLUG_LEN];
	char upstream[64];
	char server_name[128];

	bool counted; /* standings have counted it; else it is counted by findings */
	uint64_t done;
	uint64_t failed;
	uint64_t streak;
	uint64_t seen_ns; /* when anything was heard of it */
	uint64_t last_done_ns;
	uint64_t last_failed_ns;
	uint64_t recovered_ns;
	enum view_state told; /* by findings */
	/* what a finding said it was counted from, and how many had succeeded */
	uint64_t history_since_ns;
	uint64_t history_done;
	uint64_t latency_ns; /* of all that were done; 0: unknown */
	int64_t not_after;

	struct history history;
	struct history_rate ended;
	struct history_rate latency;
	struct history_rate done_at; /* as latency was sampled */
};

struct table {
	size_t count;
	size_t max;
	struct entity *items;
};

struct kept {
	char *line;
	size_t len;
	bool whole; /* else it says how many more there were of a kind */
	/* where it is not whole: the last that was, which had to make room; or NULL */
	char *example;
	size_t example_len;
	uint64_t time_ns;
	uint64_t count;
	bool server;
	char peer[VIEW_NAME_LEN]; /* or the client */
	char cause[VIEW_SLUG_LEN];
	char server_name[128];
	char upstream[64];
};

struct view {
	bool recorded;
	struct history_time time;
	uint64_t first_ns;
	uint64_t last_ns;
	uint64_t standings;   /* that came */
	uint64_t standing_ns; /* the last of them */
	uint64_t forgotten;
	uint64_t lost;
	struct table peers;
	struct table causes;
	struct table clients;

	bool has_totals;
	struct standing totals; /* without the peers */
	struct history_rate client;
	struct history_rate server;
	struct history_rate latency;
	struct history_rate done_at;

	size_t kept_count;
	size_t kept_next;
	size_t kept_bytes;
	struct kept kept[VIEW_FAILURES_MAX];
};

/* The mean of what was added to latency by what was added to done, or of all; 0: unknown. */
uint64_t entity_latency(const struct history_rate *latency, const struct history_rate *done,
			uint64_t latency_ns, uint64_t count);

/* How it stands now; the history has had so many failures. */
enum view_state entity_state(const struct view *v, const struct entity *e, uint64_t failures);

#endif
