/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the terminal behind a descriptor can show.
 */
#ifndef TLSFAIL_SYSTEM_TERMINAL_H
#define TLSFAIL_SYSTEM_TERMINAL_H

#include <stdbool.h>

/* Characters in a line, from 40 to 200; 80 where it is no terminal or does not say. */
int terminal_columns(int fd);

/* Is it a terminal that shows colours, and has nobody asked for none (https://no-color.org)? */
bool terminal_has_color(int fd);

/* Is it a terminal on which a line can be written anew, and standard error one, too? */
bool terminal_has_status(int fd);

#endif
