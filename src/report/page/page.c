// SPDX-License-Identifier: BSD-2-Clause
/*
 * The page as a whole: its head, the figures in short, its sections, what was lost.
 */
#define _GNU_SOURCE /* qsort_r() */
#include "report/page/page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/units.h"
#include "report/page/parts.h"

/* ---- Graphics ------------------------------------------------------------------------------------ */

uint32_t page_graphic_begin(struct page *p, unsigned int width, unsigned int height)
{
	p->graphic++;
	html_add(
		&p->h,
		"<svg role=\"img\" aria-labelledby=\"g%ut g%ud\" viewBox=\"0 0 %u %u\" width=\"%u\" "
		"height=\"%u\"><title id=\"g%ut\">",
		p->graphic, p->graphic, width, height, width, height, p->graphic);
	return p->graphic;
}

void page_graphic_description(struct page *p)
{
	html_add(&p->h, "</title><desc id=\"g%ud\">", p->graphic);
}

void page_graphic_begun(struct page *p)
{
	html_add(&p->h, "</desc>");
}

/* ---- Order --------------------------------------------------------------------------------------- */

static int compare_failures(const void *left, const void *right, void *context)
{
	const struct report *r = context;
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	uint64_t na = REPORT_ROW(&r->peers, struct report_peer, a)->failures;
	uint64_t nb = REPORT_ROW(&r->peers, struct report_peer, b)->failures;

	return na != nb ? (na < nb) - (na > nb) : (a > b) - (a < b);
}

static int compare_kinds(const void *left, const void *right, void *context)
{
	const struct report *r = context;
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	uint64_t na = REPORT_ROW(&r->kinds, struct report_kind_row, a)->count;
	uint64_t nb = REPORT_ROW(&r->kinds, struct report_kind_row, b)->count;

	return na != nb ? (na < nb) - (na > nb) : (a > b) - (a < b);
}

static int order(struct page *p)
{
	const struct report *r = p->report;

	p->peers = calloc(r->peers.count + 1, sizeof(*p->peers));
	p->kinds = calloc(r->kinds.count + 1, sizeof(*p->kinds));
	p->color_of = calloc(r->kinds.count + 1, sizeof(*p->color_of));
	if (!p->peers || !p->kinds || !p->color_of)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->peers.count; i++)
		if (REPORT_ROW(&r->peers, struct report_peer, i)->failures)
			p->peers[p->peer_count++] = i;
	for (uint32_t i = 0; i < r->kinds.count; i++) {
		const struct report_kind_row *kind =
			REPORT_ROW(&r->kinds, struct report_kind_row, i);
		size_t color = 0;

		while (color < PAGE_COLORS - 1 && color < r->causes.count &&
		       strcmp(REPORT_ROW(&r->causes, struct report_cause, color)->cause,
			      kind->cause) != 0)
			color++;
		p->color_of[i] = (uint8_t)(color < PAGE_COLORS ? color : PAGE_COLORS - 1);
		if (kind->count)
			p->kinds[p->kind_count++] = i;
	}
	qsort_r(p->peers, p->peer_count, sizeof(*p->peers), compare_failures, (void *)r);
	qsort_r(p->kinds, p->kind_count, sizeof(*p->kinds), compare_kinds, (void *)r);
	return 0;
}

/* ---- Head ---------------------------------------------------------------------------------------- */

/* Of those that fail when the data ends: those that some handshakes succeed with, or the others. */
static uint64_t failing_peers(const struct page *p, bool flapping)
{
	uint64_t count = 0;

	for (size_t i = 0; i < p->peer_count; i++) {
		const struct report_peer *peer =
			REPORT_ROW(&p->report->peers, struct report_peer, p->peers[i]);

		count += peer->failing && peer->flapping == flapping;
	}
	return count;
}

static void title_add(struct page *p, const struct page_options *o)
{
	html_text(&p->h, o->title ? o->title : "TLS handshakes that failed");
}

static void head_add(struct page *p, const struct page_options *o)
{
	html_add(&p->h,
		 "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		 "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		 "style-src 'unsafe-inline'\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
		 "<meta name=\"generator\" content=\"tlsfail ");
	html_text(&p->h, o->version);
	html_add(&p->h, "\">\n<title>");
	title_add(p, o);
	html_add(&p->h,
		 "</title>\n<style>\n%s</style></head>\n<body>\n"
		 "<a class=\"skip\" href=\"#main\">Skip to the report</a>\n<header><h1>",
		 page_style);
	title_add(p, o);
	html_add(&p->h, "</h1>\n");
}

static void hosts_add(struct page *p)
{
	const char *name;
	json_t *value;
	size_t count = 0;

	json_object_foreach(p->report->hosts, name, value)
	{
		if (count == PAGE_HOSTS_MAX)
			break;
		html_add(&p->h, count++ ? ", " : "seen on ");
		html_text(&p->h, name);
	}
	if (json_object_size(p->report->hosts) > PAGE_HOSTS_MAX)
		html_add(&p->h, " and %zu more",
			 json_object_size(p->report->hosts) - PAGE_HOSTS_MAX);
}

