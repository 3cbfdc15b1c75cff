/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a ClientHello that offers just what it is told to, also what no library at hand can do: the
 * answer shows what a server picks, and no cryptography is needed to read it. Pure.
 */
#ifndef TLSFAIL_TLS_OFFER_H
#define TLSFAIL_TLS_OFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_OFFER_RANDOM_LEN 32

struct tls_numbers {
	const uint16_t *items;
	size_t count;
};

/* A list without items leaves its extension out, unless it says otherwise. */
struct tls_offer {
	uint16_t version; /* the highest */
	struct tls_numbers ciphers;
	struct tls_numbers groups;
	struct tls_numbers schemes;
	/* TLS 1.3: groups that get a key share. The public keys are valid, but nobody has the
	 * private ones. Without any the server is asked to choose (RFC 8446, section 4.2.8). */
	struct tls_numbers key_shares;
	const char *server_name; /* NULL: none */
	const char *alpn;	 /* names with a comma between; NULL: none */
	bool status_request;	 /* asks for a stapled OCSP response */
	size_t length;		 /* of the handshake message, at least, by padding (RFC 7685) */
	uint8_t random[TLS_OFFER_RANDOM_LEN];
};

/* Writes one record. Returns its length, 0 when it does not fit, or a key share is of a group that
 * none is known for. */
size_t tls_offer_write(const struct tls_offer *offer, uint8_t *buf, size_t size);

#endif
