// SPDX-License-Identifier: BSD-2-Clause
/*
 * The Accept header of whoever fetches the metrics: any bytes but 0. Whatever they are, there is a
 * format, and a header that names OpenMetrics nowhere does not get it.
 */
#define _GNU_SOURCE /* strcasestr() */
#include <stdlib.h>
#include <string.h>

#include "base/exposition.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *accept = malloc(size + 1);
	enum exposition_format format;

	if (!accept)
		return 0;
	memcpy(accept, data, size);
	accept[size] = '\0';
	format = exposition_negotiate(accept);
	FUZZ_ASSERT(format == EXPOSITION_TEXT || format == EXPOSITION_OPENMETRICS);
	FUZZ_ASSERT(format == EXPOSITION_TEXT || strcasestr(accept, "openmetrics-text"));
	free(accept);
	return 0;
}
