// SPDX-License-Identifier: BSD-2-Clause
/*
 * What failed: a section for each peer and cause, the most frequent first.
 */
#include "report/page/parts.h"

#include <string.h>

#define EVIDENCE_MAX 40
#define PATCH_LINES  60
#define CANDIDATES   6

static void fact_add(struct page *p, const char *name, const char *value)
{
	if (!*value)
		return;
	html_add(&p->h, "<dt>%s</dt><dd>", name);
	html_text(&p->h, value);
	html_add(&p->h, "</dd>");
}

static void strings_add(struct page *p, const json_t *array, size_t max, const char *before,
			const char *after)
{
	for (size_t i = 0; i < json_array_size(array) && i < max; i++) {
		const char *s = json_string_value(json_array_get(array, i));

		if (!s)
			continue;
		html_add(&p->h, "%s", before);
		html_text(&p->h, s);
		html_add(&p->h, "%s", after);
	}
}

static void place_add(struct page *p, const json_t *o)
{
	const char *file = report_string(o, "nginx.config.file");

	if (!*file)
		return;
	html_add(&p->h, "<dt>Where</dt><dd><code>");
	html_text(&p->h, file);
	html_add(&p->h, ":%llu</code>, ",
		 (unsigned long long)report_number(o, "nginx.config.line"));
	html_text(&p->h, report_string(o, "nginx.config.location"));
	html_add(&p->h, "%s</dd>",
		 json_is_true(json_object_get(o, "nginx.config.changed"))
			 ? " (the file was changed after this worker had started)"
			 : "");
}

static void facts_add(struct page *p, const struct report_kind_row *kind)
{
	const json_t *o = kind->example, *others = json_object_get(o, "tlsfail.candidates");
	const char *confidence = report_string(o, "tlsfail.confidence");

	html_add(&p->h, "<dl class=\"facts\">");
	fact_add(p, "Fix", report_string(o, "tlsfail.hint"));
	fact_add(p, "Who", page_responsible(o));
	place_add(p, o);
	fact_add(p, "Sent name (SNI)", report_string(o, "tls.client.server_name"));
	fact_add(p, "Confidence", confidence);
	if (kind->confirmed)
		fact_add(p, "Shown by a probe", kind->confirmed);
	if (json_array_size(others)) {
		html_add(&p->h, "<dt>Also possible</dt><dd>");
		strings_add(p, others, CANDIDATES, "<code>", "</code> ");
		html_add(&p->h, "</dd>");
	}
	fact_add(p, "nginx logged", report_string(o, "nginx.error_log.message"));
	html_add(&p->h, "</dl>\n");
}

static void patch_add(struct page *p, const json_t *o)
{
	const char *patch = report_string(o, "tlsfail.patch");
	const char *reason = report_string(o, "tlsfail.patch_reason");

	if (!*patch)
		return;
	html_add(&p->h, "<details><summary>Change of the configuration that is proposed</summary>");
	if (*reason) {
		html_add(&p->h, "<p>To be reviewed before it is applied: ");
		html_text(&p->h, reason);
		html_add(&p->h, "</p>");
	}
	html_add(&p->h, "<pre tabindex=\"0\">");
	for (int i = 0; *patch && i < PATCH_LINES; i++) {
		size_t len = strcspn(patch, "\n");
		const char *style = *patch == '+' ? "ins" : *patch == '-' ? "del" : NULL;

		if (style)
			html_add(&p->h, "<%s>", style);
		html_text_part(&p->h, patch, len);
		if (style)
			html_add(&p->h, "</%s>", style);
		html_add(&p->h, "\n");
		patch += len + (patch[len] == '\n');
	}
	html_add(&p->h, "%s</pre></details>\n", *patch ? "…" : "");
}

static void evidence_add(struct page *p, const json_t *o)
{
	const json_t *evidence = json_object_get(o, "tlsfail.evidence");
	const json_t *settings = json_object_get(o, "nginx.config.settings");

	if (json_array_size(evidence)) {
		html_add(&p->h, "<details><summary>Evidence</summary><ul>");
		strings_add(p, evidence, EVIDENCE_MAX, "<li>", "</li>");
		html_add(&p->h, "</ul></details>\n");
	}
	if (json_array_size(settings)) {
		html_add(&p->h, "<details><summary>Settings about TLS at that place</summary><ul>");
		strings_add(p, settings, EVIDENCE_MAX, "<li><code>", "</code></li>");
		html_add(&p->h, "</ul></details>\n");
	}
}

static void kind_add(struct page *p, const struct report_kind_row *kind, uint32_t number)
{
	const struct report_peer *peer =
		REPORT_ROW(&p->report->peers, struct report_peer, kind->peer);

	html_add(&p->h, "<article id=\"k%u\"><h3><i class=\"swatch b%u\"></i><code>", number,
		 p->color_of[number]);
	html_text(&p->h, kind->cause);
	html_add(&p->h, "</code> at ");
	html_text(&p->h, peer->label);
	html_add(&p->h, "</h3>\n<p class=\"message\">");
	html_text(&p->h, report_string(kind->example, "message"));
	html_add(&p->h, "</p>\n<p class=\"when\">");
	html_counted(&p->h, kind->count, "failure", "failures");
	html_add(&p->h, kind->count == 1 ? ", at " : ", first ");
	html_time(&p->h, kind->first_ns);
	if (kind->count > 1) {
		html_add(&p->h, ", last ");
		html_time(&p->h, kind->last_ns);
	}
	html_add(&p->h, "</p>\n");
	facts_add(p, kind);
	patch_add(p, kind->example);
	evidence_add(p, kind->example);
	page_ladder(p, kind);
	html_add(&p->h, "</article>\n");
}

void page_kinds(struct page *p)
{
	size_t shown = 0;

	html_add(&p->h, "<section id=\"failures\"><h2>What failed</h2>\n");
	for (size_t i = 0; i < p->kind_count && shown < PAGE_KINDS_MAX && html_has_room(&p->h);
	     i++) {
		const struct report_kind_row *kind =
			REPORT_ROW(&p->report->kinds, struct report_kind_row, p->kinds[i]);

		if (!kind->example)
			continue;
		kind_add(p, kind, p->kinds[i]);
		shown++;
	}
	page_left_out(p, p->kind_count, shown, "kinds of failure (peer and cause)");
	html_add(&p->h, "</section>\n");
}
