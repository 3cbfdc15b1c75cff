// SPDX-License-Identifier: BSD-2-Clause
/*
 * A certificate in DER.
 */
#include <string.h>

#include "fuzz.h"
#include "harmless.h"
#include "x509view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct x509_view nothing;
	struct x509_view view;

	memset(&view, 0xa5, sizeof(view));
	if (!x509_view_read(data, size, &view)) {
		FUZZ_ASSERT(memcmp(&view, &nothing, sizeof(view)) == 0);
		return 0;
	}
	FUZZ_ASSERT(is_harmless(view.subject));
	FUZZ_ASSERT(is_harmless(view.issuer));
	FUZZ_ASSERT(is_harmless(view.common_name));
	for (size_t i = 0; i < view.name_count && i < X509VIEW_NAMES_MAX; i++)
		FUZZ_ASSERT(is_harmless(view.names[i]));
	FUZZ_ASSERT(strlen(view.sha256) == 64);
	return 0;
}
