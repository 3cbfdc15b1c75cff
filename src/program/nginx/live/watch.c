// SPDX-License-Identifier: BSD-2-Clause
/*
 * A worker runs the configuration that its master had read before it forked: what was read here
 * first after the worker's start is the closest to that. Tables are bounded; what falls out is
 * found again.
 */
#include "program/nginx/live/watch.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "system/log.h"
#include "program/nginx/live/check.h"
#include "program/nginx/servers.h"
#include "program/nginx/map.h"
#include "program/nginx/live/read.h"
#include "record/factory.h"
#include "system/files.h"
#include "system/procfs.h"
#include "base/text.h"
#include "system/clock.h"

#define WORKERS_MAX    256
#define READINGS_MAX   8
#define READINGS_BYTES (8U << 20)	   /* of text in all of them, but for the youngest */
#define TEXT_BYTES_MAX (4U << 20)	   /* of one; of a larger one no excerpts are kept */
#define RECHECK_NS     ((int64_t)NS_PER_S) /* a pid may by now be another process */
#define NAME_LEN       256
#define HOSTS_STEPS    2000000 /* lines of a hosts file, for all names in a configuration */
#define NOTES_BYTES    4096
/* What reading and searching take of a CPU is paid off with so many times the time, in which neither
 * is done once the debt is too large: a tenth of a CPU in the long run, and none of a busy machine's
 * delays, which are not its own. */
#define DEBT_FACTOR 9
#define DEBT_MAX_NS (3 * (int64_t)NS_PER_S)

/* A configuration, as it was at some time. */
struct reading {
	pid_t master;		 /* 0: free */
	uint64_t master_started; /* ticks, see procfs_started() */
	int64_t read_ns;	 /* CLOCK_REALTIME */
	int64_t hosts_ns;	 /* when its hosts file was looked at, CLOCK_MONOTONIC */
	uint64_t used;
	int err; /* it could not be read */
	struct nginxread read;
	struct nginxmap *map;
};

struct worker {
	pid_t pid;		 /* 0: free */
	uint64_t started;	 /* ticks */
	int64_t started_ns;	 /* the same as CLOCK_REALTIME, once: a clock may be set */
	int64_t checked_ns;	 /* CLOCK_MONOTONIC */
	pid_t master;		 /* 0: it is no nginx */
	uint64_t master_started; /* ticks, see procfs_started() */
};

/* What was told last. */
struct slot {
	pid_t pid;	  /* 0: free */
	bool known;	  /* else it was taken back */
	uint64_t started; /* of the worker, ticks */
	uint16_t family;
	uint16_t port;
	uint8_t addr[16];
	bool plain;
	bool has_hello;
	char server_name[NAME_LEN];
};

struct nginxwatch {
	struct reading readings[READINGS_MAX];
	struct worker workers[WORKERS_MAX];
	struct slot slots[TLSFAIL_NGINX_SLOTS];
	size_t worker_next;
	size_t slot_next;
	size_t server_slot_next;
	uint64_t uses;
	int64_t debt_ns;
	int64_t begun_ns; /* this look, CLOCK_MONOTONIC */
	bool paused;	  /* in this look nothing is read or searched */
	struct nginx_places places;
	struct nginxtell tell;
	char notes[NOTES_BYTES];
	union {
		struct tlsfail_nginx record;
		uint8_t bytes[sizeof(struct tlsfail_nginx) + TLSFAIL_NGINX_DATA];
	};
};

static int64_t now_ns(clockid_t clock)
{
	return (int64_t)clock_read(clock);
}

struct nginxwatch *nginxwatch_new(void)
{
	return calloc(1, sizeof(struct nginxwatch));
}

static void reading_clear(struct reading *r)
{
	if (!r->master)
		return;
	nginxmap_free(r->map);
	nginxread_close(&r->read);
	*r = (struct reading){ 0 };
}

void nginxwatch_free(struct nginxwatch *watch)
{
	if (!watch)
		return;
	for (size_t i = 0; i < READINGS_MAX; i++)
		reading_clear(&watch->readings[i]);
	free(watch);
}

