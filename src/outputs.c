// SPDX-License-Identifier: BSD-2-Clause
/*
 * Formats a finding for each output and hands it over.
 */
#include "outputs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "finding.h"
#include "log.h"

struct output {
	const struct sink_type *type;
	struct sink *sink;
	bool failed; /* and gets nothing more */
	struct output_counts counts;
};

struct outputs {
	struct sink_options options;
	size_t count;
	struct output items[OUTPUTS_MAX];
	char buf[SINK_FINDING_LEN];
};

static int output_write(struct output *output, const struct text *t)
{
	int err = -EPIPE;

	if (!output->failed)
		err = t->cut || !t->len ? -EMSGSIZE
					: output->type->write(output->sink, t->buf, t->len);
	return err;
}

static int output_open(struct outputs *o, const char *spec, struct text *error)
{
	struct output *output = &o->items[o->count];
	struct text header;
	const char *target;
	int err;

	output->counts.name = spec;
	err = sink_parse(spec, &output->type, &target, error);
	if (!err)
		err = output->type->open(&o->options, target, &output->sink);
	if (err)
		return err;
	o->count++;
	if (!output->type->header)
		return 0;
	text_init(&header, o->buf, sizeof(o->buf));
	output->type->header(&header);
	return output_write(output, &header);
}

int outputs_open(const struct outputs_options *options, struct outputs **out, struct text *error)
{
	struct outputs *o = calloc(1, sizeof(*o));
	int err = o ? 0 : -ENOMEM;

	if (o)
		o->options = options->sink;
	for (size_t i = 0; !err && i < options->count; i++) {
		err = output_open(o, options->specs[i], error);
		if (err && !error->len)
			text_addf(error, "cannot write the output: %s", strerror(-err));
	}
	if (err)
		outputs_close(o);
	else
		*out = o;
	return err;
}

void outputs_close(struct outputs *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->count; i++)
		o->items[i].type->close(o->items[i].sink);
	free(o);
}

static int finding_write(struct outputs *o, struct output *output, const struct finding *finding)
{
	struct text t;
	int err;

	if (output->failed) {
		output->counts.dropped++;
		return 0;
	}
	text_init(&t, o->buf, sizeof(o->buf));
	output->type->format(&o->options, finding, &t);
	err = output_write(output, &t);
	output->failed = err;
	if (err)
		output->counts.dropped++;
	else
		output->counts.written++;
	return err;
}

int outputs_write(struct outputs *o, const struct finding *finding)
{
	int err = 0;

	for (size_t i = 0; i < o->count; i++) {
		int error = finding_write(o, &o->items[i], finding);

		err = err ? err : error;
	}
	return err;
}

bool outputs_counts(const struct outputs *o, size_t index, struct output_counts *counts)
{
	if (index >= o->count)
		return false;
	*counts = o->items[index].counts;
	return true;
}

void outputs_summary(const struct outputs *o)
{
	for (size_t i = 0; i < o->count; i++) {
		const struct output_counts *counts = &o->items[i].counts;

		if (counts->dropped)
			log_line("%" PRIu64 " findings were not written: %s did not take them",
				 counts->dropped, counts->name);
	}
}
