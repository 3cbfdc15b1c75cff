/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two queues, both in the order of arrival: records on their way out, and lines whose connection has
 * not come. Whichever of a pair comes second finds the first. Both queues are bounded, by time and
 * by size: what is too old or too much goes on without its counterpart.
 */
#include "program/nginx/logmatch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "record/factory.h"

#define HELD_BYTES_MAX (2UL * 1024 * 1024)
#define LINES_MAX      1024
/* A line may be read long before its connection is closed, while the ring waits to be read. */
#define LINE_KEEP_NS 3000000000ULL

struct held {
	struct held *next;
	uint64_t until;		       /* it waits for its line so long; 0: it does not */
	struct tlsfail_log_line *line; /* NULL: none yet */
	size_t len;
	/* aligned as the records are */
	_Alignas(8) uint8_t data[];
};

struct line {
	struct line *next;
	uint64_t until;
	struct errorlog_line parsed; /* its message is in the record */
	struct tlsfail_log_line *record;
};

struct logmatch {
	unsigned int roles;
	struct held *first;
	struct held **last;
	size_t held_bytes;
	struct line *lines;
	struct line **lines_last;
	size_t line_count;
	bool ended;
	uint64_t realtime_offset; /* CLOCK_REALTIME less CLOCK_MONOTONIC */
	void *out;		  /* holds what the last call of logmatch_next() returned */
};

struct logmatch *logmatch_new(unsigned int roles)
{
	struct logmatch *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->roles = roles;
	m->last = &m->first;
	m->lines_last = &m->lines;
	return m;
}

/* -- the queues ------------------------------------------------------------------------------- */

static int held_add(struct logmatch *m, const void *data, size_t len, struct held **out)
{
	struct held *h = malloc(sizeof(*h) + len);

	if (!h)
		return -ENOMEM;
	*h = (struct held){ .len = len };
	memcpy(h->data, data, len);
	*m->last = h;
	m->last = &h->next;
	m->held_bytes += len;
	*out = h;
	return 0;
}

static struct held *held_take(struct logmatch *m)
{
	struct held *h = m->first;

	m->first = h->next;
	if (!m->first)
		m->last = &m->first;
	m->held_bytes -= h->len;
	return h;
}

/* Takes the line out that *at points to; its record is the caller's. */
static struct tlsfail_log_line *line_take(struct logmatch *m, struct line **at)
{
	struct line *line = *at;
	struct tlsfail_log_line *record = line->record;

	*at = line->next;
	if (m->lines_last == &line->next)
		m->lines_last = at;
	m->line_count--;
	free(line);
	return record;
}

void logmatch_free(struct logmatch *m)
{
	if (!m)
		return;
	while (m->first) {
		struct held *h = held_take(m);

		free(h->line);
		free(h);
	}
	while (m->lines)
		free(line_take(m, &m->lines));
	free(m->out);
	free(m);
}

/* -- records ---------------------------------------------------------------------------------- */

static bool fits(const struct logmatch *m, const struct errorlog_line *line,
		 const struct tlsfail_conn *conn)
{
	uint64_t close_ns = m->realtime_offset ? conn->t_close + m->realtime_offset : 0;

	return errorlog_fits(line, conn, close_ns);
}

/* The connection in a record, NULL when it holds none. */
static const struct tlsfail_conn *conn_of(const void *data, size_t len)
{
	const struct tlsfail_conn *conn = data;

	return len == sizeof(*conn) && conn->h.type == TLSFAIL_REC_CONN ? conn : NULL;
}

static void line_find(struct logmatch *m, struct held *h, const struct tlsfail_conn *conn)
{
	for (struct line **at = &m->lines; *at; at = &(*at)->next) {
		if (!fits(m, &(*at)->parsed, conn))
			continue;
		h->line = line_take(m, at);
		h->line->id = conn->id;
		h->until = 0;
		return;
	}
}

static void clock_read(struct logmatch *m, const void *data, size_t len)
{
	const struct tlsfail_clock *clock = data;

	if (len == sizeof(*clock) && clock->h.type == TLSFAIL_REC_CLOCK)
		m->realtime_offset = clock->realtime - clock->monotonic;
}

