// SPDX-License-Identifier: BSD-2-Clause
/*
 * Order matters at the start: what can be refused cheaply is tried first, BPF is loaded with its
 * read-only data set, everything is attached, and only then is it armed.
 */
#include "command/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "command/announce.h"
#include "command/loop.h"
#include "kernel/attach.h"
#include "kernel/counters.h"
#include "kernel/discover.h"
#include "metrics/exporter.h"
#include "kernel/leftovers.h"
#include "kernel/libbpflog.h"
#include "system/clock.h"
#include "system/log.h"
#include "program/nginx/live/logwatch.h"
#include "system/notify.h"
#include "program/nginx/live/watch.h"
#include "command/notice.h"
#include "command/options.h"
#include "output/outputs.h"
#include "command/pipeline.h"
#include "command/preflight.h"
#include "kernel/probestats.h"
#include "record/recording.h"
#include "command/reload.h"
#include "command/selection.h"
#include "target/target.h"
#include "tlsfail.skel.h"

#define TICK_MS	    1000
#define FINISH_MS   5000 /* for what waits in the queues of sinks */
#define STARTING_MS 20	 /* between looks at a process that is still loading its libraries */
/* A certificate that stays the same is looked at again once a day: its end comes nearer. */
#define CERT_INTERVAL_NS (24ULL * 3600 * 1000000000)

#define ANNOUNCED_MAX 256

struct tracer {
	const struct options *options;
	struct target_set targets;
	struct tlsfail_bpf *skel;
	struct hook_choice choice;
	struct attachments *attachments;
	struct discovery *discovery;
	struct ring_buffer *ring;
	struct outputs *outputs;
	struct pipeline *pipeline;
	struct recorder *recorder;
	struct reloader *reloader;
	struct logwatch *logs; /* NULL: no error.log is followed */
	struct exporter *exporter;
	int probe_stats; /* a descriptor, or -1 */
	struct nginxwatch *nginx;

