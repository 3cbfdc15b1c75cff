/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How handshakes stand, the good ones too: what a live view shows beside findings. All counts are
 * since tracing began.
 */
#ifndef TLSFAIL_FINDING_STANDING_H
#define TLSFAIL_FINDING_STANDING_H

#include <stdint.h>

#include "finding/finding.h"

#define STANDING_PEERS_MAX  512
#define STANDING_CAUSES_MAX 128

/* event.name of a line that holds one */
#define STANDING_EVENT "tlsfail.standing"

/* A peer of which this host is the client. Times are CLOCK_REALTIME in ns, 0: never. */
struct standing_peer {
	struct finding_endpoint peer;
	uint64_t done;	 /* handshakes that were not refused afterwards either */
	uint64_t failed; /* and connections that failed before one */
	uint64_t streak; /* failed since the last that was done */
	uint64_t last_done_ns;
	uint64_t last_failed_ns;
	uint64_t latency_ns; /* of those that were done, from connect, all together; 0: not known */
	int64_t not_after;   /* of its certificate, seconds since 1970; 0: not known */
};

struct standing_cause {
	char slug[64];
	uint64_t count;
};

struct standing {
	uint64_t time_ns; /* CLOCK_REALTIME */
	double rate;	 /* handshakes that ended, of either role, a second; less than 0: unknown */
	bool has_totals; /* the kernel's counters were read: not so of a recording */
	uint64_t client_done;
	uint64_t client_failed;
	uint64_t server_done;
	uint64_t server_failed;
	uint64_t noise;	     /* of the server's: nobody has to do anything */
	uint64_t latency_ns; /* of client_done, all together */
	uint64_t processes;  /* that are traced */
	uint64_t lost;	     /* records */
	unsigned int peers_omitted;
	unsigned int peer_count;
	struct standing_peer peers[STANDING_PEERS_MAX];
	unsigned int cause_count;
	struct standing_cause causes[STANDING_CAUSES_MAX];
};

#endif
