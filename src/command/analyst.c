// SPDX-License-Identifier: BSD-2-Clause
/*
 * Everything is opened when the walls stand already, by way of files.h: what can be done at the start can
 * be done later, too.
 */
#include "command/analyst.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "command/confirm.h"
#include "command/exporter.h"
#include "command/intake.h"
#include "command/message.h"
#include "command/pipeline.h"
#include "command/standings.h"
#include "metrics/http.h"
#include "metrics/process.h"
#include "output/outputs.h"
#include "record/recording.h"
#include "system/clock.h"
#include "system/files.h"
#include "system/log.h"

#define TICK_MS	       1000
#define FINISH_MS      5000 /* for what waits in the queues of sinks */
#define OLD_OUTPUTS_MS 400  /* for what they still have queued */
#define CONFIRM_MS     50   /* between looks for an answer of the prober */

/* A turn. At 50 us a record, which is slow, its records take some milliseconds. */
#define TURN_RECORDS 128
#define TURN_NS	     (20 * NS_PER_MS)

/* The end: so many records are looked at, however long that takes, and others for so long. */
#define DRAIN_RECORDS 256
#define DRAIN_NS      (200 * NS_PER_MS)

/* What the one that goes on after a crash has to know, beside what the others keep. */
struct kept {
	uint64_t invalid; /* records that are none of this ABI */
	uint64_t cpu_ns;  /* that was used */
	struct tlsfail_lost late;
	struct output_kept outputs[OUTPUTS_MAX];
};

struct analyst {
	const struct analyst_options *options;
	struct message *message;	 /* the last that came */
	struct message *outputs_message; /* that the outputs are from, if one has come */
	struct outputs *outputs;
	struct pipeline *pipeline;
	struct intake *intake;
	struct recorder *recorder;
	struct exporter *exporter;
	struct standings *standings;
	struct confirm *confirm; /* NULL: was not asked for */

	struct message_figures figures; /* the last that came */
	bool has_figures;
	int own_stat; /* as metrics_process_open() has it */
	bool begun;   /* the queue may be looked at */
	bool enough;  /* that was said */
	bool ending;  /* nothing comes but what is asked for */
	bool asked;   /* and that was */
	bool alone;   /* the collector is gone */
	int status;   /* exit status so far */
	struct estate estate;
	struct kept *kept;
	uint64_t cpu_ns; /* of those before this one */
	uint64_t ticks;	 /* seconds that it runs */
	/* at the end */
	uint64_t drained;
	uint64_t drain_until; /* 0: it has not come */
};

/* -- out ------------------------------------------------------------------------------------------ */

static void enough(struct analyst *a)
{
	if (!a->enough)
		(void)message_send_type(a->options->control, MESSAGE_ENOUGH);
	a->enough = true;
}

static void output_failed(struct analyst *a, int err)
{
	enough(a);
	/* The reader has what it wanted; or we were told to end while it did not read. */
	if (err == -EPIPE || err == -EINTR)
		return;
	log_line("cannot write the output: %s", strerror(-err));
	a->status = EXIT_CANNOT;
}

static void recording_failed(struct analyst *a, int err)
{
	const struct options *o = a->options->options;

	if (o->records) {
		/* others have it open as well */
		shutdown(recorder_fd(a->recorder), SHUT_WR);
		recorder_close(a->recorder);
		a->recorder = NULL;
		return;
	}
	log_line("%s: %s; the recording ends here", o->record, strerror(-err));
	recorder_close(a->recorder);
	a->recorder = NULL;
	a->status = EXIT_CANNOT;
}

/* --count is reached. */
static bool is_full(const struct analyst *a)
{
	uint64_t count = a->options->options->count;

	return count && pipeline_findings(a->pipeline) >= count;
}

