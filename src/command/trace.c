// SPDX-License-Identifier: BSD-2-Clause
/*
 * Order matters at the start: what can be refused cheaply is tried first, BPF is loaded with its
 * read-only data set, everything is attached, and only then is it armed.
 */
#include "command/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "command/confirm.h"
#include "command/intake.h"
#include "command/loop.h"
#include "kernel/adapt.h"
#include "kernel/attach.h"
#include "kernel/discover.h"
#include "command/exporter.h"
#include "kernel/counters.h"
#include "kernel/leftovers.h"
#include "kernel/libbpflog.h"
#include "system/clock.h"
#include "system/log.h"
#include "system/confine.h"
#include "system/notify.h"
#include "command/notice.h"
#include "command/options.h"
#include "output/outputs.h"
#include "command/pipeline.h"
#include "command/preflight.h"
#include "kernel/probestats.h"
#include "record/recording.h"
#include "command/reload.h"
#include "command/selection.h"
#include "command/standings.h"
#include "kernel/counters.h"
#include "target/target.h"
#include "tlsfail.skel.h"

#define TICK_MS	   1000
#define FINISH_MS  5000 /* for what waits in the queues of sinks */
#define CONFIRM_MS 50	/* between looks for an answer of the prober */
/* A certificate that stays the same is looked at again once a day: its end comes nearer. */
#define CERT_INTERVAL_NS (24ULL * 3600 * 1000000000)
#define CERT_PAUSE_NS	 1000000000ULL

struct tracer {
	const struct options *options;
	uint64_t ticks; /* seconds that it runs */
	struct target_set targets;
	struct tlsfail_bpf *skel;
	struct hook_choice choice;
	struct attachments *attachments;
	struct adapt adapt;
	uint8_t epoch; /* of owner_epoch, the last one */
	struct discovery *discovery;
	struct ring_buffer *ring;
	struct outputs *outputs;
	struct pipeline *pipeline;
	struct intake *intake;
	struct recorder *recorder;
	struct reloader *reloader;
	struct exporter *exporter;
	struct standings *standings;
	int probe_stats;	 /* a descriptor, or -1 */
	struct confirm *confirm; /* NULL: was not asked for */

	bool told_armed;
	bool ending;
	bool watchdog; /* the service manager waits for signs of life */
	int status;    /* exit status so far */
	uint64_t t_armed;
	uint64_t invalid; /* records that are none of this ABI */
	struct loop loop;
};

/* -- records ---------------------------------------------------------------------------------- */

static void output_failed(struct tracer *t, int err)
{
	t->ending = true;
	/* The reader has what it wanted; or we were told to end while it did not read. */
	if (err == -EPIPE || err == -EINTR)
		return;
	log_line("cannot write the output: %s", strerror(-err));
	t->status = EXIT_CANNOT;
}

static void recording_failed(struct tracer *t, int err)
{
	log_line("%s: %s; the recording ends here", t->options->record, strerror(-err));
	recorder_close(t->recorder);
	t->recorder = NULL;
	t->status = EXIT_CANNOT;
}

/* --count is reached. */
static bool is_full(const struct tracer *t)
{
	return t->options->count && pipeline_findings(t->pipeline) >= t->options->count;
}

/* A record of the stream. Of what was held back when --count was reached, losses are told. */
static void emit(void *context, const void *data, size_t len)
{
	const struct tlsfail_header *h = data;
	struct tracer *t = context;
	char buf[256];
	struct text problem;
	int err;

	if (is_full(t) && h->type != TLSFAIL_REC_LOSS && h->type != TLSFAIL_REC_TOTALS)
		return;
	text_init(&problem, buf, sizeof(buf));
	err = t->recorder ? recorder_write(t->recorder, data, len) : 0;
	if (err)
		recording_failed(t, err);
	err = pipeline_feed(t->pipeline, data, len, &problem);
	if (problem.len) {
		t->invalid++;
		log_line("the kernel side sent a record that %s", buf);
	} else if (err)
		output_failed(t, err);
	if (is_full(t))
		t->ending = true;
}

static int on_record(void *context, void *data, size_t len)
{
	struct tracer *t = context;

	if (loop_is_late(&t->loop))
		intake_lose(t->intake, data);
	else if (!is_full(t))
		intake_record(t->intake, data, len);
	return loop_taken(&t->loop, len);
}

