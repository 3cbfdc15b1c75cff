/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a server answers to a ClientHello that we have written ourselves, up to where it would need
 * cryptography.
 */
#ifndef TLSFAIL_PROBE_ANSWER_H
#define TLSFAIL_PROBE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The server's flight of TLS 1.2 and before: OpenSSL takes 100 KiB of certificates at most. */
#define ANSWER_BYTES_MAX (128U << 10)

enum answer_kind {
	ANSWER_NONE,  /* too few bytes to tell */
	ANSWER_HELLO, /* a ServerHello, or a HelloRetryRequest */
	ANSWER_ALERT, /* a fatal one */
	ANSWER_NOT_TLS,
	/* of the connection */
	ANSWER_CLOSED,
	ANSWER_RESET,
	ANSWER_SILENT,
	ANSWER_FLOOD, /* it sent more than ANSWER_BYTES_MAX */
	ANSWER_NO_CONNECTION,
};

struct answer {
	enum answer_kind kind;
	uint8_t alert;
	bool retry;
	uint16_t version;
	uint16_t cipher;
	uint16_t group; /* of the key exchange, 0 none */
	unsigned int dh_bits;
	uint16_t scheme; /* TLS 1.2: with which it signed its key exchange; 0 none */
	bool certificate_request;
	bool stapled; /* TLS 1.2 and before: a CertificateStatus came */
	bool done;    /* nothing more comes that could be read */
};

/* Reads what is here; more bytes add facts and take none back. Pure. */
void answer_read(const uint8_t *bytes, size_t len, struct answer *answer);

#endif
