// SPDX-License-Identifier: BSD-2-Clause
/*
 * Facts that neither the kernel side nor the collector sends come from uname(2), the clock, and from
 * nginx's files. They are made records here, and go the same way.
 */
#include "command/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "program/nginx/live/logwatch.h"
#include "program/nginx/live/places.h"
#include "record/factory.h"
#include "system/clock.h"
#include "system/files.h"

/* A step of the clock by more is worth a record: times are shown to the millisecond. */
#define CLOCK_STEP_NS 1000000

struct intake {
	struct intake_options options;
	struct logwatch *logs; /* NULL: no error.log is followed */
	struct nginxplaces *nginx;
	struct tlsfail_clock clock;
	struct message_peers peers; /* to be asked about */
	bool over;
};

/* -- out ---------------------------------------------------------------------------------------- */

static void emit(struct intake *in, const void *record, size_t len)
{
	in->options.emit(in->options.context, record, len);
}

static void place_emit(void *context, const struct tlsfail_nginx *record)
{
	emit(context, record, record->h.len);
}

/* Where nginx's configuration passes to the peer of a connection. */
static void nginx_emit(struct intake *in, const struct tlsfail_conn *conn)
{
	char name[TLSFAIL_NAME_LEN * 2];
	struct text server_name;
	bool has_hello;

	text_init(&server_name, name, sizeof(name));
	has_hello = pipeline_server_name(in->options.pipeline, conn, &server_name);
	nginxplaces_look(in->nginx, conn, has_hello, name, place_emit, in);
}

/* A line that has no connection, and that a process wrote which is not traced. */
static bool is_foreign(const void *record)
{
	const struct tlsfail_log_line *line = record;

	return line->h.type == TLSFAIL_REC_LOG_LINE && !line->id &&
	       files_matches((pid_t)line->pid) == 0;
}

/* A record that had its turn. */
static void deliver(void *context, const void *record, size_t len)
{
	const struct tlsfail_header *h = record;
	struct intake *in = context;

	if (is_foreign(record))
		return;
	/* Not before it has its turn: the ClientHello has come by now. */
	if (h->type == TLSFAIL_REC_CONN)
		nginx_emit(in, record);
	emit(in, record, len);
}

/* With error.log, a record may wait for its line. */
static void submit(struct intake *in, const void *record, size_t len)
{
	if (in->logs)
		logwatch_record(in->logs, record, len, clock_monotonic());
	else
		deliver(in, record, len);
}

/* -- open and close ----------------------------------------------------------------------------- */

int intake_open(const struct intake_options *options, struct intake **out, struct text *error)
{
	struct intake *in = calloc(1, sizeof(*in));
	struct logwatch_options logs;
	int err;

	if (!in)
		return -ENOMEM;
	in->options = *options;
	err = nginxplaces_new(&in->nginx);
	logs = (struct logwatch_options){
		.names = options->error_logs,
		.count = options->error_log_count,
		.roles = options->roles,
		.emit = deliver,
		.context = in,
	};
	if (!err && logs.count)
		err = logwatch_open(&logs, &in->logs, error);
	if (err)
		intake_close(in);
	else
		*out = in;
	return err;
}

void intake_close(struct intake *in)
{
	if (!in)
		return;
	logwatch_close(in->logs);
	nginxplaces_free(in->nginx);
	free(in);
}

/* -- records from the queue --------------------------------------------------------------------- */

static void logs_look_again(struct intake *in)
{
	if (in->logs)
		logwatch_look_again(in->logs, clock_monotonic());
}

/* What nobody had time for is part of what was lost. */
static void totals_take(struct intake *in, const struct tlsfail_totals *record)
{
	const struct tlsfail_lost none = { 0 };
	struct tlsfail_totals totals = *record;
	struct tlsfail_loss loss;

	if (record_loss(clock_monotonic(), &none, in->options.late, &loss))
		submit(in, &loss, sizeof(loss));
	if (in->logs)
		logwatch_finish(in->logs, clock_monotonic());
	totals.lost.conns += in->options.late->conns;
	totals.lost.wires += in->options.late->wires;
	emit(in, &totals, sizeof(totals));
	in->over = true;
}