	bool told_armed;
	bool starting; /* a process is to be looked at again */
	uint64_t retry_at;
	bool ending;
	bool watchdog; /* the service manager waits for signs of life */
	int status;    /* exit status so far */
	uint64_t t_armed;
	uint64_t records;
	uint64_t invalid; /* of them: no record of this ABI */
	struct tlsfail_clock clock;
	struct tlsfail_lost lost;
	struct tlsfail_lost late; /* came in time, and were not looked at before the end */
	struct loop loop;
	size_t announced_next;
	uint32_t announced[ANNOUNCED_MAX]; /* processes whose record was made */
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

static void feed(struct tracer *t, const void *data, size_t len)
{
	char buf[256];
	struct text problem;
	int err;

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

/* A line that has no connection, and that a process wrote which we do not trace. */
static bool is_foreign(struct tracer *t, const void *data)
{
	const struct tlsfail_log_line *line = data;
	struct target_process process;

	return line->h.type == TLSFAIL_REC_LOG_LINE && !line->id &&
	       !target_process_read((pid_t)line->pid, &process) &&
	       !target_matches(&t->targets, &process);
}

/* Where nginx's configuration passes to the peer of a connection: before the connection, as replay
 * needs it. */
static void nginx_announce(struct tracer *t, const struct tlsfail_conn *conn)
{
	const struct tlsfail_nginx *record;
	char name[TLSFAIL_NAME_LEN * 2];
	struct text server_name;
	bool has_hello;

	text_init(&server_name, name, sizeof(name));
	has_hello = pipeline_server_name(t->pipeline, conn, &server_name);
	record = nginxwatch_look(t->nginx, conn, has_hello, name);
	if (record)
		feed(t, record, record->h.len);
}

/* A record that had its turn. Of what was held back when --count was reached, losses are told. */
static void deliver(void *context, const void *data, size_t len)
{
	const struct tlsfail_header *h = data;
	struct tracer *t = context;

	if (is_full(t) && h->type != TLSFAIL_REC_LOSS)
		return;
	if (is_foreign(t, data))
		return;
	/* Not before it has its turn: the ClientHello has come by now. */
	if (h->type == TLSFAIL_REC_CONN)
		nginx_announce(t, data);
	feed(t, data, len);
}

/* With error.log, a record may wait for its line. */
static void submit(struct tracer *t, const void *data, size_t len)
{
	if (t->logs)
		logwatch_record(t->logs, data, len, clock_monotonic());
	else
		deliver(t, data, len);
}

static void logs_look_again(struct tracer *t)
{
	if (t->logs)
		logwatch_look_again(t->logs, clock_monotonic());
}

/* The process of a connection, once: before the connection, as replay needs it. */
static void process_announce(struct tracer *t, uint32_t pid)
{
	struct tlsfail_process *record;

	for (size_t i = 0; i < ANNOUNCED_MAX; i++)
		if (t->announced[i] == pid)
			return;
	if (announce_process(pid, discovery_version(t->discovery), &record))
		return;
	t->announced[t->announced_next] = pid;
	t->announced_next = (t->announced_next + 1) % ANNOUNCED_MAX;
	submit(t, record, record->h.len);
	free(record);
	/* A worker may be new as nginx has been reloaded. */
	logs_look_again(t);
}

/* The counts of a peer; when asked so, only if it has succeeded after it failed. */
static void peer_announce(struct tracer *t, const struct tlsfail_peer_key *key, bool succeeded)
{
	struct tlsfail_peer_counts counts;
	struct tlsfail_peer record;

	if (counters_peer(bpf_map__fd(t->skel->maps.peers), key, &counts) ||
	    (succeeded && counts.t_done <= counts.t_failed))
		return;
	announce_peer(key, &counts, &record);
	submit(t, &record, sizeof(record));
}

static void process_forget(struct tracer *t, uint32_t pid)
{
	for (size_t i = 0; i < ANNOUNCED_MAX; i++)
		if (t->announced[i] == pid)
			t->announced[i] = 0;
}

static void record_take(struct tracer *t, const void *data, size_t len)
{
	const struct tlsfail_header *h = data;

	if (h->type == TLSFAIL_REC_CONN)
		process_announce(t, ((const struct tlsfail_conn *)data)->pid);
	if (h->type == TLSFAIL_REC_CERTS)
		process_announce(t, ((const struct tlsfail_certs *)data)->pid);
	if (h->type == TLSFAIL_REC_EXEC) {
		process_forget(t, ((const struct tlsfail_exec *)data)->pid);
		discovery_exec(t->discovery, ((const struct tlsfail_exec *)data)->pid);
		t->starting = true;
		logs_look_again(t);
	}
	submit(t, data, len);
}

static void late_count(struct tracer *t, const struct tlsfail_header *h)
{
	t->late.conns += h->type == TLSFAIL_REC_CONN;
	t->late.wires += h->type == TLSFAIL_REC_WIRE || h->type == TLSFAIL_REC_CERTS;
	t->late.execs += h->type == TLSFAIL_REC_EXEC;
}

static int on_record(void *context, void *data, size_t len)
{
	struct tracer *t = context;

	t->records++;
	if (is_full(t))
		;
	else if (loop_is_late(&t->loop))
		late_count(t, data);
	else
		record_take(t, data, len);
	return loop_taken(&t->loop, len);
}

static void clock_announce(struct tracer *t)
{
	announce_clock(&t->clock);
	submit(t, &t->clock, sizeof(t->clock));
}

/* What came too late to be looked at is lost as what the kernel side had no room for. */
static int counters_of(const struct tracer *t, struct tlsfail_counters *sum)
{
	int err = counters_read(bpf_map__fd(t->skel->maps.counters), sum);

	sum->n[TLSFAIL_N_LOST_CONN] += t->late.conns;
	sum->n[TLSFAIL_N_LOST_WIRE] += t->late.wires;
	sum->n[TLSFAIL_N_LOST_EXEC] += t->late.execs;
	return err;
}

/* Losses since the last look, as a record of their own. */
static void loss_announce(struct tracer *t)
{
	struct tlsfail_counters counters;
	struct tlsfail_loss record;

	if (!counters_of(t, &counters) && announce_loss(&counters, &t->lost, &record))
		submit(t, &record, sizeof(record));
}

static void metrics_publish(struct tracer *t)
{
	struct metrics_host host = {
		.armed = t->skel->bss->armed && discovery_live(t->discovery),
		.traced = discovery_processes(t->discovery),
		.records = t->records,
		.invalid = t->invalid,
		.orphans = pipeline_orphans(t->pipeline),
	};

	if (!t->exporter || counters_of(t, &host.counters))
		return;
	probestats_read(t->skel->obj, t->probe_stats >= 0, &host);
	pipeline_count_failing(t->pipeline, clock_monotonic());
	exporter_publish(t->exporter, t->outputs, &host);
}

static void totals_announce(struct tracer *t)
{
	struct tlsfail_counters counters;
	struct tlsfail_totals record;

	if (counters_of(t, &counters))
		return;
	announce_totals(&counters, t->records, &record);
	feed(t, &record, sizeof(record));
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
	if (t->options->pipeline.certs.seen || t->options->pipeline.certs.warn_s || t->exporter)
		t->skel->rodata->cert_interval_ns = CERT_INTERVAL_NS;
	hooks_select(t->skel, &t->choice);
	err = tlsfail_bpf__load(t->skel);
	if (err)
		log_line("the kernel refused the BPF programs: %s (%s)", strerror(-err),
			 libbpflog_warning());
	return err;
}

static int bpf_attach(struct tracer *t)
{
	char buf[2048];
	struct text error;
	int err;

	text_init(&error, buf, sizeof(buf));
	err = hooks_attach(t->skel, &t->choice, &t->attachments, &error);
	if (!err)
		err = discovery_new(t->attachments, &t->targets, &t->discovery);
	if (!err)
		err = discovery_scan(t->discovery, &error);
	if (err)
		log_line("%s", error.len ? buf : strerror(-err));
	return err;
}

static int logs_open(struct tracer *t, struct text *error)
{
	const struct options *o = t->options;
	struct logwatch_options logs = {
		.names = o->error_logs,
		.count = o->error_log_count,
		.targets = &t->targets,
		.roles = o->pipeline.roles,
		.emit = deliver,
		.context = t,
	};

	return o->error_log_count ? logwatch_open(&logs, &t->logs, error) : 0;
}

static int destinations_open(struct tracer *t)
{
	struct outputs_options outputs;
	char buf[1024];
	struct text error;
	int err = 0;

	text_init(&error, buf, sizeof(buf));
	err = logs_open(t, &error);
	if (!err && t->options->record)
		err = recorder_open(t->options->record, &t->recorder, &error);
	options_outputs(t->options, &outputs);
	if (!err)
		err = outputs_open(&outputs, &t->outputs, &error);
	if (!err)
		err = pipeline_open(t->outputs, &t->options->pipeline, &t->pipeline);
	if (err == -EPIPE)
		t->ending = true;
	else if (err)
		log_line("%s", error.len ? buf : strerror(-err));
	else
		pipeline_count_into(t->pipeline, exporter_metrics(t->exporter));
	return err;
}

static int header_announce(struct tracer *t)
{
	struct tlsfail_host *host;
	int err;

	clock_announce(t);
	err = announce_host(&host);
	if (err)
		return err;
	submit(t, host, host->h.len);
	free(host);
	return 0;
}

static int probe_stats_enable(struct tracer *t)
{
	t->probe_stats = probestats_enable();
	if (t->probe_stats < 0)
		log_line("--probe-stats: the kernel does not count runs of BPF programs: %s",
			 strerror(-t->probe_stats));
	return t->probe_stats < 0 ? t->probe_stats : 0;
}

static int tracer_start(struct tracer *t)
{
	int err;

	/* SIGHUP means that files were rotated or the configuration was changed, where there are
	 * any; else it ends us, as usual. */
	loop_signals(t->options->sink_count || t->options->config);
	libbpflog_take();
	err = selection_make(t->options, &t->targets);
	if (!err)
		err = preflight(t->options, &t->choice);
	if (!err)
		err = exporter_open(t->options, &t->exporter);
	if (!err)
		err = bpf_load(t);
	if (!err)
		err = bpf_attach(t);
	if (!err)
		err = destinations_open(t);
	t->reloader = reloader_new(t->options);
	if (!t->reloader)
		err = -ENOMEM;
	if (err)
		return err;
	t->ring = ring_buffer__new(bpf_map__fd(t->skel->maps.ring), on_record, t, NULL);
	if (!t->ring) {
		err = -errno;
		log_line("cannot map the ring buffer: %s", strerror(-err));
		return err;
	}
	t->nginx = nginxwatch_new();
	err = t->nginx ? header_announce(t) : -ENOMEM;
	if (err)
		log_line("cannot begin: %s", strerror(-err));
	if (!err && t->options->probe_stats)
		err = probe_stats_enable(t);
	t->starting = true;
	t->skel->bss->armed = 1;
	t->t_armed = clock_monotonic();
	if (!err)
		metrics_publish(t);
	t->watchdog = notify_wants_watchdog();
	if (!err)
		notify_send("READY=1\nSTATUS=tracing");
	return err;
}

/* -- the run ---------------------------------------------------------------------------------- */

static void armed_tell(struct tracer *t)
{
	t->told_armed = true;
	notice_armed(discovery_processes(t->discovery), discovery_version(t->discovery),
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
	int left = duration_left_ms(t), ms = t->starting ? STARTING_MS : TICK_MS;

	if (t->logs)
		ms = logwatch_wait_ms(t->logs, ms);
	return left >= 0 && left < ms ? left : ms;
}

/* Before a summary all that are known, else those that may have recovered. */
static void peers_announce(struct tracer *t, bool summary)
{
	struct tlsfail_peer_key key;
	size_t at = 0;

	while (pipeline_peer_watched(t->pipeline, summary, &at, &key))
		peer_announce(t, &key, !summary);
}

static void tick(void *context)
{
	struct tracer *t = context;
	uint64_t deadline = pipeline_deadline(t->pipeline);
	int err = outputs_tick(t->outputs);

	if (err)
		output_failed(t, err);
	peers_announce(t, pipeline_summary_is_due(t->pipeline, clock_monotonic()));
	if (announce_clock_is_stale(&t->clock) || (deadline && clock_monotonic() >= deadline))
		clock_announce(t);
	loss_announce(t);
	metrics_publish(t);
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
	if (clock_monotonic() >= t->retry_at) {
		t->starting = discovery_retry(t->discovery);
		t->retry_at = clock_monotonic() + STARTING_MS * NS_PER_MS;
	}
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

static void turn(void *context)
{
	struct tracer *t = context;

	if (t->logs)
		logwatch_poll(t->logs, clock_monotonic());
}

static const struct loop_work loop_work = {
	.goes_on = goes_on,
	.wait_ms = wait_ms,
	.consume = consume,
	.hangup = hangup,
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
	peers_announce(t, t->options->pipeline.summary_ns);
	loss_announce(t);
	if (t->logs)
		logwatch_finish(t->logs, clock_monotonic());
	totals_announce(t);
	err = t->recorder ? recorder_close(t->recorder) : 0;
	t->recorder = NULL;
	if (err) {
		log_line("%s: %s; the recording is not complete", t->options->record,
			 strerror(-err));
		t->status = EXIT_CANNOT;
	}
	err = pipeline_finish(t->pipeline);
	if (err)
		output_failed(t, err);
	outputs_finish(t->outputs, FINISH_MS);
	metrics_publish(t);
	pipeline_summary(t->pipeline);
	misses = probestats_misses(t->skel->obj);
	if (misses)
		log_line("%" PRIu64 " runs of BPF programs were skipped by the kernel; what they "
			 "would have seen is missing",
			 misses);
	if (!t->told_armed)
		log_line("nothing was traced: what was waited for has %s",
			 discovery_seen(t->discovery) ? "loaded no TLS library that tlsfail knows"
						      : "not started");
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
	logwatch_close(t.logs);
	exporter_close(t.exporter);
	nginxwatch_free(t.nginx);
	pipeline_close(t.pipeline);
	outputs_close(t.outputs);
	reloader_free(t.reloader);
	if (t.probe_stats >= 0)
		close(t.probe_stats);
	target_set_clear(&t.targets);
	return t.status;
}
