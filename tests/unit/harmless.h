/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a text may be shown: for what tests and fuzzers feed with hostile bytes. Not by the means
 * of src/base/text.c, which is to be judged.
 */
#ifndef TLSFAIL_TEST_HARMLESS_H
#define TLSFAIL_TEST_HARMLESS_H

#include <stdbool.h>
#include <string.h>

#include <jansson.h>

/* Valid UTF-8 without what controls a terminal or changes the direction of text. */
static inline bool is_harmless(const char *text)
{
	json_t *parsed = json_string(text);
	bool valid = parsed != NULL;

	json_decref(parsed);
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c < 0x20 || *c == 0x7f)
			return false;
		if (c[0] == 0xc2 && c[1] < 0xa0)
			return false; /* C1 controls */
		if (c[0] == 0xe2 && c[1] == 0x80 &&
		    (c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xa8 && c[2] <= 0xae)))
			return false; /* marks, separators, embeddings, overrides */
		if (c[0] == 0xe2 && c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xaf)
			return false; /* isolates */
	}
	return valid;
}

#endif
