// SPDX-License-Identifier: BSD-2-Clause
/*
 * RFC 8446, section 4.1.2; before TLS 1.3 RFC 5246, section 7.4.1.2.
 */
#include "tls/offer.h"

#include <string.h>

#include "tls/names.h"
#include "tls/writer.h"

#define RECORD_HANDSHAKE 22
#define CLIENT_HELLO	 1

enum offer_extension {
	OFFER_SERVER_NAME = 0,		   /* RFC 6066, section 3 */
	OFFER_STATUS_REQUEST = 5,	   /* RFC 6066, section 8 */
	OFFER_SUPPORTED_GROUPS = 10,	   /* RFC 8446, section 4.2.7 */
	OFFER_POINT_FORMATS = 11,	   /* RFC 8422, section 5.1.2 */
	OFFER_SIGNATURE_ALGORITHMS = 13,   /* RFC 8446, section 4.2.3 */
	OFFER_ALPN = 16,		   /* RFC 7301, section 3.1 */
	OFFER_PADDING = 21,		   /* RFC 7685, section 3 */
	OFFER_EXTENDED_MASTER_SECRET = 23, /* RFC 7627, section 5.1 */
	OFFER_SUPPORTED_VERSIONS = 43,	   /* RFC 8446, section 4.2.1 */
	OFFER_PSK_KEY_EXCHANGE_MODES = 45, /* RFC 8446, section 4.2.9 */
	OFFER_KEY_SHARE = 51,		   /* RFC 8446, section 4.2.8 */
	OFFER_RENEGOTIATION_INFO = 0xff01, /* RFC 5746, section 3.2 */
};

/* Base points: RFC 7748, section 4.1; FIPS 186-4, D.1.2.3, uncompressed. */
static const uint8_t x25519_point[32] = { 9 };
static const uint8_t p256_point[65] = {
	4,    0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5,
	0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4,
	0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a,
	0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33,
	0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
};

static const struct {
	uint16_t group;
	const uint8_t *point;
	size_t len;
} points[] = {
	{ 23, p256_point, sizeof(p256_point) },
	{ 29, x25519_point, sizeof(x25519_point) },
};

static size_t extension_begin(struct tls_writer *w, enum offer_extension type)
{
	tls_write_number(w, type, 2);
	return tls_write_begin(w, 2);
}

static void extension_end(struct tls_writer *w, size_t begin)
{
	tls_write_end(w, begin, 2);
}

static void numbers_write(struct tls_writer *w, const struct tls_numbers *numbers)
{
	for (size_t i = 0; i < numbers->count; i++)
		tls_write_number(w, numbers->items[i], 2);
}

/* An extension that is a vector of numbers. */
static void list_write(struct tls_writer *w, enum offer_extension type,
		       const struct tls_numbers *numbers)
{
	size_t extension, list;

	if (!numbers->count)
		return;
	extension = extension_begin(w, type);
	list = tls_write_begin(w, 2);
	numbers_write(w, numbers);
	tls_write_end(w, list, 2);
	extension_end(w, extension);
}

static void server_name_write(struct tls_writer *w, const char *name)
{
	size_t extension = extension_begin(w, OFFER_SERVER_NAME);
	size_t list = tls_write_begin(w, 2), host;

	tls_write_number(w, 0, 1);
	host = tls_write_begin(w, 2);
	tls_write_bytes(w, name, strlen(name));
	tls_write_end(w, host, 2);
	tls_write_end(w, list, 2);
	extension_end(w, extension);
}

static void alpn_write(struct tls_writer *w, const char *names)
{
	size_t extension = extension_begin(w, OFFER_ALPN);
	size_t list = tls_write_begin(w, 2);

	while (*names) {
		size_t len = strcspn(names, ",");
		size_t name = tls_write_begin(w, 1);

		tls_write_bytes(w, names, len);
		tls_write_end(w, name, 1);
		names += len + (names[len] == ',');
	}
	tls_write_end(w, list, 2);
	extension_end(w, extension);
}

static void key_share_write(struct tls_writer *w, uint16_t group)
{
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		size_t key;

		if (points[i].group != group)
			continue;
		tls_write_number(w, group, 2);
		key = tls_write_begin(w, 2);
		tls_write_bytes(w, points[i].point, points[i].len);
		tls_write_end(w, key, 2);
		return;
	}
	w->failed = true;
}

