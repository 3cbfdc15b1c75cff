/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole log, read as a stream of any length in bounded memory, and summed up.
 */
#ifndef TLSFAIL_COMMAND_EXPLAIN_LOG_H
#define TLSFAIL_COMMAND_EXPLAIN_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "program/nginx/loglines.h"

#define EXPLAIN_KINDS_MAX   128
#define EXPLAIN_BUCKETS	    32
#define EXPLAIN_LINE_LEN    2048
#define EXPLAIN_PEERS_SHOWN 5

/* How many came when: equal spans of time, that grow as the log does. */
struct explain_histogram {
	int64_t begin; /* of the first bucket, a multiple of span; seconds */
	int64_t span;  /* of one bucket; 0: nothing has come yet */
	uint64_t counts[EXPLAIN_BUCKETS];
};

struct explain_peer {
	uint16_t kind; /* 1 + its index; 0: free */
	uint16_t port;
	uint8_t address[16];
	uint64_t count;
};

/* Lines that say the same. */
struct explain_kind {
	struct logline line; /* the first of them */
	char sample[200];    /* what it says, as it is */
	uint64_t count;
	int64_t first, last; /* 0: their time is not known */
	struct explain_histogram histogram;
	uint64_t peers_left_out; /* lines whose peers had no room */
};

struct explain_log {
	uint64_t bytes, size;	       /* read; of the file, 0 unknown */
	uint64_t lines;		       /* about TLS, whose meaning is known */
	uint64_t unknown;	       /* others, with the word SSL in them */
	uint64_t kinds_left_out;       /* of the lines: those whose kind had no room */
	char sample[EXPLAIN_LINE_LEN]; /* the first line of those that are known, as it is */
	size_t sample_len;
	char unknown_sample[256];
	bool interrupted;
	size_t kind_count;
	struct explain_kind kinds[EXPLAIN_KINDS_MAX];
	struct explain_peer *peers; /* a hash table */
	struct logline_memo memo;
};

/* 0, or a negative errno when it cannot be read on; what was read until then is summed up, with what was read
 * before. */
int explain_log_read(struct explain_log *log, int fd, const char *name);

struct explain_log *explain_log_new(void);
void explain_log_free(struct explain_log *log);

/* The peers with the most lines of a kind; returns how many there are. */
size_t explain_log_peers(const struct explain_log *log, size_t kind,
			 const struct explain_peer *top[EXPLAIN_PEERS_SHOWN]);

void explain_histogram_add(struct explain_histogram *h, int64_t seconds);

#endif
