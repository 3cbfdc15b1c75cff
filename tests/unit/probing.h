/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of the probe and the server that it is to meet. After cmocka.h.
 */
#ifndef TLSFAIL_TEST_PROBING_H
#define TLSFAIL_TEST_PROBING_H

#include <openssl/ssl.h>

#include "pki.h"
#include "probe/client.h"
#include "system/clock.h"

#define PROBING_NAME	"app.test"
#define PROBING_PATIENT (20 * NS_PER_S) /* where an answer comes */
#define PROBING_SHORT	(NS_PER_S / 4)	/* where none does */

/* Certificates of both sides: the servers' are by name of what is right or wrong with them, all but
 * elsewhere, which is elsewhere.test's, are PROBING_NAME's. */
struct probing_pki {
	struct pki_cert root, intermediate;
	struct pki_cert leaf;	   /* of the root */
	struct pki_cert deep;	   /* of the intermediate */
	struct pki_cert elsewhere; /* of the root */
	struct pki_cert client_root, client_leaf, client_expired;
};

void probing_pki_make(struct probing_pki *pki);
void probing_pki_free(struct probing_pki *pki);

/* A server with that certificate and libssl's defaults: the caller's to SSL_CTX_free(). */
SSL_CTX *probing_server(const struct pki_cert *cert);

/* The server speaks TLS 1.0 and nothing else. */
void probing_old(SSL_CTX *server);

/* The server asks for a certificate of that CA, whose name it says, and insists on it. */
void probing_insist(SSL_CTX *server, const struct pki_cert *ca);

/* A client with nginx's defaults, by that name; to be freed with client_free(). */
void probing_client(struct client *client);

/* The file has that text from now on, which it takes. */
void probing_file(struct client_file *file, char *pem);

/* The client verifies, and trusts that CA alone. */
void probing_trust(struct client *client, const struct pki_cert *ca);

/* The client has that certificate. */
void probing_certificate(struct client *client, const struct pki_cert *cert);

#endif
