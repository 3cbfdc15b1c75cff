// SPDX-License-Identifier: BSD-2-Clause
/*
 * The end of a certificate is remembered when the peer cannot be asked any more: then it is needed most.
 */
#include "command/probe_watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/exposition.h"
#include "metrics/file.h"
#include "metrics/http.h"
#include "output/outputs.h"
#include "system/clock.h"
#include "system/log.h"

#define PAGE_SIZE (1U << 20)
#define ENDS_NAME "tlsfail_upstream_certificate_not_after_timestamp_seconds"

struct state {
	bool known;
	bool tried;
	bool works;
	const char *cause; /* when it does not */
	int64_t not_after; /* of the certificate that was seen last, 0: none */
	uint64_t time_ns;  /* CLOCK_REALTIME of the last try */
	uint64_t took_ns;
	uint64_t failures;
	uint64_t failing_since_ns;
};

struct probe_watch {
	const struct probe_targets *targets;
	const char *path;
	struct outputs *outputs;
	bool failing; /* the last page could not be written */
	struct finding event;
	struct metrics_http *http; /* or NULL */
	pthread_mutex_t lock;	   /* of the states, which its thread reads */
	struct state states[PROBE_TARGETS_MAX];
};

/* -- an earlier run ---------------------------------------------------------------------------- */

static void line_take(struct probe_watch *w, const char *line)
{
	for (size_t i = 0; i < w->targets->count; i++) {
		char label[512];
		const char *found;
		struct text t;

		text_init(&t, label, sizeof(label));
		text_addf(&t, "{target=\"%s\"} ", w->targets->items[i].label);
		found = strstr(line, label);
		if (found)
			w->states[i].not_after = (int64_t)strtod(found + t.len, NULL);
	}
}

static void earlier_read(struct probe_watch *w)
{
	FILE *file = w->path ? fopen(w->path, "re") : NULL;
	char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0)
		if (!strncmp(line, ENDS_NAME, sizeof(ENDS_NAME) - 1))
			line_take(w, line);
	free(line);
	if (file)
		fclose(file);
}

/* -- what comes in ----------------------------------------------------------------------------- */

static void sinks_write(struct probe_watch *w, const struct state *was, const struct state *is,
			const struct verdict *verdict)
{
	struct text t;

	if (!w->outputs || !verdict || (is->works && (!was->known || was->works)))
		return;
	w->event = verdict->finding;
	w->event.time_ns = is->time_ns;
	if (is->works) {
		w->event.kind = FINDING_RECOVERED;
		w->event.cause = "peer-recovered";
		w->event.duration_ns = is->time_ns - was->failing_since_ns;
		w->event.history.known = true;
		w->event.history.state = FINDING_PEER_RECOVERED;
		w->event.history.handshakes = was->failures + 1;
		w->event.history.failures = was->failures;
		text_init(&t, w->event.message, sizeof(w->event.message));
		text_addf(&t, "%s works again: %llu probes failed within ",
			  w->targets->items[is - w->states].label,
			  (unsigned long long)was->failures);
		text_add_duration(&t, w->event.duration_ns);
		text_add(&t, ".");
	}
	outputs_write(w->outputs, &w->event);
}

static void state_set(struct state *s, const struct verdict *v)
{
	s->known = true;
	s->tried = v && v->end != HANDSHAKE_UNTRIED;
	s->works = v && v->end == HANDSHAKE_WORKS;
	s->cause = s->tried && !s->works ? v->finding.cause : NULL;
	s->time_ns = clock_realtime();
	s->took_ns = v ? v->first.dial.conn.t_close - v->first.dial.conn.t_start : 0;
	if (v && v->finding.certificate.known && v->finding.certificate.has_validity)
		s->not_after = v->finding.certificate.not_after;
	if (s->works) {
		s->failures = 0;
	} else if (s->tried) {
		s->failing_since_ns = s->failures ? s->failing_since_ns : s->time_ns;
		s->failures++;
	}
}

bool probe_watch_take(struct probe_watch *w, size_t index, const struct verdict *v)
{
	struct state *s = &w->states[index], was = *s;

	pthread_mutex_lock(&w->lock);
	state_set(s, v);
	pthread_mutex_unlock(&w->lock);
	if (was.known && was.tried == s->tried && was.works == s->works && was.cause == s->cause)
		return false;
	sinks_write(w, &was, s, s->tried ? v : NULL);
	return true;
}

