// SPDX-License-Identifier: BSD-2-Clause
/*
 * Loaded once, and kept to the end.
 */
#include "mhdlib.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct function {
	const char *name;
	size_t offset; /* of its pointer in struct mhdlib */
};

#define FUNCTION(name) { "MHD_" #name, offsetof(struct mhdlib, name) },
static const struct function functions[] = { MHDLIB_FUNCTIONS(FUNCTION) };
#undef FUNCTION

static bool functions_find(void *handle, struct mhdlib *lib)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		void *address = dlsym(handle, functions[i].name);

		if (!address)
			return false;
		memcpy((char *)lib + functions[i].offset, &address, sizeof(address));
	}
	return true;
}

const struct mhdlib *mhdlib_load(void)
{
	static struct mhdlib lib;
	static bool tried, found;
	void *handle;

	if (tried)
		return found ? &lib : NULL;
	tried = true;
	handle = dlopen(MHDLIB_NAME, RTLD_NOW | RTLD_LOCAL);
	found = handle && functions_find(handle, &lib);
	return found ? &lib : NULL;
}
