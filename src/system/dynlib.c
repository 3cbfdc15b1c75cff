// SPDX-License-Identifier: BSD-2-Clause
/*
 * dlopen(3).
 */
#include "system/dynlib.h"

#include <dlfcn.h>
#include <string.h>

bool dynlib_load(const char *library, const struct dynlib_function *functions, size_t count,
		 void *table)
{
	void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; handle && i < count; i++) {
		void *address = dlsym(handle, functions[i].name);

		if (!address)
			return false;
		memcpy((char *)table + functions[i].offset, &address, sizeof(address));
	}
	return handle;
}
