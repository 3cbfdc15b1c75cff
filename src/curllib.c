// SPDX-License-Identifier: BSD-2-Clause
/*
 * Loaded once, and kept to the end.
 */
#include "curllib.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define LIBRARY "libcurl.so.4"

struct function {
	const char *name;
	size_t offset; /* of its pointer in struct curllib */
};

#define FUNCTION(name) { "curl_" #name, offsetof(struct curllib, name) },
static const struct function functions[] = { CURLLIB_FUNCTIONS(FUNCTION) };
#undef FUNCTION

static bool functions_find(void *handle, struct curllib *lib)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		void *address = dlsym(handle, functions[i].name);

		if (!address)
			return false;
		memcpy((char *)lib + functions[i].offset, &address, sizeof(address));
	}
	return true;
}

const struct curllib *curllib_load(void)
{
	static struct curllib lib;
	static bool tried, found;
	void *handle;

	if (tried)
		return found ? &lib : NULL;
	tried = true;
	handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	found = handle && functions_find(handle, &lib) &&
		lib.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	return found ? &lib : NULL;
}