/* -- workers ----------------------------------------------------------------------------------- */

/* Fills in a worker whose master's configuration is there: that costs nothing. */
static bool worker_is_of_known_master(const struct nginxwatch *w, struct worker *worker, pid_t pid,
				      uint64_t started)
{
	pid_t parent = files_parent(pid);
	uint64_t parent_started;

	if (!parent || files_started(parent, &parent_started))
		return false;
	for (size_t i = 0; i < READINGS_MAX; i++) {
		if (w->readings[i].master != parent ||
		    w->readings[i].master_started != parent_started)
			continue;
		*worker = (struct worker){ pid,		started, procfs_realtime(started),
					   w->begun_ns, parent,	 parent_started };
		return true;
	}
	return false;
}

/* Looks at the process behind a pid. False when there is none, or no time for it. */
static bool worker_look(struct nginxwatch *w, struct worker *worker, pid_t pid)
{
	uint64_t started;

	/* Of one that has just ended, what is known of it still holds. */
	if (files_started(pid, &started))
		return worker->pid == pid;
	worker->checked_ns = w->begun_ns;
	if (worker->pid == pid && worker->started == started)
		return true;
	if (worker_is_of_known_master(w, worker, pid, started))
		return true;
	if (w->paused)
		return false;
	*worker = (struct worker){
		.pid = pid,
		.started = started,
		.started_ns = procfs_realtime(started),
		.checked_ns = w->begun_ns,
	};
	if (nginxread_master(pid, &worker->master) ||
	    files_started(worker->master, &worker->master_started))
		worker->master = 0;
	return true;
}

static struct worker *worker_find(struct nginxwatch *w, pid_t pid)
{
	struct worker *worker = NULL;

	for (size_t i = 0; i < WORKERS_MAX && !worker; i++)
		if (w->workers[i].pid == pid)
			worker = &w->workers[i];
	if (worker && w->begun_ns - worker->checked_ns < RECHECK_NS)
		return worker;
	if (!worker) {
		worker = &w->workers[w->worker_next];
		w->worker_next = (w->worker_next + 1) % WORKERS_MAX;
		worker->pid = 0;
	}
	return worker_look(w, worker, pid) ? worker : NULL;
}

/* -- readings ---------------------------------------------------------------------------------- */

/* The first that was read after the worker's start. */
static struct reading *reading_find(struct nginxwatch *w, const struct worker *worker)
{
	struct reading *found = NULL;

	for (size_t i = 0; i < READINGS_MAX; i++) {
		struct reading *r = &w->readings[i];

		if (r->master == worker->master && r->master_started == worker->master_started &&
		    r->read_ns >= worker->started_ns && (!found || r->read_ns < found->read_ns))
			found = r;
	}
	return found;
}

/* The one that was used longest ago; NULL when all are free. */
static struct reading *reading_oldest(struct nginxwatch *w, size_t *bytes)
{
	struct reading *oldest = NULL;

	*bytes = 0;
	for (size_t i = 0; i < READINGS_MAX; i++) {
		struct reading *r = &w->readings[i];

		if (!r->master)
			continue;
		*bytes += r->read.conf ? r->read.conf->bytes : 0;
		if (!oldest || r->used < oldest->used)
			oldest = r;
	}
	return oldest;
}

/* A free one, and room in memory for what it will hold. */
static struct reading *reading_reserve(struct nginxwatch *w)
{
	struct reading *oldest;
	size_t bytes;

	while ((oldest = reading_oldest(w, &bytes)) && bytes > READINGS_BYTES)
		reading_clear(oldest);
	for (size_t i = 0; i < READINGS_MAX; i++)
		if (!w->readings[i].master)
			return &w->readings[i];
	reading_clear(oldest);
	return oldest;
}

static struct reading *reading_make(struct nginxwatch *w, const struct worker *worker)
{
	struct text problem;
	struct reading *r;
	char buf[1024];

