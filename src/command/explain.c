// SPDX-License-Identifier: BSD-2-Clause
/*
 * What was given is a line, an error code, a file or standard input. One line is explained; of more
 * each kind is.
 */
#include "command/explain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/explain_log.h"
#include "command/explanation.h"
#include "command/printed.h"
#include "program/nginx/live/read.h"
#include "program/nginx/map.h"
#include "system/log.h"
#include "system/terminal.h"

#define OUTPUT_SIZE (16U << 10)
#define FAMILY_IPV4 2
#define FAMILY_IPV6 10

struct explainer {
	const struct options *options;
	int columns;
	struct nginxread read;
	struct nginxmap *map; /* NULL: no configuration was given */
	struct nginx_places places;
	char out[OUTPUT_SIZE];
	struct text t;
	struct jsonout j;
};

/* ---- one kind of lines ---- */

static void peer_add(struct text *t, const uint8_t address[16], uint16_t port)
{
	char buf[64];
	struct text a;

	text_init(&a, buf, sizeof(buf));
	text_add_address(&a, FAMILY_IPV6, address);
	text_addf(t, port && strchr(buf, ':') ? "[%s]" : "%s", buf);
	if (port)
		text_addf(t, ":%u", port);
}

/* Where in the configuration the upstream of the line is passed to. */
static const struct nginx_places *places_find(struct explainer *x, const struct logline *line)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	bool is_v4 = !memcmp(line->log.address, mapped, sizeof(mapped));
	struct nginxmap_peer peer = {
		.family = is_v4 ? FAMILY_IPV4 : FAMILY_IPV6,
		.addr = is_v4 ? line->log.address + sizeof(mapped) : line->log.address,
		.port = line->log.port,
		.server_name = "",
		.hosts = x->read.hosts ? x->read.hosts : "",
	};

	if (!x->map || !line->log.to_upstream || !line->log.has_peer || !line->log.port)
		return NULL;
	memset(&x->places, 0, sizeof(x->places));
	nginxmap_match(x->map, &peer, &x->places);
	return &x->places;
}

static void kind_explain(struct explainer *x, const struct explain_kind *kind)
{
	char peer[64];
	struct text t;
	struct explanation e = {
		.line = &kind->line,
		.peer = peer,
		.places = places_find(x, &kind->line),
		.columns = x->columns,
		.color = x->options->color,
	};

	text_init(&t, peer, sizeof(peer));
	if (kind->line.log.to_upstream && kind->line.log.has_peer)
		peer_add(&t, kind->line.log.address, kind->line.log.port);
	if (x->options->ask.format == REPORT_JSON)
		explanation_json(&e, &x->j);
	else
		explanation_text(&e, &x->t);
}

/* ---- the sum of a log ---- */

