// SPDX-License-Identifier: BSD-2-Clause
/*
 * libbpf's print callback.
 */
#include "kernel/libbpflog.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

static char warning[512];

static int keep_warning(enum libbpf_print_level level, const char *format, va_list args)
{
	char *end;

	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(warning, sizeof(warning), format, args);
	end = strchr(warning, '\n');
	if (end)
		*end = '\0';
	return 0;
}

void libbpflog_take(void)
{
	libbpf_set_print(keep_warning);
}

const char *libbpflog_warning(void)
{
	return warning;
}