int logmatch_record(struct logmatch *m, const void *data, size_t len, uint64_t now)
{
	const struct tlsfail_conn *conn;
	struct held *h;
	int err = held_add(m, data, len, &h);

	if (err)
		return err;
	clock_read(m, h->data, len);
	conn = conn_of(h->data, len);
	if (conn) {
		h->until = now + LOGMATCH_HOLD_NS;
		line_find(m, h, conn);
	}
	return 0;
}

/* -- lines ------------------------------------------------------------------------------------ */

/* Gives it to the oldest connection that it fits. */
static bool conn_find(struct logmatch *m, const struct errorlog_line *line,
		      struct tlsfail_log_line *record)
{
	for (struct held *h = m->first; h; h = h->next) {
		const struct tlsfail_conn *conn = conn_of(h->data, h->len);

		if (!conn || h->line || !fits(m, line, conn))
			continue;
		record->id = conn->id;
		h->line = record;
		h->until = 0;
		return true;
	}
	return false;
}

static int line_add(struct logmatch *m, const struct errorlog_line *parsed,
		    struct tlsfail_log_line *record, uint64_t now)
{
	struct line *line = malloc(sizeof(*line));

	if (!line)
		return -ENOMEM;
	*line = (struct line){ .until = now + LINE_KEEP_NS, .parsed = *parsed, .record = record };
	line->parsed.message = record->data + record->file_len;
	*m->lines_last = line;
	m->lines_last = &line->next;
	m->line_count++;
	return 0;
}

int logmatch_line(struct logmatch *m, const char *file, const struct errorlog_line *line,
		  uint64_t now)
{
	unsigned int role = line->to_upstream ? TLSFAIL_ROLE_CLIENT : TLSFAIL_ROLE_SERVER;
	struct tlsfail_log_line *record;
	int err;

	if (line->kind == ERRORLOG_OTHER || !line->has_peer || !(m->roles >> role & 1))
		return 0;
	record = record_log_line(&(struct record_line){
		.connection = line->connection,
		.pid = line->pid,
		.level = line->level,
		.file = file,
		.text = line->message,
		.text_len = line->message_len,
	});
	if (!record)
		return -ENOMEM;
	if (conn_find(m, line, record))
		return 0;
	err = line_add(m, line, record, now);
	if (err)
		free(record);
	return err;
}

/* The oldest line has waited long enough, or there are too many: that no connection came for it is
 * worth telling when it is about TLS. */
static void line_give_up(struct logmatch *m)
{
	bool tells = m->lines->parsed.kind == ERRORLOG_TLS;
	struct tlsfail_log_line *record = line_take(m, &m->lines);
	struct held *h;

	/* without memory it is not told */
	if (tells)
		held_add(m, record, record->h.len, &h);
	free(record);
}

/* -- the way out ------------------------------------------------------------------------------ */

void logmatch_end(struct logmatch *m)
{
	m->ended = true;
}

bool logmatch_waits(const struct logmatch *m)
{
	return m->first;
}

static bool is_ready(const struct logmatch *m, const struct held *h, uint64_t now)
{
	return h->until <= now || m->ended || m->held_bytes > HELD_BYTES_MAX;
}

const void *logmatch_next(struct logmatch *m, uint64_t now, size_t *len)
{
	/* At the end, a line that was just read may be of a connection that is not closed yet. */
	uint64_t by = m->ended ? now + LINE_KEEP_NS - LOGMATCH_HOLD_NS : now;
	struct tlsfail_log_line *line;
	struct held *h;

	while (m->lines && (m->lines->until <= by || m->line_count > LINES_MAX))
		line_give_up(m);
	free(m->out);
	m->out = NULL;
	if (!m->first || !is_ready(m, m->first, now))
		return NULL;
	line = m->first->line;
	if (line) {
		m->first->line = NULL;
		m->out = line;
		*len = line->h.len;
		return line;
	}
	h = held_take(m);
	m->out = h;
	*len = h->len;
	return h->data;
}