static void histogram_add(struct text *t, const struct explain_histogram *h, bool utf8)
{
	static const char *const bars[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char digits[] = " .:-=+*#@";
	uint64_t max = 1;
	size_t used = EXPLAIN_BUCKETS;

	for (size_t i = 0; i < EXPLAIN_BUCKETS; i++)
		max = h->counts[i] > max ? h->counts[i] : max;
	while (used && !h->counts[used - 1])
		used--;
	for (size_t i = 0; i < used; i++) {
		size_t height = (size_t)((h->counts[i] * 8 + max - 1) / max);

		if (utf8)
			text_add(t, bars[height]);
		else
			text_add_bytes(t, &digits[height], 1);
	}
}

static void span_add(struct text *t, int64_t seconds)
{
	if (seconds >= 86400)
		text_addf(t, "%.3g days", (double)seconds / 86400);
	else if (seconds >= 3600)
		text_addf(t, "%.3g h", (double)seconds / 3600);
	else if (seconds >= 60)
		text_addf(t, "%.3g min", (double)seconds / 60);
	else
		text_addf(t, "%lld s", (long long)seconds);
}

static void kind_times_text(struct explainer *x, const struct explain_kind *kind)
{
	struct text *t = &x->t;

	if (!kind->first)
		return;
	text_addf(t, "  %-10s", "when");
	explanation_time(t, kind->first);
	if (kind->last != kind->first) {
		text_add(t, " to ");
		explanation_time(t, kind->last);
		text_add(t, "  |");
		histogram_add(t, &kind->histogram, x->options->utf8);
		text_add(t, "| a column is ");
		span_add(t, kind->histogram.span);
	}
	text_add(t, "\n");
}

static void kind_peers_text(struct explainer *x, const struct explain_log *log, size_t index)
{
	const struct explain_peer *top[EXPLAIN_PEERS_SHOWN];
	size_t count = explain_log_peers(log, index, top);

	if (!count)
		return;
	text_addf(&x->t, "  %-10s",
		  log->kinds[index].line.log.to_upstream ? "upstreams" : "clients");
	for (size_t i = 0; i < EXPLAIN_PEERS_SHOWN && top[i]; i++) {
		text_add(&x->t, i ? ", " : "");
		peer_add(&x->t, top[i]->address, top[i]->port);
		text_addf(&x->t, " (%llu)", (unsigned long long)top[i]->count);
	}
	if (count > EXPLAIN_PEERS_SHOWN || log->kinds[index].peers_left_out)
		text_addf(&x->t, " and %zu%s more", count - EXPLAIN_PEERS_SHOWN,
			  log->kinds[index].peers_left_out ? " or" : "");
	text_add(&x->t, "\n");
}

static void kind_peers_json(struct explainer *x, const struct explain_log *log, size_t index)
{
	const struct explain_peer *top[EXPLAIN_PEERS_SHOWN];
	size_t count = explain_log_peers(log, index, top);

	jsonout_key(&x->j, "peer_count");
	jsonout_integer(&x->j, (int64_t)count);
	jsonout_key(&x->j, "peers");
	jsonout_begin(&x->j, "[");
	for (size_t i = 0; i < EXPLAIN_PEERS_SHOWN && top[i]; i++) {
		char buf[64];
		struct text t;

		text_init(&t, buf, sizeof(buf));
		peer_add(&t, top[i]->address, top[i]->port);
		jsonout_begin(&x->j, "{");
		jsonout_key(&x->j, "peer");
		jsonout_string(&x->j, buf);
		jsonout_key(&x->j, "count");
		jsonout_integer(&x->j, (int64_t)top[i]->count);
		jsonout_end(&x->j, "}");
	}
	jsonout_end(&x->j, "]");
}

static void time_json(struct explainer *x, const char *key, int64_t seconds)
{
	char buf[64];
	struct text t;

	if (!seconds)
		return;
	text_init(&t, buf, sizeof(buf));
	explanation_time(&t, seconds);
	jsonout_key(&x->j, key);
	jsonout_string(&x->j, buf);
}

static void kind_json(struct explainer *x, const struct explain_log *log, size_t index)
{
	const struct explain_kind *kind = &log->kinds[index];
	const struct explain_histogram *h = &kind->histogram;

	jsonout_begin(&x->j, "{");
	jsonout_key(&x->j, "count");
	jsonout_integer(&x->j, (int64_t)kind->count);
	time_json(x, "first", kind->first);
	time_json(x, "last", kind->last);
	jsonout_key(&x->j, "sample");
	jsonout_string(&x->j, kind->sample);
	kind_explain(x, kind);
	kind_peers_json(x, log, index);
	if (h->span) {
		jsonout_key(&x->j, "histogram");
		jsonout_begin(&x->j, "{");
		time_json(x, "begin", h->begin);
		jsonout_key(&x->j, "seconds");
		jsonout_integer(&x->j, h->span);
		jsonout_key(&x->j, "counts");
		jsonout_begin(&x->j, "[");
		for (size_t i = 0; i < EXPLAIN_BUCKETS; i++)
			jsonout_integer(&x->j, (int64_t)h->counts[i]);
		jsonout_end(&x->j, "]");
		jsonout_end(&x->j, "}");
	}
	jsonout_end(&x->j, "}");
}

static void kind_text(struct explainer *x, const struct explain_log *log, size_t index)
{
	const struct explain_kind *kind = &log->kinds[index];

	text_addf(&x->t, "\n%llu time%s: ", (unsigned long long)kind->count,
		  kind->count == 1 ? "" : "s");
	text_add_hostile(&x->t, kind->sample, strlen(kind->sample));
	text_add(&x->t, "\n");
	kind_times_text(x, kind);
	kind_peers_text(x, log, index);
	kind_explain(x, kind);
}

static void out_flush(struct explainer *x)
{
	fputs(x->out, stdout);
	text_init(&x->t, x->out, sizeof(x->out));
}

/* How much was read. */
static void size_add(struct text *t, uint64_t bytes)
{
	if (bytes < 1000000)
		text_addf(t, "%llu byte%s", (unsigned long long)bytes, bytes == 1 ? "" : "s");
	else
		text_addf(t, "%.4g MB", (double)bytes / 1e6);
}

static void head_text(struct explainer *x, const struct explain_log *log, const char *name)
{
	text_addf(&x->t, "%s: %llu line%s about TLS in ", name, (unsigned long long)log->lines,
		  log->lines == 1 ? "" : "s");
	size_add(&x->t, log->bytes);
	text_add(&x->t, log->interrupted ? ", interrupted\n" : "\n");
	if (log->unknown) {
		text_addf(&x->t, "%llu more that %s not recognized, such as:\n  ",
			  (unsigned long long)log->unknown, log->unknown == 1 ? "is" : "are");
		text_add_hostile(&x->t, log->unknown_sample, strlen(log->unknown_sample));
		text_add(&x->t, "\n");
	}
	if (log->kinds_left_out)
		text_addf(&x->t, "%llu of further kinds are left out.\n",
			  (unsigned long long)log->kinds_left_out);
}

static void head_json(struct explainer *x, const struct explain_log *log)
{
	jsonout_begin(&x->j, "{");
	jsonout_key(&x->j, "bytes");
	jsonout_integer(&x->j, (int64_t)log->bytes);
	jsonout_key(&x->j, "lines");
	jsonout_integer(&x->j, (int64_t)log->lines);
	jsonout_key(&x->j, "unknown_lines");
	jsonout_integer(&x->j, (int64_t)log->unknown);
	jsonout_key(&x->j, "lines_left_out");
	jsonout_integer(&x->j, (int64_t)log->kinds_left_out);
	jsonout_key(&x->j, "interrupted");
	jsonout_boolean(&x->j, log->interrupted);
	jsonout_key(&x->j, "kinds");
	jsonout_begin(&x->j, "[");
}

static int by_count(const void *a, const void *b)
{
	const struct explain_kind *const *x = a, *const *y = b;

	return (*x)->count < (*y)->count ? 1 : (*x)->count > (*y)->count ? -1 : 0;
}

static void log_print(struct explainer *x, const struct explain_log *log, const char *name)
{
	const struct explain_kind *sorted[EXPLAIN_KINDS_MAX] = { NULL };
	bool json = x->options->ask.format == REPORT_JSON;

	for (size_t i = 0; i < log->kind_count; i++)
		sorted[i] = &log->kinds[i];
	qsort(sorted, log->kind_count, sizeof(sorted[0]), by_count);
	if (json)
		head_json(x, log);
	else
		head_text(x, log, name);
	for (size_t i = 0; i < log->kind_count; i++) {
		size_t index = (size_t)(sorted[i] - log->kinds);

		if (json)
			kind_json(x, log, index);
		else
			kind_text(x, log, index);
		out_flush(x);
	}
	if (json) {
		jsonout_end(&x->j, "]");
		jsonout_end(&x->j, "}");
		text_add(&x->t, "\n");
	}
	out_flush(x);
}

/* ---- what was given ---- */

static int line_explain(struct explainer *x, const char *text, size_t len)
{
	struct explain_kind kind = { .count = 1 };
	bool json = x->options->ask.format == REPORT_JSON;
	bool known = logline_read(text, len, &kind.line);

	if (!known && !json) {
		log_line("this line is not recognized: it says nothing about TLS, or it does not "
			 "come from nginx");
		return EXIT_UNRECOGNIZED;
	}
	if (json) {
		jsonout_begin(&x->j, "{");
		jsonout_key(&x->j, "known");
		jsonout_boolean(&x->j, known);
		if (known)
			kind_explain(x, &kind);
		jsonout_end(&x->j, "}");
		text_add(&x->t, "\n");
	} else {
		if (kind.line.is_log_line)
			text_add_hostile(&x->t, kind.line.log.message, kind.line.log.message_len);
		else
			explanation_title(&kind.line, &x->t);
		text_add(&x->t, "\n");
		kind_explain(x, &kind);
	}
	out_flush(x);
	return known ? EXIT_SUCCESS : EXIT_UNRECOGNIZED;
}

/* What was read of the log, which it frees: alone, its line; else the sum. */
static int log_explain(struct explainer *x, struct explain_log *log, const char *name)
{
	int status;

	if (log->lines == 1 && !log->unknown && !log->interrupted &&
	    log->bytes < EXPLAIN_LINE_LEN) {
		status = line_explain(x, log->sample, log->sample_len);
	} else {
		log_print(x, log, name);
		status = log->lines ? EXIT_SUCCESS : EXIT_UNRECOGNIZED;
	}
	explain_log_free(log);
	return status;
}

static int stdin_explain(struct explainer *x)
{
	static const char name[] = "standard input";
	struct explain_log *log = explain_log_new();
	int err, status;

	if (!log) {
		log_line("%s", strerror(ENOMEM));
		return EXIT_CANNOT;
	}
	err = explain_log_read(log, STDIN_FILENO, name);
	status = log_explain(x, log, name);
	return err ? EXIT_CANNOT : status;
}

static int file_read(struct explain_log *log, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0) {
		log_line("%s: %s", path, strerror(errno));
		return -errno;
	}
	err = explain_log_read(log, fd, path);
	close(fd);
	return err;
}

