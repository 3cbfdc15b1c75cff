// SPDX-License-Identifier: BSD-2-Clause
/*
 * One target after the other, one connection at a time. A signal ends it after the connection at hand;
 * what is known by then is shown.
 */
#include "command/probe.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/options.h"
#include "command/probe_report.h"
#include "probe/enumerate.h"
#include "system/log.h"
#include "system/clock.h"

static volatile sig_atomic_t interrupted;

static void interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

static bool go_on(void *context)
{
	(void)context;
	return !interrupted;
}

struct run {
	const struct options *options;
	struct probe_targets targets;
	struct vary_options vary;
	struct verdict *verdict;
	struct enumeration *enumeration;
	unsigned int works;
	unsigned int fails;
	unsigned int untried;
};

static int report_write(struct run *run, const struct probe_report *report)
{
	return run->options->format == &sink_type_json ? probe_report_json(report, stdout)
						       : probe_report_text(report, stdout);
}

static int target_probe(struct run *run, const struct probe_target *target)
{
	const struct judge_place place = { target->place_len ? target->place_data : NULL,
					   target->place_len };
	struct probe_report report = { .target = target };
	int err;

	if (*target->problem) {
		run->untried++;
		return report_write(run, &report);
	}
	vary(&target->client, &target->peer, &place, &run->vary, run->verdict);
	report.verdict = run->verdict;
	if (run->options->probe.enumerate && run->verdict->end != HANDSHAKE_UNTRIED &&
	    run->verdict->end != HANDSHAKE_NO_TCP && !interrupted) {
		enumerate(&target->client, &target->peer, &run->vary, run->enumeration);
		report.enumeration = run->enumeration;
	}
	if (run->verdict->end == HANDSHAKE_UNTRIED)
		run->untried++;
	else if (run->verdict->end == HANDSHAKE_WORKS)
		run->works++;
	else
		run->fails++;
	err = report_write(run, &report);
	vary_clear(run->verdict);
	return err;
}

static int exit_status(const struct run *run, int err)
{
	if (err) {
		log_line("cannot write: %s", strerror(-err));
		return EXIT_CANNOT;
	}
	if (interrupted)
		log_line("interrupted: %u of %zu targets were tried",
			 run->works + run->fails + run->untried, run->targets.count);
	if (run->fails)
		return EXIT_CANNOT;
	return run->untried || interrupted ? EXIT_UNTRIED : EXIT_SUCCESS;
}

static void signals_catch(void)
{
	struct sigaction action = { .sa_handler = interrupt };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int probe_run(const struct options *options)
{
	struct run run = {
		.options = options,
		.vary = { .timeout_ns = options->probe.timeout_s * NS_PER_S,
			  .pause_ns = NS_PER_S / options->probe.rate,
			  .go_on = go_on },
		.verdict = calloc(1, sizeof(*run.verdict)),
		.enumeration = calloc(1, sizeof(*run.enumeration)),
	};
	int status, err = 0;

	signals_catch();
	status = probe_targets_find(options, &run.targets);
	if (!run.verdict || !run.enumeration)
		err = -ENOMEM;
	for (size_t i = 0; !status && !err && !interrupted && i < run.targets.count; i++)
		err = target_probe(&run, &run.targets.items[i]);
	if (!status)
		status = exit_status(&run, err);
	probe_targets_clear(&run.targets);
	free(run.verdict);
	free(run.enumeration);
	return status;
}
