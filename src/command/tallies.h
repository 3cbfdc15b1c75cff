/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many failures there were, by what they are: for the lines on stderr at the end and on request, and for
 * live views. A process that goes on after another one crashed goes on counting.
 */
#ifndef TLSFAIL_COMMAND_TALLIES_H
#define TLSFAIL_COMMAND_TALLIES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/estate.h"
#include "finding/finding.h"
#include "tlsfail_abi.h"

struct tallies_numbers {
	uint64_t findings; /* to be told */
	uint64_t failed;   /* handshakes as the client */
	uint64_t refused;  /* TCP connections, no handshake began */
	uint64_t server_failed;
	uint64_t unconnected; /* TCP connections as the client that failed, and were not refused */
	uint64_t unjudged;    /* closed here right after the handshake, nobody knows why */
	uint64_t noise;
	uint64_t contradictions; /* causes that were withdrawn */
	uint64_t lines;		 /* of error.log that findings have */
	uint64_t lines_alone;	 /* those about TLS without one */
	uint64_t orphans;	 /* wire records whose connection never came */
};

struct tallies {
	struct estate *estate; /* NULL: the numbers are its own */
	struct tallies_numbers *n;
	uint64_t *by_cause; /* by cause_at() */
	uint64_t orphans;   /* before this process */
};

/* estate: as for metrics_new(). 0, or -ENOMEM; then, too, tallies_close() is to be called. */
int tallies_open(struct tallies *tallies, struct estate *estate);
void tallies_close(struct tallies *tallies);

/* That finding was made of that failure. */
void tallies_count(struct tallies *tallies, const struct finding *finding,
		   const struct tlsfail_conn *conn);

/* So many wire records have no connection, as this process sees it. */
void tallies_orphans(struct tallies *tallies, uint64_t orphans);

/* As the client, whatever came of TCP. */
uint64_t tallies_as_client(const struct tallies *tallies);

/* A line on stderr: how it stands. */
void tallies_status(const struct tallies *tallies);

/* What is told of them at the end. */
struct tallies_summary {
	bool client;			     /* handshakes as the client are traced */
	bool server;			     /* only those as the server are */
	bool noise;			     /* noise was told */
	const struct tlsfail_totals *totals; /* NULL: missing */
};
void tallies_summary(const struct tallies *tallies, const struct tallies_summary *how);

#endif
