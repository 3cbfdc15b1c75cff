/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a probe has found out about a target, as text and as JSON.
 */
#ifndef TLSFAIL_COMMAND_PROBE_REPORT_H
#define TLSFAIL_COMMAND_PROBE_REPORT_H

#include <stdio.h>

#include "command/probe_targets.h"
#include "probe/vary.h"

struct enumeration;

struct probe_report {
	const struct probe_target *target;
	const struct verdict *verdict;	       /* NULL: it was not tried */
	const struct enumeration *enumeration; /* NULL: was not asked for */
};

/* "works", "fails" or "untried". */
const char *probe_report_result(const struct probe_report *report);

/* Return 0 or a negative errno of writing. */
int probe_report_text(const struct probe_report *report, FILE *file);
int probe_report_json(const struct probe_report *report, FILE *file);

#endif
