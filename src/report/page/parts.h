/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sections of a page, and what they share.
 */
#ifndef TLSFAIL_REPORT_PAGE_PARTS_H
#define TLSFAIL_REPORT_PAGE_PARTS_H

#include "report/model.h"
#include "report/page/html.h"

#define PAGE_COLORS	  9 /* of causes; the last is for all that have none of their own */
#define PAGE_LANES_MAX	  40
#define PAGE_PEERS_MAX	  200
#define PAGE_CAUSES_MAX	  200 /* more than there are */
#define PAGE_KINDS_MAX	  40
#define PAGE_CERTS_MAX	  100
#define PAGE_PLACES_MAX	  20
#define PAGE_OUTAGES_MAX  100
#define PAGE_BUCKETS	  180
#define PAGE_HOSTS_MAX	  10
#define PAGE_LADDER_STEPS 40

struct page {
	struct html h;
	const struct report *report;
	uint32_t *peers;   /* their numbers, those with most failures first */
	size_t peer_count; /* that failed */
	uint32_t *kinds;   /* the same of kinds */
	size_t kind_count;
	uint8_t *color_of; /* of each kind: a number below PAGE_COLORS */
	uint32_t graphic;  /* number of the last graphic, for its references */
};

/* The style sheet, the colours of causes among it. */
extern const char page_style[];

void page_timeline(struct page *p);
void page_ladder(struct page *p, const struct report_kind_row *kind);
void page_kinds(struct page *p);
void page_causes(struct page *p);
void page_peers(struct page *p);
void page_recoveries(struct page *p);
void page_certificates(struct page *p);
void page_configuration(struct page *p);

/* Says how many rows are not shown, if there are any. */
void page_left_out(struct page *p, size_t count, size_t shown, const char *of_what);

/* Begins a graphic, which has a title and a description; its number. The title follows, then
 * page_graphic_description(), the description, and page_graphic_begun(). */
uint32_t page_graphic_begin(struct page *p, unsigned int width, unsigned int height);
void page_graphic_description(struct page *p);
void page_graphic_begun(struct page *p);

/* How long an outage lasted, at_least before it where its end is not known; of a single failure nothing
 * is. */
void page_outage(struct page *p, const struct report_outage *o, const char *at_least);

/* How the peer is when the data ends. */
const char *page_state(const struct report_peer *peer);

/* "this host" for "this_host". */
const char *page_responsible(const json_t *example);

#endif
