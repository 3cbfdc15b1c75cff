// SPDX-License-Identifier: BSD-2-Clause
/*
 * SIGHUP.
 */
#include "command/reload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "system/log.h"
#include "system/notify.h"
#include "command/options.h"
#include "output/outputs.h"
#include "command/pipeline.h"
#include "base/text.h"

#define OLD_OUTPUTS_MS 400 /* for what they still have queued */

struct reloader {
	const struct options *started_with;
	struct options *current; /* what the outputs are from, if not from the start */
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
	if (r)
		options_drop(r->current);
	free(r);
}

/* Opens the outputs of next and puts them in the place of the old ones. */
static int outputs_replace(const struct options *next, struct pipeline *pipeline,
			   struct outputs **outputs)
{
	struct outputs_options wanted;
	struct outputs *opened;
	char buf[1024];
	struct text error;
	int err;

	text_init(&error, buf, sizeof(buf));
	options_outputs(next, &wanted);
	err = outputs_open(&wanted, &opened, &error);
	if (err) {
		log_line("%s; keeping the current outputs", error.len ? buf : strerror(-err));
		return err;
	}
	pipeline_set_outputs(pipeline, opened);
	pipeline_tell_noise(pipeline, next->pipeline.noise);
	outputs_finish(*outputs, OLD_OUTPUTS_MS);
	outputs_summary(*outputs);
	outputs_close(*outputs);
	*outputs = opened;
	log_line("reloaded: findings now go to the new outputs");
	return 0;
}

static void options_take(struct reloader *r, struct pipeline *pipeline, struct outputs **outputs)
{
	const struct options *old = r->current ? r->current : r->started_with;
	struct options *next = calloc(1, sizeof(*next));

	if (!next || options_parse_again(r->started_with, next)) {
		log_line("keeping the current configuration");
		options_drop(next);
		return;
	}
	options_tell_fixed(r->started_with, next);
	if (options_same_outputs(old, next)) {
		/* They point into the old options, which stay. */
		outputs_reopen(*outputs);
		log_line("reloaded: the outputs are the same; files were reopened");
		options_drop(next);
	} else if (outputs_replace(next, pipeline, outputs)) {
		options_drop(next);
	} else {
		options_drop(r->current);
		r->current = next;
	}
}

void reloader_run(struct reloader *r, struct pipeline *pipeline, struct outputs **outputs)
{
	if (!r->started_with->config) {
		outputs_reopen(*outputs);
		return;
	}
	notify_reloading();
	options_take(r, pipeline, outputs);
	notify_send("READY=1");
}
