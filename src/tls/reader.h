/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounded reading of TLS's presentation language (RFC 8446, section 3): numbers in network order,
 * and vectors behind their length. A reader cannot leave its bytes.
 */
#ifndef TLSFAIL_TLS_READER_H
#define TLSFAIL_TLS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a handshake: chosen by a peer, not terminated, not owned. data is NULL when absent. */
struct tls_bytes {
	const uint8_t *data;
	size_t len;
};

/* A read past the end yields 0 or nothing, and fails the reader: so does every read after it. */
struct tls_reader {
	const uint8_t *at;
	size_t left;
	bool failed;
};

static inline struct tls_bytes tls_read_bytes(struct tls_reader *r, size_t len)
{
	struct tls_bytes bytes = {};

	if (len > r->left) {
		r->failed = true;
		r->left = 0;
		return bytes;
	}
	bytes.data = r->at;
	bytes.len = len;
	r->at += len;
	r->left -= len;
	return bytes;
}

/* A number of `size` bytes, at most 4. */
static inline uint32_t tls_read_number(struct tls_reader *r, size_t size)
{
	struct tls_bytes bytes = tls_read_bytes(r, size);
	uint32_t number = 0;

	for (size_t i = 0; i < bytes.len; i++)
		number = number << 8 | bytes.data[i];
	return number;
}

static inline uint8_t tls_read_u8(struct tls_reader *r)
{
	return (uint8_t)tls_read_number(r, 1);
}

static inline uint16_t tls_read_u16(struct tls_reader *r)
{
	return (uint16_t)tls_read_number(r, 2);
}

static inline uint32_t tls_read_u24(struct tls_reader *r)
{
	return tls_read_number(r, 3);
}

/* The inside of a vector whose length stands in front of it in `size` bytes. */
static inline struct tls_bytes tls_read_vector(struct tls_reader *r, size_t size)
{
	return tls_read_bytes(r, tls_read_number(r, size));
}

/* The same, to be read on; it has failed when r has. */
static inline struct tls_reader tls_read_inside(struct tls_reader *r, size_t size)
{
	struct tls_bytes bytes = tls_read_vector(r, size);
	struct tls_reader inside = { .at = bytes.data, .left = bytes.len, .failed = r->failed };

	return inside;
}

/* The same, but of a vector that is cut, the part that is here; only then r has failed. */
static inline struct tls_reader tls_read_inside_part(struct tls_reader *r, size_t size)
{
	size_t len = tls_read_number(r, size);
	struct tls_reader inside = { .at = r->at, .left = r->left, .failed = r->failed };

	if (len < r->left)
		inside.left = len;
	tls_read_bytes(r, len);
	return inside;
}

#endif
