/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FNV-1a, 64 bits: to find things again. Whoever may choose what is hashed can make it collide.
 */
#ifndef TLSFAIL_BASE_HASH_H
#define TLSFAIL_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_EMPTY 14695981039346656037ULL

/* The hash of what hash is of, and of these bytes after it. */
static inline uint64_t hash_add(uint64_t hash, const void *data, size_t len)
{
	const uint8_t *byte = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ byte[i]) * 1099511628211ULL;
	return hash;
}

#endif