/* A record of the stream. Of what was held back when --count was reached, losses are told. */
static void emit(void *context, const void *data, size_t len)
{
	const struct tlsfail_header *h = data;
	struct analyst *a = context;
	char buf[256];
	struct text problem;
	int err;

	if (is_full(a) && h->type != TLSFAIL_REC_LOSS && h->type != TLSFAIL_REC_TOTALS)
		return;
	text_init(&problem, buf, sizeof(buf));
	err = a->recorder ? recorder_write(a->recorder, data, len) : 0;
	if (err)
		recording_failed(a, err);
	err = pipeline_feed(a->pipeline, data, len, &problem);
	if (problem.len) {
		a->kept->invalid++;
		log_line("the kernel side sent a record that %s", buf);
	} else if (err) {
		output_failed(a, err);
	}
	if (is_full(a))
		enough(a);
}

static void ask(void *context, const struct message_peers *peers)
{
	struct analyst *a = context;
	struct message *m = malloc(sizeof(*m));

	if (!m)
		return;
	m->type = MESSAGE_PEERS;
	m->peers = *peers;
	(void)message_send(a->options->control, m, a->ending);
	free(m);
}

static void metrics_publish(struct analyst *a)
{
	struct metrics_host host = {
		.armed = a->figures.armed,
		.traced = a->figures.traced,
		.counters = a->figures.counters,
		.records = a->figures.records,
		.crashes = a->figures.crashes,
		.probes = a->figures.probes,
		.process = a->figures.process,
		.invalid = a->kept->invalid,
		.orphans = pipeline_orphans(a->pipeline),
		.contradictions = pipeline_contradictions(a->pipeline),
	};

	if (!a->exporter || !a->has_figures)
		return;
	metrics_process_add(a->own_stat, &host.process);
	a->kept->cpu_ns =
		a->cpu_ns + (uint64_t)((host.process.cpu_s - a->figures.process.cpu_s) * NS_PER_S);
	host.process.cpu_s += (double)a->cpu_ns / NS_PER_S;
	intake_count_lost(a->intake, &host.counters);
	pipeline_count_failing(a->pipeline, clock_monotonic());
	exporter_publish(a->exporter, a->outputs, &host);
}

/* -- the start ------------------------------------------------------------------------------------ */

bool analyst_has_network(const struct options *options)
{
	struct outputs_options outputs;
	bool network = false;

	options_outputs(options, &outputs);
	for (size_t i = 0; i < outputs.count; i++)
		network |= sink_needs_network(outputs.specs[i]);
	return network;
}

/* The outputs that the options ask for, or those that a message brought instead. The strings stay theirs. */
static void outputs_choose(const struct options *o, const struct message_outputs *instead,
			   struct outputs_options *outputs)
{
	options_outputs(o, outputs);
	if (!instead)
		return;
	outputs->sink.verbose = instead->verbose;
	outputs->sink.ladder = instead->ladder;
	outputs->sink.color = instead->color;
	outputs->sink.utf8 = instead->utf8;
	outputs->sink.ecs = instead->ecs;
	outputs->queue_size = instead->queue_size;
	outputs->count = instead->count;
	memcpy(outputs->specs, instead->specs, sizeof(outputs->specs));
}

/* What would be read from files when it is first used. */
static void load(const struct analyst_options *o)
{
	struct outputs_options outputs;
	EVP_MD *digest;

	tzset();
	(void)strerror(EIO);
	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
	digest = EVP_MD_fetch(NULL, "SHA256", NULL);
	EVP_MD_free(digest);
	outputs_choose(o->options, o->outputs, &outputs);
	for (size_t i = 0; i < outputs.count; i++)
		sink_load(outputs.specs[i]);
	if (o->options->metrics)
		(void)metrics_http_lacks();
}

static int walls_raise(const struct analyst_options *o)
{
	const struct sandbox_options options = {
		.user = o->user,
		.network = analyst_has_network(o->options),
	};
	struct sandbox_state state;
	int err = sandbox_enter(&options, &state);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (err)
		log_line("cannot drop the privileges of the process that reads what peers send: %s",
			 strerror(-err));
	return err;
}

/* NULL: what is counted ends with this process. */
static struct estate *estate_of(struct analyst *a)
{
	return a->estate.memory ? &a->estate : NULL;
}

static int estate_open(struct analyst *a)
{
	a->estate = a->options->estate;
	a->kept = estate_take(estate_of(a), sizeof(*a->kept));
	if (!a->kept)
		return -ENOMEM;
	a->cpu_ns = a->kept->cpu_ns;
	return 0;
}