/* -- metrics ----------------------------------------------------------------------------------- */

/* One family, a sample for each target of which it is known. */
static void family_write(struct probe_watch *w, struct exposition *e, const char *name,
			 const char *unit, const char *help,
			 bool (*value)(const struct state *s, double *value))
{
	exposition_family(e, EXPOSITION_GAUGE, name, unit, help);
	for (size_t i = 0; i < w->targets->count; i++) {
		const struct exposition_label labels[] = {
			{ "target", w->targets->items[i].label },
			{ NULL, NULL },
		};
		double number;

		if (value(&w->states[i], &number))
			exposition_decimal(e, labels, number);
	}
}

static bool works_value(const struct state *s, double *value)
{
	*value = s->works;
	return s->known;
}

static bool ends_value(const struct state *s, double *value)
{
	*value = (double)s->not_after;
	return s->not_after;
}

static bool time_value(const struct state *s, double *value)
{
	*value = (double)s->time_ns / 1e9;
	return s->tried;
}

static bool duration_value(const struct state *s, double *value)
{
	*value = (double)s->took_ns / 1e9;
	return s->tried;
}

static void causes_write(struct probe_watch *w, struct exposition *e)
{
	exposition_family(e, EXPOSITION_GAUGE, "tlsfail_upstream_failing", NULL,
			  "1 for the cause why the upstream fails.");
	for (size_t i = 0; i < w->targets->count; i++) {
		const struct exposition_label labels[] = {
			{ "target", w->targets->items[i].label },
			{ "cause", w->states[i].cause },
			{ NULL, NULL },
		};

		if (w->states[i].cause)
			exposition_integer(e, labels, 1);
	}
}

static void page_write(struct probe_watch *w, enum exposition_format format, struct text *t)
{
	struct exposition e;

	exposition_begin(&e, format, t);
	family_write(w, &e, "tlsfail_upstream_works", NULL,
		     "1: a handshake like nginx's works; 0: it does not.", works_value);
	causes_write(w, &e);
	family_write(w, &e, ENDS_NAME, "seconds",
		     "When the certificate that the upstream last presented expires, Unix time.",
		     ends_value);
	family_write(w, &e, "tlsfail_upstream_probe_timestamp_seconds", "seconds",
		     "When the upstream was probed last, Unix time.", time_value);
	family_write(w, &e, "tlsfail_upstream_probe_duration_seconds", "seconds",
		     "How long that handshake took, including the wait after it.", duration_value);
	exposition_end(&e);
}

/* For metrics_http_open(). */
static int page_make(void *context, enum exposition_format format, char **page, size_t *len)
{
	struct probe_watch *w = context;
	char *buf = malloc(PAGE_SIZE);
	struct text t;

	if (!buf)
		return -ENOMEM;
	text_init(&t, buf, PAGE_SIZE);
	pthread_mutex_lock(&w->lock);
	page_write(w, format, &t);
	pthread_mutex_unlock(&w->lock);
	if (t.cut) {
		free(buf);
		return -E2BIG;
	}
	*page = buf;
	*len = t.len;
	return 0;
}

void probe_watch_round(struct probe_watch *w)
{
	char *page;
	size_t len;
	int err;

	if (w->outputs)
		outputs_tick(w->outputs);
	if (!w->path)
		return;
	err = page_make(w, EXPOSITION_TEXT, &page, &len);
	if (!err) {
		err = metrics_file_replace(w->path, page, len, true);
		free(page);
	}
	if (err && !w->failing)
		log_line("cannot write the metrics to %s: %s", w->path, strerror(-err));
	w->failing = err;
}

/* -- all of it --------------------------------------------------------------------------------- */

int probe_watch_open(const struct probe_targets *targets, const char *metrics_file, int listening,
		     struct outputs *outputs, struct probe_watch **out)
{
	struct probe_watch *w = calloc(1, sizeof(*w));
	int err = 0;

	if (!w)
		return -ENOMEM;
	w->targets = targets;
	w->path = metrics_file;
	w->outputs = outputs;
	pthread_mutex_init(&w->lock, NULL);
	earlier_read(w);
	if (listening >= 0)
		err = metrics_http_open(listening, page_make, w, &w->http);
	if (err)
		probe_watch_close(w);
	else
		*out = w;
	return err;
}

void probe_watch_close(struct probe_watch *w)
{
	if (!w)
		return;
	metrics_http_close(w->http);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
