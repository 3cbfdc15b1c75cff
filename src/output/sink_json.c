/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JSON sink: one object a line (NDJSON), as docs/event.schema.json has it.
 */
#include "output/sink.h"
#include "output/sink_event.h"

#include "finding/finding.h"
#include "base/json.h"
#include "base/text.h"

static void write_steps(struct jsonout *j, const struct finding_event *steps, unsigned int count)
{
	jsonout_begin(j, "[");
	for (unsigned int i = 0; i < count; i++) {
		jsonout_begin(j, "{");
		jsonout_key(j, "t");
		jsonout_integer(j, (int64_t)steps[i].t_ns);
		jsonout_key(j, "dir");
		jsonout_string(j, steps[i].dir);
		jsonout_key(j, "what");
		jsonout_string(j, steps[i].what);
		jsonout_end(j, "}");
	}
	jsonout_end(j, "]");
}

struct writer {
	struct jsonout json;
	const struct finding *finding;
	bool ecs; /* names of the Elastic Common Schema */
};

void sink_json_value(struct jsonout *j, const struct sink_value *value)
{
	switch (value->kind) {
	case SINK_STRING:
		jsonout_string(j, value->string);
		break;
	case SINK_INTEGER:
		jsonout_integer(j, value->integer);
		break;
	case SINK_BOOLEAN:
		jsonout_boolean(j, value->boolean);
		break;
	case SINK_STRINGS:
		jsonout_begin(j, "[");
		for (unsigned int i = 0; i < value->count; i++)
			jsonout_string(j, value->strings[i]);
		jsonout_end(j, "]");
		break;
	case SINK_STEPS:
		write_steps(j, value->steps, value->count);
		break;
	}
}

static void write_member(void *context, const char *key, const struct sink_value *value)
{
	struct writer *writer = context;

	jsonout_key(&writer->json, writer->ecs ? sink_ecs_key(writer->finding, key) : key);
	sink_json_value(&writer->json, value);
}

static void json_format(const struct sink_options *options, const struct finding *finding,
			struct text *t)
{
	struct writer writer = { .json.text = t, .finding = finding, .ecs = options->ecs };
	static const struct sink_value version = { .string = SINK_ECS_VERSION };

	jsonout_begin(&writer.json, "{");
	if (options->ecs)
		write_member(&writer, "ecs.version", &version);
	sink_event_each(finding, write_member, &writer);
	jsonout_end(&writer.json, "}");
	text_add_bytes(t, "\n", 1);
}

const struct sink_type sink_type_json = {
	.name = "json",
	.forms = "json:- json:/FILE",
	.batch_max = 64,
	.retry_ms_max = 1000,
	.check = sink_file_check,
	.open = sink_file_open,
	.format = json_format,
	.send = sink_file_send,
	.reopen = sink_file_reopen,
	.close = sink_file_close,
};
