/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is counted for Prometheus, and the page that shows it. Pure and bounded: whoever owns the
 * counts says when anything happens, and their memory does not grow after the start.
 */
#ifndef TLSFAIL_METRICS_METRICS_H
#define TLSFAIL_METRICS_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/estate.h"
#include "base/exposition.h"
#include "finding/certificate_ends.h"
#include "finding/finding.h"
#include "metrics/host.h"
#include "base/text.h"

#define METRICS_PEERS_LIMIT 1000 /* the most that metrics_new() takes */
#define METRICS_CERTS_MAX   1024 /* peers whose certificates are shown: those that end first */

#define METRICS_FAILING_MAX 100 /* peers that fail, by name */

/* A peer whose certificates were not seen for so long is forgotten: traffic that goes on shows them
 * once a day. */
#define METRICS_CERT_FORGET_S (50 * 3600)

struct metrics;

/* What a finding can name. */
struct metrics_names {
	size_t (*cause_count)(void);
	const char *(*cause_slug)(size_t cause);
	/* Can it be that of a failure as the server, or else as the client? */
	bool (*cause_has_role)(size_t cause, bool server);
	const char *(*alert_name)(uint8_t code); /* NULL: nobody has named it */
};

/* Failures are shown for so many peers by name, first come first served, and for all others
 * together as "other"; 0: no peer is named. names has to outlive it; so has estate, in which counts go
 * on where another process has left them, unless that is NULL. NULL when out of memory. */
struct metrics *metrics_new(unsigned int peers, const struct metrics_names *names,
			    struct estate *estate);
void metrics_free(struct metrics *m);

/* A second one with the same counts, metrics_free() for it too. NULL when out of memory. */
struct metrics *metrics_clone(const struct metrics *m);

/* A failed handshake was found. */
void metrics_failure(struct metrics *m, const struct finding *finding);

/* So many handshakes with that peer, as the client, have succeeded. */
void metrics_succeeded(struct metrics *m, const struct finding_endpoint *peer, uint64_t handshakes);

/* Certificates of a healthy peer were seen. */
void metrics_certificates(struct metrics *m, const struct certificate_ends *ends);

/* How handshakes fail with a peer with which none succeeds: times are CLOCK_REALTIME. */
struct metrics_failing {
	uint64_t since_ns; /* the first failure */
	uint64_t last_ns;
	uint64_t failures; /* from the first to the last */
	const char *cause; /* of the last, lives for ever; NULL: unknown */
};

/* The peers with which no handshake succeeds now: none, and then one more. */
void metrics_failing_begin(struct metrics *m);
void metrics_failing_add(struct metrics *m, const struct finding_endpoint *peer,
			 const struct metrics_failing *failing);

/* How things are now. */
void metrics_host_set(struct metrics *m, const struct metrics_host *host);

/* Appends the page. text->cut: it did not fit. */
void metrics_write(const struct metrics *m, enum exposition_format format, struct text *text);

#endif
