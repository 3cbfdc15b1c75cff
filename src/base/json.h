/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON (RFC 8259), compact, written straight into a text: members and items in the order of the
 * calls. The caller sees to it that objects and arrays are ended and that each member has its key;
 * here are the commas, the escapes, and that all of it is UTF-8. Whether it fitted is in the text.
 */
#ifndef TLSFAIL_BASE_JSON_H
#define TLSFAIL_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

struct text;

struct jsonout {
	struct text *text;
	bool comma; /* something stands before what comes next */
};

/* begin and end are "{" and "}", or "[" and "]". */
void jsonout_begin(struct jsonout *j, const char *begin);
void jsonout_end(struct jsonout *j, const char *end);

/* Needs no escape: keys are our own. */
void jsonout_key(struct jsonout *j, const char *key);

/* What is not UTF-8 is written as text_add_hostile() does. */
void jsonout_string(struct jsonout *j, const char *s);
void jsonout_integer(struct jsonout *j, int64_t value);
/* In quotes: for readers that would take a large number for a fraction. */
void jsonout_integer_string(struct jsonout *j, int64_t value);
void jsonout_boolean(struct jsonout *j, bool value);

#endif
