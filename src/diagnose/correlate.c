// SPDX-License-Identifier: BSD-2-Clause
/*
 * Bounded tables, oldest out first: wire bytes waiting for their connection (they come right
 * before it, mixed with those of other CPUs), processes, and how long recent connections lasted.
 */
#include "diagnose/correlate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/text.h"

#define WIRES_MAX     256
#define PROCESSES_MAX 256
#define ELAPSED_MAX   64
#define ATTEMPTS_MAX  256

/* Two connections that ended by the same timer differ by no more. */
#define ELAPSED_TOLERANCE_NS 20000000ULL

struct wire {
	uint64_t id; /* 0: free */
	uint64_t age;
	uint32_t len;
	uint8_t dir;
	bool cut;
	uint8_t data[TLSFAIL_WIRE_CAP + TLSFAIL_WIRE_CHUNK];
};

struct process {
	uint32_t pid; /* 0: free */
	char *exe;
	char *version;
	uint64_t netns;
	char container[CONTAINER_ID_LEN];
};

/* What is configured for a peer, or for an address of this side. */
struct configured {
	uint32_t pid; /* 0: free */
	uint16_t family;
	uint16_t port;
	uint8_t addr[16];
	uint32_t len;
	uint8_t *data;
};

struct elapsed {
	uint32_t pid;
	uint64_t ns;
};

/* The line that comes right before its connection. */
struct own_line {
	uint64_t id; /* 0: none */
	struct log_line view;
	char *file;
	char *text;
};

/* The last failed connection of a thread. */
struct attempt {
	uint32_t tid; /* 0: free */
	uint64_t t_close;
	uint64_t group;
	unsigned int number;
};

struct correlator {
	uint64_t monotonic; /* of the last clock record */
	uint64_t realtime;
	bool has_clock;
	char host[256];

	uint64_t ages;
	uint64_t orphans;
	struct wire wires[WIRES_MAX];
	size_t process_next;
	struct process processes[PROCESSES_MAX];
	struct configured configured[TLSFAIL_NGINX_SLOTS];
	size_t elapsed_next;
	struct elapsed elapsed[ELAPSED_MAX];
	struct own_line line;
	size_t attempt_next;
	struct attempt attempts[ATTEMPTS_MAX];
	struct tlsfail_conn conn;
	struct wire taken[TLSFAIL_DIR_COUNT]; /* of conn */
};

struct correlator *correlator_new(void)
{
	return calloc(1, sizeof(struct correlator));
}

static void process_clear(struct process *p)
{
	free(p->exe);
	free(p->version);
	*p = (struct process){ 0 };
}

static void line_clear(struct own_line *line)
{
	free(line->file);
	free(line->text);
	*line = (struct own_line){ 0 };
}

void correlator_free(struct correlator *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < PROCESSES_MAX; i++)
		process_clear(&c->processes[i]);
	line_clear(&c->line);
	for (size_t i = 0; i < TLSFAIL_NGINX_SLOTS; i++)
		free(c->configured[i].data);
	free(c);
}

uint64_t correlator_realtime(const struct correlator *c, uint64_t monotonic)
{
	/* unsigned arithmetic: also right for a time before the clock record */
	return c->has_clock ? c->realtime + (monotonic - c->monotonic) : 0;
}

const char *correlator_host(const struct correlator *c)
{
	return c->host;
}

uint64_t correlator_orphans(const struct correlator *c)
{
	return c->orphans;
}

static void wire_add(struct correlator *c, const struct decoded_wire *record)
{
	struct wire *slot = &c->wires[0];

	for (size_t i = 0; i < WIRES_MAX; i++) {
		struct wire *w = &c->wires[i];

		if (!w->id) {
			slot = w;
			break;
		}
		if (w->age < slot->age)
			slot = w;
	}
	if (slot->id)
		c->orphans++;
	slot->id = record->id;
	slot->age = ++c->ages;
	slot->dir = record->dir;
	slot->cut = record->cut;
	slot->len = record->len;
	memcpy(slot->data, record->data, record->len);
}

/* Takes the bytes out of the table; their place is free again. */
static void wire_take(struct correlator *c, uint64_t id, uint8_t dir, struct tls_capture *capture)
{
	struct wire *into = &c->taken[dir];

	for (size_t i = 0; i < WIRES_MAX; i++) {
		struct wire *w = &c->wires[i];

		if (!w->id || w->id != id || w->dir != dir)
			continue;
		*into = *w;
		w->id = 0;
		capture->data = into->data;
		capture->len = into->len;
		capture->cut = into->cut;
		return;
	}
}

