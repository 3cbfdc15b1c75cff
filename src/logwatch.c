/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files, parser and matching, put together.
 */
#include "logwatch.h"

#include <errno.h>
#include <stdlib.h>

#include "errorlog.h"
#include "logfile.h"
#include "logmatch.h"

#define HOLDING_MS 20 /* between looks at the files while a record is held back */

struct source {
	const char *path;
	struct logfile *file;
};

struct logwatch {
	logwatch_emit emit;
	void *context;
	struct logmatch *match;
	bool more; /* not all of the files was read */
	/* of the file that is being read */
	const char *path;
	uint64_t now;
	size_t count;
	struct source sources[];
};

void logwatch_close(struct logwatch *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->count; i++)
		logfile_close(w->sources[i].file);
	logmatch_free(w->match);
	free(w);
}

int logwatch_open(const char *const *paths, size_t count, unsigned int roles, logwatch_emit emit,
		  void *context, struct logwatch **out, struct text *error)
{
	struct logwatch *w = calloc(1, sizeof(*w) + count * sizeof(w->sources[0]));
	int err = 0;

	if (!w)
		return -ENOMEM;
	w->emit = emit;
	w->context = context;
	w->match = logmatch_new(roles);
	if (!w->match)
		err = -ENOMEM;
	for (w->count = 0; !err && w->count < count; w->count++) {
		struct source *s = &w->sources[w->count];

		s->path = paths[w->count];
		err = logfile_open(s->path, &s->file, error);
	}
	if (err)
		logwatch_close(w);
	else
		*out = w;
	return err;
}

static void emit_ready(struct logwatch *w, uint64_t now)
{
	const void *record;
	size_t len;

	while ((record = logmatch_next(w->match, now, &len)))
		w->emit(w->context, record, len);
}

void logwatch_record(struct logwatch *w, const void *record, size_t len, uint64_t now)
{
	/* without memory to hold it back it goes ahead */
	if (logmatch_record(w->match, record, len, now))
		w->emit(w->context, record, len);
}

static void take_line(void *context, const char *text, size_t len)
{
	struct logwatch *w = context;
	struct errorlog_line line;

	/* without memory for a line its finding goes without it */
	if (errorlog_parse(text, len, &line))
		(void)logmatch_line(w->match, w->path, &line, w->now);
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