static void metrics_publish(struct tracer *t)
{
	struct metrics_host host = {
		.armed = t->skel->bss->armed && discovery_live(t->discovery),
		.traced = discovery_processes(t->discovery),
		.records = intake_records(t->intake),
		.invalid = t->invalid,
		.orphans = pipeline_orphans(t->pipeline),
		.contradictions = pipeline_contradictions(t->pipeline),
	};

	if (!t->exporter || intake_counters(t->intake, &host.counters))
		return;
	probestats_read(t->skel->obj, t->probe_stats >= 0, &host.probes);
	pipeline_count_failing(t->pipeline, clock_monotonic());
	exporter_publish(t->exporter, t->outputs, &host);
}

static void peer_stands(void *context, const struct tlsfail_peer_key *key,
			const struct tlsfail_peer_state *state)
{
	struct tracer *t = context;

	pipeline_stand_peer(t->pipeline, key, &state->n, state->latency_ns);
}

/* For live views. */
static void stand(struct tracer *t)
{
	struct tlsfail_counters counters;
	const struct pipeline_totals totals = {
		.counters = &counters,
		.processes = discovery_processes(t->discovery),
	};
	int err;

	if (!outputs_want_standing(t->outputs) || intake_counters(t->intake, &counters))
		return;
	if (counters_peers(bpf_map__fd(t->skel->maps.peers), peer_stands, t))
		return;
	err = pipeline_stand(t->pipeline, &totals);
	if (err)
		output_failed(t, err);
}

/* -- the start -------------------------------------------------------------------------------- */

/* Names under which targets may start that are not known by their inode yet. */
static void exec_names_set(struct tracer *t)
{
	uint32_t n = 0;

	for (size_t i = 0; i < t->targets.count && n < TLSFAIL_EXEC_NAMES_MAX; i++) {
		const struct target_selector *s = &t->targets.items[i];
		const char *slash;

		if (s->kind != TARGET_EXE && s->kind != TARGET_NAME)
			continue;
		slash = strrchr(s->text, '/');
		strncpy((char *)t->skel->rodata->exec_names[n++], slash ? slash + 1 : s->text,
			TLSFAIL_COMM_LEN - 1);
	}
	t->skel->rodata->exec_name_count = n;
}

static int bpf_load(struct tracer *t)
{
	int err;

	t->skel = tlsfail_bpf__open();
	if (!t->skel)
		return -errno;
	switch (t->options->target) {
	case OPTION_TARGET_PID:
		t->skel->rodata->target_select = TLSFAIL_SELECT_PID;
		break;
	case OPTION_TARGET_COMM:
		t->skel->rodata->target_select = TLSFAIL_SELECT_COMM;
		strncpy((char *)t->skel->rodata->target_comm, t->options->targets[0],
			sizeof(t->skel->rodata->target_comm) - 1);
		break;
	case OPTION_TARGET_EXE:
	case OPTION_TARGET_DEFAULT:
		t->skel->rodata->target_select = TLSFAIL_SELECT_EXE;
	}
	exec_names_set(t);
	t->skel->rodata->roles = t->options->pipeline.roles;
	/* They are remembered in any case: a resumed handshake brings none. */
	if (t->options->pipeline.certs.seen || t->options->pipeline.certs.warn_s || t->exporter ||
	    t->options->views)
		t->skel->rodata->cert_interval_ns = CERT_INTERVAL_NS;
	else
		t->skel->rodata->cert_pause_ns = CERT_PAUSE_NS;
	hooks_select(t->skel, &t->choice);
	err = tlsfail_bpf__load(t->skel);
	if (err)
		log_line("the kernel refused the BPF programs: %s (%s)", strerror(-err),
			 libbpflog_warning());
	return err;
}

/* Return probes tell of a verify result, and where a call ends; --hook has the last word on handshakes. */
static void adapt_begin(struct tracer *t)
{
	bool returns = !t->choice.entry_only, from_wire = attachments_from_wire(t->attachments);

	adapt_init(&t->adapt,
		   (const bool[LIB_FACT_COUNT]){
			   [LIB_CERTIFICATE] = true,
			   [LIB_VERIFY] = returns,
			   [LIB_HANDSHAKE] = returns && from_wire &&
					     t->options->hooks.kinds[FACT_HANDSHAKE] == HOOK_ANY,
		   });
}

