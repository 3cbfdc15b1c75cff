// SPDX-License-Identifier: BSD-2-Clause
/*
 * What tlsfail uses of libcurl.
 */
#include "output/curllib.h"

#include "system/dynlib.h"

#define LIBRARY "libcurl.so.4"

#define FUNCTION(name) { "curl_" #name, offsetof(struct curllib, name) },
static const struct dynlib_function functions[] = { CURLLIB_FUNCTIONS(FUNCTION) };
#undef FUNCTION

const struct curllib *curllib_load(void)
{
	static struct curllib lib;
	static bool tried, found;

	if (!tried)
		found = dynlib_load(LIBRARY, functions, sizeof(functions) / sizeof(functions[0]),
				    &lib) &&
			lib.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	tried = true;
	return found ? &lib : NULL;
}
