// SPDX-License-Identifier: BSD-2-Clause
/*
 * The collector. Order matters at the start: what can be refused cheaply is tried first; the keeper is
 * forked while there is nothing that it should not have; BPF is loaded with its read-only data set,
 * everything is attached, the analyst is started, and only then is it armed.
 */
#include "command/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "command/analysis.h"
#include "command/feed.h"
#include "command/loop.h"
#include "kernel/adapt.h"
#include "kernel/attach.h"
#include "kernel/discover.h"
#include "command/exporter.h"
#include "command/prober.h"
#include "kernel/counters.h"
#include "kernel/leftovers.h"
#include "kernel/libbpflog.h"
#include "system/clock.h"
#include "system/elf.h"
#include "system/log.h"
#include "system/confine.h"
#include "metrics/process.h"
#include "system/notify.h"
#include "system/recqueue.h"
#include "command/notice.h"
#include "command/options.h"
#include "command/preflight.h"
#include "kernel/probestats.h"
#include "record/recording.h"
#include "command/selection.h"
#include "target/target.h"
#include "tlsfail.skel.h"

#define TICK_MS	    1000
#define QUEUE_BYTES (4U << 20)
#define FULL_MS	    5 /* between looks at whether the analyst has made room */
/* The analyst takes nothing for so long: then the ring is emptied, and what is in it counted. */
#define STALLED_NS NS_PER_S
/* A certificate that stays the same is looked at again once a day: its end comes nearer. */
#define CERT_INTERVAL_NS (24ULL * 3600 * 1000000000)
#define CERT_PAUSE_NS	 1000000000ULL

struct tracer {
	const struct options *options;
	struct target_set targets;
	struct tlsfail_bpf *skel;
	struct hook_choice choice;
	struct attachments *attachments;
	struct adapt adapt;
	uint8_t epoch; /* of owner_epoch, the last one */
	struct discovery *discovery;
	struct ring_buffer *ring;
	struct recqueue *queue;
	struct feed *feed;
	struct analysis *analysis;
	struct recorder *recorder; /* until the analyst has it */
	int prober;		   /* a descriptor, or -1 */
	int listening;		   /* likewise */
	int probe_stats;	   /* likewise */
	int events;		   /* epoll(7): the ring, and what the analysis has to say */

	bool told_armed;
	bool ending;
	bool watchdog; /* the service manager waits for signs of life */
	bool full;     /* the ring is not looked at, as the queue has no room */
	int status;    /* exit status so far */
	uint64_t t_armed;
	uint64_t full_since;
	uint64_t full_taken;
	struct loop loop;
};

/* -- records ---------------------------------------------------------------------------------- */

static bool is_stalled(const struct tracer *t)
{
	return t->full && clock_monotonic() - t->full_since >= STALLED_NS;
}

static int on_record(void *context, void *data, size_t len)
{
	struct tracer *t = context;
	int turn;

	if (loop_is_late(&t->loop) || !recqueue_has_room(t->queue))
		feed_lose(t->feed, data);
	else
		feed_record(t->feed, data, len);
	turn = loop_taken(&t->loop, len);
	/* What stays in the ring waits there, unless this is the end. */
	return t->ending || is_stalled(t) || recqueue_has_room(t->queue) ? turn : -1;
}

static void ring_watch(struct tracer *t, int operation)
{
	struct epoll_event event = { .events = EPOLLIN };

	epoll_ctl(t->events, operation, ring_buffer__epoll_fd(t->ring), &event);
}

/* Has the ring wait for the queue, but not for an analyst that takes nothing. */
static void room_check(struct tracer *t)
{
	uint64_t taken = recqueue_taken(t->queue);
	bool full = !recqueue_has_room(t->queue);

	if (full && !t->full)
		ring_watch(t, EPOLL_CTL_DEL);
	if (!full && t->full)
		ring_watch(t, EPOLL_CTL_ADD);
	if (!full || !t->full || taken != t->full_taken)
		t->full_since = clock_monotonic();
	t->full = full;
	t->full_taken = taken;
}

static void figures_send(struct tracer *t)
{
	struct message *m;

	if (!t->options->metrics && !t->options->metrics_file)
		return;
	m = calloc(1, sizeof(*m));
	if (!m)
		return;
	m->type = MESSAGE_FIGURES;
	m->figures.armed = t->skel->bss->armed && discovery_live(t->discovery);
	m->figures.traced = discovery_processes(t->discovery);
	m->figures.records = feed_records(t->feed);
	m->figures.crashes = analysis_crashes(t->analysis);
	if (!feed_counters(t->feed, &m->figures.counters)) {
		probestats_read(t->skel->obj, t->probe_stats >= 0, &m->figures.probes);
		metrics_process_read(&m->figures.process);
		analysis_tell(t->analysis, m);
	}
	free(m);
}