static int bpf_attach(struct tracer *t)
{
	struct discovery_options discovery;
	char buf[2048];
	struct text error;
	int err;

	text_init(&error, buf, sizeof(buf));
	err = hooks_attach(t->skel, &t->choice, &t->attachments, &error);
	discovery = (struct discovery_options){
		.attachments = t->attachments,
		.set = &t->targets,
		.any_user = t->options->all_users || t->options->target != OPTION_TARGET_DEFAULT,
		.any_user_option = "--all-users",
		.ended = loop_interrupted,
	};
	if (!err)
		err = discovery_new(&discovery, &t->discovery);
	if (!err)
		err = discovery_scan(t->discovery, &error);
	if (err && err != -EINTR)
		log_line("%s", error.len ? buf : strerror(-err));
	if (!err)
		adapt_begin(t);
	return err;
}

static void adapt_run(struct tracer *t)
{
	const struct adapt_fact *f;

	while ((f = adapt_next(&t->adapt, t->skel->bss->demands, clock_monotonic()))) {
		if (f->fact == LIB_HANDSHAKE)
			t->skel->bss->owner_epoch = f->on ? t->epoch = t->epoch % UINT8_MAX + 1 : 0;
		/* A library that cannot be attached to again tells less of it: a finding says so. */
		(void)library_fact_switch(t->attachments, f->fact, f->on);
	}
}

static int intake_make(struct tracer *t, struct text *error)
{
	const struct options *o = t->options;
	const struct intake_options options = {
		.targets = &t->targets,
		.discovery = t->discovery,
		.pipeline = t->pipeline,
		.counters_fd = bpf_map__fd(t->skel->maps.counters),
		.peers_fd = bpf_map__fd(t->skel->maps.peers),
		.error_logs = o->error_logs,
		.error_log_count = o->error_log_count,
		.roles = o->pipeline.roles,
		.emit = emit,
		.context = t,
	};

	return intake_open(&options, &t->intake, error);
}

static int destinations_open(struct tracer *t)
{
	struct outputs_options outputs;
	char buf[1024];
	struct text error;
	int err = 0;

	text_init(&error, buf, sizeof(buf));
	if (t->options->record)
		err = recorder_open(t->options->record, &t->recorder, &error);
	options_outputs(t->options, &outputs);
	if (!err)
		err = outputs_open(&outputs, &t->outputs, &error);
	if (!err)
		err = pipeline_open(t->outputs, &t->options->pipeline, &t->pipeline);
	if (!err)
		err = intake_make(t, &error);
	if (err == -EPIPE)
		t->ending = true;
	else if (err)
		log_line("%s", error.len ? buf : strerror(-err));
	else
		pipeline_count_into(t->pipeline, exporter_metrics(t->exporter));
	if (!err)
		pipeline_confirm_with(t->pipeline, t->confirm);
	t->standings = standings_new();
	if (!err)
		pipeline_stand_into(t->pipeline, t->standings);
	return err;
}

static int probe_stats_enable(struct tracer *t)
{
	t->probe_stats = probestats_enable();
	if (t->probe_stats < 0)
		log_line("--probe-stats: the kernel does not count runs of BPF programs: %s",
			 strerror(-t->probe_stats));
	return t->probe_stats < 0 ? t->probe_stats : 0;
}

/* What attaching to further libraries and reading processes takes, and files that are rotated. */
static void privileges_drop(const struct tracer *t)
{
	uint64_t kept = confine_caps_reading() | confine_caps_writing() | CONFINE_CAP(CAP_BPF) |
			CONFINE_CAP(CAP_PERFMON);
	int err;

	/* perf events on uprobes may want more than CAP_PERFMON */
	if (!t->choice.uprobe_multi)
		kept |= CONFINE_CAP(CAP_SYS_ADMIN);
	err = confine_capabilities(kept);
	if (!err)
		err = confine_system_calls();
	if (err)
		log_line("cannot drop privileges that are no longer needed: %s", strerror(-err));
}

static int confirm_begin(struct tracer *t)
{
	int err = 0;

	if (t->options->confirm)
		err = confirm_open(t->options->confirm_every_s * NS_PER_S, &t->confirm);
	if (err)
		log_line("--confirm: cannot start the process that probes: %s", strerror(-err));
	return err;
}

static int targets_select(struct tracer *t)
{
	return selection_make(t->options, &t->targets);
}

