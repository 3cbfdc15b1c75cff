// SPDX-License-Identifier: BSD-2-Clause
/*
 * One target after the other, one connection at a time. A signal ends it after the connection at hand;
 * what is known by then is shown.
 */
#define _GNU_SOURCE /* ppoll() */
#include "command/probe.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command/exporter.h"
#include "command/options.h"
#include "command/probe_report.h"
#include "command/probe_watch.h"
#include "output/outputs.h"
#include "probe/enumerate.h"
#include "system/clock.h"
#include "system/log.h"

#define FINISH_MS 5000 /* for what waits in the queues of sinks */

static volatile sig_atomic_t interrupted;

static void interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

struct run {
	const struct options *options;
	struct probe_targets targets;
	struct vary_options vary;
	struct verdict *verdict;
	struct enumeration *enumeration;
	struct outputs *outputs; /* NULL: no sinks */
	struct probe_watch *watch;
	unsigned int works;
	unsigned int fails;
	unsigned int untried;
	size_t target; /* that is being asked */
	unsigned int connections;
	uint64_t began_ns;
	uint64_t shown_ns; /* when the progress was, CLOCK_MONOTONIC */
};

/* Whatever takes longer than a second shows how far it is. */
static void progress_show(void *context)
{
	struct run *run = context;
	uint64_t now = clock_monotonic();

	if (now - run->shown_ns < NS_PER_S)
		return;
	run->shown_ns = now;
	log_progress("%s (%zu of %zu): connection %u, %llu s",
		     run->targets.items[run->target].label, run->target + 1, run->targets.count,
		     run->connections, (unsigned long long)((now - run->began_ns) / NS_PER_S));
}

static bool go_on(void *context)
{
	struct run *run = context;

	if (interrupted)
		return false;
	run->connections++;
	progress_show(run);
	return true;
}

static int report_write(struct run *run, const struct probe_report *report)
{
	log_progress(NULL);
	return run->options->format == &sink_type_json ? probe_report_json(report, stdout)
						       : probe_report_text(report, stdout);
}

static void result_count(struct run *run, const struct verdict *v)
{
	if (v && v->first.dial.interrupted)
		return;
	if (!v || v->end == HANDSHAKE_UNTRIED)
		run->untried++;
	else if (v->end == HANDSHAKE_WORKS)
		run->works++;
	else
		run->fails++;
}

static int target_probe(struct run *run, size_t index)
{
	const struct probe_target *target = &run->targets.items[index];
	const struct judge_place place = { target->place_len ? target->place_data : NULL,
					   target->place_len };
	struct probe_report report = { .target = target };
	bool changed;
	int err = 0;

	run->target = index;
	run->connections = 1;
	run->began_ns = clock_monotonic();
	if (!*target->problem) {
		vary(&target->client, &target->peer, &place, &run->vary, run->verdict);
		report.verdict = run->verdict;
	}
	/* How it stands is not known then, and nobody waits for it. */
	if (run->options->probe.watch_s && report.verdict && run->verdict->first.dial.interrupted) {
		vary_clear(run->verdict);
		return 0;
	}
	if (report.verdict && run->options->probe.enumerate && !interrupted &&
	    run->verdict->end != HANDSHAKE_UNTRIED && run->verdict->end != HANDSHAKE_NO_TCP) {
		enumerate(&target->client, &target->peer, &run->vary, run->enumeration);
		report.enumeration = run->enumeration;
	}
	result_count(run, report.verdict);
	changed = probe_watch_take(run->watch, index, report.verdict);
	if (changed)
		err = report_write(run, &report);
	if (report.verdict)
		vary_clear(run->verdict);
	return err;
}

/* Until the next round; a signal ends it. */
static void round_wait(uint64_t seconds)
{
	struct timespec t = { .tv_sec = (time_t)seconds };
	sigset_t none;

	sigemptyset(&none);
	if (!interrupted)
		ppoll(NULL, 0, &t, &none);
}

static int rounds_run(struct run *run)
{
	uint64_t watch_s = run->options->probe.watch_s;
	int err = 0;

	do {
		run->works = run->fails = run->untried = 0;
		run->shown_ns = clock_monotonic();
		for (size_t i = 0; !err && !interrupted && i < run->targets.count; i++)
			err = target_probe(run, i);
		log_progress(NULL);
		probe_watch_round(run->watch);
		if (!err && watch_s)
			round_wait(watch_s);
	} while (!err && watch_s && !interrupted);
	return err;
}

static int sinks_open(struct run *run)
{
	struct outputs_options outputs;
	char words[512];
	struct text error;
	int err;

	if (!run->options->sink_count)
		return 0;
	text_init(&error, words, sizeof(words));
	options_outputs(run->options, &outputs);
	/* Standard output has the report. */
	outputs.count = 0;
	for (size_t i = 0; i < run->options->sink_count; i++)
		outputs.specs[outputs.count++] = run->options->sinks[i];
	err = outputs_open(&outputs, &run->outputs, &error);
	if (err)
		log_line("%s", words);
	return err;
}

static int exit_status(const struct run *run, int err)
{
	if (err) {
		log_line("cannot write: %s", strerror(-err));
		return EXIT_CANNOT;
	}
	if (interrupted && !run->options->probe.watch_s)
		log_line("interrupted: %u of %zu targets were tested",
			 run->works + run->fails + run->untried, run->targets.count);
	if (run->fails)
		return EXIT_CANNOT;
	return run->untried || (interrupted && !run->options->probe.watch_s) ? EXIT_UNTRIED
									     : EXIT_SUCCESS;
}

static void signals_catch(void)
{
	struct sigaction action = { .sa_handler = interrupt };
	sigset_t ours;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* They come where something is waited for, see dial_wait(): so none is missed. */
	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigprocmask(SIG_BLOCK, &ours, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int probe_run(const struct options *options)
{
	struct run run = {
		.options = options,
		.vary = { .patience = { .timeout_ns = options->probe.timeout_s * NS_PER_S,
					.tick = progress_show,
					.context = &run },
			  .pause_ns = NS_PER_S / options->probe.rate,
			  .go_on = go_on,
			  .context = &run },
		.verdict = calloc(1, sizeof(*run.verdict)),
		.enumeration = calloc(1, sizeof(*run.enumeration)),
	};
	int status, err = 0, listening = -1;

	/* Until then a signal ends it as ever: nothing is known that could be shown. */
	status = probe_targets_find(options, &run.targets);
	signals_catch();
	if (!run.verdict || !run.enumeration)
		err = -ENOMEM;
	if (!status && !err && (sinks_open(&run) || exporter_listen(options, &listening)))
		status = EXIT_UNTRIED;
	if (!status && !err)
		err = probe_watch_open(&run.targets, options->metrics_file, listening, run.outputs,
				       &run.watch);
	if (!status && !err)
		err = rounds_run(&run);
	if (!status)
		status = exit_status(&run, err);
	if (run.outputs)
		outputs_finish(run.outputs, FINISH_MS);
	outputs_close(run.outputs);
	probe_watch_close(run.watch);
	exporter_unlisten(options, listening);
	probe_targets_clear(&run.targets);
	free(run.verdict);
	free(run.enumeration);
	return status;
}
