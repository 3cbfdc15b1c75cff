// SPDX-License-Identifier: BSD-2-Clause
/*
 * The timeline: a lane for each peer, time from left to right, a bar for the failures of each slice of
 * time in the colours of their causes, a band for the time in which the peer failed, and a mark where
 * it recovered.
 */
#include "report/page/parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/units.h"

#define WIDTH	     960
#define LABEL_WIDTH  216
#define CHART_WIDTH  720
#define BUCKET_WIDTH 4
#define LANE_HEIGHT  34
#define BAR_HEIGHT   24
#define AXIS_HEIGHT  40
#define TICKS	     5
#define LABEL_CHARS  31
#define DAY_NS	     (86400 * NS_PER_S)

_Static_assert(BUCKET_WIDTH *PAGE_BUCKETS == CHART_WIDTH, "the buckets fill the chart");

struct lane {
	uint64_t counts[PAGE_BUCKETS][PAGE_COLORS];
	uint64_t most; /* in a bucket */
};

struct timeline {
	uint64_t begin_ns;
	uint64_t span_ns;
	struct lane *lanes;
	size_t lane_count;
	uint32_t *lane_of; /* peer: its lane plus one */
};

static double place_of(const struct timeline *t, uint64_t ns)
{
	if (ns <= t->begin_ns)
		return 0;
	if (ns - t->begin_ns >= t->span_ns)
		return CHART_WIDTH;
	return (double)(ns - t->begin_ns) / (double)t->span_ns * CHART_WIDTH;
}

static void points_count(const struct page *p, struct timeline *t)
{
	const struct report *r = p->report;

	for (size_t i = 0; i < r->points.count; i++) {
		const struct report_point *point = REPORT_ROW(&r->points, struct report_point, i);
		uint32_t lane = t->lane_of[point->peer];
		size_t bucket = (size_t)(place_of(t, point->time_ns) / BUCKET_WIDTH);
		uint64_t total = 0;
		struct lane *l;

		if (!lane || point->kind == REPORT_NO_KIND)
			continue;
		if (bucket >= PAGE_BUCKETS)
			bucket = PAGE_BUCKETS - 1;
		l = &t->lanes[lane - 1];
		l->counts[bucket][p->color_of[point->kind]] += point->count;
		for (size_t c = 0; c < PAGE_COLORS; c++)
			total += l->counts[bucket][c];
		if (total > l->most)
			l->most = total;
	}
}

/* As exact as it takes to tell it from the next, and dated where the day is another. */
static void tick_add(struct page *p, const struct timeline *t, int tick)
{
	uint64_t ns = t->begin_ns + t->span_ns / TICKS * (uint64_t)tick;
	unsigned int x = LABEL_WIDTH + CHART_WIDTH / TICKS * (unsigned int)tick;
	const char *anchor = tick == 0 ? "start" : tick == TICKS ? "end" : "middle";
	struct calendar d;

	if (!calendar_of((int64_t)(ns / NS_PER_S), &d))
		return;
	html_add(&p->h, "<text class=\"axis\" x=\"%u\" y=\"%d\" text-anchor=\"%s\">%02d:%02d:%02d",
		 x, AXIS_HEIGHT - 12, anchor, d.hour, d.minute, d.second);
	if (t->span_ns < 2 * TICKS * NS_PER_S)
		html_add(&p->h, ".%03u", (unsigned int)(ns % NS_PER_S / NS_PER_MS));
	html_add(&p->h, "</text>");
	if (tick == 0 || tick == TICKS || t->span_ns >= DAY_NS)
		html_add(&p->h,
			 "<text class=\"axis\" x=\"%u\" y=\"%d\" text-anchor=\"%s\">"
			 "%04d-%02d-%02d</text>",
			 x, AXIS_HEIGHT - 26, anchor, d.year, d.month, d.day);
}

