/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private keys in a text: found by the line that begins one in PEM, and written over.
 */
#ifndef TLSFAIL_SYSTEM_KEYBLANK_H
#define TLSFAIL_SYSTEM_KEYBLANK_H

#include <stdbool.h>
#include <stddef.h>

/* Writes blanks over each private key in text, of len bytes, but for the ends of lines. Was there one? */
bool keyblank(char *text, size_t len);

#endif
