// SPDX-License-Identifier: BSD-2-Clause
/*
 * In the place of sink_otlp.c in a static program, which cannot load libcurl; and Debian's libcurl wants
 * Kerberos, of which there is no static library.
 */
#include "output/sink.h"

#include <errno.h>

#include "base/text.h"

static int otlp_check(const char *target, struct text *error)
{
	(void)target;
	text_add(error, "this tlsfail was built without libcurl and has no otlp sink: have a "
			"collector read the file of json:/FILE, or use a build that is not static");
	return -EINVAL;
}

const struct sink_type sink_type_otlp = {
	.name = "otlp",
	.forms = "(otlp: not in this program, which was built without libcurl)",
	.check = otlp_check,
};
