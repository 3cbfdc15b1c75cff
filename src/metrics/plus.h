/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counters that NGINX Plus has of TLS, for any nginx, under the names that nginx-prometheus-exporter
 * gives them, so that dashboards made for it work. Pure, and of fixed size.
 */
#ifndef TLSFAIL_METRICS_PLUS_H
#define TLSFAIL_METRICS_PLUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/exposition.h"
#include "finding/finding.h"

#define PLUS_ROWS_MAX  256 /* servers and peers; all others together are "other" */
#define PLUS_LABEL_LEN 64

enum plus_kind {
	PLUS_SERVER_ZONE,
	PLUS_UPSTREAM_SERVER,
	PLUS_KIND_COUNT,
};

enum plus_counter {
	PLUS_HANDSHAKES,
	PLUS_HANDSHAKES_FAILED,
	PLUS_NO_COMMON_PROTOCOL,
	PLUS_NO_COMMON_CIPHER,
	PLUS_HANDSHAKE_TIMEOUT,
	PLUS_PEER_REJECTED_CERT,
	/* of verify_failures */
	PLUS_NO_CERT,
	PLUS_EXPIRED_CERT,
	PLUS_REVOKED_CERT,
	PLUS_HOSTNAME_MISMATCH,
	PLUS_OTHER,
	PLUS_COUNTER_COUNT,
};

struct plus_row {
	char name[PLUS_LABEL_LEN];   /* of the server zone, or of the upstream */
	char server[PLUS_LABEL_LEN]; /* address and port of the peer, "" a server zone */
	uint64_t n[PLUS_COUNTER_COUNT];
};

struct plus {
	uint64_t failed;
	unsigned int count[PLUS_KIND_COUNT];
	struct plus_row rows[PLUS_KIND_COUNT][PLUS_ROWS_MAX];
	struct plus_row others[PLUS_KIND_COUNT];
};

/* Can these be counts, wherever they come from? */
bool plus_is_sound(const struct plus *plus);

/* A failure of nginx is counted; one of another program is not. */
void plus_failure(struct plus *plus, const struct finding *finding);

/* So many handshakes with the peer have succeeded. It is shown from its first failure on. */
void plus_succeeded(struct plus *plus, const struct finding_endpoint *peer, uint64_t handshakes);

/* The families; handshakes: how many have succeeded of all, whatever the program. */
void plus_write(const struct plus *plus, struct exposition *exposition, uint64_t handshakes);

#endif