static int kernel_check(struct tracer *t)
{
	return preflight(t->options, &t->choice);
}

static int metrics_begin(struct tracer *t)
{
	return exporter_open(t->options, &t->exporter);
}

static int records_begin(struct tracer *t)
{
	int err;

	t->reloader = reloader_new(t->options);
	if (!t->reloader)
		return -ENOMEM;
	t->ring = ring_buffer__new(bpf_map__fd(t->skel->maps.ring), on_record, t, NULL);
	if (!t->ring) {
		err = -errno;
		log_line("cannot map the ring buffer: %s", strerror(-err));
		return err;
	}
	err = intake_begin(t->intake);
	if (err)
		log_line("cannot start: %s", strerror(-err));
	return err;
}

static int tracing_begin(struct tracer *t)
{
	int err = t->options->probe_stats ? probe_stats_enable(t) : 0;

	if (err)
		return err;
	privileges_drop(t);
	t->skel->bss->armed = 1;
	t->t_armed = clock_monotonic();
	metrics_publish(t);
	t->watchdog = notify_wants_watchdog();
	notify_send("READY=1\nSTATUS=tracing");
	return 0;
}

/* In this order; a signal that comes meanwhile ends it between two of them. */
static int tracer_start(struct tracer *t)
{
	static int (*const steps[])(struct tracer * t) = {
		confirm_begin, targets_select,	  kernel_check,	 metrics_begin, bpf_load,
		bpf_attach,    destinations_open, records_begin, tracing_begin,
	};
	int err = 0;

	/* SIGHUP means that files were rotated or the configuration was changed, where there are
	 * any; else it ends us, as usual. */
	loop_signals(t->options->sink_count || t->options->config);
	libbpflog_take();
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !err; i++)
		err = loop_interrupted() ? -EINTR : steps[i](t);
	if (err == -EINTR) {
		t->ending = true;
		log_line("interrupted before tracing began");
	}
	return err;
}

/* -- the run ---------------------------------------------------------------------------------- */

static void armed_tell(struct tracer *t)
{
	t->told_armed = true;
	notice_armed(discovery_processes(t->discovery),
		     discovery_wire_only(t->discovery) ? NULL : discovery_version(t->discovery),
		     t->options->verbose ? &t->choice : NULL);
}

/* ms until --duration is over; -1: no limit. */
static int duration_left_ms(const struct tracer *t)
{
	uint64_t passed_ms = (clock_monotonic() - t->t_armed) / 1000000;
	uint64_t limit_ms = t->options->duration_s * 1000;

	if (!limit_ms)
		return -1;
	return passed_ms >= limit_ms		? 0
	       : limit_ms - passed_ms > TICK_MS ? TICK_MS
						: (int)(limit_ms - passed_ms);
}

static int wait_ms(void *context)
{
	const struct tracer *t = context;
	int left = duration_left_ms(t), ms = intake_wait_ms(t->intake, TICK_MS);

	if (pipeline_confirms(t->pipeline) && ms > CONFIRM_MS)
		ms = CONFIRM_MS;
	return left >= 0 && left < ms ? left : ms;
}

static void tick(void *context)
{
	struct tracer *t = context;
	int err = outputs_tick(t->outputs);

	if (err)
		output_failed(t, err);
	intake_tick(t->intake);
	metrics_publish(t);
	stand(t);
	t->ticks++;
	if (t->options->heartbeat_s && t->ticks % t->options->heartbeat_s == 0)
		pipeline_status(t->pipeline);
	err = t->recorder ? recorder_flush(t->recorder) : 0;
	if (err)
		recording_failed(t, err);
	if (t->watchdog)
		notify_send("WATCHDOG=1");
}

static bool goes_on(void *context)
{
	struct tracer *t = context;

	if (t->ending || !duration_left_ms(t))
		return false;
	if (!t->told_armed && discovery_live(t->discovery))
		armed_tell(t);
	return true;
}

static void consume(void *context)
{
	struct tracer *t = context;

	/* its error is on_record()'s, that the turn is over */
	ring_buffer__consume(t->ring);
}

static void hangup(void *context)
{
	struct tracer *t = context;

	reloader_run(t->reloader, t->pipeline, &t->outputs);
}

static void status(void *context)
{
	struct tracer *t = context;

	pipeline_status(t->pipeline);
}

