/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Lua of OpenResty inside of nginx.conf: as much of it as it takes to find where a block of it
 * ends. Pure.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_LUA_H
#define TLSFAIL_PROGRAM_NGINX_LUA_H

#include <stddef.h>

/* Behind what begins at text[i]: a comment, a string, or one character. */
size_t nginxlua_step(const char *text, size_t len, size_t i);

#endif
