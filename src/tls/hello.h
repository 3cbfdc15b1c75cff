/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the messages say with which client and server agree: ClientHello, ServerHello,
 * HelloRetryRequest, and before TLS 1.3 ServerKeyExchange. Each body may be cut or hostile; a fact
 * is reported once it is certain. Values of GREASE (RFC 8701), which mean nothing, are left out of
 * all that is read here. Pure.
 */
#ifndef TLSFAIL_TLS_HELLO_H
#define TLSFAIL_TLS_HELLO_H

#include <stdbool.h>
#include <stdint.h>

#include "tls/reader.h"

/* Key shares of a ClientHello that are kept; clients send one to three. */
#define TLS_KEY_SHARES_MAX 8

/* Lists: bytes as they were sent, to be walked with tls_list_next() or tls_names_next(). */
struct tls_client_hello {
	bool present;
	bool cut;		   /* not all of it is here */
	bool malformed;		   /* it is here, and contradicts itself */
	bool ssl2_format;	   /* RFC 5246, appendix E.2: no extensions, other lists */
	uint32_t length;	   /* of the handshake message, with its header of 4 bytes */
	unsigned int record_count; /* TLS records that it was sent in, 0 unknown */
	uint16_t legacy_version;   /* 0 unknown */
	uint16_t max_version;	   /* highest that was offered, 0 unknown */
	/* supported_versions. Without that extension max_version is all that a client says. */
	bool versions_listed;
	struct tls_bytes versions;
	struct tls_bytes session_id; /* of TLS 1.2 and before; in TLS 1.3 it means nothing */
	struct tls_bytes ciphers;    /* with the signalling values */
	struct tls_bytes groups;
	struct tls_bytes signature_schemes;
	unsigned int key_share_count; /* TLS 1.3; the first TLS_KEY_SHARES_MAX are kept */
	uint16_t key_shares[TLS_KEY_SHARES_MAX]; /* their groups */
	bool has_server_name;
	struct tls_bytes server_name;
	struct tls_bytes alpn;	 /* list of names */
	bool has_session_ticket; /* TLS 1.2 and before: a ticket, not an empty extension */
	bool has_psk;		 /* TLS 1.3 resumption */
	bool has_early_data;	 /* a request is sent at once, under the session's keys */
	/* bytes of the extensions that make a hello long; 0 none, or unknown */
	uint32_t session_length; /* the ticket, or the PSK with its binder */
	uint32_t key_shares_length;
};

/* A ServerHello, or a HelloRetryRequest. */
struct tls_server_hello {
	bool known; /* which of the two it is */
	bool retry; /* a HelloRetryRequest */
	bool malformed;
	bool whole;	  /* neither cut nor malformed: what is not reported is not in it */
	uint16_t version; /* negotiated, 0 unknown */
	uint16_t cipher;  /* negotiated, 0 unknown */
	uint16_t group;	  /* TLS 1.3: of the key share, or asked for; 0 none, or unknown */
	struct tls_bytes session_id;
	struct tls_bytes alpn; /* TLS 1.2 and before: list of the one name that was chosen */
	bool has_psk;	       /* TLS 1.3: the session is resumed */
};

/* ServerKeyExchange of TLS 1.2 and before. */
struct tls_key_exchange {
	uint16_t group;	      /* ECDHE, 0 unknown */
	unsigned int dh_bits; /* DHE: size of the prime, 0 unknown */
};

/* These read a message's body, as much of it as is here; cut: that is not all. length and
 * record_count of a ClientHello are left to the caller. */
void tls_client_hello_read(struct tls_reader body, bool cut, struct tls_client_hello *hello);
void tls_server_hello_read(struct tls_reader body, bool cut, struct tls_server_hello *hello);

/* False when the body contradicts itself. cipher: the negotiated one, which tells its form. */
bool tls_key_exchange_read(struct tls_reader body, bool cut, uint16_t cipher,
			   struct tls_key_exchange *exchange);

/* Is this handshake message, of which len bytes are here, a HelloRetryRequest? */
bool tls_is_hello_retry_request(const uint8_t *message, size_t len);

/* Takes the next number off a list of them. False at the end. */
bool tls_list_next(struct tls_bytes *list, uint16_t *number);

/* Takes the next name off a list of application protocols. False at the end. */
bool tls_names_next(struct tls_bytes *list, struct tls_bytes *name);

#endif
