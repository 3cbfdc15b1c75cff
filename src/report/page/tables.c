// SPDX-License-Identifier: BSD-2-Clause
/*
 * The tables: causes, peers, outages and recoveries.
 */
#include "report/page/parts.h"

#include <string.h>

void page_left_out(struct page *p, size_t count, size_t shown, const char *of_what)
{
	if (shown >= count)
		return;
	html_add(&p->h, "<p class=\"note\">");
	html_count(&p->h, count - shown);
	html_add(&p->h, " more %s are counted, but not shown here.</p>\n", of_what);
}

const char *page_responsible(const json_t *example)
{
	static const struct {
		const char *key;
		const char *words;
	} names[] = {
		{ "this_host", "this host: it can be fixed here alone" },
		{ "upstream", "the upstream" },
		{ "client", "the client" },
		{ "network", "the network between the two" },
		{ "unknown", "not known: more than one can be" },
	};
	const char *key = report_string(example, "tlsfail.responsible");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(key, names[i].key))
			return names[i].words;
	return "";
}

static void cell_count(struct page *p, uint64_t n)
{
	html_add(&p->h, "<td class=\"n\">");
	html_count(&p->h, n);
	html_add(&p->h, "</td>");
}

static void cell_time(struct page *p, uint64_t ns)
{
	html_add(&p->h, "<td>");
	html_time(&p->h, ns);
	html_add(&p->h, "</td>");
}

void page_causes(struct page *p)
{
	const struct report *r = p->report;
	size_t shown = r->causes.count < PAGE_CAUSES_MAX ? r->causes.count : PAGE_CAUSES_MAX;

	html_add(&p->h,
		 "<section id=\"causes\"><h2>Causes</h2>\n<div class=\"wide\" tabindex=\"0\" "
		 "role=\"region\" aria-label=\"Causes\"><table><thead><tr>"
		 "<th scope=\"col\">Cause</th><th scope=\"col\" class=\"n\">Failures</th><th "
		 "scope=\"col\" class=\"n\">Share</th><th scope=\"col\" class=\"n\">Peers</th><th "
		 "scope=\"col\">First</th><th scope=\"col\">Last</th><th scope=\"col\">Who has to "
		 "act</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < shown; i++) {
		const struct report_cause *c = REPORT_ROW(&r->causes, struct report_cause, i);

		html_add(&p->h, "<tr><th scope=\"row\"><i class=\"swatch b%zu\"></i><code>",
			 i < PAGE_COLORS - 1 ? i : PAGE_COLORS - 1);
		html_text(&p->h, c->cause);
		html_add(&p->h, "</code></th>");
		cell_count(p, c->count);
		html_add(&p->h, "<td class=\"n\">%.1f %%</td>",
			 100.0 * (double)c->count / (double)r->failures);
		cell_count(p, c->peers);
		cell_time(p, c->first_ns);
		cell_time(p, c->last_ns);
		html_add(&p->h, "<td>%s</td></tr>\n", page_responsible(c->example));
	}
	html_add(&p->h, "</tbody></table></div>\n");
	page_left_out(p, r->causes.count, shown, "causes");
	html_add(&p->h, "<p class=\"note\"><code>tlsfail causes NAME</code> explains each of "
			"them.</p></section>\n");
}

const char *page_state(const struct report_peer *peer)
{
	return peer->flapping  ? "some succeed"
	       : peer->failing ? "no recovery seen"
			       : "working again";
}

void page_peers(struct page *p)
{
	size_t shown = 0;

	html_add(
		&p->h,
		"<section id=\"peers\"><h2>Peers</h2>\n<div class=\"wide\" tabindex=\"0\" "
		"role=\"region\" aria-label=\"Peers\"><table><thead><tr>"
		"<th scope=\"col\">Peer</th><th scope=\"col\">Upstream block</th><th scope=\"col\" "
		"class=\"n\">Failures</th><th scope=\"col\" class=\"n\">Causes</th><th "
		"scope=\"col\">First</th><th scope=\"col\">Last</th><th scope=\"col\">At the end "
		"of the data</th></tr></thead><tbody>\n");
	for (; shown < p->peer_count && shown < PAGE_PEERS_MAX && html_has_room(&p->h); shown++) {
		const struct report_peer *peer =
			REPORT_ROW(&p->report->peers, struct report_peer, p->peers[shown]);

		html_add(&p->h, "<tr><th scope=\"row\">");
		html_text(&p->h, peer->label);
		html_add(&p->h, "</th><td>");
		html_text(&p->h, peer->upstream ? peer->upstream : "–");
		html_add(&p->h, "</td>");
		cell_count(p, peer->failures);
		cell_count(p, peer->kind_count);
		cell_time(p, peer->first_ns);
		cell_time(p, peer->last_ns);
		html_add(&p->h, "<td class=\"%s\">%s%s</td></tr>\n",
			 peer->flapping	 ? "warn"
			 : peer->failing ? "down"
					 : "okay",
			 peer->failing ? "" : "✓ ", page_state(peer));
	}
	html_add(&p->h, "</tbody></table></div>\n");
	page_left_out(p, p->peer_count, shown, "peers");
	html_add(&p->h, "</section>\n");
}

static void outage_add(struct page *p, const struct report_outage *o)
{
	html_add(&p->h, "<tr><th scope=\"row\">");
	html_text(&p->h, REPORT_ROW(&p->report->peers, struct report_peer, o->peer)->label);
	html_add(&p->h, "</th>");
	cell_time(p, o->first_ns);
	cell_time(p, o->last_ns);
	if (o->recovered_ns)
		cell_time(p, o->recovered_ns);
	else
		html_add(&p->h, "<td class=\"%s</td>",
			 o->flapping ? "warn\">some succeeded" : "down\">not seen");
	html_add(&p->h, "<td class=\"n\">");
	page_outage(p, o, "at least ");
	html_add(&p->h, "</td>");
	cell_count(p, o->failures);
	html_add(&p->h, "</tr>\n");
}

void page_recoveries(struct page *p)
{
	const struct report *r = p->report;
	size_t shown = 0;

	html_add(&p->h,
		 "<section id=\"recovery\"><h2>Recovery</h2>\n<div class=\"wide\" tabindex=\"0\" "
		 "role=\"region\" aria-label=\"Recovery\"><table><thead><tr>"
		 "<th scope=\"col\">Peer</th><th scope=\"col\">First failure</th><th "
		 "scope=\"col\">Last failure</th><th scope=\"col\">Success seen</th><th "
		 "scope=\"col\" class=\"n\">Lasted</th><th scope=\"col\" "
		 "class=\"n\">Failures</th></tr></thead><tbody>\n");
	for (; shown < r->outages.count && shown < PAGE_OUTAGES_MAX && html_has_room(&p->h);
	     shown++)
		outage_add(p, REPORT_ROW(&r->outages, struct report_outage, shown));
	html_add(&p->h, "</tbody></table></div>\n");
	page_left_out(p, r->outages.count, shown, "outages");
	html_add(&p->h, "<p class=\"note\">“Success seen” is the last success before tlsfail was "
			"sure of the recovery: handshakes work, and none has failed for some "
			"seconds. A peer that nobody asks any more is not seen to recover.</p>"
			"</section>\n");
}
