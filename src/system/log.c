// SPDX-License-Identifier: BSD-2-Clause
/*
 * stderr.
 */
#include "system/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static const char *place_file;
static unsigned int place_line;

void log_line(const char *format, ...)
{
	char raw[4096], line[2 * sizeof(raw)];
	struct text t;
	va_list args;

	va_start(args, format);
	vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	text_init(&t, line, sizeof(line) - 1);
	text_add(&t, "tlsfail: ");
	if (place_file)
		text_addf(&t, "%s:%u: ", place_file, place_line);
	text_add_hostile(&t, raw, strlen(raw));
	line[t.len] = '\n';
	/* There is nowhere to report that stderr is gone. */
	if (write(STDERR_FILENO, line, t.len + 1) < 0)
		return;
}

void log_place(const char *file, unsigned int line)
{
	place_file = file;
	place_line = line;
}
