// SPDX-License-Identifier: BSD-2-Clause
/*
 * The stream of a log: blocks, of which only lines with a marker are looked at more closely.
 */
#define _GNU_SOURCE /* memrchr() */
#include "command/explain_log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "system/log.h"

#define BLOCK_SIZE (1U << 20)
#define PEERS_SIZE (1U << 14) /* of the hash table; three quarters of it are used */
#define MIB	   (1024 * 1024.0)

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

struct explain_log *explain_log_new(void)
{
	struct explain_log *log = calloc(1, sizeof(*log));

	if (log)
		log->peers = calloc(PEERS_SIZE, sizeof(*log->peers));
	if (log && log->peers)
		return log;
	free(log);
	return NULL;
}

void explain_log_free(struct explain_log *log)
{
	if (log)
		free(log->peers);
	free(log);
}

/* ---- histogram ---- */

static int64_t floor_to(int64_t seconds, int64_t span)
{
	int64_t rest = seconds % span;

	return seconds - (rest < 0 ? rest + span : rest);
}

/* Makes the spans twice as long, so that begin is a multiple of them again. */
static void histogram_widen(struct explain_histogram *h)
{
	uint64_t counts[EXPLAIN_BUCKETS] = { 0 };
	int64_t begin = floor_to(h->begin, 2 * h->span);
	size_t shift = begin != h->begin;

	for (size_t i = 0; i < EXPLAIN_BUCKETS; i++)
		counts[(i + shift) / 2] += h->counts[i];
	memcpy(h->counts, counts, sizeof(counts));
	h->begin = begin;
	h->span *= 2;
}

/* Moves the beginning back to a time before it. False: there is no room for it. */
static bool histogram_move(struct explain_histogram *h, int64_t begin)
{
	size_t by = (size_t)((h->begin - begin) / h->span), used = EXPLAIN_BUCKETS;

	while (used && !h->counts[used - 1])
		used--;
	if (by + used > EXPLAIN_BUCKETS)
		return false;
	memmove(h->counts + by, h->counts, used * sizeof(h->counts[0]));
	memset(h->counts, 0, by * sizeof(h->counts[0]));
	h->begin = begin;
	return true;
}

void explain_histogram_add(struct explain_histogram *h, int64_t seconds)
{
	if (!h->span) {
		h->span = 1;
		h->begin = seconds;
	}
	while (seconds < h->begin && !histogram_move(h, floor_to(seconds, h->span)))
		histogram_widen(h);
	while (seconds - h->begin >= h->span * EXPLAIN_BUCKETS)
		histogram_widen(h);
	h->counts[(seconds - h->begin) / h->span]++;
}

/* ---- peers ---- */

static void peer_count(struct explain_log *log, size_t kind, const struct errorlog_line *line)
{
	uint64_t hash = 0xcbf29ce484222325;
	struct explain_peer key = { .kind = (uint16_t)(kind + 1), .port = line->port };

	memcpy(key.address, line->address, sizeof(key.address));
	for (size_t i = 0; i < sizeof(key.address); i++)
		hash = (hash ^ key.address[i]) * 0x100000001b3;
	hash = (hash ^ key.port) * 0x100000001b3;
	hash = (hash ^ key.kind) * 0x100000001b3;
	/* A peer that is not found within so many steps has no room. */
	for (size_t step = 0; step < 64; step++) {
		struct explain_peer *p = &log->peers[(hash + step) % PEERS_SIZE];

		if (!p->kind) {
			*p = key;
			p->count = 1;
			return;
		}
		if (p->kind == key.kind && p->port == key.port &&
		    !memcmp(p->address, key.address, sizeof(key.address))) {
			p->count++;
			return;
		}
	}
	log->kinds[kind].peers_left_out++;
}

size_t explain_log_peers(const struct explain_log *log, size_t kind,
			 const struct explain_peer *top[EXPLAIN_PEERS_SHOWN])
{
	size_t count = 0;

	memset(top, 0, EXPLAIN_PEERS_SHOWN * sizeof(top[0]));
	for (size_t i = 0; i < PEERS_SIZE; i++) {
		const struct explain_peer *p = &log->peers[i];

		if (p->kind != kind + 1)
			continue;
		count++;
		for (size_t n = 0; n < EXPLAIN_PEERS_SHOWN; n++)
			if (!top[n] || p->count > top[n]->count) {
				memmove(top + n + 1, top + n,
					(EXPLAIN_PEERS_SHOWN - n - 1) * sizeof(top[0]));
				top[n] = p;
				break;
			}
	}
	return count;
}

/* ---- lines ---- */

static void keep_sample(char *sample, size_t size, size_t *kept, const char *text, size_t len)
{
	*kept = len < size - 1 ? len : size - 1;
	memcpy(sample, text, *kept);
	sample[*kept] = '\0';
}

