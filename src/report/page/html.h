/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing HTML: text is escaped, cut where it is endless, and what it takes is counted, so that a page
 * has a size that a mail takes.
 */
#ifndef TLSFAIL_REPORT_PAGE_HTML_H
#define TLSFAIL_REPORT_PAGE_HTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define HTML_ROOM 1700000 /* behind so many bytes a page ends soon, and texts are short */

struct html {
	FILE *out;
	size_t written;
};

/* Markup of our own, as printf does. No argument may be somebody else's string. */
void html_add(struct html *h, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A string that somebody else may have chosen, for an element or a quoted attribute: characters that
 * mean something to HTML are escaped, those that cannot be seen are spelled out, and what is longer
 * than a page wants is cut. */
void html_text(struct html *h, const char *s);

/* The first len bytes of it. */
void html_text_part(struct html *h, const char *s, size_t len);

/* With thousands apart: "12,345". */
void html_count(struct html *h, uint64_t n);

/* "1 peer", "2,345 peers". */
void html_counted(struct html *h, uint64_t n, const char *one, const char *many);

/* A time (ns since 1970) as a <time> element: "2026-11-26 14:30:13"; in UTC, as all of the page. */
void html_time(struct html *h, uint64_t ns);

/* The same as bare words, for the text of a graphic. */
void html_time_words(struct html *h, uint64_t ns);

/* "1 h 12 min", "3.2 s". */
void html_duration(struct html *h, uint64_t ns);

/* Is there room for another section of details? */
bool html_has_room(const struct html *h);

#endif
