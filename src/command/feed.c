// SPDX-License-Identifier: BSD-2-Clause
/*
 * Facts that the kernel side does not send come from /proc and from its maps. They are made records
 * here, and go the same way.
 */
#include "command/feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/counters.h"
#include "record/factory.h"
#include "system/clock.h"
#include "system/procfs.h"
#include "target/target.h"
#include "tlsfail_maps.h"

#define STARTING_MS 20 /* between looks at a process that is still loading its libraries */

#define ANNOUNCED_MAX 256

/* By then its number may be another process's. */
#define ANNOUNCED_NS 1000000000ULL

/* A process whose record was made; of nothing but its number, when it had ended. */
struct announced {
	uint32_t pid;	  /* 0: free */
	uint64_t started; /* ticks, see procfs_started() */
	uint64_t until;	  /* then it is looked at whether it still is that one */
	struct tlsfail_process *record;
};

struct feed {
	struct feed_options options;
	uint64_t records;
	struct tlsfail_lost late; /* came, and there was no room for it */
	struct tlsfail_lost told; /* lost, and said so */
	bool starting;		  /* a process is to be looked at again soon */
	uint64_t look_at;
	size_t announced_next;
	struct announced announced[ANNOUNCED_MAX];
};

int feed_new(const struct feed_options *options, struct feed **out)
{
	struct feed *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->options = *options;
	f->starting = true;
	*out = f;
	return 0;
}

static void announced_clear(struct announced *a)
{
	free(a->record);
	*a = (struct announced){ 0 };
}

void feed_free(struct feed *f)
{
	for (size_t i = 0; f && i < ANNOUNCED_MAX; i++)
		announced_clear(&f->announced[i]);
	free(f);
}

static bool put(struct feed *f, const void *record, size_t len)
{
	return recqueue_put(f->options.queue, record, len);
}

/* -- processes ---------------------------------------------------------------------------------- */

/* NULL: that process is gone. */
static struct tlsfail_process *process_make(const struct feed *f, uint32_t pid, uint64_t started)
{
	const struct library_name *library;
	struct target_process process;
	char where[TARGET_WHERE_LEN];
	uint64_t now;

	if (target_process_read((pid_t)pid, &process))
		return NULL;
	target_process_where((pid_t)pid, where);
	/* what was read is of the process that has this number now */
	if (procfs_started((pid_t)pid, &now) || now != started)
		return NULL;
	library = discovery_library(f->options.discovery, pid);
	return record_process(pid, process.exe_path, library ? library->path : "",
			      library ? library->version : "", where);
}

static struct announced *announced_find(struct feed *f, uint32_t pid)
{
	for (size_t i = 0; i < ANNOUNCED_MAX; i++)
		if (f->announced[i].pid == pid)
			return &f->announced[i];
	return NULL;
}

/* Is it still that process, and not another that has its number (a fork makes no exec record)? */
static bool announced_holds(struct announced *a)
{
	uint64_t now = clock_monotonic(), started;

	if (now < a->until)
		return true;
	a->until = now + ANNOUNCED_NS;
	/* of one that has ended, what is known still holds */
	return procfs_started((pid_t)a->pid, &started) || started == a->started;
}

/* The process of a connection, once. started: when it was, 0: not known. */
static void process_announce(struct feed *f, uint32_t pid, uint64_t started)
{
	struct announced a = { .pid = pid, .until = clock_monotonic() + ANNOUNCED_NS };
	struct announced *slot = announced_find(f, pid);

	if (slot && (started ? slot->started == started : announced_holds(slot)))
		return;
	if (procfs_started((pid_t)pid, &a.started))
		a.started = 0;
	if (a.started && (!started || a.started == started))
		a.record = process_make(f, pid, a.started);
	/* It is gone, and what was said of another one with its number is not about it. */
	if (!a.record && slot) {
		a.started = started;
		a.record = record_process(pid, "", "", "", "");
	}
	if (!a.record)
		return;
	if (!put(f, a.record, a.record->h.len)) {
		free(a.record);
		return;
	}
	if (!slot) {
		slot = &f->announced[f->announced_next];
		f->announced_next = (f->announced_next + 1) % ANNOUNCED_MAX;
	}
	announced_clear(slot);
	*slot = a;
}

/* It has become another program. */
static void process_renew(struct feed *f, uint32_t pid)
{
	struct announced *a = announced_find(f, pid);

	if (a)
		announced_clear(a);
	discovery_exec(f->options.discovery, pid);
	f->starting = true;
}

