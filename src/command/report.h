/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tlsfail report: recordings and JSON lines as one page.
 */
#ifndef TLSFAIL_COMMAND_REPORT_H
#define TLSFAIL_COMMAND_REPORT_H

struct options;

#define REPORT_FILES_MAX 1024

#define EXIT_INCOMPLETE 3 /* the page is written, but not all of the input could be used */

/* Returns the exit status. */
int report_run(const struct options *options);

#endif
