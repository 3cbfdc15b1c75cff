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
#ifndef TLSFAIL_TLS_WIRE_H
#define TLSFAIL_TLS_WIRE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tlsfail_abi.h"
#include "tls/hello.h"
#include "tls/names.h"

/* More bytes than this of one direction are not looked at. */
#define TLSWIRE_MAX (TLSFAIL_WIRE_CAP + TLSFAIL_WIRE_CHUNK)

/* The record of a TLS 1.3 alert: its header, the alert, its content type, and the tag of 16 bytes
 * that all but the CCM_8 ciphers have. */
#define TLS_ENCRYPTED_ALERT_LEN (5 + 2 + 1 + 16)

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
	bool alert_unread; /* the last record is an alert in clear, and only its header is here */
	unsigned int encrypted_count; /* records of application_data, and lengths of two of them */
	uint16_t first_encrypted;
	uint16_t last_encrypted;
	unsigned int first_message_records; /* over which it is spread, as far as it is here */
	struct tls_alert fatal;		    /* the first one of each level in clear */
	struct tls_alert warning;
};

/* What became of a client certificate. */
enum tls_client_auth {
	TLS_CLIENT_AUTH_UNKNOWN,
	TLS_CLIENT_AUTH_NOT_ASKED, /* the server did not ask for one */
	TLS_CLIENT_AUTH_NONE,	   /* it did, and the client sent none */
	TLS_CLIENT_AUTH_SENT,
};

struct tls_client_flight {
	struct tls_records records;
	struct tls_client_hello hello; /* the first one, when there was a HelloRetryRequest */
	struct tls_client_hello retry; /* and the second */
	bool certificate_sent;	       /* TLS 1.2 and before: a Certificate message */
	bool certificate_empty;	       /* and it had no certificate in it */
	struct tls_bytes chain;	       /* what is here of its certificates */
	enum tls_client_auth auth;     /* TLS 1.3: concluded from lengths of encrypted records */
};

struct tls_server_flight {
	struct tls_records records;
	bool server_hello; /* not counting a HelloRetryRequest */
	/* TLS 1.3: how often it asked for another ClientHello, which it may once */
	unsigned int retry_count;
	uint16_t version;     /* negotiated, 0 unknown */
	uint16_t cipher;      /* negotiated, 0 unknown */
	uint16_t retry_group; /* that the first one asked for, 0 none, or unknown */
	uint16_t group;	      /* of the key exchange, 0 none, or unknown */
	struct tls_bytes session_id;
	/* Whether the server took up an earlier session that the client offered. */
	bool has_resumed;
	bool resumed;
	/* TLS 1.2 and before; encrypted in TLS 1.3 */
	struct tls_bytes alpn; /* list of the one name that was chosen */
	unsigned int dh_bits;  /* size of the prime of DHE, 0 none, or unknown */
	bool certificate;
	uint32_t certificate_length; /* of the chain, with the length of 3 bytes of each */
	struct tls_bytes chain;	     /* what is here of it */
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

#endif
