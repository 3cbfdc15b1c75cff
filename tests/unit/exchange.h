/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handshakes that OpenSSL makes with itself, in memory, and what went over the wire.
 */
#ifndef TLSFAIL_TEST_EXCHANGE_H
#define TLSFAIL_TEST_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "wire.h"

struct exchange {
	struct direction client;
	struct direction server;
	uint16_t cipher; /* negotiated, 0 when the handshake failed */
};

/* What is not given is OpenSSL's default. */
struct scenario {
	int client_min;
	int client_max;
	int server_min;
	int server_max;
	const char *server_name;
	const char *client_groups;
	const char *server_groups;
	const char *client_ciphers; /* of TLS 1.2 and before */
	const char *client_suites;  /* of TLS 1.3 */
	const char *server_ciphers;
	bool alpn;	      /* the client offers it, */
	bool choose_alpn;     /* and the server takes the first */
	bool no_tickets;      /* sessions are known by their ids */
	bool fallback;	      /* the client says that it has tried a higher version */
	bool ask_certificate; /* the server asks the client, */
	bool client_certificate;
	bool need_certificate; /* and insists */
	bool verify;	       /* the client verifies the server's */
	bool warn_name;	       /* the server warns that it does not know the name */
	SSL_SESSION *session;  /* to resume */
	SSL_SESSION **ended;   /* gets the session, when there is one */
	SSL_CTX *server;       /* the server, when it is to remember sessions */
};

/* Make and free the server's certificate; a cmocka setup and teardown. */
int exchange_setup(void **state);
int exchange_teardown(void **state);

/* Of the DER of that certificate. */
size_t exchange_certificate_len(void);

/* The server of scenario, the caller's to SSL_CTX_free(). */
SSL_CTX *exchange_server_make(const struct scenario *scenario);

/* The caller's to free(). */
struct exchange *exchange_make(const struct scenario *scenario);

#endif
