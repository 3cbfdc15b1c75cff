// SPDX-License-Identifier: BSD-2-Clause
/*
 * A certificate in DER.
 */
#include <string.h>

#include "fuzz.h"
#include "harmless.h"
#include "tls/x509view.h"

static void check(const uint8_t *data, size_t size, bool cut)
{
	static const struct x509_view nothing;
	struct x509_view view;

	memset(&view, 0xa5, sizeof(view));
	if (!x509_view_read(data, size, cut, &view)) {
		FUZZ_ASSERT(memcmp(&view, &nothing, sizeof(view)) == 0);
		return;
	}
	FUZZ_ASSERT(is_harmless(view.subject));
	FUZZ_ASSERT(is_harmless(view.issuer));
	FUZZ_ASSERT(is_harmless(view.common_name));
	FUZZ_ASSERT(is_harmless(view.key));
	FUZZ_ASSERT(is_harmless(view.signature));
	for (size_t i = 0; i < view.name_count && i < X509VIEW_NAMES_MAX; i++)
		FUZZ_ASSERT(is_harmless(view.names[i]));
	FUZZ_ASSERT(view.cut == cut);
	FUZZ_ASSERT(strlen(view.sha256) == (cut ? 0 : 64));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check(data, size, false);
	check(data, size, true);
	return 0;
}