static void subtitle_add(struct page *p, const struct page_options *o)
{
	html_add(&p->h, "<p class=\"sub\">");
	hosts_add(p);
	html_add(&p->h, "%sall times are UTC%s</p>\n",
		 json_object_size(p->report->hosts) ? "; " : "",
		 o->redacted ? "; redacted: addresses and names are pseudonyms" : "");
}

static void navigation_add(struct page *p)
{
	html_add(&p->h,
		 "<nav aria-label=\"Sections\"><ul><li><a href=\"#timeline\">Timeline</a></li>"
		 "<li><a href=\"#causes\">Causes</a></li><li><a href=\"#peers\">Peers</a></li>"
		 "<li><a href=\"#recovery\">Recovery</a></li>%s"
		 "<li><a href=\"#configuration\">Configuration</a></li>"
		 "<li><a href=\"#failures\">What failed</a></li><li><a href=\"#lost\">What is "
		 "missing</a></li></ul></nav>\n",
		 p->report->certificates.count
			 ? "<li><a href=\"#certificates\">Certificates</a></li>"
			 : "");
}

static const struct report_outage *longest_outage(const struct report *r)
{
	const struct report_outage *longest = NULL;
	uint64_t most = 0;

	for (size_t i = 0; i < r->outages.count; i++) {
		const struct report_outage *o = REPORT_ROW(&r->outages, struct report_outage, i);
		uint64_t end = o->recovered_ns > o->last_ns ? o->recovered_ns : o->last_ns;

		if (o->flapping || (longest && end - o->first_ns <= most))
			continue;
		longest = o;
		most = end - o->first_ns;
	}
	return longest;
}

void page_outage(struct page *p, const struct report_outage *o, const char *at_least)
{
	uint64_t end = o->recovered_ns > o->last_ns ? o->recovered_ns : o->last_ns;

	if (!o->recovered_ns && end == o->first_ns) {
		html_add(&p->h, "not known");
		return;
	}
	html_add(&p->h, "%s", o->recovered_ns ? "" : at_least);
	html_duration(&p->h, end - o->first_ns);
}

static void outage_card(struct page *p)
{
	const struct report_outage *o = longest_outage(p->report);

	html_add(&p->h, "<div><dt>Longest outage</dt><dd>");
	if (!o) {
		html_add(&p->h,
			 "none<small>some handshakes succeeded all the time</small></dd></div>");
		return;
	}
	page_outage(p, o, "≥ ");
	html_add(&p->h, "<small>");
	html_text(&p->h, REPORT_ROW(&p->report->peers, struct report_peer, o->peer)->label);
	html_add(&p->h, "</small></dd></div>");
}

/* The time of day in front, as incidents are short. */
static void time_card(struct page *p, const char *name, uint64_t ns)
{
	struct calendar d;

	if (!calendar_of((int64_t)(ns / NS_PER_S), &d))
		return;
	html_add(&p->h,
		 "<div><dt>%s</dt><dd>%02d:%02d:%02d<small>%04d-%02d-%02d</small></dd></div>", name,
		 d.hour, d.minute, d.second, d.year, d.month, d.day);
}

static void cards_add(struct page *p)
{
	const struct report *r = p->report;
	uint64_t failing = failing_peers(p, false), flapping = failing_peers(p, true);

	html_add(&p->h, "<dl class=\"cards\">");
	time_card(p, "Began", r->first_ns);
	time_card(p, "Last failure", r->last_ns);
	html_add(&p->h, "<div><dt>Failed handshakes</dt><dd>");
	html_count(&p->h, r->failures);
	html_add(&p->h, "<small>");
	html_counted(&p->h, r->causes.count, "cause", "causes");
	html_add(&p->h, "</small></dd></div><div><dt>Peers affected</dt><dd>");
	html_count(&p->h, p->peer_count);
	html_add(&p->h, "<small>%s",
		 failing    ? "no recovery seen: "
		 : flapping ? "fail now and then: "
			    : "all work again");
	if (failing || flapping)
		html_count(&p->h, failing ? failing : flapping);
	html_add(&p->h, "</small></dd></div>");
	outage_card(p);
	html_add(&p->h, "</dl>\n");
}

static void lead_add(struct page *p)
{
	const struct report *r = p->report;
	const struct report_cause *most = REPORT_ROW(&r->causes, struct report_cause, 0);
	const struct report_peer *peer = REPORT_ROW(&r->peers, struct report_peer, p->peers[0]);

	html_add(&p->h, "<p class=\"lead\">");
	html_counted(&p->h, r->failures, "TLS handshake", "TLS handshakes");
	html_add(&p->h, " with ");
	html_counted(&p->h, p->peer_count, "peer", "peers");
	html_add(&p->h, " failed%s", r->last_ns > r->first_ns ? " within " : "");
	if (r->last_ns > r->first_ns)
		html_duration(&p->h, r->last_ns - r->first_ns);
	html_add(&p->h, ". The most frequent cause is <code>");
	html_text(&p->h, most->cause);
	html_add(&p->h, "</code> (");
	html_count(&p->h, most->count);
	html_add(&p->h, "); the peer with most failures is ");
	html_text(&p->h, peer->label);
	html_add(&p->h, " (");
	html_count(&p->h, peer->failures);
	html_add(&p->h, "). <a href=\"#failures\">What failed</a> has the fix of each.</p>\n");
}