void feed_processes(const struct feed *f,
		    void (*take)(void *context, const void *record, size_t len), void *context)
{
	for (size_t i = 0; i < ANNOUNCED_MAX; i++)
		if (f->announced[i].pid)
			take(context, f->announced[i].record, f->announced[i].record->h.len);
}

/* -- records of the kernel side ----------------------------------------------------------------- */

static void count_lost(struct feed *f, const struct tlsfail_header *h)
{
	f->late.conns += h->type == TLSFAIL_REC_CONN;
	f->late.wires += h->type == TLSFAIL_REC_WIRE || h->type == TLSFAIL_REC_CERTS;
	f->late.execs += h->type == TLSFAIL_REC_EXEC;
}

void feed_record(struct feed *f, const void *record, size_t len)
{
	const struct tlsfail_header *h = record;
	const struct tlsfail_conn *conn;

	f->records++;
	switch (h->type) {
	case TLSFAIL_REC_CONN:
		conn = record;
		process_announce(f, conn->pid, conn->born / TLSFAIL_TICK_NS);
		break;
	case TLSFAIL_REC_CERTS:
		process_announce(f, ((const struct tlsfail_certs *)record)->pid, 0);
		break;
	case TLSFAIL_REC_EXEC:
		process_renew(f, ((const struct tlsfail_exec *)record)->pid);
		break;
	default:
		break;
	}
	/* A start that the analyst does not hear of is none that is lost. */
	if (!put(f, record, len) && h->type != TLSFAIL_REC_EXEC)
		count_lost(f, h);
}

void feed_lose(struct feed *f, const void *record)
{
	const struct tlsfail_header *h = record;

	f->records++;
	if (h->type == TLSFAIL_REC_EXEC)
		process_renew(f, ((const struct tlsfail_exec *)record)->pid);
	else
		count_lost(f, h);
}

uint64_t feed_records(const struct feed *f)
{
	return f->records;
}

/* -- peers, losses ------------------------------------------------------------------------------ */

void feed_peer(struct feed *f, const struct tlsfail_peer_key *key, bool recovered)
{
	struct tlsfail_peer_counts counts;
	struct tlsfail_peer record;

	if (counters_peer(f->options.peers_fd, key, &counts) ||
	    (recovered && counts.t_done <= counts.t_failed))
		return;
	record = record_peer(clock_monotonic(), key, &counts);
	/* without room it is asked for again */
	(void)put(f, &record, sizeof(record));
}

void feed_clock(struct feed *f)
{
	struct tlsfail_clock record = record_clock(clock_monotonic(), clock_realtime());

	(void)put(f, &record, sizeof(record));
}

int feed_counters(const struct feed *f, struct tlsfail_counters *sum)
{
	int err = counters_read(f->options.counters_fd, sum);

	if (err)
		return err;
	sum->n[TLSFAIL_N_LOST_CONN] += f->late.conns;
	sum->n[TLSFAIL_N_LOST_WIRE] += f->late.wires;
	sum->n[TLSFAIL_N_LOST_EXEC] += f->late.execs;
	return 0;
}

static void loss_announce(struct feed *f)
{
	struct tlsfail_counters counters;
	struct tlsfail_loss record;
	struct tlsfail_lost lost;

	if (feed_counters(f, &counters))
		return;
	lost = record_lost(&counters);
	if (record_loss(clock_monotonic(), &f->told, &lost, &record) &&
	    !put(f, &record, sizeof(record)))
		return;
	if (lost.execs > f->told.execs)
		discovery_rescan(f->options.discovery);
	f->told = lost;
}

/* -- the turns ---------------------------------------------------------------------------------- */

void feed_turn(struct feed *f)
{
	uint64_t now = clock_monotonic();

	if (now < f->look_at)
		return;
	f->starting = discovery_run(f->options.discovery);
	f->look_at = now + STARTING_MS * NS_PER_MS;
}

int feed_wait_ms(const struct feed *f, int limit)
{
	return f->starting && limit > STARTING_MS ? STARTING_MS : limit;
}

void feed_tick(struct feed *f)
{
	loss_announce(f);
}

void feed_end(struct feed *f)
{
	struct tlsfail_counters counters;
	struct tlsfail_totals totals;

	loss_announce(f);
	if (feed_counters(f, &counters))
		return;
	totals = record_totals(clock_monotonic(), &counters, f->records);
	(void)put(f, &totals, sizeof(totals));
}