/* Of several peers: as many as a message takes are sent at once. */
static void stands_send(struct tracer *t, struct message *m)
{
	if (m->stands.count)
		analysis_tell(t->analysis, m);
	m->stands.count = 0;
}

struct standing_up {
	struct tracer *tracer;
	struct message *message;
};

static void peer_stands(void *context, const struct tlsfail_peer_key *key,
			const struct tlsfail_peer_state *state)
{
	struct standing_up *up = context;
	struct message_stands *stands = &up->message->stands;

	stands->items[stands->count++] =
		(struct message_stand){ *key, state->latency_ns, state->n };
	if (stands->count == MESSAGE_STANDS_MAX)
		stands_send(up->tracer, up->message);
}

/* For live views. */
static void stand(struct tracer *t)
{
	struct standing_up up = { t, NULL };
	int err;

	if (!analysis_has_views(t->analysis))
		return;
	up.message = calloc(1, sizeof(*up.message));
	if (!up.message)
		return;
	up.message->type = MESSAGE_STANDS;
	err = counters_peers(bpf_map__fd(t->skel->maps.peers), peer_stands, &up);
	stands_send(t, up.message);
	up.message->type = MESSAGE_STANDING;
	up.message->standing.processes = discovery_processes(t->discovery);
	if (!err && !feed_counters(t->feed, &up.message->standing.counters))
		analysis_tell(t->analysis, up.message);
	free(up.message);
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
	if (!t->skel) {
		err = -errno;
		log_line("cannot open the BPF programs: %s", strerror(-err));
		return err;
	}
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
	if (t->options->pipeline.certs.seen || t->options->pipeline.certs.warn_s ||
	    t->options->metrics || t->options->metrics_file || t->options->views)
		t->skel->rodata->cert_interval_ns = CERT_INTERVAL_NS;
	else
		t->skel->rodata->cert_pause_ns = CERT_PAUSE_NS;
	hooks_select(t->skel, &t->choice);
	err = tlsfail_bpf__load(t->skel);
	if (err) {
		log_line("the kernel refused the BPF programs: %s (%s)", strerror(-err),
			 libbpflog_warning());
		return err;
	}
	err = hooks_make_ready(t->skel, &t->choice);
	if (err)
		log_line("cannot fill a map of the BPF programs: %s", strerror(-err));
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

/* For those who follow it: how things are now. */
static void figures_give(void *context)
{
	figures_send(context);
}

/* Before anything is there that the processes should not have. */
static int analysis_make(struct tracer *t)
{
	struct analysis_options options = {
		.options = t->options,
		.targets = &t->targets,
		.prober = t->prober,
		.listening = t->listening,
		.figures = figures_give,
		.context = t,
	};
	int err = recqueue_new(QUEUE_BYTES, RECORD_LEN_MAX, &t->queue);

	options.queue = t->queue;
	if (!err)
		err = analysis_new(&options, &t->analysis);
	if (!err)
		elf_ask(analysis_read_elf, t->analysis);
	if (err)
		log_line("cannot start the processes that read what peers send: %s",
			 strerror(-err));
	return err;
}

static int analysis_begin(struct tracer *t)
{
	const struct feed_options feed = {
		.discovery = t->discovery,
		.queue = t->queue,
		.counters_fd = bpf_map__fd(t->skel->maps.counters),
		.peers_fd = bpf_map__fd(t->skel->maps.peers),
	};
	struct outputs_options outputs;
	char buf[1024];
	struct text error;
	int err = 0;

	options_outputs(t->options, &outputs);
	log_beside_status(outputs.sink.status);
	text_init(&error, buf, sizeof(buf));
	if (t->options->records)
		err = recorder_begin(t->options->records, &t->recorder);
	else if (t->options->record)
		err = recorder_open(t->options->record, &t->recorder, &error);
	if (!err)
		err = feed_new(&feed, &t->feed);
	if (err) {
		log_line("%s", error.len ? buf : strerror(-err));
		return err;
	}
	err = analysis_start(t->analysis, t->feed, t->recorder ? recorder_fd(t->recorder) : -1);
	/* nothing is buffered: it is the analyst's now */
	recorder_close(t->recorder);
	t->recorder = NULL;
	t->ending = err == -EPIPE;
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

/* What attaching to further libraries and reading processes takes. */
static void privileges_drop(const struct tracer *t)
{
	uint64_t kept = confine_caps_reading() | CONFINE_CAP(CAP_BPF) | CONFINE_CAP(CAP_PERFMON);
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

static int events_make(struct tracer *t)
{
	int err;

	t->ring = ring_buffer__new(bpf_map__fd(t->skel->maps.ring), on_record, t, NULL);
	if (!t->ring) {
		err = -errno;
		log_line("cannot map the ring buffer: %s", strerror(-err));
		return err;
	}
	t->events = epoll_create1(EPOLL_CLOEXEC);
	if (t->events < 0) {
		err = -errno;
		log_line("cannot start: %s", strerror(-err));
		return err;
	}
	ring_watch(t, EPOLL_CTL_ADD);
	return 0;
}

static int prober_begin(struct tracer *t)
{
	int err = t->options->confirm ? prober_start(&t->prober) : 0;

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

static int metrics_listen(struct tracer *t)
{
	return exporter_listen(t->options, &t->listening);
}

static int tracing_begin(struct tracer *t)
{
	int err = t->options->probe_stats ? probe_stats_enable(t) : 0;

	if (err)
		return err;
	privileges_drop(t);
	t->skel->bss->armed = 1;
	t->t_armed = clock_monotonic();
	figures_send(t);
	t->watchdog = notify_wants_watchdog();
	notify_send("READY=1\nSTATUS=tracing");
	return 0;
}

/* In this order, by which what is forked has little to inherit; a signal that comes meanwhile ends it
 * between two of them. */
static int tracer_start(struct tracer *t)
{
	static int (*const steps[])(struct tracer * t) = {
		prober_begin, targets_select, kernel_check,   metrics_listen, analysis_make,
		bpf_load,     bpf_attach,     analysis_begin, events_make,    tracing_begin,
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
	int left = duration_left_ms(t), ms = feed_wait_ms(t->feed, TICK_MS);

	if (t->full && ms > FULL_MS)
		ms = FULL_MS;
	return left >= 0 && left < ms ? left : ms;
}

static void tick(void *context)
{
	struct tracer *t = context;

	feed_tick(t->feed);
	analysis_tick(t->analysis);
	figures_send(t);
	stand(t);
	if (t->watchdog)
		notify_send("WATCHDOG=1");
}

static bool goes_on(void *context)
{
	struct tracer *t = context;

	if (t->ending || analysis_is_over(t->analysis) || !duration_left_ms(t))
		return false;
	if (!t->told_armed && discovery_live(t->discovery))
		armed_tell(t);
	return true;
}

static void consume(void *context)
{
	struct tracer *t = context;

	analysis_listen(t->analysis);
	room_check(t);
	/* its error is on_record()'s, that the turn is over */
	if (t->ending || !t->full || is_stalled(t))
		ring_buffer__consume(t->ring);
	recqueue_wake(t->queue);
}

static void hangup(void *context)
{
	struct tracer *t = context;

	analysis_reload(t->analysis);
}

static void status(void *context)
{
	struct tracer *t = context;

	analysis_status(t->analysis);
}

static void turn(void *context)
{
	struct tracer *t = context;

	adapt_run(t);
	feed_turn(t->feed);
	/* also when nothing has come: the analyst may have made room, or may make none */
	if (t->full)
		consume(t);
	recqueue_wake(t->queue);
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
		.fd = t->events,
	};
	analysis_watch(t->analysis, t->events);
	if (!discovery_live(t->discovery))
		notice_waiting(discovery_seen(t->discovery) ? NULL : &t->targets.items[0]);
	loop_run(&t->loop);
}

/* What was not told, and whether anything was there to be told. */
static void uncertain_tell(const struct tracer *t)
{
	struct tlsfail_counters counters;

	if (counters_read(bpf_map__fd(t->skel->maps.counters), &counters))
		return;
	notice_uncertain(&counters);
	if (!t->told_armed)
		notice_untraced(&counters, discovery_seen(t->discovery));
}

/* Everything that happened before the end is still told. */
static void tracer_finish(struct tracer *t)
{
	uint64_t ring_size = bpf_map__max_entries(t->skel->maps.ring), misses;

	notify_send("STOPPING=1");
	t->skel->bss->armed = 0;
	t->ending = true;
	loop_drain(&t->loop, ring_size);
	leftovers_take(bpf_map__fd(t->skel->maps.conns), bpf_map__fd(t->skel->maps.peers),
		       clock_monotonic(), on_record, t);
	loop_drain(&t->loop, ring_size); /* what was closed meanwhile */
	analysis_end(t->analysis);
	misses = probestats_misses(t->skel->obj);
	if (misses)
		log_line("%" PRIu64 " runs of BPF programs were skipped by the kernel; what they "
			 "would have seen is missing",
			 misses);
	uncertain_tell(t);
}

static void close_known(int fd)
{
	if (fd >= 0)
		close(fd);
}

int tracer_run(const struct options *options)
{
	struct tracer t = { .options = options,
			    .status = EXIT_SUCCESS,
			    .prober = -1,
			    .listening = -1,
			    .probe_stats = -1,
			    .events = -1 };
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
	if (t.status == EXIT_SUCCESS)
		t.status = analysis_status_of(t.analysis);
	analysis_free(t.analysis);
	feed_free(t.feed);
	recqueue_free(t.queue);
	exporter_unlisten(options, t.listening);
	close_known(t.prober);
	close_known(t.probe_stats);
	close_known(t.events);
	target_set_clear(&t.targets);
	return t.status;
}
