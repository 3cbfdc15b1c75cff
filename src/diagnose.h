/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a failure to a finding: derives what was observed, walks the cause table, fills in the
 * words. Pure: the same failure gives the same finding, byte for byte.
 */
#ifndef TLSFAIL_DIAGNOSE_H
#define TLSFAIL_DIAGNOSE_H

#include "causes.h"
#include "correlate.h"
#include "finding.h"
#include "x509view.h"

/* Everything the rules look at. */
struct symptoms {
	uint32_t observed; /* enum observation */
	bool has_alert;	   /* fatal alert received */
	uint8_t alert;
	bool has_alert_sent; /* fatal alert sent, and none received */
	bool alert_sent_inferred;
	uint8_t alert_sent;
	uint32_t reason; /* first OpenSSL reason, 0: none */
	bool has_verify; /* a verify result was asked for, and it is not 0 */
	int32_t verify;
};

/* The first row of the table that fits; never NULL. */
const struct cause *diagnose_match(const struct symptoms *symptoms);

/* Working space, too large for a stack; what was read from the wire is in it afterwards. */
struct diagnose_work {
	struct tls_view view;
	size_t cert_count; /* of certs */
	struct x509_view certs[TLSFAIL_CERTS_MAX];
};

/* Fills in *finding. */
void diagnose(const struct failure *failure, struct diagnose_work *work, struct finding *finding);

/* The finding for records that were lost; time_ns is CLOCK_REALTIME. */
void diagnose_loss(const struct tlsfail_loss *loss, uint64_t time_ns, const char *host,
		   struct finding *finding);

#endif