bool correlator_bytes(const struct correlator *c, uint64_t id, enum tlsfail_dir dir,
		      struct tls_capture *bytes)
{
	for (size_t i = 0; i < WIRES_MAX; i++) {
		const struct wire *w = &c->wires[i];

		if (w->id && w->id == id && w->dir == dir) {
			*bytes = (struct tls_capture){ w->data, w->len, w->cut };
			return true;
		}
	}
	return false;
}

static struct process *process_find(struct correlator *c, uint32_t pid)
{
	for (size_t i = 0; i < PROCESSES_MAX; i++)
		if (pid && c->processes[i].pid == pid)
			return &c->processes[i];
	return NULL;
}

/* "4026531992 ID"; what is not of that form is not known. */
static void where_read(struct process *p, struct decoded_bytes where)
{
	uint32_t i = 0;
	uint64_t netns = 0;

	while (i < where.len && i < 20 && where.data[i] >= '0' && where.data[i] <= '9')
		netns = netns * 10 + (uint64_t)(where.data[i++] - '0');
	p->netns = netns;
	if (i < where.len && where.data[i] == ' ' && where.len - i - 1 == CONTAINER_ID_LEN - 1)
		memcpy(p->container, where.data + i + 1, CONTAINER_ID_LEN - 1);
	for (i = 0; p->container[i]; i++)
		if (!strchr("0123456789abcdef", p->container[i]))
			p->container[0] = '\0';
}

static int process_add(struct correlator *c, const struct decoded_process *record)
{
	struct process *p = process_find(c, record->pid);

	if (!p) {
		p = &c->processes[c->process_next];
		c->process_next = (c->process_next + 1) % PROCESSES_MAX;
	}
	process_clear(p);
	p->exe = strndup(record->exe.data, record->exe.len);
	p->version = strndup(record->version.data, record->version.len);
	if (!p->exe || !p->version) {
		process_clear(p);
		return -ENOMEM;
	}
	p->pid = record->pid;
	where_read(p, record->where);
	return 0;
}

static int line_set(struct correlator *c, const struct decoded_log_line *record)
{
	struct own_line *line = &c->line;

	line_clear(line);
	if (!record->id)
		return 0;
	line->file = strndup(record->file.data, record->file.len);
	line->text = strndup(record->text.data, record->text.len);
	if (!line->file || !line->text) {
		line_clear(line);
		return -ENOMEM;
	}
	line->id = record->id;
	line->view = (struct log_line){
		.connection = record->connection,
		.level = record->level,
		.file = line->file,
		.text = line->text,
	};
	return 0;
}

/* It is given out once. */
static const struct log_line *line_of(struct correlator *c, uint64_t id)
{
	if (!id || c->line.id != id)
		return NULL;
	c->line.id = 0;
	return &c->line.view;
}

static int configured_set(struct correlator *c, const struct decoded_nginx *record)
{
	struct configured *slot = &c->configured[record->slot];
	uint8_t *data = malloc(record->len);

	if (!data)
		return -ENOMEM;
	free(slot->data);
	memcpy(data, record->data, record->len);
	*slot = (struct configured){
		.pid = record->pid,
		.family = record->family,
		.port = record->rport,
		.len = record->len,
		.data = data,
	};
	memcpy(slot->addr, record->raddr, sizeof(slot->addr));
	return 0;
}

static void configured_find(const struct correlator *c, struct failure *out)
{
	const struct tlsfail_conn *conn = out->conn;

	bool is_server = conn->role == TLSFAIL_ROLE_SERVER;
	const uint8_t *addr = is_server ? conn->laddr : conn->raddr;
	uint16_t port = is_server ? conn->lport : conn->rport;

	for (size_t i = 0; i < TLSFAIL_NGINX_SLOTS; i++) {
		const struct configured *slot = &c->configured[i];

		if (slot->data && slot->pid == conn->pid && slot->port == port &&
		    slot->family == conn->family && is_server == (i >= TLSFAIL_NGINX_SERVER_SLOT) &&
		    !memcmp(slot->addr, addr, sizeof(slot->addr))) {
			out->places = slot->data;
			out->places_len = slot->len;
		}
	}
}

/* Remembers how long a connection lasted that was ended here before its handshake was done. */
static bool elapsed_repeats(struct correlator *c, const struct tlsfail_conn *conn)
{
	uint64_t ns = conn->t_close - conn->t_start;
	bool repeats = false;

	if (conn->flags & TLSFAIL_F_DONE || !(conn->flags & TLSFAIL_F_LOCAL_FIN))
		return false;
	for (size_t i = 0; i < ELAPSED_MAX; i++) {
		const struct elapsed *e = &c->elapsed[i];
		uint64_t difference = e->ns > ns ? e->ns - ns : ns - e->ns;

		if (e->pid == conn->pid && difference <= ELAPSED_TOLERANCE_NS)
			repeats = true;
	}
	c->elapsed[c->elapsed_next] = (struct elapsed){ conn->pid, ns };
	c->elapsed_next = (c->elapsed_next + 1) % ELAPSED_MAX;
	return repeats;
}

