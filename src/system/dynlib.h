/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A shared library that is loaded only when it is asked for, and kept to the end.
 */
#ifndef TLSFAIL_SYSTEM_DYNLIB_H
#define TLSFAIL_SYSTEM_DYNLIB_H

#include <stdbool.h>
#include <stddef.h>

struct dynlib_function {
	const char *name;
	size_t offset; /* of its pointer in the table */
};

/* Loads the library by its soname and puts the addresses of its functions into the table. False: it
 * is not here, or lacks one of them. */
bool dynlib_load(const char *library, const struct dynlib_function *functions, size_t count,
		 void *table);

#endif
