/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was observed on a failed connection, as the rules look at it. Nothing is concluded here but
 * what one fact says of itself. Pure.
 */
#ifndef TLSFAIL_DIAGNOSE_SYMPTOMS_H
#define TLSFAIL_DIAGNOSE_SYMPTOMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diagnose/correlate.h"
#include "tls/library.h"
#include "tls/wire.h"
#include "tls/x509cache.h"
#include "tls/x509view.h"

/* Working space, too large for a stack; what was read from the wire is in it afterwards. */
struct diagnose_work {
	struct x509_cache *x509; /* the caller's, NULL: none */
	struct tls_view view;
	size_t cert_count;   /* of certs */
	uint32_t certs_sent; /* so many have come */
	struct x509_view certs[TLSFAIL_CERTS_MAX];
};

/* Everything the rules look at. */
struct symptoms {
	bool server;	   /* we are */
	uint64_t observed; /* enum observation */
	uint64_t context;  /* enum circumstance; filled in by context_observe() */
	bool has_alert;	   /* fatal alert received */
	uint8_t alert;
	bool has_alert_sent; /* fatal alert sent, and none received */
	bool alert_sent_inferred;
	uint8_t alert_sent;
	enum tls_library library;
	uint32_t reason_number; /* of the first error, as its library counts; 0: none */
	enum tls_reason reason;
	/* The result that was asked for, or what is concluded of a refusal; TLS_VERIFY_OK: none. */
	enum tls_verify verify;
	bool verify_concluded;
};

/* How many flights of a connection are kept. */
static inline uint32_t symptoms_flight_count(const struct tlsfail_conn *conn)
{
	return conn->flight_count < TLSFAIL_FLIGHTS_MAX ? conn->flight_count : TLSFAIL_FLIGHTS_MAX;
}

/* Are we the server? */
bool symptoms_is_server(const struct tlsfail_conn *conn);

/*
 * As the client: a connection of which nothing by itself says that it failed. It was closed here at once
 * and not used, or has spoken no TLS. Only its surroundings can make a finding of it.
 */
bool symptoms_is_suspect(const struct tlsfail_conn *conn);

/* As the server: did the program look at the first bytes, and neither read them nor begin a handshake? */
bool symptoms_only_looked(const struct tlsfail_conn *conn);

/* Reads the wire bytes and certificates of the failure into *work, and derives *symptoms. */
void symptoms_read(const struct failure *failure, struct diagnose_work *work,
		   struct symptoms *symptoms);

/* Adds what the program's configuration says: enum program_fact. */
void symptoms_add_facts(struct symptoms *symptoms, const struct tlsfail_conn *conn,
			unsigned int facts);

/*
 * Bytes that the peer had sent, and that nobody read before we ended the handshake ourselves: then
 * whatever the peer did next was not its end. 0: none, or it was not us. A reset discards what was
 * not read, so it tells nothing.
 */
uint64_t symptoms_unread(const struct tlsfail_conn *conn);

/* After the handshake of TLS 1.3: are the bytes that nobody read as many as those of an alert? */
bool symptoms_alert_unread(const struct tlsfail_conn *conn, const struct tls_view *view);

/* Has the peer's kernel acknowledged all of our first flight? */
bool symptoms_hello_acked(const struct tlsfail_conn *conn);

#endif