static int destinations_open(struct analyst *a, struct text *error)
{
	const struct options *o = a->options->options;
	struct pipeline_options pipeline = o->pipeline;
	struct outputs_options outputs;
	int err = 0;

	pipeline.estate = estate_of(a);
	if (a->options->recording >= 0)
		err = recorder_adopt(a->options->recording, &a->recorder);
	outputs_choose(o, a->options->outputs, &outputs);
	outputs.again = a->options->again;
	if (a->options->outputs)
		pipeline.noise = a->options->outputs->noise;
	if (!err)
		err = outputs_open(&outputs, &a->outputs, error);
	if (!err)
		outputs_keep(a->outputs, a->kept->outputs);
	if (!err)
		err = pipeline_open(a->outputs, &pipeline, &a->pipeline);
	if (!err && a->options->prober >= 0)
		err = confirm_open(a->options->prober, o->confirm_every_s * NS_PER_S, &a->confirm);
	if (err)
		return err;
	pipeline_count_into(a->pipeline, exporter_metrics(a->exporter));
	pipeline_confirm_with(a->pipeline, a->confirm);
	a->standings = standings_new();
	if (!a->standings)
		return -ENOMEM;
	pipeline_stand_into(a->pipeline, a->standings);
	return 0;
}

static int intake_make(struct analyst *a, struct text *error)
{
	const struct options *o = a->options->options;
	const struct intake_options options = {
		.pipeline = a->pipeline,
		.error_logs = o->error_logs,
		.error_log_count = o->error_log_count,
		.roles = o->pipeline.roles,
		.late = &a->kept->late,
		.emit = emit,
		.ask = ask,
		.context = a,
	};

	return intake_open(&options, &a->intake, error);
}

static int start(struct analyst *a)
{
	char buf[1024];
	struct text error;
	int err;

	text_init(&error, buf, sizeof(buf));
	load(a->options);
	a->own_stat = metrics_process_open();
	a->message = malloc(sizeof(*a->message));
	err = a->message ? estate_open(a) : -ENOMEM;
	if (err) {
		log_line("cannot start: %s", strerror(-err));
		return err;
	}
	err = walls_raise(a->options);
	if (err)
		return err; /* a line said why */
	files_ask(a->options->keeper);
	err = exporter_open(a->options->options, a->options->listening, estate_of(a), &a->exporter);
	if (err)
		return err; /* a line said why */
	err = destinations_open(a, &error);
	if (!err)
		err = intake_make(a, &error);
	if (!err) {
		err = intake_begin(a->intake);
		if (err)
			text_addf(&error, "cannot start: %s", strerror(-err));
	}
	if (err && err != -EPIPE)
		log_line("%s", error.len ? buf : strerror(-err));
	return err ? err : message_send_type(a->options->control, MESSAGE_READY);
}

/* -- what the collector says ---------------------------------------------------------------------- */

/* Takes other outputs. The strings are in the message, which stays if they were taken. */
static bool outputs_take(struct analyst *a, struct message *m)
{
	const struct message_outputs *wanted = &m->outputs;
	struct outputs_options options;
	struct outputs *opened;
	char buf[1024];
	struct text error;
	int err;

	outputs_choose(a->options->options, wanted, &options);
	text_init(&error, buf, sizeof(buf));
	err = outputs_open(&options, &opened, &error);
	if (err) {
		log_line("%s; keeping the current outputs", error.len ? buf : strerror(-err));
		return false;
	}
	pipeline_set_outputs(a->pipeline, opened);
	pipeline_tell_noise(a->pipeline, wanted->noise);
	outputs_finish(a->outputs, OLD_OUTPUTS_MS);
	outputs_summary(a->outputs);
	outputs_close(a->outputs);
	outputs_keep(opened, a->kept->outputs);
	a->outputs = opened;
	free(a->outputs_message);
	a->outputs_message = m;
	log_line("reloaded: findings now go to the new outputs");
	return true;
}

