// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as a string of JSON, read back by another library; and as text for a terminal.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/json.h"
#include "base/text.h"
#include "fuzz.h"
#include "harmless.h"

/* The longest escape of one byte is \u00XX. */
#define GROWTH 6

/* What is UTF-8 already has to come back as it was. */
static void check_round(const char *string, const char *written)
{
	json_t *as_it_is = json_string(string);
	json_t *read = json_loads(written, 0, NULL);
	const json_t *value = json_object_get(read, "key");

	FUZZ_ASSERT(json_is_string(value));
	FUZZ_ASSERT(!as_it_is || strcmp(json_string_value(value), string) == 0);
	json_decref(read);
	json_decref(as_it_is);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t room = size * GROWTH + 64;
	char *string = malloc(size + 1);
	char *buf = malloc(room);
	struct text text;
	struct jsonout json = { .text = &text };

	if (!string || !buf)
		abort();
	memcpy(string, data, size);
	string[size] = '\0';

	text_init(&text, buf, room);
	jsonout_begin(&json, "{");
	jsonout_key(&json, "key");
	jsonout_string(&json, string);
	jsonout_end(&json, "}");
	check_round(string, buf);

	text_init(&text, buf, room);
	text_add_hostile(&text, data, size);
	FUZZ_ASSERT(is_harmless(buf));

	free(buf);
	free(string);
	return 0;
}
