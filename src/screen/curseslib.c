// SPDX-License-Identifier: BSD-2-Clause
/*
 * What tlsfail uses of ncurses.
 */
#include "screen/curseslib.h"

#include "system/dynlib.h"

#define FUNCTION(name) { #name, offsetof(struct curseslib, name) },
static const struct dynlib_function functions[] = {
	CURSESLIB_FUNCTIONS(FUNCTION){ "stdscr", offsetof(struct curseslib, stdscr) },
	{ "tigetstr", offsetof(struct curseslib, tigetstr) },
};
#undef FUNCTION

const struct curseslib *curseslib_load(void)
{
	static struct curseslib lib;
	static bool tried, found;

	if (!tried)
		found = dynlib_load(CURSESLIB_NAME, functions,
				    sizeof(functions) / sizeof(functions[0]), &lib);
	tried = true;
	return found ? &lib : NULL;
}
