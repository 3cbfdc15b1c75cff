// SPDX-License-Identifier: BSD-2-Clause
/* Comments, strings and long brackets of Lua (Lua 5.1 reference manual, 2.1). */
#include "program/nginx/lua.h"

#include <string.h>

/* The number of '=' in a long bracket, "[[" or "[==[", that begins at; -1 when none does. */
static int long_bracket(const char *text, size_t len, char bracket)
{
	size_t i = 1;

	if (len < 2 || text[0] != bracket)
		return -1;
	while (i < len && text[i] == '=')
		i++;
	return i < len && text[i] == bracket ? (int)(i - 1) : -1;
}

/* Behind a long string that begins at i, or 0 when none does. */
static size_t lua_long_end(const char *text, size_t len, size_t i)
{
	int level = long_bracket(text + i, len - i, '[');

	if (level < 0)
		return 0;
	for (i += (size_t)level + 2; i < len; i++)
		if (long_bracket(text + i, len - i, ']') == level)
			return i + (size_t)level + 2;
	return len;
}

static size_t lua_string_end(const char *text, size_t len, size_t i)
{
	char quote = text[i++];

	while (i < len && text[i] != quote)
		i += text[i] == '\\' ? 2 : 1;
	return i < len ? i + 1 : len;
}

size_t nginxlua_step(const char *text, size_t len, size_t i)
{
	const char *line_end;
	size_t end;

	if (text[i] == '"' || text[i] == '\'')
		return lua_string_end(text, len, i);
	if (text[i] == '-' && i + 1 < len && text[i + 1] == '-') {
		end = lua_long_end(text, len, i + 2);
		line_end = memchr(text + i, '\n', len - i);
		return end ? end : line_end ? (size_t)(line_end - text) : len;
	}
	end = lua_long_end(text, len, i);
	return end ? end : i + 1;
}
