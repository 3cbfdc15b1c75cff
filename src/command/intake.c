// SPDX-License-Identifier: BSD-2-Clause
/*
 * Facts that the kernel side does not send come from /proc, from uname(2), from its maps and from
 * nginx's files. They are made records here, and go the same way.
 */
#include "command/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "kernel/counters.h"
#include "program/nginx/live/logwatch.h"
#include "program/nginx/live/places.h"
#include "record/factory.h"
#include "system/clock.h"
#include "system/procfs.h"

#define STARTING_MS 20 /* between looks at a process that is still loading its libraries */

/* A step of the clock by more is worth a record: times are shown to the millisecond. */
#define CLOCK_STEP_NS 1000000

#define ANNOUNCED_MAX 256

/* By then its number may be another process's. */
#define ANNOUNCED_NS 1000000000ULL

/* A process whose record was made. */
struct announced {
	uint32_t pid;	  /* 0: free */
	uint64_t started; /* ticks, see procfs_started() */
	uint64_t until;	  /* then it is looked at whether it still is that one */
};

struct intake {
	struct intake_options options;
	struct logwatch *logs; /* NULL: no error.log is followed */
	struct nginxplaces *nginx;
	uint64_t records;
	struct tlsfail_lost late; /* came, and nobody had time for it */
	struct tlsfail_lost told; /* lost, and said so */
	struct tlsfail_clock clock;
	bool starting; /* a process is to be looked at again soon */
	uint64_t look_at;
	size_t announced_next;
	struct announced announced[ANNOUNCED_MAX];
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
static bool is_foreign(const struct intake *in, const void *record)
{
	const struct tlsfail_log_line *line = record;
	struct target_process process;

	return line->h.type == TLSFAIL_REC_LOG_LINE && !line->id &&
	       !target_process_read((pid_t)line->pid, &process) &&
	       !target_matches(in->options.targets, &process);
}

/* A record that had its turn. */
static void deliver(void *context, const void *record, size_t len)
{
	const struct tlsfail_header *h = record;
	struct intake *in = context;

	if (is_foreign(in, record))
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
	in->starting = true;
	err = nginxplaces_new(&in->nginx);
	logs = (struct logwatch_options){
		.names = options->error_logs,
		.count = options->error_log_count,
		.targets = options->targets,
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

/* -- processes ---------------------------------------------------------------------------------- */

static void logs_look_again(struct intake *in)
{
	if (in->logs)
		logwatch_look_again(in->logs, clock_monotonic());
}

static struct tlsfail_process *process_make(const struct intake *in, uint32_t pid)
{
	const struct library_name *library;
	struct target_process process;
	char where[TARGET_WHERE_LEN];

	if (target_process_read((pid_t)pid, &process))
		return NULL;
	target_process_where((pid_t)pid, where);
	library = discovery_library(in->options.discovery, pid);
	return record_process(pid, process.exe_path, library ? library->path : "",
			      library ? library->version : "", where);
}

/* Was a record made of this process, and not of one that had its number before (a fork makes no exec
 * record)? */
static bool is_announced(struct intake *in, uint32_t pid)
{
	uint64_t now = clock_monotonic(), started;
	struct announced *a = in->announced, *end = a + ANNOUNCED_MAX;

	while (a < end && a->pid != pid)
		a++;
	if (a == end)
		return false;
	if (now < a->until)
		return true;
	a->until = now + ANNOUNCED_NS;
	/* of one that has ended, what is known still holds */
	if (procfs_started((pid_t)pid, &started) || started == a->started)
		return true;
	a->pid = 0;
	return false;
}

/* The process of a connection, once. */
static void process_announce(struct intake *in, uint32_t pid)
{
	struct announced a = { .pid = pid, .until = clock_monotonic() + ANNOUNCED_NS };
	struct tlsfail_process *record;

	if (is_announced(in, pid))
		return;
	if (procfs_started((pid_t)pid, &a.started))
		return;
	record = process_make(in, pid);
	if (!record)
		return;
	in->announced[in->announced_next] = a;
	in->announced_next = (in->announced_next + 1) % ANNOUNCED_MAX;
	submit(in, record, record->h.len);
	free(record);
	/* A worker may be new as nginx has been reloaded. */
	logs_look_again(in);
}

/* It has become another program. */
static void process_renew(struct intake *in, uint32_t pid)
{
	for (size_t i = 0; i < ANNOUNCED_MAX; i++)
		if (in->announced[i].pid == pid)
			in->announced[i].pid = 0;
	discovery_exec(in->options.discovery, pid);
	in->starting = true;
	logs_look_again(in);
}

/* -- records of the kernel side ----------------------------------------------------------------- */

void intake_record(struct intake *in, const void *record, size_t len)
{
	const struct tlsfail_header *h = record;

	in->records++;
	switch (h->type) {
	case TLSFAIL_REC_CONN:
		process_announce(in, ((const struct tlsfail_conn *)record)->pid);
		break;
	case TLSFAIL_REC_CERTS:
		process_announce(in, ((const struct tlsfail_certs *)record)->pid);
		break;
	case TLSFAIL_REC_EXEC:
		process_renew(in, ((const struct tlsfail_exec *)record)->pid);
		break;
	default:
		break;
	}
	submit(in, record, len);
}

void intake_lose(struct intake *in, const void *record)
{
	const struct tlsfail_header *h = record;

	in->records++;
	in->late.conns += h->type == TLSFAIL_REC_CONN;
	in->late.wires += h->type == TLSFAIL_REC_WIRE || h->type == TLSFAIL_REC_CERTS;
	in->late.execs += h->type == TLSFAIL_REC_EXEC;
}

uint64_t intake_records(const struct intake *in)
{
	return in->records;
}

/* -- clock, peers, losses ----------------------------------------------------------------------- */

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

/* The counts of a peer; when asked so, only if it has succeeded after it failed. */
static void peer_announce(struct intake *in, const struct tlsfail_peer_key *key, bool succeeded)
{
	struct tlsfail_peer_counts counts;
	struct tlsfail_peer record;

	if (counters_peer(in->options.peers_fd, key, &counts) ||
	    (succeeded && counts.t_done <= counts.t_failed))
		return;
	record = record_peer(clock_monotonic(), key, &counts);
	submit(in, &record, sizeof(record));
}

/* Before a summary all that are known, else those that may have recovered. */
static void peers_announce(struct intake *in, bool summary)
{
	struct tlsfail_peer_key key;
	size_t at = 0;

	while (pipeline_peer_watched(in->options.pipeline, summary, &at, &key))
		peer_announce(in, &key, !summary);
}

int intake_counters(const struct intake *in, struct tlsfail_counters *sum)
{
	int err = counters_read(in->options.counters_fd, sum);

	if (err)
		return err;
	sum->n[TLSFAIL_N_LOST_CONN] += in->late.conns;
	sum->n[TLSFAIL_N_LOST_WIRE] += in->late.wires;
	sum->n[TLSFAIL_N_LOST_EXEC] += in->late.execs;
	return 0;
}

static void loss_announce(struct intake *in)
{
	struct tlsfail_counters counters;
	struct tlsfail_loss record;
	struct tlsfail_lost lost;

	if (intake_counters(in, &counters))
		return;
	lost = record_lost(&counters);
	if (record_loss(clock_monotonic(), &in->told, &lost, &record))
		submit(in, &record, sizeof(record));
	if (lost.execs > in->told.execs)
		discovery_rescan(in->options.discovery);
	in->told = lost;
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
	uint64_t now = clock_monotonic();

	if (now >= in->look_at) {
		in->starting = discovery_run(in->options.discovery);
		in->look_at = now + STARTING_MS * NS_PER_MS;
	}
	if (in->logs)
		logwatch_poll(in->logs, now);
}

int intake_wait_ms(const struct intake *in, int limit)
{
	int ms = in->starting && limit > STARTING_MS ? STARTING_MS : limit;

	return in->logs ? logwatch_wait_ms(in->logs, ms) : ms;
}

void intake_tick(struct intake *in)
{
	const struct pipeline *pipeline = in->options.pipeline;
	uint64_t deadline = pipeline_deadline(pipeline);

	peers_announce(in, pipeline_summary_is_due(pipeline, clock_monotonic()));
	/* The pipeline learns the time from records. */
	if (clock_is_stale(in) || (deadline && clock_monotonic() >= deadline))
		clock_announce(in);
	loss_announce(in);
}

void intake_finish(struct intake *in, bool summary)
{
	struct tlsfail_counters counters;
	struct tlsfail_totals totals;

	peers_announce(in, summary);
	loss_announce(in);
	if (in->logs)
		logwatch_finish(in->logs, clock_monotonic());
	if (intake_counters(in, &counters))
		return;
	totals = record_totals(clock_monotonic(), &counters, in->records);
	emit(in, &totals, sizeof(totals));
}
