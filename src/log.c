// SPDX-License-Identifier: BSD-2-Clause
/*
 * stderr, and libbpf's log callback.
 */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "text.h"

static char libbpf_warning[512];
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

static int keep_warning(enum libbpf_print_level level, const char *format, va_list args)
{
	char *end;

	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(libbpf_warning, sizeof(libbpf_warning), format, args);
	end = strchr(libbpf_warning, '\n');
	if (end)
		*end = '\0';
	return 0;
}

void log_take_libbpf(void)
{
	libbpf_set_print(keep_warning);
}

const char *log_libbpf_warning(void)
{
	return libbpf_warning;
}