void intake_record(struct intake *in, const void *record, size_t len)
{
	const struct tlsfail_header *h = record;

	if (h->type == TLSFAIL_REC_TOTALS && len == sizeof(struct tlsfail_totals)) {
		totals_take(in, record);
		return;
	}
	submit(in, record, len);
	/* A worker may be new as nginx has been reloaded. */
	if (h->type == TLSFAIL_REC_PROCESS || h->type == TLSFAIL_REC_EXEC)
		logs_look_again(in);
}

void intake_lose(struct intake *in, const void *record)
{
	const struct tlsfail_header *h = record;

	in->options.late->conns += h->type == TLSFAIL_REC_CONN;
	in->options.late->wires += h->type == TLSFAIL_REC_WIRE || h->type == TLSFAIL_REC_CERTS;
}

bool intake_is_over(const struct intake *in)
{
	return in->over;
}

void intake_count_lost(const struct intake *in, struct tlsfail_counters *sum)
{
	sum->n[TLSFAIL_N_LOST_CONN] += in->options.late->conns;
	sum->n[TLSFAIL_N_LOST_WIRE] += in->options.late->wires;
}

/* -- clock, peers ------------------------------------------------------------------------------- */

static struct tlsfail_clock clock_now(void)
{
	return record_clock(clock_monotonic(), clock_realtime());
}

static void clock_announce(struct intake *in)
{
	in->clock = clock_now();
	submit(in, &in->clock, sizeof(in->clock));
}

/* CLOCK_REALTIME has been stepped, or has drifted. */
static bool clock_is_stale(const struct intake *in)
{
	struct tlsfail_clock now = clock_now();
	int64_t step = (int64_t)(now.realtime - now.monotonic -
				 (in->clock.realtime - in->clock.monotonic));

	return step > CLOCK_STEP_NS || step < -CLOCK_STEP_NS;
}

static void peers_send(struct intake *in)
{
	if (in->peers.count || in->peers.clock)
		in->options.ask(in->options.context, &in->peers);
	in->peers.count = 0;
}

/* Before a summary all that are known, else those that may have recovered; with a clock, by which the
 * pipeline learns that all came. */
static void peers_ask(struct intake *in, bool summary, bool clock)
{
	struct tlsfail_peer_key key;
	size_t at = 0;

	in->peers.recovered = !summary;
	in->peers.clock = false;
	in->peers.count = 0;
	while (pipeline_peer_watched(in->options.pipeline, summary, &at, &key)) {
		in->peers.keys[in->peers.count++] = key;
		if (in->peers.count == MESSAGE_PEERS_MAX)
			peers_send(in);
	}
	in->peers.clock = clock;
	peers_send(in);
}

/* -- the turns ---------------------------------------------------------------------------------- */

int intake_begin(struct intake *in)
{
	struct tlsfail_host *host;
	struct utsname uts;

	clock_announce(in);
	if (uname(&uts))
		return -errno;
	host = record_host(uts.nodename);
	if (!host)
		return -ENOMEM;
	submit(in, host, host->h.len);
	free(host);
	return 0;
}

void intake_turn(struct intake *in)
{
	if (in->logs)
		logwatch_poll(in->logs, clock_monotonic());
}

int intake_wait_ms(const struct intake *in, int limit)
{
	return in->logs ? logwatch_wait_ms(in->logs, limit) : limit;
}

void intake_tick(struct intake *in)
{
	const struct pipeline *pipeline = in->options.pipeline;
	uint64_t deadline = pipeline_deadline(pipeline), now = clock_monotonic();
	bool summary = pipeline_summary_is_due(pipeline, now);

	peers_ask(in, summary, summary);
	/* The pipeline learns the time from records. */
	if (clock_is_stale(in) || (!summary && deadline && now >= deadline))
		clock_announce(in);
}

void intake_finish(struct intake *in, bool summary)
{
	peers_ask(in, summary, false);
}
