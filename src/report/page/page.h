/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A report as one HTML page: no scripts, nothing from elsewhere, and every graphic in words as well.
 */
#ifndef TLSFAIL_REPORT_PAGE_PAGE_H
#define TLSFAIL_REPORT_PAGE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct report;

/* What was read of a file. */
struct page_input {
	const char *name;
	bool recording;	    /* else NDJSON */
	uint64_t lines;	    /* or records */
	uint64_t malformed; /* of them: not used */
	const char *ended;  /* why the rest of it could not be read, or NULL */
};

struct page_options {
	const char *title; /* NULL: a plain one */
	const char *version;
	bool redacted;
	const struct page_input *inputs;
	size_t input_count;
};

/* Writes the page; whether all of it was written says ferror(out). Returns 0, or -ENOMEM before
 * anything is written. */
int page_write(FILE *out, const struct report *report, const struct page_options *options);

#endif
