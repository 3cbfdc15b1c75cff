/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Puts decoded records together: the wire bytes of a connection with its facts, the process, the
 * host and the clock, and what the same peer did before. Pure: time is what the records say.
 */
#ifndef TLSFAIL_DIAGNOSE_CORRELATE_H
#define TLSFAIL_DIAGNOSE_CORRELATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/decode.h"
#include "diagnose/peers.h"
#include "program/program.h"
#include "tls/wire.h"

/* What nginx itself said of a connection: bytes that were in its error.log. */
struct log_line {
	uint64_t connection; /* nginx's number, 0 unknown */
	uint8_t level;
	const char *file;
	const char *text;
};

/* One failed connection with all that is known of it. Pointers live until the next record. */
struct certmemo;

struct failure {
	const struct tlsfail_conn *conn;
	struct tls_capture sent; /* data NULL: not kept */
	struct tls_capture received;
	struct tls_capture certs[TLSFAIL_CERTS_MAX]; /* leaf first, DER */
	uint64_t time_ns;      /* CLOCK_REALTIME of its end; 0 when no clock record came before */
	const char *exe;       /* path, may be "" ; bytes that the host chose */
	const char *version;   /* of the TLS library, may be "" */
	const char *host;      /* name of the host, may be "" */
	uint64_t netns;	       /* inode of the process's network namespace, 0 unknown */
	const char *container; /* id of the container that it is in, "" none or unknown */
	const uint8_t *places; /* of its configuration, for its program's advise(); NULL: unknown */
	size_t places_len;
	const struct program *program; /* its kind, NULL: unknown; filled in by the caller */
	/* A connection of the same process ended itself after the same time before: a timer. */
	bool repeats_elapsed;
	const struct log_line *log_line; /* NULL: none is known */
	/* Connections that failed one right after the other on the same thread: all of them have the
	 * id of the first. This is the attempt-th of them; 0: its connect was not seen. */
	uint64_t group;
	unsigned int attempt;
	struct peer_history history; /* of the peer; filled in by the caller */
	const struct certmemo *memo; /* NULL: none; filled in by the caller */
};

/* Certificates of a healthy peer. Pointers live until the next record. */
struct sighting {
	const struct tlsfail_certs *record;
	struct tls_capture sent, received;	     /* of the handshake; may be empty */
	struct tls_capture certs[TLSFAIL_CERTS_MAX]; /* leaf first, DER */
	uint64_t time_ns;
	uint64_t netns; /* of its process, 0 unknown */
	const char *exe;
	const char *host;
	const struct program *program; /* its kind, NULL unknown; filled in by the caller */
};

struct correlator;

/* NULL when out of memory. */
struct correlator *correlator_new(void);
void correlator_free(struct correlator *c);

/*
 * Takes one record. Returns 1 when it completed a failure, which *out then describes; 0 when not;
 * -ENOMEM.
 */
int correlator_feed(struct correlator *c, const struct decoded *record, struct failure *out);

/* The handshake bytes of one direction of a connection whose own record has not come yet. False:
 * none were kept. */
bool correlator_bytes(const struct correlator *c, uint64_t id, enum tlsfail_dir dir,
		      struct tls_capture *bytes);

/* Joins a record of type TLSFAIL_REC_CERTS, which must live as long as *out is used, with the bytes
 * that came before it. */
void correlator_sighting(struct correlator *c, const struct tlsfail_certs *record,
			 struct sighting *out);

/* CLOCK_REALTIME for a time in a record, 0 when unknown; and the host's name, "" when unknown. */
uint64_t correlator_realtime(const struct correlator *c, uint64_t monotonic);
const char *correlator_host(const struct correlator *c);

/* Wire bytes whose connection never came, because its record was lost. */
uint64_t correlator_orphans(const struct correlator *c);

#endif
