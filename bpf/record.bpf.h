/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TLS records as bytes: what their headers say (RFC 8446 section 5.1, RFC 5246 section 6.2.1).
 */
#ifndef RECORD_BPF_H
#define RECORD_BPF_H

#include "compat.bpf.h"
#include "tlsfail_abi.h"

#define RECORD_CHANGE_CIPHER_SPEC 20
#define RECORD_ALERT		  21
#define RECORD_HANDSHAKE	  22
#define RECORD_APPLICATION_DATA	  23
#define RECORD_HEADER_LEN	  5
#define RECORD_CCS_LEN		  6		 /* a ChangeCipherSpec, with its header */
#define RECORD_MAX_LEN		  (16384 + 2048) /* RFC 5246 section 6.2.3, the larger one */

#define MESSAGE_HEADER_LEN 4 /* of a handshake message */

/* RFC 8446 section 4 */
#define CLIENT_HELLO	   1
#define SERVER_HELLO	   2
#define NEW_SESSION_TICKET 4
#define CERTIFICATE	   11

/* The first byte of a hello of SSL 2, and where its message type and version are. */
#define RECORD_SSL2	0x80
#define SSL2_TYPE_AT	2
#define SSL2_VERSION_AT 3

/* In a record with a ServerHello, where the length of the session's id is; the cipher suite is behind that. And
 * the second byte of TLS_AES_256_GCM_SHA384; the other suites of TLS 1.3 have SHA-256 (RFC 8446, B.4). */
#define SERVER_HELLO_SESSION_AT 43
#define TLS13_SHA384_SUITE	0x02

#define RECORD_CLEAR_ALERT_LEN 2

/* an encrypted TLS 1.3 alert: 2 bytes, content type, 16 of tag */
#define RECORD_TLS13_ALERT_LEN 19

/* The same with the padding that Java gives it */
#define RECORD_PADDED_ALERT_LEN (RECORD_TLS13_ALERT_LEN + 16)

/* The shortest Finished of TLS 1.3: 4 bytes, a hash of 32, content type, 8 of tag (CCM_8). */
#define RECORD_FINISHED_MIN_LEN 45

/* A Finished of TLS 1.3 in a record of its own: 4 bytes, a hash of 32 or 48, content type, tag. */
#define RECORD_FINISHED32_LEN 53
#define RECORD_FINISHED48_LEN 69

static __always_inline __u32 record_len(const __u8 *record)
{
	return record[3] << 8 | record[4];
}

static __always_inline bool is_record(const __u8 *record, __u8 type)
{
	return record[0] == type && record[1] == 3;
}

/* Where the first record that is not a ChangeCipherSpec begins. */
static __always_inline const __u8 *first_record(const __u8 head[TLSFAIL_HEAD_LEN])
{
	return head[0] == RECORD_CHANGE_CIPHER_SPEC ? head + RECORD_CCS_LEN : head;
}

/* In TLS 1.3 an alert's length tells it from application data. */
static __always_inline bool record_is_alert(const __u8 header[RECORD_HEADER_LEN])
{
	return header[0] == RECORD_ALERT || (header[0] == RECORD_APPLICATION_DATA && !header[3] &&
					     header[4] == RECORD_TLS13_ALERT_LEN);
}

/* Encrypted, and no alert: application data, or the end of a TLS 1.3 handshake. */
static __always_inline bool is_encrypted_data(const __u8 *record)
{
	return is_record(record, RECORD_APPLICATION_DATA) &&
	       record_len(record) != RECORD_TLS13_ALERT_LEN;
}

/* In a record of its own; in an encrypted record the lengths would not agree. */
static __always_inline bool is_client_hello(const __u8 *record)
{
	const __u8 *message = record + RECORD_HEADER_LEN;

	return is_record(record, RECORD_HANDSHAKE) && message[0] == CLIENT_HELLO && !message[1] &&
	       (__u32)(message[2] << 8 | message[3]) + MESSAGE_HEADER_LEN == record_len(record);
}

/* In TLS 1.3 the last flight of the client is encrypted: application data, perhaps behind a
 * ChangeCipherSpec for middleboxes (RFC 8446 appendix D.4). In TLS 1.2 it is handshake records. */
static __always_inline bool client_flight_is_tls13(const struct tlsfail_conn *c)
{
	return c->last_tx[0] == RECORD_APPLICATION_DATA ||
	       (c->last_tx[0] == RECORD_CHANGE_CIPHER_SPEC &&
		c->last_tx[RECORD_HEADER_LEN + 1] == RECORD_APPLICATION_DATA);
}

/* n, at most max, in a way that the verifier can follow: clang would otherwise compare one copy of
 * the value and pass another. */
static __always_inline __u64 at_most(__u64 n, __u64 max)
{
	if (n > max)
		n = max;
	barrier_var(n);
	return n > max ? max : n;
}

/* Keeps the beginning of len user bytes. */
static __always_inline void read_head(__u8 head[TLSFAIL_HEAD_LEN], __u32 len, __u64 buf)
{
	bpf_probe_read_user(head, at_most(len, TLSFAIL_HEAD_LEN), (const void *)buf);
}

#endif