static void outputs_message_take(struct analyst *a)
{
	struct message *next = malloc(sizeof(*next));
	bool taken = next && outputs_take(a, a->message);

	if (taken)
		a->message = next;
	else
		free(next);
	(void)message_send_type(a->options->control, taken ? MESSAGE_TAKEN : MESSAGE_REFUSED);
}

static void stands_take(struct analyst *a, const struct message_stands *stands)
{
	for (size_t i = 0; i < stands->count; i++)
		pipeline_stand_peer(a->pipeline, &stands->items[i].key, &stands->items[i].n,
				    stands->items[i].latency_ns);
}

/* For live views. */
static void standing_take(struct analyst *a, const struct message_standing *standing)
{
	struct tlsfail_counters counters = standing->counters;
	const struct pipeline_totals totals = {
		.counters = &counters,
		.processes = standing->processes,
	};
	int err;

	intake_count_lost(a->intake, &counters);
	err = pipeline_stand(a->pipeline, &totals);
	if (err)
		output_failed(a, err);
}

static void message_take(struct analyst *a)
{
	const struct message *m = a->message;

	switch (m->type) {
	case MESSAGE_RECORD:
		intake_record(a->intake, m->record.data, m->record.len);
		break;
	case MESSAGE_BEGIN:
		a->begun = true;
		break;
	case MESSAGE_FIGURES:
		a->figures = m->figures;
		a->has_figures = true;
		metrics_publish(a);
		break;
	case MESSAGE_STANDS:
		stands_take(a, &m->stands);
		break;
	case MESSAGE_STANDING:
		standing_take(a, &m->standing);
		break;
	case MESSAGE_OUTPUTS:
		outputs_message_take(a);
		break;
	case MESSAGE_REOPEN:
		outputs_reopen(a->outputs);
		break;
	case MESSAGE_STATUS:
		pipeline_status(a->pipeline);
		break;
	case MESSAGE_END:
		a->ending = true;
		break;
	default:
		break;
	}
}

static void messages_take(struct analyst *a)
{
	int ret;

	while ((ret = message_receive(a->options->control, a->message)) == 1)
		message_take(a);
	a->alone = ret < 0;
}

/* -- the queue -------------------------------------------------------------------------------------- */

/* The end is to come soon, whatever waits. */
static bool is_late(struct analyst *a)
{
	if (!recqueue_is_ending(a->options->queue))
		return false;
	if (!a->drain_until)
		a->drain_until = clock_monotonic() + DRAIN_NS;
	return a->drained++ >= DRAIN_RECORDS && clock_monotonic() >= a->drain_until;
}

/* Losses and the end are never late. */
static bool may_be_late(const void *record)
{
	enum tlsfail_record_type type = ((const struct tlsfail_header *)record)->type;

	return type == TLSFAIL_REC_CONN || type == TLSFAIL_REC_WIRE || type == TLSFAIL_REC_CERTS ||
	       type == TLSFAIL_REC_EXEC;
}

/* True: there may be more. */
static bool records_take(struct analyst *a)
{
	struct recqueue *queue = a->options->queue;
	uint64_t until = clock_monotonic() + TURN_NS;
	const void *record;
	size_t len;

	recqueue_woken(queue);
	for (int i = 0; i < TURN_RECORDS && clock_monotonic() < until; i++) {
		record = recqueue_next(queue, &len);
		if (!record)
			return false;
		if (may_be_late(record) && is_late(a))
			intake_lose(a->intake, record);
		else
			intake_record(a->intake, record, len);
		recqueue_done(queue);
	}
	return true;
}

static uint64_t id_of(const void *record, size_t len, enum tlsfail_record_type type)
{
	const struct tlsfail_header *h = record;

	if (!record || h->type != type || len < sizeof(*h) + sizeof(uint64_t))
		return 0;
	return type == TLSFAIL_REC_WIRE ? ((const struct tlsfail_wire *)record)->id
					: ((const struct tlsfail_conn *)record)->id;
}

