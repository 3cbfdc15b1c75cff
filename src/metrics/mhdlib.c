// SPDX-License-Identifier: BSD-2-Clause
/*
 * What tlsfail uses of libmicrohttpd.
 */
#include "metrics/mhdlib.h"

#include "system/dynlib.h"

#define FUNCTION(name) { "MHD_" #name, offsetof(struct mhdlib, name) },
static const struct dynlib_function functions[] = { MHDLIB_FUNCTIONS(FUNCTION) };
#undef FUNCTION

const struct mhdlib *mhdlib_load(void)
{
	static struct mhdlib lib;
	static bool tried, found;

	if (!tried)
		found = dynlib_load(MHDLIB_NAME, functions,
				    sizeof(functions) / sizeof(functions[0]), &lib);
	tried = true;
	return found ? &lib : NULL;
}
