// SPDX-License-Identifier: BSD-2-Clause
/*
 * Certificates: who showed which, and how long it is valid, in words and as a bar.
 */
#include "report/page/parts.h"

#include <string.h>

#include "base/units.h"

#define BAR_WIDTH  180
#define BAR_HEIGHT 18
#define SOON_DAYS  30

enum validity {
	VALID,
	SOON,
	ENDED,
	TOO_EARLY,
};

static enum validity validity_of(const struct report_certificate *c)
{
	if (c->last_ns > c->not_after_ns)
		return ENDED;
	if (c->last_ns < c->not_before_ns)
		return TOO_EARLY;
	return c->not_after_ns - c->last_ns < SOON_DAYS * NS_PER_DAY ? SOON : VALID;
}

static void days_add(struct page *p, const struct report_certificate *c)
{
	switch (validity_of(c)) {
	case ENDED:
		html_counted(&p->h, (c->last_ns - c->not_after_ns) / NS_PER_DAY, "day", "days");
		html_add(&p->h, " past its end");
		break;
	case TOO_EARLY:
		html_counted(&p->h, (c->not_before_ns - c->last_ns) / NS_PER_DAY, "day", "days");
		html_add(&p->h, " before its start");
		break;
	default:
		html_counted(&p->h, (c->not_after_ns - c->last_ns) / NS_PER_DAY, "day", "days");
		html_add(&p->h, " left");
	}
}

/* The time of validity, and a mark for when the certificate was seen: on it, before it, behind it. */
static void bar_add(struct page *p, const struct report_certificate *c)
{
	static const char *const styles[] = {
		[VALID] = "valid", [SOON] = "soon", [ENDED] = "ended", [TOO_EARLY] = "ended"
	};
	uint64_t from = c->not_before_ns < c->last_ns ? c->not_before_ns : c->last_ns;
	uint64_t to = c->not_after_ns > c->last_ns ? c->not_after_ns : c->last_ns;
	double unit = (BAR_WIDTH - 8) / (double)(to > from ? to - from : 1);
	double x = 4 + unit * (double)(c->not_before_ns - from);
	double seen = 4 + unit * (double)(c->last_ns - from);
	double end = 4 + unit * (double)(c->not_after_ns - from);

	page_graphic_begin(p, BAR_WIDTH, BAR_HEIGHT);
	html_add(&p->h, "Validity, and when it was seen");
	page_graphic_description(p);
	days_add(p, c);
	html_add(&p->h, " when it was seen last, ");
	html_time_words(&p->h, c->last_ns);
	page_graphic_begun(p);
	html_add(&p->h,
		 "<rect class=\"%s\" x=\"%.1f\" y=\"6\" width=\"%.1f\" height=\"6\" rx=\"3\"/>"
		 "<path class=\"seen\" d=\"M%.1f 1v16\"/></svg>",
		 styles[validity_of(c)], x, end - x < 2 ? 2 : end - x, seen);
}

static void peers_add(struct page *p, const struct report_certificate *c)
{
	for (uint32_t i = 0; i < c->peer_count; i++) {
		html_add(&p->h, i ? ", " : "");
		html_text(&p->h,
			  REPORT_ROW(&p->report->peers, struct report_peer, c->peers[i])->label);
	}
	html_add(&p->h, c->more_peers ? ", and others" : "");
}

static void certificate_add(struct page *p, const struct report_certificate *c)
{
	html_add(&p->h, "<tr><th scope=\"row\">");
	html_text(&p->h, c->subject);
	html_add(&p->h, "<small>%s", c->client ? "of a client" : "of ");
	if (!c->client)
		peers_add(p, c);
	if (*c->names) {
		html_add(&p->h, "; valid for ");
		html_text(&p->h, c->names);
	}
	html_add(&p->h, "</small></th><td>");
	html_text(&p->h, c->issuer);
	html_add(&p->h, "</td><td>");
	html_text(&p->h, *c->key ? c->key : "–");
	html_add(&p->h, "</td>");
	if (!c->has_validity) {
		html_add(&p->h, "<td colspan=\"3\">not known</td></tr>\n");
		return;
	}
	html_add(&p->h, "<td>");
	html_time(&p->h, c->not_before_ns);
	html_add(&p->h, "</td><td>");
	html_time(&p->h, c->not_after_ns);
	html_add(&p->h, "</td><td class=\"%s\">",
		 validity_of(c) == VALID  ? ""
		 : validity_of(c) == SOON ? "warn"
					  : "down");
	bar_add(p, c);
	html_add(&p->h, "<br>");
	days_add(p, c);
	html_add(&p->h, "</td></tr>\n");
}

void page_certificates(struct page *p)
{
	const struct report *r = p->report;
	size_t shown = 0;

	if (!r->certificates.count)
		return;
	html_add(
		&p->h,
		"<section id=\"certificates\"><h2>Certificates</h2>\n<div class=\"wide\" "
		"tabindex=\"0\" role=\"region\" aria-label=\"Certificates\"><table><thead><tr><th "
		"scope=\"col\">Certificate</th><th scope=\"col\">Issuer</th><th "
		"scope=\"col\">Key</th><th scope=\"col\">Valid from</th><th scope=\"col\">Until</th>"
		"<th scope=\"col\">When it was seen</th></tr></thead><tbody>\n");
	for (; shown < r->certificates.count && shown < PAGE_CERTS_MAX && html_has_room(&p->h);
	     shown++)
		certificate_add(p, REPORT_ROW(&r->certificates, struct report_certificate, shown));
	html_add(&p->h, "</tbody></table></div>\n");
	page_left_out(p, r->certificates.count, shown, "certificates");
	html_add(&p->h, "</section>\n");
}