static void axis_add(struct page *p, const struct timeline *t)
{
	unsigned int bottom = AXIS_HEIGHT + LANE_HEIGHT * (unsigned int)t->lane_count;

	for (int i = 0; i <= TICKS; i++) {
		unsigned int x = LABEL_WIDTH + CHART_WIDTH / TICKS * (unsigned int)i;

		html_add(&p->h, "<line class=\"grid\" x1=\"%u\" y1=\"%d\" x2=\"%u\" y2=\"%u\"/>", x,
			 AXIS_HEIGHT - 6, x, bottom);
		tick_add(p, t, i);
	}
}

/* Bars of one colour, on top of those of the colours before it: one path, as there can be many. */
static void bars_add(struct page *p, const struct lane *l, size_t color, unsigned int top)
{
	bool begun = false;

	for (size_t b = 0; b < PAGE_BUCKETS; b++) {
		double unit = (double)BAR_HEIGHT / (double)l->most, below = 0, height;

		if (!l->counts[b][color])
			continue;
		for (size_t c = 0; c < color; c++)
			below += unit * (double)l->counts[b][c];
		height = unit * (double)l->counts[b][color];
		if (height < 2.5)
			height = 2.5; /* one failure beside many is still seen */
		if (!begun)
			html_add(&p->h, "<path class=\"c%zu\" d=\"", color);
		begun = true;
		html_add(&p->h, "M%zu %.1fh%dv-%.1fh-%dz", LABEL_WIDTH + b * BUCKET_WIDTH,
			 top + LANE_HEIGHT - 4 - below, BUCKET_WIDTH, height, BUCKET_WIDTH);
	}
	if (begun)
		html_add(&p->h, "\"/>");
}

static void bands_add(struct page *p, const struct timeline *t)
{
	const struct report *r = p->report;

	for (size_t i = 0; i < r->outages.count && i < 20 * (size_t)PAGE_LANES_MAX; i++) {
		const struct report_outage *o = REPORT_ROW(&r->outages, struct report_outage, i);
		uint32_t lane = t->lane_of[o->peer];
		double from = place_of(t, o->first_ns);
		double to = place_of(t, o->recovered_ns ? o->recovered_ns : o->last_ns);
		double top = AXIS_HEIGHT + LANE_HEIGHT * ((double)lane - 1);

		if (!lane)
			continue;
		html_add(
			&p->h,
			"<rect class=\"band\" x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"%d\"/>",
			LABEL_WIDTH + from, top + 4, to - from < 1 ? 1 : to - from,
			LANE_HEIGHT - 8);
		if (o->recovered_ns)
			html_add(&p->h,
				 "<path class=\"up\" d=\"M%.1f %.0fv%dM%.1f %.0fl4 4 7-8\"/>",
				 LABEL_WIDTH + to, top + 2, LANE_HEIGHT - 4, LABEL_WIDTH + to + 3,
				 top + 13);
	}
}

static void label_add(struct page *p, const struct report_peer *peer, unsigned int top)
{
	size_t len = strlen(peer->label), shown = len;

	if (shown > LABEL_CHARS)
		for (shown = LABEL_CHARS - 1;
		     shown && ((unsigned char)peer->label[shown] & 0xc0) == 0x80;)
			shown--;
	html_add(&p->h, "<text class=\"peer\" x=\"0\" y=\"%u\">", top + 16);
	html_text_part(&p->h, peer->label, shown);
	html_add(&p->h, "%s</text><text class=\"axis\" x=\"0\" y=\"%u\">", shown < len ? "…" : "",
		 top + 29);
	html_counted(&p->h, peer->failures, "failure", "failures");
	html_add(&p->h, ", %s</text>", peer->failing ? page_state(peer) : "recovered");
}

static void description_add(struct page *p, const struct timeline *t)
{
	html_add(&p->h, "From ");
	html_time_words(&p->h, t->begin_ns);
	html_add(&p->h, " to ");
	html_time_words(&p->h, t->begin_ns + t->span_ns);
	html_add(&p->h, " UTC. ");
	for (size_t i = 0; i < t->lane_count; i++) {
		const struct report_peer *peer =
			REPORT_ROW(&p->report->peers, struct report_peer, p->peers[i]);

		html_text(&p->h, peer->label);
		html_add(&p->h, ": ");
		html_counted(&p->h, peer->failures, "failure", "failures");
		html_add(&p->h, " from ");
		html_time_words(&p->h, peer->first_ns);
		html_add(&p->h, " to ");
		html_time_words(&p->h, peer->last_ns);
		html_add(&p->h, ", %s. ", peer->failing ? page_state(peer) : "then working again");
	}
}

