// SPDX-License-Identifier: BSD-2-Clause
/*
 * Files, parser and matching, put together.
 */
#include "program/nginx/live/logwatch.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "program/nginx/errorlog.h"
#include "system/files.h"
#include "system/log.h"
#include "system/worker.h"
#include "program/nginx/live/logfile.h"
#include "program/nginx/logmatch.h"
#include "program/nginx/live/logplaces.h"
#include "base/text.h"

#define HOLDING_MS 20 /* between looks at the files while a record is held back */

/* By then an nginx that starts has opened its logs, and the masters are the ones that stay. Not more
 * often than that, as every process is looked at. */
#define LOOK_AFTER_NS 1000000000ULL

#define FIRST_WAIT_MS 3000
#define STUCK_NS      10000000000ULL
#define ABANDONED_MAX 4

struct source {
	char *path;
	struct logfile *file;
};

struct logwatch {
	struct logwatch_options options;
	struct logmatch *match;
	struct worker *worker;
	bool searching;	   /* it has a job */
	uint64_t look_at;  /* 0: all that is to be followed is known */
	char problem[512]; /* why some is not, told last */
	bool more;	   /* not all of the files was read */
	/* of the file that is being read */
	const char *path;
	uint64_t now;
	size_t count;
	struct source sources[LOGPLACES_MAX];
};

static void source_close(struct source *s)
{
	logfile_close(s->file);
	free(s->path);
	*s = (struct source){ 0 };
}

void logwatch_close(struct logwatch *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->count; i++)
		source_close(&w->sources[i]);
	logmatch_free(w->match);
	worker_free(w->worker);
	free(w);
}

static bool is_followed(const struct logwatch *w, const char *path)
{
	for (size_t i = 0; i < w->count; i++)
		if (!strcmp(w->sources[i].path, path))
			return true;
	return false;
}

static int source_add(struct logwatch *w, const char *path, struct text *error)
{
	struct source *s = &w->sources[w->count];
	int err = -ENOMEM;

	s->path = strdup(path);
	if (s->path)
		err = logfile_open(s->path, &s->file, error);
	if (err)
		source_close(s);
	else
		w->count++;
	return err;
}

/* One that is being rotated is not there for a moment; behind the root of a process that has ended
 * none comes back. */
static bool is_wanted(const struct logplaces *wanted, const char *path)
{
	struct stat stat;

	return logplaces_have(wanted, path) ||
	       (strncmp(path, "/proc/", 6) != 0 && files_log_look(path, &stat));
}

static void sources_drop(struct logwatch *w, const struct logplaces *wanted)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->count; i++) {
		if (is_wanted(wanted, w->sources[i].path))
			w->sources[kept++] = w->sources[i];
		else
			source_close(&w->sources[i]);
	}
	w->count = kept;
}

static void problem_tell(struct logwatch *w, const char *problem)
{
	struct text told;

	if (*problem && strcmp(problem, w->problem) != 0)
		log_line("--error-log auto: %s; looking again when an nginx starts", problem);
	text_init(&told, w->problem, sizeof(w->problem));
	text_add(&told, problem);
}

/* What cannot be followed leaves the others as they are. error is about the last. */
static int sources_add(struct logwatch *w, const struct logplaces *wanted, bool telling,
		       struct text *error)
{
	int err = 0;

	for (size_t i = 0; i < wanted->count; i++) {
		int failed;

		if (is_followed(w, wanted->paths[i]) || w->count == LOGPLACES_MAX)
			continue;
		text_init(error, error->buf, error->size);
		failed = source_add(w, wanted->paths[i], error);
		if (failed)
			err = failed;
		else if (telling)
			log_line("now following %s", wanted->paths[i]);
	}
	return err;
}

/* -- finding them, in another thread ------------------------------------------------------------ */

struct search {
	struct worker_job job;
	const struct logwatch_options *options;
	struct logplaces places;
	char problem[512];
	int err;
};

static void search_run(struct worker_job *job)
{
	struct search *s = (struct search *)job;
	const struct logwatch_options *o = s->options;
	struct text t;

	text_init(&t, s->problem, sizeof(s->problem));
	s->err = logplaces_find(o->names, o->count, &s->places, &t);
}

static void search_drop(struct worker_job *job)
{
	struct search *s = (struct search *)job;

	logplaces_clear(&s->places);
	free(s);
}