static struct attempt *attempt_of(struct correlator *c, uint32_t tid)
{
	for (size_t i = 0; i < ATTEMPTS_MAX; i++)
		if (c->attempts[i].tid == tid)
			return &c->attempts[i];
	return NULL;
}

/* Does the connection continue what the thread's last one began? If that one's record was lost, it
 * is at least the second. */
static void attempt_number(struct correlator *c, const struct tlsfail_conn *conn,
			   struct failure *out)
{
	struct attempt *last = attempt_of(c, conn->tid);

	if (!(conn->flags & TLSFAIL_F_CONNECT))
		return;
	out->group = conn->id;
	out->attempt = 1;
	if (conn->flags & TLSFAIL_F_RETRY) {
		out->attempt = 2;
		if (last && last->t_close <= conn->t_start) {
			out->group = last->group;
			out->attempt = last->number + 1;
		}
	}
	if (!last) {
		last = &c->attempts[c->attempt_next];
		c->attempt_next = (c->attempt_next + 1) % ATTEMPTS_MAX;
	}
	*last = (struct attempt){ conn->tid, conn->t_close, out->group, out->attempt };
}

static void conn_complete(struct correlator *c, const struct tlsfail_conn *conn,
			  struct failure *out)
{
	const struct process *p = process_find(c, conn->pid);

	c->conn = *conn;
	*out = (struct failure){
		.conn = &c->conn,
		.time_ns = correlator_realtime(c, conn->t_close),
		.exe = p ? p->exe : "",
		.version = p ? p->version : "",
		.host = c->host,
		.netns = p && p->netns ? p->netns : conn->netns,
		.container = p ? p->container : "",
		.repeats_elapsed = elapsed_repeats(c, conn),
		.log_line = line_of(c, conn->id),
	};
	configured_find(c, out);
	attempt_number(c, conn, out);
	wire_take(c, conn->id, TLSFAIL_DIR_SENT, &out->sent);
	wire_take(c, conn->id, TLSFAIL_DIR_RECEIVED, &out->received);
	for (uint32_t i = 0; i < TLSFAIL_CERTS_MAX && i < conn->cert_count; i++)
		wire_take(c, conn->id, TLSFAIL_DIR_CERT + i, &out->certs[i]);
}

void correlator_sighting(struct correlator *c, const struct tlsfail_certs *record,
			 struct sighting *out)
{
	const struct process *p = process_find(c, record->pid);

	*out = (struct sighting){
		.record = record,
		.time_ns = correlator_realtime(c, record->t),
		.netns = p ? p->netns : 0,
		.exe = p ? p->exe : "",
		.host = c->host,
	};
	wire_take(c, record->id, TLSFAIL_DIR_SENT, &out->sent);
	wire_take(c, record->id, TLSFAIL_DIR_RECEIVED, &out->received);
	for (uint32_t i = 0; i < TLSFAIL_CERTS_MAX && i < record->cert_count; i++)
		wire_take(c, record->id, TLSFAIL_DIR_CERT + i, &out->certs[i]);
}

int correlator_feed(struct correlator *c, const struct decoded *record, struct failure *out)
{
	struct text host;

	switch (record->type) {
	case TLSFAIL_REC_CLOCK:
		c->monotonic = record->clock.monotonic;
		c->realtime = record->clock.realtime;
		c->has_clock = true;
		return 0;
	case TLSFAIL_REC_HOST:
		text_init(&host, c->host, sizeof(c->host));
		text_add_hostile(&host, record->host.name.data, record->host.name.len);
		return 0;
	case TLSFAIL_REC_PROCESS:
		return process_add(c, &record->process);
	case TLSFAIL_REC_LOG_LINE:
		return line_set(c, &record->log_line);
	case TLSFAIL_REC_NGINX:
		return configured_set(c, &record->nginx);
	case TLSFAIL_REC_WIRE:
		wire_add(c, &record->wire);
		return 0;
	case TLSFAIL_REC_CONN:
		conn_complete(c, &record->conn, out);
		return 1;
	case TLSFAIL_REC_CERTS: /* correlator_sighting() */
	case TLSFAIL_REC_PEER:	/* peers_read() */
	case TLSFAIL_REC_EXEC:
	case TLSFAIL_REC_LOSS:
	case TLSFAIL_REC_TOTALS:
		return 0;
	}
	return 0;
}