static void draw(struct page *p, const struct timeline *t)
{
	const struct report *r = p->report;

	html_add(&p->h, "<div class=\"wide\" tabindex=\"0\" role=\"region\" "
			"aria-label=\"Timeline\">");
	page_graphic_begin(p, WIDTH, AXIS_HEIGHT + LANE_HEIGHT * (unsigned int)t->lane_count + 8);
	html_add(&p->h, "Failures of each peer over time");
	page_graphic_description(p);
	description_add(p, t);
	page_graphic_begun(p);
	axis_add(p, t);
	bands_add(p, t);
	for (size_t i = 0; i < t->lane_count; i++) {
		unsigned int top = AXIS_HEIGHT + LANE_HEIGHT * (unsigned int)i;

		html_add(&p->h, "<line class=\"grid\" x1=\"0\" y1=\"%u\" x2=\"%u\" y2=\"%u\"/>",
			 top + LANE_HEIGHT, LABEL_WIDTH + CHART_WIDTH, top + LANE_HEIGHT);
		label_add(p, REPORT_ROW(&r->peers, struct report_peer, p->peers[i]), top);
		for (size_t c = 0; c < PAGE_COLORS; c++)
			bars_add(p, &t->lanes[i], c, top);
	}
	html_add(&p->h, "</svg></div>\n");
}

static void legend_add(struct page *p)
{
	const struct report *r = p->report;
	size_t count = r->causes.count;

	html_add(&p->h, "<p class=\"legend\">");
	for (size_t i = 0; i < count && i < PAGE_COLORS - 1; i++) {
		html_add(&p->h, "<span><i class=\"swatch b%zu\"></i>", i);
		html_text(&p->h, REPORT_ROW(&r->causes, struct report_cause, i)->cause);
		html_add(&p->h, "</span> ");
	}
	if (count >= PAGE_COLORS)
		html_add(&p->h, "<span><i class=\"swatch b%d\"></i>other causes</span> ",
			 PAGE_COLORS - 1);
	html_add(&p->h, "<span><i class=\"swatch band\"></i>from the first failure on</span> "
			"<span><b class=\"tick\">✓</b> working again</span></p>\n");
}

void page_timeline(struct page *p)
{
	const struct report *r = p->report;
	size_t lanes = p->peer_count < PAGE_LANES_MAX ? p->peer_count : PAGE_LANES_MAX;
	uint64_t end = r->end_ns > r->last_ns ? r->end_ns : r->last_ns;
	struct timeline t = {
		.begin_ns = r->first_ns,
		.span_ns = end > r->first_ns ? end - r->first_ns : 0,
		.lanes = calloc(lanes + 1, sizeof(struct lane)),
		.lane_of = calloc(r->peers.count + 1, sizeof(uint32_t)),
		.lane_count = lanes,
	};

	html_add(&p->h, "<section id=\"timeline\"><h2>Timeline</h2>\n");
	if (t.span_ns < NS_PER_S)
		t.span_ns = NS_PER_S;
	if (t.lanes && t.lane_of) {
		for (size_t i = 0; i < lanes; i++)
			t.lane_of[p->peers[i]] = (uint32_t)i + 1;
		points_count(p, &t);
		draw(p, &t);
		legend_add(p);
		page_left_out(p, p->peer_count, lanes, "peers");
		html_add(&p->h,
			 "<p class=\"note\">Each lane has a scale of its own. Times are UTC. The "
			 "table of <a href=\"#peers\">peers</a> has the same in numbers.</p>\n");
	}
	html_add(&p->h, "</section>\n");
	free(t.lanes);
	free(t.lane_of);
}
