/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording as input of a fuzzer: its records one after the other, with what their headers say of
 * version and length put right, so that the damage is in what lies behind.
 */
#ifndef TLSFAIL_FUZZ_STREAM_H
#define TLSFAIL_FUZZ_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tlsfail_abi.h"

#define STREAM_FILE_HEADER_LEN 32

/* A copy, with a true header, of the record at data; the caller's to free. Returns its length, 0 at the
 * end. */
static inline size_t stream_repair(const uint8_t *data, size_t left, uint8_t **out)
{
	struct tlsfail_header header;

	if (left < sizeof(header))
		return 0;
	memcpy(&header, data, sizeof(header));
	if (header.len < sizeof(header) || header.len > left)
		header.len = (uint32_t)left;
	if (header.version < TLSFAIL_ABI_OLDEST || header.version > TLSFAIL_ABI_VERSION)
		header.version = TLSFAIL_ABI_VERSION;
	*out = malloc(header.len);
	if (!*out)
		abort();
	memcpy(*out, data, header.len);
	memcpy(*out, &header, sizeof(header));
	return header.len;
}

/* Calls take() for each record of the recording. */
static inline void stream_each(const uint8_t *data, size_t size,
			       void (*take)(void *context, const uint8_t *record, size_t len),
			       void *context)
{
	uint8_t *copy = NULL;
	size_t len;

	for (size_t at = STREAM_FILE_HEADER_LEN; at < size; at += len) {
		len = stream_repair(data + at, size - at, &copy);
		if (len == 0)
			break;
		take(context, copy, len);
		free(copy);
	}
}

#endif