/* As if they were one log. */
static int files_explain(struct explainer *x)
{
	const struct options *o = x->options;
	struct explain_log *log = explain_log_new();
	bool failed = false;
	char name[32];
	struct text t;
	int status;

	if (!log) {
		log_line("%s", strerror(ENOMEM));
		return EXIT_CANNOT;
	}
	for (size_t i = 0; i < o->argument_count && !log->interrupted; i++)
		failed |= file_read(log, o->arguments[i]) != 0;
	if (failed && !log->bytes) {
		explain_log_free(log);
		return EXIT_CANNOT;
	}
	text_init(&t, name, sizeof(name));
	text_addf(&t, "%zu files", o->argument_count);
	status = log_explain(x, log, o->argument_count == 1 ? o->argument : name);
	return failed ? EXIT_CANNOT : status;
}

/* A name of a file has no blanks where it is given unquoted, and a line of a log has some. */
static bool looks_like_file(const char *argument)
{
	struct stat st;

	return !stat(argument, &st) || (strchr(argument, '/') && !strchr(argument, ' '));
}

static bool all_look_like_files(const struct options *o)
{
	for (size_t i = 0; i < o->argument_count; i++)
		if (!looks_like_file(o->arguments[i]))
			return false;
	return true;
}

static int arguments_explain(struct explainer *x)
{
	const struct options *o = x->options;
	char line[EXPLAIN_LINE_LEN];
	struct text t;

	if (!o->argument || (o->argument_count == 1 && !strcmp(o->argument, "-"))) {
		if (isatty(STDIN_FILENO))
			log_line("reading standard input; press Ctrl-D to end");
		return stdin_explain(x);
	}
	if (all_look_like_files(o))
		return files_explain(x);
	text_init(&t, line, sizeof(line));
	for (size_t i = 0; i < o->argument_count; i++)
		text_addf(&t, "%s%s", i ? " " : "", o->arguments[i]);
	return line_explain(x, line, t.len);
}

static int configuration_open(struct explainer *x)
{
	char buf[512];
	struct text problem;

	x->read = (struct nginxread){ 0 };
	if (!x->options->ask.conf)
		return 0;
	text_init(&problem, buf, sizeof(buf));
	if (nginxread_open_path(x->options->ask.conf, &x->read, &problem)) {
		log_line("%s", buf);
		return EXIT_CANNOT;
	}
	return nginxmap_new(x->read.conf, &x->map) ? EXIT_CANNOT : 0;
}

int explain_run(const struct options *options)
{
	struct explainer *x = calloc(1, sizeof(*x));
	int status;

	if (!x) {
		log_line("%s", strerror(ENOMEM));
		return EXIT_CANNOT;
	}
	x->options = options;
	x->columns = terminal_columns(fileno(stdout));
	x->j.text = &x->t;
	text_init(&x->t, x->out, sizeof(x->out));
	status = configuration_open(x);
	if (!status)
		status = arguments_explain(x);
	if (!printed())
		status = EXIT_CANNOT;
	nginxmap_free(x->map);
	nginxread_close(&x->read);
	free(x);
	return status;
}
