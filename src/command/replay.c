// SPDX-License-Identifier: BSD-2-Clause
/*
 * Needs no root and no kernel: what a recording holds is all there is. What is readable before a
 * damaged place is shown; then comes one line that names the place.
 */
#include "command/replay.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "command/exporter.h"
#include "system/log.h"
#include "command/options.h"
#include "output/outputs.h"
#include "command/pipeline.h"
#include "command/standings.h"
#include "record/recording.h"
#include "system/clock.h"

/* For what waits in the queues of sinks at the end: as in a trace, or until all is written. */
#define FINISH_RATE_MS 5000
#define FINISH_ALL_MS  60000

struct replay {
	const struct options *options;
	struct recording *recording;
	struct outputs *outputs;
	struct pipeline *pipeline;
	struct exporter *exporter;
	struct standings *standings; /* NULL: no output wants them */
	uint64_t records;
	uint64_t t_begin;
	uint64_t t_tick;
};

static void sleep_until(uint64_t time_ns)
{
	struct timespec ts = clock_timespec(time_ns);

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

static void metrics_publish(struct replay *r)
{
	struct metrics_host host = {
		.records = r->records,
		.orphans = pipeline_orphans(r->pipeline),
		.contradictions = pipeline_contradictions(r->pipeline),
	};

	if (r->exporter)
		exporter_publish(r->exporter, r->outputs, &host);
}

/* Waits, before more than rate failures a second were found. */
static int keep_pace(struct replay *r)
{
	uint64_t rate = r->options->rate;
	uint64_t found = pipeline_findings(r->pipeline);
	uint64_t due = r->t_begin + found / rate * NS_PER_S + found % rate * NS_PER_S / rate;
	uint64_t now = clock_monotonic();

	if (due > now)
		sleep_until(due);
	if (now - r->t_tick < NS_PER_S)
		return 0;
	r->t_tick = now;
	metrics_publish(r);
	return outputs_tick(r->outputs);
}

/* Returns 0 at the end, or a negative errno; error says what is wrong with the recording. */
static int replay_records(struct replay *r, struct text *error)
{
	char buf[256];
	struct text problem;
	const void *data;
	size_t len;
	int ret;

	while ((ret = recording_next(r->recording, &data, &len, error)) > 0) {
		r->records++;
		text_init(&problem, buf, sizeof(buf));
		ret = pipeline_feed(r->pipeline, data, len, &problem);
		if (!ret)
			ret = pipeline_stand(r->pipeline, NULL);
		if (!ret && r->options->rate)
			ret = keep_pace(r);
		if (!ret)
			continue;
		if (problem.len) {
			recording_add_place(r->recording, error);
			text_addf(error, ": the record %s", buf);
		}
		return ret;
	}
	return ret;
}

static int replay_once(struct replay *r, struct text *error)
{
	int err = 0;

	if (!r->recording)
		err = recording_open(r->options->argument, &r->recording, error);
	if (!err)
		err = replay_records(r, error);
	recording_close(r->recording);
	r->recording = NULL;
	return err;
}

/* Nothing is written before it is known that there is a recording. */
static int replay_open(struct replay *r, struct text *error)
{
	struct outputs_options options;
	int err = recording_open(r->options->argument, &r->recording, error);

	options_outputs(r->options, &options);
	options.patient = !r->options->rate;
	if (!err)
		err = outputs_open(&options, &r->outputs, error);
	if (!err)
		err = pipeline_open(r->outputs, &r->options->pipeline, &r->pipeline);
	if (err)
		return err;
	pipeline_count_into(r->pipeline, exporter_metrics(r->exporter));
	if (!outputs_want_standing(r->outputs))
		return 0;
	r->standings = standings_new();
	if (!r->standings)
		return -ENOMEM;
	pipeline_stand_into(r->pipeline, r->standings);
	return 0;
}

/* Returns 0, or a negative errno; error then gets a sentence but for what the outputs failed with. */
static int replay_all(struct replay *r, struct text *error)
{
	const struct options *o = r->options;
	int finish_err = 0;
	int err = replay_open(r, error);

	for (uint64_t i = 0; !err && i < o->repeat; i++)
		err = replay_once(r, error);
	if (r->pipeline)
		finish_err = pipeline_finish(r->pipeline);
	if (r->outputs) {
		int written = outputs_finish(r->outputs, o->rate ? FINISH_RATE_MS : FINISH_ALL_MS);

		finish_err = finish_err ? finish_err : written;
		if (r->pipeline)
			metrics_publish(r);
	}
	return err ? err : finish_err;
}

int replay_run(const struct options *o)
{
	struct replay r = { .options = o, .t_begin = clock_monotonic() };
	int listening;
	bool lost = false;
	char buf[1024];
	struct text error;
	int err;

	text_init(&error, buf, sizeof(buf));
	signal(SIGPIPE, SIG_IGN);
	if (exporter_listen(o, &listening))
		return EXIT_CANNOT;
	if (exporter_open(o, listening, NULL, &r.exporter)) {
		exporter_unlisten(o, listening);
		return EXIT_CANNOT;
	}
	err = replay_all(&r, &error);
	if (!err) {
		pipeline_summary(r.pipeline);
		lost = !o->rate && outputs_dropped(r.outputs);
	} else if (err != -EPIPE) {
		log_line("%s%s", error.len ? "" : "cannot write the output: ",
			 error.len ? buf : strerror(-err));
	}
	recording_close(r.recording);
	pipeline_close(r.pipeline);
	standings_free(r.standings);
	outputs_close(r.outputs);
	exporter_close(r.exporter);
	exporter_unlisten(o, listening);
	return lost || (err && err != -EPIPE) ? EXIT_CANNOT : EXIT_SUCCESS;
}