	if (w->paused)
		return NULL;
	r = reading_reserve(w);
	r->master = worker->master;
	r->master_started = worker->master_started;
	r->read_ns = now_ns(CLOCK_REALTIME);
	r->hosts_ns = w->begun_ns;
	text_init(&problem, buf, sizeof(buf));
	r->err = nginxread_open(worker->master, &r->read, &problem);
	if (r->err)
		log_line("cannot read the configuration of nginx (master %d), so findings will "
			 "not name places in it: %s",
			 (int)worker->master, buf);
	else
		r->err = nginxmap_new(r->read.conf, &r->map);
	if (!r->err && r->read.conf->bytes > TEXT_BYTES_MAX)
		nginxconf_drop_texts(r->read.conf);
	return r;
}

/* -- slots ------------------------------------------------------------------------------------- */

/* Of a client it is the address that it has connected to that the configuration knows. */
static bool is_server(const struct tlsfail_conn *conn)
{
	return conn->role == TLSFAIL_ROLE_SERVER;
}

/* As the client: plain text was sent. */
static bool is_plain(const struct tlsfail_conn *conn)
{
	return !is_server(conn) && conn->flags & TLSFAIL_F_PLAIN;
}

static const uint8_t *address_of(const struct tlsfail_conn *conn)
{
	return is_server(conn) ? conn->laddr : conn->raddr;
}

static uint16_t port_of(const struct tlsfail_conn *conn)
{
	return is_server(conn) ? conn->lport : conn->rport;
}

static struct slot *slot_find(struct nginxwatch *w, const struct tlsfail_conn *conn)
{
	size_t first = is_server(conn) ? TLSFAIL_NGINX_SERVER_SLOT : 0;
	size_t end = is_server(conn) ? TLSFAIL_NGINX_SLOTS : TLSFAIL_NGINX_SERVER_SLOT;

	for (size_t i = first; i < end; i++) {
		struct slot *s = &w->slots[i];

		if (s->pid == (pid_t)conn->pid && s->port == port_of(conn) &&
		    s->family == conn->family &&
		    !memcmp(s->addr, address_of(conn), sizeof(s->addr)))
			return s;
	}
	return NULL;
}

/* The slot that was taken longest ago. */
static struct slot *slot_take(struct nginxwatch *w, const struct tlsfail_conn *conn)
{
	const size_t servers = TLSFAIL_NGINX_SLOTS - TLSFAIL_NGINX_SERVER_SLOT;

	if (is_server(conn))
		return &w->slots[TLSFAIL_NGINX_SERVER_SLOT + w->server_slot_next++ % servers];
	return &w->slots[w->slot_next++ % TLSFAIL_NGINX_SERVER_SLOT];
}

static void slot_set(struct slot *s, const struct tlsfail_conn *conn, const struct worker *worker,
		     bool has_hello, const char *server_name)
{
	struct text name;

	*s = (struct slot){
		.pid = (pid_t)conn->pid,
		.started = worker ? worker->started : 0,
		.family = conn->family,
		.port = port_of(conn),
		.plain = is_plain(conn),
		.has_hello = has_hello,
	};
	memcpy(s->addr, address_of(conn), sizeof(s->addr));
	text_init(&name, s->server_name, sizeof(s->server_name));
	text_add(&name, server_name);
}

static void places_find(struct nginxwatch *w, const struct worker *worker, bool server,
			const struct nginxmap_peer *peer, struct reading *r)
{
	struct text notes;

	if (server)
		nginxlisten_match(r->read.conf, r->read.version, &w->tell, peer, &w->places);
	else
		nginxmap_match(r->map, peer, &w->places);
	text_init(&notes, w->notes, sizeof(w->notes));
	for (uint32_t i = 0; i < w->places.count; i++)
		nginxcheck_place(&r->read, worker->started_ns, &w->places.items[i], &notes);
}

