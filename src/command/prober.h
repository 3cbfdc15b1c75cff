/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process that probes for the tracer: forked before the tracer has threads, and small. For each
 * request it forks once more; that child enters the network namespace of the process and becomes nobody, and
 * only then reads the files of the location, which are opened for it, and sends its first byte.
 */
#ifndef TLSFAIL_COMMAND_PROBER_H
#define TLSFAIL_COMMAND_PROBER_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "finding/finding.h"
#include "tlsfail_abi.h"

#define PROBER_SLUG_LEN	  48
#define PROBER_TIME_MAX_S 30 /* of one request, then the child is killed */

struct prober_request {
	uint64_t id;
	struct tlsfail_conn conn;
	/* Only these can be what it was. */
	uint32_t slug_count;
	char slugs[1 + FINDING_CANDIDATES_MAX][PROBER_SLUG_LEN];
	uint32_t places_len;
	uint8_t places[TLSFAIL_NGINX_DATA];
};

/* From a process that a peer may have taken over: nothing in it is trusted. */
struct prober_reply {
	uint64_t id;
	uint8_t settled;
	char slug[PROBER_SLUG_LEN];
	char proof[FINDING_EVIDENCE_LEN];
};

/* Starts it. *fd, the caller's to close, takes requests and gives replies (SOCK_SEQPACKET); closing it
 * ends the process. Returns 0 or a negative errno. */
int prober_start(int *fd);

#endif
