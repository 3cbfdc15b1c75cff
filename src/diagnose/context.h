/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is observed when a failure is seen in its surroundings: what the program's configuration says
 * of the connection, what is known of names and ports, what the peer did before. Pure.
 */
#ifndef TLSFAIL_DIAGNOSE_CONTEXT_H
#define TLSFAIL_DIAGNOSE_CONTEXT_H

#include "diagnose/symptoms.h"
#include "finding/finding.h"

/* Fills in symptoms->context. The finding is complete but for its cause. */
void context_observe(const struct failure *failure, const struct diagnose_work *work,
		     const struct finding *f, struct symptoms *symptoms);

/* An IPv4 address, or an IPv6 one, also in brackets. */
bool context_is_address(const char *name);

/* The protocol that a port belongs to in which TLS begins with a command in clear; NULL: none. */
const char *context_starttls_protocol(uint16_t port);

/* What was received first, as much of it as is here. */
struct tls_capture context_first_received(const struct failure *failure);

/* Is the certificate for that host, as far as is known? A common name counts where there is no other. */
bool context_is_for(const struct finding_certificate *leaf, const char *host);

/* Fills in what the peer showed before, where this handshake resumed a session: of the chain the
 * certificate that has expired, if one has. That is not what a code for an expired one is about if none
 * has. The ClientHello and the choice of the finding are there. */
void context_recall(const struct failure *failure, const struct symptoms *s, struct finding *f);

#endif
