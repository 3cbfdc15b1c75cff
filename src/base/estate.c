// SPDX-License-Identifier: BSD-2-Clause
/*
 * One part after the other; none is given back.
 */
#include "base/estate.h"

#include <stdlib.h>
#include <string.h>

#define ALIGN 64

void *estate_take(struct estate *estate, size_t size)
{
	size_t padded = (size + ALIGN - 1) / ALIGN * ALIGN;
	void *part;

	if (!estate)
		return calloc(1, size);
	if (padded < size || padded > estate->size - estate->used)
		return NULL;
	part = estate->memory + estate->used;
	estate->used += padded;
	return part;
}

void estate_give(const struct estate *estate, void *part)
{
	if (!estate)
		free(part);
}

bool estate_is_string(const char *array, size_t size)
{
	return memchr(array, '\0', size);
}