static bool same_kind(const struct logline *a, const struct logline *b)
{
	return a->row == b->row && a->side == b->side && a->kind == b->kind && a->key == b->key &&
	       a->has_code == b->has_code && a->number == b->number && a->library == b->library &&
	       a->log.to_upstream == b->log.to_upstream;
}

/* The index of its kind; of a new one, too. EXPLAIN_KINDS_MAX: there is no room. */
static size_t kind_of(struct explain_log *log, const struct logline *line, const char *text,
		      size_t len)
{
	size_t i = 0;

	while (i < log->kind_count && !same_kind(&log->kinds[i].line, line))
		i++;
	if (i == log->kind_count && i < EXPLAIN_KINDS_MAX) {
		size_t kept;

		log->kinds[i].line = *line;
		keep_sample(log->kinds[i].sample, sizeof(log->kinds[i].sample), &kept,
			    line->is_log_line ? line->log.message : text,
			    line->is_log_line ? line->log.message_len : len);
		/* these point into the buffer, which goes on */
		log->kinds[i].line.log.message = NULL;
		log->kinds[i].line.log.message_len = 0;
		log->kind_count++;
	}
	return i;
}

static void kind_count_line(struct explain_log *log, const struct logline *line, const char *text,
			    size_t len)
{
	size_t index = kind_of(log, line, text, len);
	struct explain_kind *kind = &log->kinds[index];

	if (index == EXPLAIN_KINDS_MAX) {
		log->kinds_left_out++;
		return;
	}
	kind->count++;
	if (line->is_log_line) {
		int64_t seconds = line->log.seconds;

		kind->first = !kind->first || seconds < kind->first ? seconds : kind->first;
		kind->last = seconds > kind->last ? seconds : kind->last;
		explain_histogram_add(&kind->histogram, seconds);
	}
	if (line->is_log_line && line->log.has_peer)
		peer_count(log, index, &line->log);
}

static void line_take(struct explain_log *log, const char *text, size_t len)
{
	struct logline line;
	size_t kept;

	if (logline_recall(&log->memo, text, len, &line)) {
		if (!log->lines++)
			keep_sample(log->sample, sizeof(log->sample), &log->sample_len, text, len);
		kind_count_line(log, &line, text, len);
	} else if (memmem(text, len, "SSL", 3)) {
		if (!log->unknown++)
			keep_sample(log->unknown_sample, sizeof(log->unknown_sample), &kept, text,
				    len);
	}
}

/* Whole lines. */
static void block_take(struct explain_log *log, const char *text, const char *end)
{
	struct logline_scan scan;
	const char *from = text, *at;

	logline_scan_begin(&scan, text, end);
	while ((at = logline_scan_next(&scan, from))) {
		const char *before = memrchr(from, '\n', (size_t)(at - from));
		const char *begin = before ? before + 1 : from;
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		line_take(log, begin, (size_t)((newline ? newline : end) - begin));
		if (!newline)
			return;
		from = newline + 1;
	}
}

static void progress_show(const struct explain_log *log)
{
	static time_t shown;
	struct timespec now;

	if (!isatty(STDERR_FILENO))
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!shown)
		shown = now.tv_sec;
	if (now.tv_sec == shown)
		return;
	shown = now.tv_sec;
	log_progress("%.0f%s%.0f MiB read, %llu lines about TLS", (double)log->bytes / MIB,
		     log->size ? " of " : " MiB; ", (double)log->size / MIB,
		     (unsigned long long)log->lines);
}

static int stream_read(struct explain_log *log, int fd, char *buf)
{
	size_t kept = 0;

	while (!interrupted) {
		ssize_t got = read(fd, buf + kept, BLOCK_SIZE - kept);
		char *newline;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		log->bytes += (uint64_t)got;
		newline = memrchr(buf, '\n', kept + (size_t)got);
		/* without an end of line in the whole block it is cut there */
		if (!got || (!newline && kept + (size_t)got == BLOCK_SIZE))
			newline = buf + kept + got - 1;
		if (newline && newline >= buf)
			block_take(log, buf, newline + 1);
		if (!got)
			return 0;
		kept = newline ? kept + (size_t)got - (size_t)(newline + 1 - buf)
			       : kept + (size_t)got;
		if (newline)
			memmove(buf, newline + 1, kept);
		progress_show(log);
	}
	log->interrupted = true;
	return 0;
}

int explain_log_read(struct explain_log *log, int fd, const char *name)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
	struct stat st;
	char *buf = malloc(BLOCK_SIZE);
	int err;

	if (!buf) {
		log_line("%s: %s", name, strerror(ENOMEM));
		return -ENOMEM;
	}
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		log->size += (uint64_t)st.st_size;
	/* the second one ends the program as ever */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	err = stream_read(log, fd, buf);
	log_progress(NULL);
	if (err)
		log_line("%s: %s", name, strerror(-err));
	free(buf);
	return err;
}