/* ---- What is missing ----------------------------------------------------------------------------- */

static void missing_row(struct page *p, uint64_t count, const char *what)
{
	if (!count)
		return;
	html_add(&p->h, "<tr><th scope=\"row\">%s</th><td class=\"n\">", what);
	html_count(&p->h, count);
	html_add(&p->h, "</td></tr>\n");
}

static void losses_add(struct page *p)
{
	const struct report *r = p->report;

	if (!r->losses.count)
		return;
	html_add(&p->h, "<details><summary>When</summary><ul>");
	for (size_t i = 0; i < r->losses.count; i++) {
		const struct report_loss *loss = REPORT_ROW(&r->losses, struct report_loss, i);

		html_add(&p->h, "<li>");
		html_time(&p->h, loss->time_ns);
		html_add(&p->h, ": ");
		html_text(&p->h, loss->message);
		html_add(&p->h, "</li>");
	}
	html_add(&p->h, "</ul></details>\n");
}

static void inputs_add(struct page *p, const struct page_options *o)
{
	html_add(&p->h, "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Files\">"
			"<table><thead><tr><th scope=\"col\">Read</th><th scope=\"col\">As</th><th "
			"scope=\"col\" class=\"n\">Lines or records</th><th scope=\"col\" "
			"class=\"n\">Malformed</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < o->input_count; i++) {
		const struct page_input *input = &o->inputs[i];

		html_add(&p->h, "<tr><th scope=\"row\">");
		html_text(&p->h, input->name);
		html_add(&p->h, "</th><td>%s%s</td><td class=\"n\">",
			 input->recording ? "recording" : "JSON lines",
			 input->ended ? ", damaged: read up to there" : "");
		html_count(&p->h, input->lines);
		html_add(&p->h, "</td><td class=\"n\">");
		html_count(&p->h, input->malformed);
		html_add(&p->h, "</td></tr>\n");
	}
	html_add(&p->h, "</tbody></table></div>\n");
}

static void missing_add(struct page *p, const struct page_options *o)
{
	const struct report *r = p->report;
	uint64_t malformed = 0, ended = 0;

	for (size_t i = 0; i < o->input_count; i++) {
		malformed += o->inputs[i].malformed;
		ended += o->inputs[i].ended != NULL;
	}
	html_add(&p->h, "<section id=\"lost\"><h2>What is missing</h2>\n");
	if (r->lost_failures || r->lost_wires || r->lost_untracked || r->lost_processes ||
	    r->lost_output || malformed || ended || r->duplicates || r->others) {
		html_add(&p->h, "<table><tbody>\n");
		missing_row(p, r->lost_failures, "Failures that tlsfail lost");
		missing_row(p, r->lost_wires, "Records of handshake bytes that it lost");
		missing_row(p, r->lost_untracked, "Connections that it did not follow");
		missing_row(p, r->lost_processes, "Process starts that it missed");
		missing_row(p, r->lost_output, "Events that an output did not take");
		missing_row(p, malformed, "Malformed lines or records, not used");
		missing_row(p, ended, "Files that end in the middle");
		missing_row(p, r->others, "Events of a kind that this release does not know");
		missing_row(p, r->duplicates, "Failures that two files have: counted once");
		html_add(&p->h, "</tbody></table>\n");
	} else {
		html_add(&p->h, "<p>Nothing: tlsfail reported no loss, and every line could be "
				"read.</p>\n");
	}
	losses_add(p);
	html_add(&p->h, "<h3>Files</h3>\n");
	inputs_add(p, o);
	html_add(&p->h, "</section>\n");
}

static void body_add(struct page *p, const struct page_options *o)
{
	subtitle_add(p, o);
	if (!p->report->failures) {
		html_add(&p->h,
			 "</header>\n<main id=\"main\"><p class=\"lead\">No failed handshake "
			 "is in these files.</p>\n");
		page_certificates(p);
	} else {
		navigation_add(p);
		html_add(&p->h, "</header>\n<main id=\"main\">\n");
		cards_add(p);
		lead_add(p);
		page_timeline(p);
		page_causes(p);
		page_peers(p);
		page_recoveries(p);
		page_certificates(p);
		page_configuration(p);
		page_kinds(p);
	}
	missing_add(p, o);
	html_add(&p->h, "</main>\n<footer><p>Made by tlsfail ");
	html_text(&p->h, o->version);
	html_add(&p->h,
		 ". What was observed and what was concluded are kept apart: see the evidence of "
		 "each failure.</p></footer>\n</body></html>\n");
}

int page_write(FILE *out, const struct report *report, const struct page_options *options)
{
	struct page p = { .h = { .out = out }, .report = report };
	int err = order(&p);

	if (!err) {
		head_add(&p, options);
		body_add(&p, options);
	}
	free(p.peers);
	free(p.kinds);
	free(p.color_of);
	return err;
}
