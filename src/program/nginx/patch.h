/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A change of nginx.conf as a unified diff, made from the excerpts that place.h carries, so
 * that no file is needed. Pure.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_PATCH_H
#define TLSFAIL_PROGRAM_NGINX_PATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "program/nginx/place.h"
#include "base/text.h"

#define NGINXPATCH_LINES_MAX 128
#define NGINXPATCH_EDITS_MAX 4
#define NGINXPATCH_TEXT_LEN  512

struct nginxpatch_line {
	uint32_t number;
	const char *data;
	uint32_t len; /* without its end */
	bool has_end; /* the file's last line may have none */
};

struct nginxpatch_edit {
	uint32_t line;			/* the first that is changed */
	uint32_t from;			/* bytes into it */
	uint32_t last;			/* the last that is changed */
	uint32_t to;			/* bytes into that */
	char text[NGINXPATCH_TEXT_LEN]; /* put in there */
};

/* Changes of one file. Begins as all zero. */
struct nginxpatch {
	struct nginx_words file;
	uint32_t line_count;
	struct nginxpatch_line lines[NGINXPATCH_LINES_MAX]; /* that are known, in order */
	uint32_t edit_count;
	struct nginxpatch_edit edits[NGINXPATCH_EDITS_MAX]; /* in order, not overlapping */
	bool failed; /* something did not fit, or was of another file */
};

/* Puts text in the place of the directive of the spot. */
void nginxpatch_replace(struct nginxpatch *patch, const struct nginx_spot *spot, const char *text);

/* Adds directives, each ending with ';' and a newline between, behind that of the spot; inside of
 * it, when it is a block. */
void nginxpatch_insert(struct nginxpatch *patch, const struct nginx_spot *spot, const char *text);

/* Appends the diff. False, and nothing is appended, when there is none to show: nothing was
 * changed, something did not fit, or the lines hold what no terminal should be sent. */
bool nginxpatch_write(const struct nginxpatch *patch, struct text *out);

#endif
