/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of the certificates of a peer with which nothing is wrong.
 */
#ifndef TLSFAIL_FINDING_CERTIFICATE_ENDS_H
#define TLSFAIL_FINDING_CERTIFICATE_ENDS_H

#include <stdint.h>

#include "finding/finding.h"

/* When the certificates of a peer end, seconds since 1970. */
struct certificate_ends {
	struct finding_endpoint peer;
	uint64_t time_ns; /* CLOCK_REALTIME of the sighting */
	int64_t leaf;
	int64_t chain; /* the first of those that it sent */
};

#endif
