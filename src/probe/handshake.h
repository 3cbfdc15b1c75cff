/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One handshake with a peer, by libssl, as a client is set: what nginx would meet, and all that the
 * rules need to say what it means.
 */
#ifndef TLSFAIL_PROBE_HANDSHAKE_H
#define TLSFAIL_PROBE_HANDSHAKE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/client.h"
#include "probe/dial.h"
#include "tls/x509view.h"

#define HANDSHAKE_CA_NAMES_MAX 32

enum handshake_end {
	HANDSHAKE_WORKS,
	HANDSHAKE_FAILS,
	HANDSHAKE_NO_TCP,  /* no connection; error says why */
	HANDSHAKE_NO_TLS,  /* what is said before TLS went wrong; words say how */
	HANDSHAKE_UNTRIED, /* something here is in the way; words say what */
};

struct handshake {
	enum handshake_end end;
	int error;	  /* errno of HANDSHAKE_NO_TCP */
	char words[256];  /* of HANDSHAKE_NO_TLS and HANDSHAKE_UNTRIED */
	uint64_t time_ns; /* CLOCK_REALTIME of its end */
	struct dial dial;
	uint16_t version; /* of TLS; 0: not agreed */
	char cipher[64];
	char group[32];
	char alpn[64];
	char scheme[64]; /* with which the server signed */
	bool resumed;
	bool certificate_requested;
	bool certificate_sent;
	/* Which the server accepts for client certificates. */
	unsigned int ca_name_count;
	char ca_names[HANDSHAKE_CA_NAMES_MAX][256];
	/* Nobody of the chain of our certificate is among them. */
	bool ca_names_lack_ours;
	uint8_t *certs[TLSFAIL_CERTS_MAX]; /* DER, of the peer */
	size_t cert_lens[TLSFAIL_CERTS_MAX];
	bool chain_ends; /* in what is trusted here */
	size_t staple_len;
	int staple_status;    /* V_OCSP_CERTSTATUS_...; -1: none, or unreadable */
	SSL_SESSION *session; /* to be resumed; owned */
	/* Of our certificate, when it has one: its validity is over. */
	bool own_expired;
};

/*
 * Dials, shakes hands, verifies, waits for what the peer says after it, and closes. *h is to be
 * cleared whatever came of it. session may be NULL; it is offered.
 */
void handshake_make(const struct client *client, const struct dial_peer *peer,
		    const struct dial_patience *patience, SSL_SESSION *session,
		    struct handshake *h);
void handshake_clear(struct handshake *h);

#endif
