// SPDX-License-Identifier: BSD-2-Clause
/*
 * What records become as each sink writes them: whatever is in a record, JSON stays JSON, a line stays
 * a line, and nothing controls a terminal. Input: a recording.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/text.h"
#include "diagnose/correlate.h"
#include "diagnose/diagnose.h"
#include "finding/finding.h"
#include "fuzz.h"
#include "output/sink.h"
#include "record/decode.h"
#include "stream.h"

static struct decoded record;
static struct failure failure;
static struct diagnose_work work;
static struct finding finding;
static char written[SINK_FINDING_LEN];

static void format(const struct sink_type *type, const struct sink_options *options)
{
	struct text text;

	text_init(&text, written, sizeof(written));
	type->format(options, &finding, &text);
	FUZZ_ASSERT(text.len > 0);
}

/* One event, of one line, with its keys of the same kind whatever their names. */
static void check_json(const struct sink_options *options)
{
	const char *end;
	json_t *event;

	format(&sink_type_json, options);
	end = strchr(written, '\n');
	FUZZ_ASSERT(end && !end[1]);
	event = json_loads(written, JSON_REJECT_DUPLICATES, NULL);
	FUZZ_ASSERT(json_is_object(event));
	json_decref(event);
}

/* No control byte but for ends of lines and tabs: a colour is asked for, or not there. */
static void check_plain(const struct sink_type *type, const struct sink_options *options)
{
	format(type, options);
	for (const char *c = written; *c; c++)
		FUZZ_ASSERT((unsigned char)*c >= ' ' || *c == '\n' || *c == '\t');
}

static void check_line(const struct sink_options *options)
{
	const char *end;

	check_plain(&sink_type_line, options);
	end = strchr(written, '\n');
	FUZZ_ASSERT(end && !end[1]);
}

static void check_all(void)
{
	static const struct sink_options plain = { .fd = -1, .stop = -1, .utf8 = true };
	static const struct sink_options full = {
		.fd = -1, .stop = -1, .verbose = true, .ladder = true, .ecs = true
	};

	check_json(&plain);
	check_json(&full);
	check_line(&plain);
	check_plain(&sink_type_text, &plain);
	check_plain(&sink_type_text, &full);
	format(&sink_type_journald, &full); /* binary */
	check_plain(&sink_type_syslog, &full);
	check_plain(&sink_type_syslog_udp, &full);
	format(&sink_type_otlp, &full); /* a part of a JSON array */
}

static void record_feed(void *context, const uint8_t *data, size_t len)
{
	struct correlator *correlator = context;
	const char *problem = NULL;

	if (decode_record(data, len, &record, &problem))
		return;
	if (record.type == TLSFAIL_REC_LOSS)
		diagnose_loss(&record.loss, 0, correlator_host(correlator), &finding);
	else if (record.type == TLSFAIL_REC_PEER ||
		 correlator_feed(correlator, &record, &failure) <= 0)
		return;
	else
		diagnose(&failure, &work, &finding);
	check_all();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct correlator *correlator = correlator_new();

	if (!correlator)
		abort();
	stream_each(data, size, record_feed, correlator);
	correlator_free(correlator);
	return 0;
}