static void search_give(struct logwatch *w)
{
	struct search *s = calloc(1, sizeof(*s));

	if (!s)
		return;
	s->job = (struct worker_job){ .run = search_run, .drop = search_drop };
	s->options = &w->options;
	w->searching = !worker_give(w->worker, &s->job);
	if (!w->searching)
		free(s);
}

/* False: it is still under way. err and error are those of the last file that cannot be followed. */
static bool search_take(struct logwatch *w, bool telling, int *err, struct text *error)
{
	struct search *s = (struct search *)worker_fetch(w->worker);

	if (!s)
		return false;
	w->searching = false;
	*err = s->err;
	if (!s->err) {
		problem_tell(w, s->problem);
		sources_drop(w, &s->places);
		*err = sources_add(w, &s->places, telling, error);
	}
	search_drop(&s->job);
	return true;
}

/* What is found later is followed later. */
static int first_search(struct logwatch *w, struct text *error)
{
	struct pollfd fd = { .fd = worker_fd(w->worker), .events = POLLIN };
	int err = 0;

	search_give(w);
	if (poll(&fd, 1, FIRST_WAIT_MS) > 0 && search_take(w, false, &err, error))
		return err;
	log_line("reading nginx's configuration takes long; its error logs are followed once that "
		 "is done");
	return 0;
}

int logwatch_open(const struct logwatch_options *options, struct logwatch **out, struct text *error)
{
	const struct worker_options worker = { 1, STUCK_NS, ABANDONED_MAX };
	struct logwatch *w = calloc(1, sizeof(*w));
	int err = -ENOMEM;

	if (!w)
		return err;
	w->options = *options;
	w->match = logmatch_new(options->roles);
	if (w->match)
		err = worker_new(&worker, &w->worker);
	if (!err)
		err = first_search(w, error);
	if (err)
		logwatch_close(w);
	else
		*out = w;
	return err;
}

void logwatch_look_again(struct logwatch *w, uint64_t now)
{
	const struct logwatch_options *o = &w->options;

	for (size_t i = 0; i < o->count && !w->look_at; i++)
		if (!strcmp(o->names[i], LOGPLACES_AUTO))
			w->look_at = now + LOOK_AFTER_NS;
}

static void emit_ready(struct logwatch *w, uint64_t now)
{
	const void *record;
	size_t len;

	while ((record = logmatch_next(w->match, now, &len)))
		w->options.emit(w->options.context, record, len);
}

void logwatch_record(struct logwatch *w, const void *record, size_t len, uint64_t now)
{
	/* without memory to hold it back it goes ahead */
	if (logmatch_record(w->match, record, len, now))
		w->options.emit(w->options.context, record, len);
}

static void take_line(void *context, const char *text, size_t len)
{
	struct logwatch *w = context;
	struct errorlog_line line;

	/* without memory for a line its finding goes without it */
	if (errorlog_parse(text, len, &line))
		(void)logmatch_line(w->match, w->path, &line, w->now);
}

/* What was found; or what keeps it from being found. */
static void found_take(struct logwatch *w, uint64_t now)
{
	char buf[512];
	struct text error;
	uint64_t tag;
	int err = 0;

	text_init(&error, buf, sizeof(buf));
	if (search_take(w, true, &err, &error) && err)
		log_line("%s", error.len ? buf : strerror(-err));
	if (!w->searching || !worker_abandon(w->worker, now, &tag))
		return;
	w->searching = false;
	log_line("--error-log auto: nginx's configuration is on a file system that does not "
		 "respond");
}

void logwatch_poll(struct logwatch *w, uint64_t now)
{
	w->more = false;
	w->now = now;
	for (size_t i = 0; i < w->count; i++) {
		w->path = w->sources[i].path;
		if (logfile_read(w->sources[i].file, now, take_line, w))
			w->more = true;
	}
	emit_ready(w, now);
	/* Not while a file has more: what is not wanted any more is closed. */
	if (w->searching && !w->more)
		found_take(w, now);
	if (w->look_at && now >= w->look_at && !w->searching) {
		w->look_at = 0;
		search_give(w);
	}
}

int logwatch_wait_ms(const struct logwatch *w, int limit)
{
	int ms = w->more ? 0 : HOLDING_MS;

	return (w->more || logmatch_waits(w->match)) && ms < limit ? ms : limit;
}

void logwatch_finish(struct logwatch *w, uint64_t now)
{
	do
		logwatch_poll(w, now);
	while (w->more);
	logmatch_end(w->match);
	emit_ready(w, now);
}
