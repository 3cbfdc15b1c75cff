/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a live view knows: findings and standings in, rows of a table and failures out. Pure, and of
 * bounded size: what was quiet for longest makes room. Times are CLOCK_REALTIME in ns.
 */
#ifndef TLSFAIL_VIEW_MODEL_H
#define TLSFAIL_VIEW_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "finding/finding.h"
#include "finding/standing.h"

#define VIEW_ROWS_MAX	  1024 /* of each kind */
#define VIEW_NAME_LEN	  96
#define VIEW_SLUG_LEN	  64
#define VIEW_BUCKETS	  60 /* of the history */
#define VIEW_FAILURES_MAX 400

enum view_kind {
	VIEW_PEERS,	/* that this host connects to */
	VIEW_UPSTREAMS, /* blocks of nginx's configuration; a peer in none stands for itself */
	VIEW_CAUSES,
	VIEW_CLIENTS, /* that connect to this host, and fail */
	VIEW_KINDS,
};

enum view_sort {
	VIEW_BY_STATE, /* the worst first */
	VIEW_BY_NAME,
	VIEW_BY_RATE,
	VIEW_BY_SHARE,
	VIEW_BY_FAILED,
	VIEW_BY_CAUSE,
	VIEW_BY_CERTIFICATE,
	VIEW_BY_LATENCY,
	VIEW_BY_LAST,
	VIEW_SORTS,
};

/* The worse, the higher. */
enum view_state {
	VIEW_UNKNOWN,
	VIEW_OK,
	VIEW_RECOVERED,
	VIEW_FLAPPING,
	VIEW_FAILING,
};

/* Levels of the history. */
#define VIEW_LEVEL_NONE 0 /* nothing ended */
#define VIEW_LEVEL_GOOD 1 /* and nothing failed */
#define VIEW_LEVEL_MAX	9 /* all failed; of a cause or a client: as many as in the worst */

struct view_row {
	char name[VIEW_NAME_LEN];
	unsigned int peers; /* of an upstream */
	uint64_t done;	    /* since it was first seen */
	uint64_t failed;
	double rate; /* handshakes (of a cause or a client: failures) a second, less than 0: unknown */
	/* of those in the history, in percent; less than 0: none ended */
	double share;
	enum view_state state;
	char cause[VIEW_SLUG_LEN];    /* of the last failure, "" none */
	int64_t not_after;	      /* seconds since 1970, 0 unknown */
	uint64_t latency_ns;	      /* of a handshake, mean; 0 unknown */
	uint64_t last_ns;	      /* the last failure, 0 none */
	uint8_t levels[VIEW_BUCKETS]; /* the last is now */
};

/* What is asked for. */
struct view_query {
	enum view_kind kind;
	enum view_sort sort;
	bool reverse;
	bool failing_only; /* leave out what has not failed */
	const char
		*filter; /* words that peer, cause, or name have, each; "peer:", "cause:" or "name:"
			     * before one says where. "": all. */
};

struct view_totals {
	uint64_t time_ns;  /* of the last that came, 0: nothing has */
	uint64_t first_ns; /* and of the first */
	uint64_t bucket_ns;
	bool has_rates;
	double client_rate; /* handshakes a second that ended */
	double server_rate;
	uint64_t client_done, client_failed, server_done, server_failed;
	uint64_t latency_ns; /* mean of the last seconds, 0 unknown */
	uint64_t processes;
	uint64_t lost;	    /* records, and events of this view */
	uint64_t forgotten; /* rows that made room */
};

/* A failure that is kept, or several that are alike. */
struct view_failure {
	uint64_t time_ns; /* of the last of them */
	uint64_t count;
	const char *peer;
	const char *cause;
	const char *name; /* server name, "" none */
	const char *line; /* of JSON, of the last of them; not terminated */
	size_t len;
	const char
		*example; /* the same of the last that says more than how many there are; or NULL */
	size_t example_len;
};

struct view;

/* recorded: time is what events say, and the history is that of all of them. NULL when out of memory. */
struct view *view_new(bool recorded);
void view_free(struct view *v);

/* Takes a finding; line, of len bytes, is where it was read, and is copied. */
void view_finding(struct view *v, const struct finding *f, const char *line, size_t len);
void view_standing(struct view *v, const struct standing *s);

/* Time passes, though nothing comes. */
void view_tick(struct view *v, uint64_t now_ns);

void view_totals(const struct view *v, struct view_totals *totals);

/* Sets the first rows, max at most, in their order. Returns how many there are. */
size_t view_rows(struct view *v, const struct view_query *query, struct view_row *rows, size_t max);

/* Sets failures, max at most, the last one first: those of that row, of all when row is NULL. fold:
 * those with the same peer and cause are one. Returns how many were set. They are valid until the next
 * finding. */
size_t view_failures(const struct view *v, const struct view_query *query, const char *row,
		     bool fold, struct view_failure *failures, size_t max);

/* "failing", "flapping", "ok", "recovered", "-". */
const char *view_state_name(enum view_state state);

#endif
