// SPDX-License-Identifier: BSD-2-Clause
/*
 * Container ids in the names of control groups.
 */
#include "base/container.h"

#include <stddef.h>
#include <string.h>

#define ID_DIGITS (CONTAINER_ID_LEN - 1)

static const char hex_digits[] = "0123456789abcdef";

/* What may stand around an id within a path. */
static bool is_boundary(char c)
{
	return c == '\0' || strchr("/-.:\n", c);
}

bool container_id_find(const char *cgroup, char id[CONTAINER_ID_LEN])
{
	const char *at = cgroup;
	bool found = false;

	while (*at) {
		size_t digits = strspn(at, hex_digits);

		if (digits == ID_DIGITS && at > cgroup && is_boundary(at[-1]) &&
		    is_boundary(at[digits])) {
			memcpy(id, at, ID_DIGITS);
			id[ID_DIGITS] = '\0';
			found = true;
		}
		at += digits ? digits : 1;
	}
	return found;
}
