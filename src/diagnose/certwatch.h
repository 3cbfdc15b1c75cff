/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificates of healthy peers, from passive traffic: each is told once, and again when it ends
 * soon, so that its end is known before it breaks anything. Pure: time is what the records say.
 */
#ifndef TLSFAIL_DIAGNOSE_CERTWATCH_H
#define TLSFAIL_DIAGNOSE_CERTWATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/estate.h"
#include "diagnose/correlate.h"
#include "finding/certificate_ends.h"
#include "finding/finding.h"
#include "tls/x509view.h"

struct certwatch_options {
	bool seen;	 /* tell each certificate of a peer once */
	uint64_t warn_s; /* and those that end within so many seconds; 0: none */
};

struct certwatch;

/* estate: what was told is remembered there; NULL: in memory of its own. NULL when out of memory. */
struct certwatch *certwatch_new(const struct certwatch_options *options, struct estate *estate);
void certwatch_free(struct certwatch *w);

/* The events that a sighting can give, in this order. */
enum certwatch_event {
	CERTWATCH_SEEN,
	CERTWATCH_EXPIRING,
	CERTWATCH_UNSENT, /* it asked for a client certificate and got none: once for each peer */
	CERTWATCH_EVENTS,
};

/* Does the sighting give this event? Then *finding is filled in. To be asked for each event in
 * turn, as it remembers what was told. */
bool certwatch_tell(struct certwatch *w, const struct sighting *sighting,
		    enum certwatch_event event, struct finding *finding);

/* The certificates of the sighting, the peer's own first, and whose they are. *certs lives until the next
 * call. Returns how many there are. */
size_t certwatch_read(struct certwatch *w, const struct sighting *sighting,
		      struct finding_endpoint *peer, const struct x509_view **certs);

/* Whether it is known when the certificates of the sighting end; then *ends is filled in. */
bool certwatch_ends(struct certwatch *w, const struct sighting *sighting,
		    struct certificate_ends *ends);

#endif
