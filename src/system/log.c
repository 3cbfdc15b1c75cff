// SPDX-License-Identifier: BSD-2-Clause
/*
 * stderr.
 */
#include "system/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static const char *place_file;
static unsigned int place_line;
static bool progress_shown;
static bool beside_status;

/* There is nowhere to report that stderr is gone. */
static void put(const char *bytes, size_t len)
{
	if (write(STDERR_FILENO, bytes, len) < 0)
		return;
}

static void progress_clear(void)
{
	/* back to the first column, erase to the end of the line (ECMA-48 EL) */
	if (progress_shown || beside_status)
		put("\r\033[K", 4);
	progress_shown = false;
}

void log_progress(const char *format, ...)
{
	char raw[256], line[2 * sizeof(raw)];
	struct text t;
	va_list args;

	progress_clear();
	if (!format || !isatty(STDERR_FILENO))
		return;
	va_start(args, format);
	vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	text_init(&t, line, sizeof(line));
	text_add(&t, "tlsfail: ");
	text_add_hostile(&t, raw, strlen(raw));
	put(line, t.len);
	progress_shown = true;
}

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
	progress_clear();
	put(line, t.len + 1);
}

void log_beside_status(bool status)
{
	beside_status = status;
}

void log_place(const char *file, unsigned int line)
{
	place_file = file;
	place_line = line;
}
