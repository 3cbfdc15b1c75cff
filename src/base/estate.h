/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a process that may crash leaves to the one that goes on after it: memory that outlives it, given
 * out in parts. Both ask for the same parts in the same order, and have them at the same address. What
 * is found in a part may be anything: whoever takes it over looks at it before it is believed. Memory
 * that nobody has used is zero, which has to be valid.
 */
#ifndef TLSFAIL_BASE_ESTATE_H
#define TLSFAIL_BASE_ESTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct estate {
	uint8_t *memory; /* as malloc() aligns it */
	size_t size;
	size_t used;
};

/* The next part, of size bytes; estate NULL: new memory, all zero. It is the caller's to estate_give(). NULL:
 * there is no room. */
void *estate_take(struct estate *estate, size_t size);

/* Frees what is not the estate's. */
void estate_give(const struct estate *estate, void *part);

/* Is a string in an array of so many bytes one? */
bool estate_is_string(const char *array, size_t size);

#endif
