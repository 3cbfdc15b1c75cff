/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a run of failures comes to: by peer, by cause, in the order of time. Events are added as they
 * come, from any number of files; report_finish() then puts them in order and concludes what only the
 * whole can say. Pure: it is told what time it is by the events alone. Times are ns since 1970, UTC.
 * Memory: about 32 bytes a failure, and an event a kind (REPORT_EXAMPLES_MAX).
 */
#ifndef TLSFAIL_REPORT_MODEL_H
#define TLSFAIL_REPORT_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/event.h"

#define REPORT_EXAMPLES_MAX 400 /* kinds of which an event is kept whole */
#define REPORT_VERSIONS_MAX 8	/* of the settings at a place */
#define REPORT_CERT_PEERS   3	/* peers of a certificate that are named */
#define REPORT_NOTES_MAX    64	/* losses that are kept one by one */

/* When, what, how often: a failure, or a recovery (kind REPORT_NO_KIND). */
#define REPORT_NO_KIND UINT32_MAX
struct report_point {
	uint64_t time_ns;
	uint64_t count;
	uint32_t peer;
	uint32_t kind;
	uint32_t port; /* of the connection on this side: the same failure from two files */
	uint32_t file;
};

/* A time in which a peer failed: from its first failure until it recovered, if it did. */
struct report_outage {
	uint32_t peer;
	uint64_t first_ns;
	uint64_t last_ns;      /* the last failure */
	uint64_t recovered_ns; /* a success by then, and no failure until then; 0: not seen */
	bool flapping;	       /* not seen, but some handshakes succeeded meanwhile */
	uint64_t failures;
};

struct report_peer {
	char *label;	/* "10.0.0.1:443"; of a server's clients, what they connect to */
	bool server;	/* the traced program is the server */
	char *upstream; /* block of nginx's configuration, or NULL */
	uint64_t failures;
	uint64_t first_ns;
	uint64_t last_ns;
	bool failing;	     /* when the data ends: no recovery was seen */
	bool flapping;	     /* that, but some handshakes succeeded in between */
	uint64_t success_ns; /* the last success that a failure tells of, 0 none */
	uint32_t kind_count;
};

/* The failures of a peer with one cause. */
struct report_kind_row {
	uint32_t peer;
	char *cause;
	uint64_t count;
	uint64_t first_ns;
	uint64_t last_ns;
	char *confirmed; /* what a probe has shown, or NULL */
	json_t *example; /* an event, with its timeline when one has it; NULL: too many kinds */
};

struct report_cause {
	char *cause; /* of the kinds */
	uint64_t count;
	uint64_t first_ns;
	uint64_t last_ns;
	uint32_t peers;
	const json_t *example;
};

struct report_certificate {
	char *subject;
	char *issuer;
	char *names; /* alternative names, joined; "" none or unknown */
	char *key;   /* "EC 256" */
	bool has_validity;
	uint64_t not_before_ns;
	uint64_t not_after_ns;
	bool client;
	uint64_t first_ns; /* seen */
	uint64_t last_ns;
	uint32_t peers[REPORT_CERT_PEERS];
	uint32_t peer_count; /* that are kept */
	bool more_peers;
};

/* The settings at a place of the configuration, one a line, and when findings had them. */
struct report_version {
	char *settings;
	uint64_t first_ns;
	uint64_t last_ns;
};

struct report_place {
	char *name; /* "FILE:LINE, LOCATION" */
	uint32_t version_count;
	bool more; /* versions than are kept */
	struct report_version versions[REPORT_VERSIONS_MAX];
};

struct report_loss {
	uint64_t time_ns;
	char *message;
};

/* A growing array; what it holds is said where it stands. */
struct report_list {
	void *items;
	size_t count;
	size_t room;
};

struct report {
	struct report_list points;	 /* struct report_point */
	struct report_list peers;	 /* struct report_peer */
	struct report_list kinds;	 /* struct report_kind_row */
	struct report_list causes;	 /* struct report_cause, after report_finish() */
	struct report_list certificates; /* struct report_certificate */
	struct report_list places;	 /* struct report_place */
	struct report_list outages;	 /* struct report_outage, after report_finish() */
	struct report_list losses;	 /* struct report_loss */
	json_t *index;			 /* of all that is found again: a name to a number */
	json_t *hosts;			 /* names of the traced hosts: an object's keys */

	uint64_t events;
	uint64_t failures;
	uint64_t first_ns; /* of the failures; when there are none, 0 */
	uint64_t last_ns;
	uint64_t begin_ns; /* of all events */
	uint64_t end_ns;
	uint64_t examples;
	uint64_t duplicates; /* failures that two files have */
	uint64_t others;     /* events of a kind that this release does not know */
	uint64_t lost_failures;
	uint64_t lost_wires;
	uint64_t lost_untracked;
	uint64_t lost_processes;
	uint64_t lost_output;
};

/* Row number i of a list of that type. */
#define REPORT_ROW(list, type, i) (&((type *)(list)->items)[i])

/* NULL: no memory. The caller's to report_free(). */
struct report *report_new(void);
void report_free(struct report *r);

/* Adds an event of the file with that number, and keeps what it needs of it. Returns 0 or -ENOMEM. */
int report_add(struct report *r, const struct report_event *event, uint32_t file);

/* No more comes: puts all in order (peers and kinds by their failures). Returns 0 or -ENOMEM. */
int report_finish(struct report *r);

#endif
