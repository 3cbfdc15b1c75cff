// SPDX-License-Identifier: BSD-2-Clause
/*
 * SIGHUP.
 */
#include "command/reload.h"

#include <stdlib.h>
#include <string.h>

#include "command/analyst.h"
#include "command/options.h"
#include "output/outputs.h"
#include "system/log.h"

struct reloader {
	const struct options *started_with;
	struct options *current; /* what the outputs are from, if not from the start */
	struct options *wanted;	 /* they are being opened */
};

struct reloader *reloader_new(const struct options *options)
{
	struct reloader *r = calloc(1, sizeof(*r));

	if (r)
		r->started_with = options;
	return r;
}

static void options_drop(struct options *o)
{
	if (o)
		options_release(o);
	free(o);
}

void reloader_free(struct reloader *r)
{
	if (!r)
		return;
	options_drop(r->current);
	options_drop(r->wanted);
	free(r);
}

/* The strings stay those of o. */
static void message_make(const struct options *o, struct message *m)
{
	struct outputs_options outputs;

	options_outputs(o, &outputs);
	m->type = MESSAGE_OUTPUTS;
	m->outputs.verbose = outputs.sink.verbose;
	m->outputs.ladder = outputs.sink.ladder;
	m->outputs.color = outputs.sink.color;
	m->outputs.utf8 = outputs.sink.utf8;
	m->outputs.ecs = outputs.sink.ecs;
	m->outputs.noise = o->pipeline.noise;
	m->outputs.queue_size = outputs.queue_size;
	m->outputs.count = outputs.count;
	memcpy(m->outputs.specs, outputs.specs, sizeof(outputs.specs));
}

bool reloader_current(const struct reloader *r, struct message *outputs)
{
	message_make(r->current ? r->current : r->started_with, outputs);
	return r->current;
}

bool reloader_waits(const struct reloader *r)
{
	return r->wanted;
}

void reloader_done(struct reloader *r, bool taken)
{
	if (taken && r->wanted) {
		options_drop(r->current);
		r->current = r->wanted;
	} else {
		options_drop(r->wanted);
	}
	r->wanted = NULL;
}

/* The first one that connects to another host; there is one. */
static const char *network_sink(const struct options *o)
{
	struct outputs_options outputs;
	size_t i = 0;

	options_outputs(o, &outputs);
	while (!sink_needs_network(outputs.specs[i]))
		i++;
	return outputs.specs[i];
}

enum reload reloader_run(struct reloader *r, struct message *outputs)
{
	const struct options *old = r->current ? r->current : r->started_with;
	struct options *next;

	if (!r->started_with->config)
		return RELOAD_REOPEN;
	next = calloc(1, sizeof(*next));
	if (!next || options_parse_again(r->started_with, next)) {
		log_line("keeping the current configuration");
		options_drop(next);
		return RELOAD_NOTHING;
	}
	options_tell_fixed(r->started_with, next);
	if (options_same_outputs(old, next)) {
		log_line("reloaded: the outputs are the same; files were reopened");
		options_drop(next);
		return RELOAD_REOPEN;
	}
	if (analyst_has_network(next) && !analyst_has_network(r->started_with)) {
		log_line("sink \"%s\" connects to another host, which takes effect when tlsfail is "
			 "restarted; keeping the current outputs",
			 network_sink(next));
		options_drop(next);
		return RELOAD_NOTHING;
	}
	options_drop(r->wanted);
	r->wanted = next;
	message_make(next, outputs);
	return RELOAD_OUTPUTS;
}