/* What only TLS 1.3 has. */
static void version_1_3_write(struct tls_writer *w, const struct tls_offer *offer)
{
	size_t extension = extension_begin(w, OFFER_SUPPORTED_VERSIONS), list;

	tls_write_number(w, 2, 1);
	tls_write_number(w, offer->version, 2);
	extension_end(w, extension);

	extension = extension_begin(w, OFFER_PSK_KEY_EXCHANGE_MODES);
	tls_write_number(w, 1, 1);
	tls_write_number(w, 1, 1); /* psk_dhe_ke */
	extension_end(w, extension);

	extension = extension_begin(w, OFFER_KEY_SHARE);
	list = tls_write_begin(w, 2);
	for (size_t i = 0; i < offer->key_shares.count; i++)
		key_share_write(w, offer->key_shares.items[i]);
	tls_write_end(w, list, 2);
	extension_end(w, extension);
}

static void extensions_write(struct tls_writer *w, const struct tls_offer *offer)
{
	static const uint8_t status_request[] = { 1, 0, 0, 0, 0 };
	size_t extension;

	if (offer->server_name)
		server_name_write(w, offer->server_name);
	extension = extension_begin(w, OFFER_RENEGOTIATION_INFO);
	tls_write_number(w, 0, 1);
	extension_end(w, extension);
	extension_end(w, extension_begin(w, OFFER_EXTENDED_MASTER_SECRET));
	list_write(w, OFFER_SUPPORTED_GROUPS, &offer->groups);
	extension = extension_begin(w, OFFER_POINT_FORMATS);
	tls_write_number(w, 1, 1);
	tls_write_number(w, 0, 1); /* uncompressed */
	extension_end(w, extension);
	/* RFC 5246, section 7.4.1.4.1: not for a client that offers less than TLS 1.2. */
	if (offer->version >= TLS_VERSION_1_2)
		list_write(w, OFFER_SIGNATURE_ALGORITHMS, &offer->schemes);
	if (offer->alpn)
		alpn_write(w, offer->alpn);
	if (offer->status_request) {
		extension = extension_begin(w, OFFER_STATUS_REQUEST);
		tls_write_bytes(w, status_request, sizeof(status_request));
		extension_end(w, extension);
	}
	if (offer->version >= TLS_VERSION_1_3)
		version_1_3_write(w, offer);
}

static void padding_write(struct tls_writer *w, size_t length)
{
	size_t extension;

	if (w->len + 4 >= length)
		return;
	extension = extension_begin(w, OFFER_PADDING);
	while (w->len < length && !w->failed)
		tls_write_number(w, 0, 1);
	extension_end(w, extension);
}

size_t tls_offer_write(const struct tls_offer *offer, uint8_t *buf, size_t size)
{
	struct tls_writer w = { .buf = buf, .size = size };
	uint16_t legacy = offer->version > TLS_VERSION_1_2 ? TLS_VERSION_1_2 : offer->version;
	size_t record, message, list;

	tls_write_number(&w, RECORD_HANDSHAKE, 1);
	/* RFC 8446, section 5.1: 0x0301 for an initial ClientHello; SSL 3.0 knows no other. */
	tls_write_number(&w, legacy < TLS_VERSION_1_0 ? legacy : TLS_VERSION_1_0, 2);
	record = tls_write_begin(&w, 2);
	tls_write_number(&w, CLIENT_HELLO, 1);
	message = tls_write_begin(&w, 3);
	tls_write_number(&w, legacy, 2);
	tls_write_bytes(&w, offer->random, sizeof(offer->random));
	/* A session id makes a TLS 1.3 handshake look like one of TLS 1.2 (appendix D.4). */
	list = tls_write_begin(&w, 1);
	if (offer->version >= TLS_VERSION_1_3)
		tls_write_bytes(&w, offer->random, sizeof(offer->random));
	tls_write_end(&w, list, 1);
	list = tls_write_begin(&w, 2);
	numbers_write(&w, &offer->ciphers);
	tls_write_end(&w, list, 2);
	tls_write_number(&w, 1, 1);
	tls_write_number(&w, 0, 1); /* no compression */
	if (offer->version > TLS_VERSION_SSL3) {
		list = tls_write_begin(&w, 2);
		extensions_write(&w, offer);
		/* behind the record's header of 5 bytes */
		padding_write(&w, 5 + offer->length);
		tls_write_end(&w, list, 2);
	}
	tls_write_end(&w, message, 3);
	tls_write_end(&w, record, 2);
	return w.failed ? 0 : w.len;
}