static const struct tlsfail_nginx *record_make(struct nginxwatch *w, const struct slot *slot)
{
	size_t len = sizeof(w->record);

	nginx_places_write(&w->places, w->bytes, sizeof(w->bytes), &len);
	w->record = (struct tlsfail_nginx){
		.h = record_header(TLSFAIL_REC_NGINX, len),
		.pid = (uint32_t)slot->pid,
		.slot = (uint32_t)(slot - w->slots),
		.family = slot->family,
		.rport = slot->port,
		.data_len = (uint32_t)(len - sizeof(w->record)),
	};
	memcpy(w->record.raddr, slot->addr, sizeof(slot->addr));
	return &w->record;
}

/* Does what was told last of the slot's peer hold for the connection? */
static bool slot_holds(const struct slot *slot, const struct worker *worker, bool plain,
		       bool has_hello, const char *server_name)
{
	return slot->known && slot->started == worker->started && slot->plain == plain &&
	       slot->has_hello == has_hello && !strcmp(slot->server_name, server_name);
}

/* nginx has looked its names up when it started; where they lead now may change at any time, and so does
 * what was told then. */
static void hosts_look(struct nginxwatch *w, const struct worker *worker)
{
	struct reading *r = worker && worker->master ? reading_find(w, worker) : NULL;

	if (!r || r->err || w->paused || w->begun_ns - r->hosts_ns < RECHECK_NS)
		return;
	r->hosts_ns = w->begun_ns;
	if (!nginxread_hosts_again(&r->read))
		return;
	for (size_t i = 0; i < TLSFAIL_NGINX_SLOTS; i++)
		w->slots[i].started = 0;
}

/* What can be searched for the worker, NULL when there is nothing, or no time for it. */
static struct reading *reading_of(struct nginxwatch *w, const struct worker *worker)
{
	struct reading *reading;

	if (!worker || !worker->master)
		return NULL;
	reading = reading_find(w, worker);
	if (!reading)
		reading = reading_make(w, worker);
	if (!reading || reading->err || w->paused)
		return NULL;
	reading->used = ++w->uses;
	return reading;
}

static const struct tlsfail_nginx *look(struct nginxwatch *w, const struct tlsfail_conn *conn,
					bool has_hello, const char *server_name)
{
	struct nginxmap_peer peer = {
		.family = conn->family,
		.addr = address_of(conn),
		.port = port_of(conn),
		.plain = is_plain(conn),
		.has_hello = has_hello,
		.server_name = server_name,
	};
	uint64_t steps = HOSTS_STEPS;
	struct worker *worker = worker_find(w, (pid_t)conn->pid);
	struct slot *slot = slot_find(w, conn);
	struct reading *reading;

	hosts_look(w, worker);
	if (slot && worker && slot_holds(slot, worker, peer.plain, has_hello, server_name))
		return NULL;
	reading = reading_of(w, worker);
	/* What was told of this pid and peer is taken back, once. */
	if (!reading && (!slot || !slot->known))
		return NULL;
	if (!slot) {
		slot = slot_take(w, conn);
	}
	slot_set(slot, conn, worker, has_hello, server_name);
	slot->known = reading;
	w->places = (struct nginx_places){ 0 };
	if (reading) {
		peer.hosts = reading->read.hosts;
		peer.steps = &steps;
		places_find(w, worker, is_server(conn), &peer, reading);
	}
	return record_make(w, slot);
}

const struct tlsfail_nginx *nginxwatch_look(struct nginxwatch *w, const struct tlsfail_conn *conn,
					    bool has_hello, const char *server_name)
{
	const struct tlsfail_nginx *record;
	int64_t now = now_ns(CLOCK_MONOTONIC), cpu;

	w->debt_ns -= now - w->begun_ns;
	if (w->debt_ns < 0)
		w->debt_ns = 0;
	w->paused = w->debt_ns > DEBT_MAX_NS;
	w->begun_ns = now;
	cpu = now_ns(CLOCK_THREAD_CPUTIME_ID);
	record = look(w, conn, has_hello, server_name);
	w->debt_ns += DEBT_FACTOR * (now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu);
	return record;
}
