// SPDX-License-Identifier: BSD-2-Clause
/*
 * The configuration before and after: where findings about one place show other settings later, the
 * first beside the last.
 */
#include "report/page/parts.h"

#include <string.h>

/* Is the line of len bytes one of these lines? */
static bool has_line(const char *lines, const char *line, size_t len)
{
	while (*lines) {
		size_t n = strcspn(lines, "\n");

		if (n == len && !memcmp(lines, line, len))
			return true;
		lines += n + (lines[n] == '\n');
	}
	return false;
}

struct marking {
	const char *element;
	const char *sign;
	const char *words; /* for those who hear the page */
};

static const struct marking removed = { "del", "− ", "removed: " };
static const struct marking added = { "ins", "+ ", "added: " };

/* The lines of settings; those that other has not are marked. */
static void lines_add(struct page *p, const char *settings, const char *other,
		      const struct marking *mark)
{
	html_add(&p->h, "<td><ul class=\"plain\">");
	while (*settings) {
		size_t len = strcspn(settings, "\n");
		bool same = has_line(other, settings, len);

		html_add(&p->h, "<li>");
		if (!same)
			html_add(&p->h,
				 "<%s><span class=\"sr\">%s</span><span aria-hidden=\"true\">%s"
				 "</span>",
				 mark->element, mark->words, mark->sign);
		html_add(&p->h, "<code>");
		html_text_part(&p->h, settings, len);
		html_add(&p->h, "</code>");
		if (!same)
			html_add(&p->h, "</%s>", mark->element);
		html_add(&p->h, "</li>");
		settings += len + (settings[len] == '\n');
	}
	html_add(&p->h, "</ul></td>");
}

static void place_add(struct page *p, const struct report_place *place)
{
	const struct report_version *before = &place->versions[0], *after = &place->versions[0];

	for (uint32_t i = 1; i < place->version_count; i++) {
		const struct report_version *v = &place->versions[i];

		before = v->first_ns < before->first_ns ? v : before;
		after = v->last_ns > after->last_ns ? v : after;
	}
	html_add(&p->h, "<h3><code>");
	html_text(&p->h, place->name);
	html_add(&p->h, "</code></h3>\n<table class=\"two\"><thead><tr><th scope=\"col\">Before (");
	html_time(&p->h, before->first_ns);
	html_add(&p->h, ")</th><th scope=\"col\">After (");
	html_time(&p->h, after->last_ns);
	html_add(&p->h, ")</th></tr></thead><tbody><tr>");
	lines_add(p, before->settings, after->settings, &removed);
	lines_add(p, after->settings, before->settings, &added);
	html_add(&p->h, "</tr></tbody></table>\n");
	if (place->version_count > 2 || place->more || before == after)
		html_add(&p->h, "<p class=\"note\">There were others between the two.</p>\n");
}

void page_configuration(struct page *p)
{
	const struct report *r = p->report;
	size_t shown = 0, changed = 0;

	html_add(&p->h, "<section id=\"configuration\"><h2>Configuration before and after</h2>\n");
	for (size_t i = 0; i < r->places.count; i++) {
		const struct report_place *place = REPORT_ROW(&r->places, struct report_place, i);

		if (place->version_count < 2)
			continue;
		changed++;
		if (shown == PAGE_PLACES_MAX || !html_has_room(&p->h))
			continue;
		place_add(p, place);
		shown++;
	}
	page_left_out(p, changed, shown, "places that changed");
	if (!r->places.count)
		html_add(&p->h, "<p>No finding says which configuration it is about.</p>");
	else if (!changed)
		html_add(&p->h, "<p>All findings about a place show the same settings: what was "
				"changed after the last of them is not known here.</p>");
	html_add(&p->h, "</section>\n");
}
