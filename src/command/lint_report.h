/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What lint has found, in each form.
 */
#ifndef TLSFAIL_COMMAND_LINT_REPORT_H
#define TLSFAIL_COMMAND_LINT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/text.h"
#include "program/nginx/lint/lint.h"

struct lint_report {
	FILE *out;
	const struct lint *lint;
	const struct lint_settings *settings;
	const char *directory; /* that names of files are shown in, with '/' at its end */
	bool color;
};

void lint_report_text(const struct lint_report *report);
void lint_report_json(const struct lint_report *report);
void lint_report_sarif(const struct lint_report *report);

/* A unified diff of what can be written instead; returns how many of the findings it takes care of. */
size_t lint_report_diff(const struct lint_report *report);

/* The rules themselves. */
void lint_report_rules(const struct lint_report *report);

/* A path, and the file of a finding, as they are shown. */
const char *lint_report_relative(const struct lint_report *report, const char *path);
const char *lint_report_path(const struct lint_report *report, const struct nginxconf_file *file);

#endif
