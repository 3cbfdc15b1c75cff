/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What TLS sends in clear during a handshake, read from the first bytes of each direction: hellos,
 * the Certificate messages of TLS 1.2 and before, alerts. The bytes are hostile and may be cut
 * anywhere. Pure, and cannot fail: what could not be read is not reported.
 *
 * Every fact is reported only once it is certain, so that more bytes add facts and take none back.
 * A fact that is not reported is known to be absent only when the flight, or the message it would
 * be in, is neither cut nor malformed.
 */
#ifndef TLSFAIL_TLSWIRE_H
#define TLSFAIL_TLSWIRE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tlsfail_abi.h"

/* More bytes than this of one direction are not looked at. */
#define TLSWIRE_MAX (TLSFAIL_WIRE_CAP + TLSFAIL_WIRE_CHUNK)

#define TLS_VERSION_SSL3 0x0300
#define TLS_VERSION_1_0	 0x0301
#define TLS_VERSION_1_1	 0x0302
#define TLS_VERSION_1_2	 0x0303
#define TLS_VERSION_1_3	 0x0304

/* supported_versions is a vector of at most 254 bytes (RFC 8446, section 4.2.1). */
#define TLS_VERSIONS_MAX 127

/* Bytes of the handshake, inside the tls_view: chosen by a peer, not terminated. */
struct tls_bytes {
	const uint8_t *data;
	size_t len;
};

struct tls_alert {
	bool seen;
	uint8_t description;
};

/* What the first bytes of a direction are. */
enum tls_framing {
	TLS_FRAMING_UNKNOWN, /* too few bytes to tell */
	TLS_FRAMING_RECORDS, /* TLS records */
	TLS_FRAMING_OTHER,   /* something that is not TLS */
};

/* The records of one direction. */
struct tls_records {
	enum tls_framing framing;
	bool cut;		 /* more was sent, or it ends inside a record or a message */
	bool malformed;		 /* a record or message that cannot be; reading ended there */
	bool change_cipher_spec; /* encrypted from there on, except in TLS 1.3, where it is mute */
	bool application_data;	 /* a record of that type: in TLS 1.3 any encrypted record */
	bool encrypted_alert;	 /* nothing is cut, and the last record has the form of one */
	struct tls_alert fatal;	 /* the first one of each level in clear */
	struct tls_alert warning;
};

struct tls_client_hello {
	bool present;
	bool cut;		 /* not all of it is here */
	bool malformed;		 /* it is here, and contradicts itself */
	uint32_t length;	 /* of the handshake message, with its header of 4 bytes */
	uint16_t legacy_version; /* 0 unknown */
	uint16_t max_version;	 /* highest that was offered, 0 unknown */
	/* As listed in supported_versions, GREASE left out. Without that extension max_version is
	 * all that a client says. */
	bool versions_listed;
	unsigned int version_count;
	uint16_t versions[TLS_VERSIONS_MAX];
	unsigned int cipher_count; /* GREASE and signalling values counted */
	struct tls_bytes ciphers;  /* two bytes each, in network order */
	bool has_server_name;
	struct tls_bytes server_name;
	struct tls_bytes alpn;	 /* each name behind a byte with its length */
	bool has_session_ticket; /* TLS 1.2 and before: a ticket, not an empty extension */
	bool has_psk;		 /* TLS 1.3 resumption */
};

struct tls_client_flight {
	struct tls_records records;
	struct tls_client_hello hello; /* the first one, when there was a HelloRetryRequest */
	bool certificate_sent;	       /* TLS 1.2 and before: a Certificate message */
	bool certificate_empty;	       /* and it had no certificate in it */
};

struct tls_server_flight {
	struct tls_records records;
	bool server_hello;	  /* not counting a HelloRetryRequest */
	bool hello_retry_request; /* TLS 1.3: asked for another ClientHello */
	uint16_t version;	  /* negotiated, 0 unknown */
	uint16_t cipher;	  /* negotiated, 0 unknown */
	/* TLS 1.2 and before; encrypted in TLS 1.3 */
	bool certificate;
	uint32_t certificate_length; /* of the chain, with the length of 3 bytes of each */
	bool certificate_request;
	bool server_hello_done;
};

/* Points into itself: not to be copied. */
struct tls_view {
	struct tls_client_flight client;
	struct tls_server_flight server;
	/* handshake messages, the record headers taken out */
	uint8_t client_messages[TLSWIRE_MAX];
	uint8_t server_messages[TLSWIRE_MAX];
};

/* The first bytes of one direction. */
struct tls_capture {
	const uint8_t *data;
	size_t len;
	bool cut; /* more bytes were sent than are here */
};

/* Reads both directions into *view, which keeps nothing of the captures. */
void tlswire_parse(const struct tls_capture *client, const struct tls_capture *server,
		   struct tls_view *view);

/* "SSL 3.0", "1.0" ... "1.3"; NULL for any other number. */
const char *tls_version_name(uint16_t version);

/* The name in IANA's registry of TLS alerts, "handshake_failure"; NULL for an unassigned number. */
const char *tls_alert_name(uint8_t description);

#endif