static void turn(void *context)
{
	struct tracer *t = context;
	int err = pipeline_confirm(t->pipeline);

	if (err)
		output_failed(t, err);
	adapt_run(t);
	intake_turn(t->intake);
}

static const struct loop_work loop_work = {
	.goes_on = goes_on,
	.wait_ms = wait_ms,
	.consume = consume,
	.hangup = hangup,
	.status = status,
	.turn = turn,
	.tick = tick,
	.now = clock_monotonic,
};

static void tracer_loop(struct tracer *t)
{
	t->loop = (struct loop){
		.work = &loop_work,
		.context = t,
		.fd = ring_buffer__epoll_fd(t->ring),
	};
	if (!discovery_live(t->discovery))
		notice_waiting(discovery_seen(t->discovery) ? NULL : &t->targets.items[0]);
	loop_run(&t->loop);
}

/* What is not reported, as nothing false is. */
static void uncertain_tell(const struct tracer *t)
{
	struct tlsfail_counters counters;
	uint64_t errors, handshakes;

	if (counters_read(bpf_map__fd(t->skel->maps.counters), &counters))
		return;
	errors = counters.n[TLSFAIL_N_UNOWNED];
	handshakes = counters.n[TLSFAIL_N_UNSURE];
	if (errors)
		log_line("%" PRIu64 " TLS %s not reported: it is not certain which connection "
			 "%s about",
			 errors, errors == 1 ? "error is" : "errors are",
			 errors == 1 ? "it is" : "they are");
	if (handshakes)
		log_line("%" PRIu64 " %s not reported: part of what passed could not be read, so "
			 "that it is not certain whether %s failed",
			 handshakes, handshakes == 1 ? "handshake is" : "handshakes are",
			 handshakes == 1 ? "it" : "they");
}

/* Everything that happened before the end is still told. */
static void tracer_finish(struct tracer *t)
{
	uint64_t ring_size = bpf_map__max_entries(t->skel->maps.ring), misses;
	int err;

	notify_send("STOPPING=1");
	t->skel->bss->armed = 0;
	t->ending = true;
	loop_drain(&t->loop, ring_size);
	leftovers_take(bpf_map__fd(t->skel->maps.conns), bpf_map__fd(t->skel->maps.peers),
		       clock_monotonic(), on_record, t);
	loop_drain(&t->loop, ring_size); /* what was closed meanwhile */
	intake_finish(t->intake, t->options->pipeline.summary_ns);
	err = t->recorder ? recorder_close(t->recorder) : 0;
	t->recorder = NULL;
	if (err) {
		log_line("%s: %s; the recording is incomplete", t->options->record, strerror(-err));
		t->status = EXIT_CANNOT;
	}
	err = pipeline_finish(t->pipeline);
	if (err)
		output_failed(t, err);
	err = outputs_finish(t->outputs, FINISH_MS);
	if (err)
		output_failed(t, err);
	metrics_publish(t);
	pipeline_summary(t->pipeline);
	uncertain_tell(t);
	misses = probestats_misses(t->skel->obj);
	if (misses)
		log_line("%" PRIu64 " runs of BPF programs were skipped by the kernel; what they "
			 "would have seen is missing",
			 misses);
	if (!t->told_armed)
		log_line("nothing was traced: the expected process %s",
			 discovery_seen(t->discovery) ? "loaded no TLS library that tlsfail knows"
						      : "did not start");
}

int tracer_run(const struct options *options)
{
	struct tracer t = { .options = options, .status = EXIT_SUCCESS, .probe_stats = -1 };
	int err;

	if (options->check)
		return selection_check(options) ? EXIT_CANNOT : EXIT_SUCCESS;
	err = tracer_start(&t);
	if (!err) {
		tracer_loop(&t);
		tracer_finish(&t);
	} else if (!t.ending) {
		t.status = EXIT_CANNOT;
	}
	ring_buffer__free(t.ring);
	discovery_free(t.discovery);
	attachments_free(t.attachments);
	tlsfail_bpf__destroy(t.skel);
	recorder_close(t.recorder);
	intake_close(t.intake);
	exporter_close(t.exporter);
	pipeline_close(t.pipeline);
	standings_free(t.standings);
	confirm_close(t.confirm);
	outputs_close(t.outputs);
	reloader_free(t.reloader);
	if (t.probe_stats >= 0)
		close(t.probe_stats);
	target_set_clear(&t.targets);
	return t.status;
}
