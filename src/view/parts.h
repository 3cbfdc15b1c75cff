/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts that pages are drawn of. For the files of the page.
 */
#ifndef TLSFAIL_VIEW_PARTS_H
#define TLSFAIL_VIEW_PARTS_H

#include <stdint.h>

#include "view/canvas.h"
#include "view/page.h"

#define PART_LEN 32

/* Figures in a few columns, into buf of PART_LEN bytes, which is returned: "12.3", "0.5%", "12ms",
 * "364d", "14:02:05"; "-" for what is not known. */
const char *part_rate(char *buf, double rate);
const char *part_share(char *buf, double share);
const char *part_latency(char *buf, uint64_t ns);
const char *part_days(char *buf, int64_t not_after, uint64_t now_ns);
const char *part_time(char *buf, uint64_t time_ns, int64_t zone_s, uint64_t now_ns);

enum canvas_style part_state_style(enum view_state state);
enum canvas_style part_days_style(int64_t not_after, uint64_t now_ns);

/* The last so many levels of a history. */
void part_graph(struct canvas *c, int row, int column, int width,
		const uint8_t levels[VIEW_BUCKETS]);

/* A line of a list of failures. */
void part_failure(const struct page *p, struct canvas *c, int row, const struct view_failure *f);

/* "5 min" */
const char *part_span(char *buf, uint64_t ns);

void part_table(struct page *p, struct canvas *c);
void part_detail(struct page *p, struct canvas *c);
void part_help(struct page *p, struct canvas *c);

#endif
