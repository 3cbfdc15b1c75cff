// SPDX-License-Identifier: BSD-2-Clause
/*
 * Needs no root and no kernel: what a recording holds is all there is. What is readable before a
 * damaged place is shown; then comes one line that names the place.
 */
#include "replay.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "options.h"
#include "outputs.h"
#include "pipeline.h"
#include "record.h"

/* Returns 0 at the end, or a negative errno; error says what is wrong with the recording. */
static int replay_records(struct recording *recording, struct pipeline *pipeline,
			  struct text *error)
{
	char buf[256];
	struct text problem;
	const void *data;
	size_t len;
	int ret;

	while ((ret = recording_next(recording, &data, &len, error)) > 0) {
		text_init(&problem, buf, sizeof(buf));
		ret = pipeline_feed(pipeline, data, len, &problem);
		if (!ret)
			continue;
		if (problem.len) {
			recording_add_place(recording, error);
			text_addf(error, ": the record %s", buf);
		}
		return ret;
	}
	return ret;
}

int replay_run(const struct options *o)
{
	struct recording *recording = NULL;
	struct outputs_options options;
	struct outputs *outputs = NULL;
	struct pipeline *pipeline = NULL;
	char buf[1024];
	struct text error;
	int err, finish_err;

	text_init(&error, buf, sizeof(buf));
	signal(SIGPIPE, SIG_IGN);
	err = recording_open(o->argument, &recording, &error);
	if (err)
		goto out;
	options_outputs(o, &options);
	err = outputs_open(&options, &outputs, &error);
	if (err)
		goto out;
	err = pipeline_open(outputs, &o->pipeline, &pipeline);
	if (err)
		goto out;
	err = replay_records(recording, pipeline, &error);
	finish_err = pipeline_finish(pipeline);
	if (!err)
		err = finish_err;
	if (!err)
		pipeline_summary(pipeline);
out:
	if (error.len && err != -EPIPE)
		log_line("%s", buf);
	else if (err && err != -EPIPE)
		log_line("cannot write the output: %s", strerror(-err));
	pipeline_close(pipeline);
	outputs_close(outputs);
	recording_close(recording);
	return err && err != -EPIPE ? EXIT_CANNOT : EXIT_SUCCESS;
}