/* Bytes that the one before has seen, whose connection it has not. */
static void past_take(struct analyst *a)
{
	struct recqueue *queue = a->options->queue;
	uint64_t end = recqueue_taken_here(queue),
		 at = end > RECQUEUE_HISTORY ? end - RECQUEUE_HISTORY : 0;

	for (; at + 1 < end; at++) {
		size_t len, other_len;
		const void *record = recqueue_past(queue, at, &len);
		uint64_t id = id_of(record, len, TLSFAIL_REC_WIRE);
		bool over = !id;

		for (uint64_t next = at + 1; !over && next < end; next++) {
			const void *other = recqueue_past(queue, next, &other_len);

			over = id_of(other, other_len, TLSFAIL_REC_CONN) == id;
		}
		if (!over)
			intake_record(a->intake, record, len);
	}
}

/* -- the run ---------------------------------------------------------------------------------------- */

static int wait_ms(const struct analyst *a, int limit)
{
	int ms = intake_wait_ms(a->intake, limit);

	return pipeline_confirms(a->pipeline) && ms > CONFIRM_MS ? CONFIRM_MS : ms;
}

static void record_out(struct analyst *a)
{
	int err = recorder_flush(a->recorder);

	if (err)
		recording_failed(a, err);
}

static void tick(struct analyst *a)
{
	const struct options *o = a->options->options;
	int err = outputs_tick(a->outputs);

	if (err)
		output_failed(a, err);
	intake_tick(a->intake);
	a->ticks++;
	if (o->heartbeat_s && a->ticks % o->heartbeat_s == 0)
		pipeline_status(a->pipeline);
	if (a->recorder)
		record_out(a);
}

static void end_ask(struct analyst *a)
{
	a->asked = true;
	intake_finish(a->intake, a->options->options->pipeline.summary_ns);
	(void)message_send_type(a->options->control, MESSAGE_LAST);
}

static void turn(struct analyst *a)
{
	int err = pipeline_confirm(a->pipeline);

	if (err)
		output_failed(a, err);
	intake_turn(a->intake);
	/* a view has what it shows at hand */
	if (a->recorder && a->options->options->records)
		record_out(a);
}

static void loop(struct analyst *a)
{
	struct pollfd fds[] = { { .fd = a->options->control, .events = POLLIN },
				{ .fd = recqueue_fd(a->options->queue), .events = POLLIN } };
	uint64_t ticked = clock_monotonic();
	bool more = false;

	while (!a->alone && !intake_is_over(a->intake)) {
		(void)poll(fds, a->begun ? 2 : 1, more ? 0 : wait_ms(a, TICK_MS));
		messages_take(a);
		if (!a->begun)
			continue;
		more = records_take(a);
		if (a->ending && !a->asked && !more)
			end_ask(a);
		turn(a);
		if (clock_monotonic() - ticked >= TICK_MS * NS_PER_MS) {
			ticked = clock_monotonic();
			tick(a);
		}
	}
}

/* Everything that happened before the end is still told. */
static void finish(struct analyst *a)
{
	int err = a->recorder ? recorder_close(a->recorder) : 0;

	a->recorder = NULL;
	if (err && !a->options->options->records) {
		log_line("%s: %s; the recording is incomplete", a->options->options->record,
			 strerror(-err));
		a->status = EXIT_CANNOT;
	}
	err = pipeline_finish(a->pipeline);
	if (err)
		output_failed(a, err);
	err = outputs_finish(a->outputs, FINISH_MS);
	if (err)
		output_failed(a, err);
	metrics_publish(a);
	pipeline_summary(a->pipeline);
}

int analyst_run(const struct analyst_options *options)
{
	struct analyst a = { .options = options, .status = EXIT_SUCCESS };
	int err;

	prctl(PR_SET_NAME, "tlsfail-analyst");
	err = start(&a);
	if (err) {
		a.status = err == -EPIPE ? EXIT_SUCCESS : EXIT_CANNOT;
		goto out;
	}
	if (options->again)
		past_take(&a);
	loop(&a);
	if (a.alone) {
		a.status = EXIT_CANNOT;
		goto out;
	}
	finish(&a);
	intake_close(a.intake);
	exporter_close(a.exporter);
	pipeline_close(a.pipeline);
	standings_free(a.standings);
	confirm_close(a.confirm);
	outputs_close(a.outputs);
out:
	estate_give(estate_of(&a), a.kept);
	free(a.outputs_message);
	free(a.message);
	return a.status;
}
