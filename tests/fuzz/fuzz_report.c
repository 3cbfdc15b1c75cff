// SPDX-License-Identifier: BSD-2-Clause
/*
 * JSON lines that anybody may have written become a page, as they are and redacted: no crash, no markup
 * that is not ours, and a page of bounded size.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fuzz.h"
#include "report/model.h"
#include "report/page/page.h"
#include "report/redact.h"

#define PAGE_MAX (2 * 1000 * 1000)

static void take(struct report *report, struct redact *redact, const char *line, size_t len)
{
	struct report_event event;
	struct text problem;
	char buf[192];

	text_init(&problem, buf, sizeof(buf));
	if (report_event_parse(line, len, &event, &problem))
		return;
	if (redact && redact_event(redact, event.object))
		abort();
	if (report_add(report, &event, 0))
		abort();
	json_decref(event.object);
}

static void page(const char *text, size_t size, bool redacted)
{
	const struct page_input input = { .name = "-" };
	const struct page_options options = {
		.version = "0", .redacted = redacted, .inputs = &input, .input_count = 1
	};
	struct redact *redact = redacted ? redact_new() : NULL;
	struct report *report = report_new();
	char *html;
	size_t len;
	FILE *out = open_memstream(&html, &len);

	if (!report || !out || (redacted && !redact))
		abort();
	for (const char *line = text, *end = text + size; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *next = newline ? newline : end;

		take(report, redact, line, (size_t)(next - line));
		line = next + 1;
	}
	if (report_finish(report) || page_write(out, report, &options) || fclose(out))
		abort();
	FUZZ_ASSERT(len < PAGE_MAX && !strstr(html, "<script"));
	free(html);
	report_free(report);
	redact_free(redact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	page((const char *)data, size, false);
	page((const char *)data, size, true);
	return 0;
}
