// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads the files, one after another, and writes the page when all of it is known. A recording goes
 * through the pipeline, and its findings come back as the JSON lines that they would be in a file:
 * there is one way into the page.
 */
#define _GNU_SOURCE /* memfd_create() */
#include "command/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "command/options.h"
#include "command/pipeline.h"
#include "output/outputs.h"
#include "record/recording.h"
#include "report/model.h"
#include "report/page/page.h"
#include "report/redact.h"
#include "system/log.h"
#include "system/ownfile.h"

#define LINE_MAX_LEN (1024 * 1024)
#define DRAIN_EVERY  64 /* records, after which their findings are taken */
#define MODE_PAGE    0640

struct reading {
	const struct options *options;
	struct report *report;
	struct redact *redact; /* NULL: nothing is redacted */
	struct page_input inputs[REPORT_FILES_MAX];
	char *buf; /* LINE_MAX_LEN + 1, what was read and is no whole line yet */
	size_t len;
	bool skipping; /* a line that is too long */
	uint64_t used;
	struct text problem; /* of the first malformed line */
	char problem_buf[256];
};

static int line_take(struct reading *r, uint32_t file, const char *line, size_t len)
{
	struct page_input *input = &r->inputs[file];
	struct report_event event;
	struct text problem;
	char buf[192];
	int err;

	if (!len || (len == 1 && *line == '\r'))
		return 0;
	input->lines += !input->recording;
	text_init(&problem, buf, sizeof(buf));
	if (report_event_parse(line, len, &event, &problem)) {
		if (!input->malformed++)
			text_addf(&r->problem, "line %llu: %s", (unsigned long long)input->lines,
				  buf);
		return 0;
	}
	r->used++;
	err = r->redact ? redact_event(r->redact, event.object) : 0;
	if (!err)
		err = report_add(r->report, &event, file);
	json_decref(event.object);
	return err;
}

static int long_line(struct reading *r, uint32_t file)
{
	struct page_input *input = &r->inputs[file];

	if (r->skipping)
		return 0;
	r->skipping = true;
	input->lines++;
	if (!input->malformed++)
		text_addf(&r->problem, "line %llu: longer than %d bytes",
			  (unsigned long long)input->lines, LINE_MAX_LEN);
	return 0;
}

/* Takes the whole lines of what was read; what is left of it moves to the front. */
static int lines_take(struct reading *r, uint32_t file)
{
	char *line = r->buf, *end = r->buf + r->len, *newline;
	int err = 0;

	while (!err && (newline = memchr(line, '\n', (size_t)(end - line)))) {
		if (!r->skipping)
			err = line_take(r, file, line, (size_t)(newline - line));
		r->skipping = false;
		line = newline + 1;
	}
	r->len = (size_t)(end - line);
	memmove(r->buf, line, r->len);
	if (!err && r->len == LINE_MAX_LEN) {
		r->len = 0;
		err = long_line(r, file);
	}
	return err;
}

/* All lines that can be read from fd. Returns 0 or a negative errno. */
static int lines_read(struct reading *r, int fd, uint32_t file)
{
	int err = 0;

	r->len = 0;
	r->skipping = false;
	while (!err) {
		ssize_t n = read(fd, r->buf + r->len, LINE_MAX_LEN - r->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		r->len += (size_t)n;
		err = lines_take(r, file);
	}
	if (!err && r->len && !r->skipping)
		err = line_take(r, file, r->buf, r->len);
	return err;
}

/* ---- Recordings ---------------------------------------------------------------------------------- */

/* The findings that the pipeline has written to fd so far. */
static int findings_take(struct reading *r, int fd, uint32_t file)
{
	int err = lseek(fd, 0, SEEK_SET) < 0 ? -errno : lines_read(r, fd, file);

	if (!err && (ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET) < 0))
		err = -errno;
	return err;
}

/* error gets a sentence when it is the recording that is at fault (-EBADMSG and the like). */
static int records_feed(struct reading *r, struct recording *recording, struct pipeline *pipeline,
			int fd, uint32_t file, struct text *error)
{
	const void *data;
	struct text problem;
	char buf[256];
	size_t len;
	int ret;

	while ((ret = recording_next(recording, &data, &len, error)) > 0) {
		text_init(&problem, buf, sizeof(buf));
		ret = pipeline_feed(pipeline, data, len, &problem);
		if (ret && problem.len) {
			recording_add_place(recording, error);
			text_addf(error, ": the record %s", buf);
		}
		if (!ret && ++r->inputs[file].lines % DRAIN_EVERY == 0)
			ret = findings_take(r, fd, file);
		if (ret)
			return ret;
	}
	return ret;
}

/* What is readable of a damaged recording is used. */
static int recording_read(struct reading *r, struct recording *recording, uint32_t file)
{
	struct pipeline_options options = r->options->pipeline;
	struct outputs_options to = { .specs = { "json:-" }, .count = 1 };
	struct outputs *outputs = NULL;
	struct pipeline *pipeline = NULL;
	struct text error;
	char buf[1024];
	int err, fd = memfd_create("tlsfail-report", MFD_CLOEXEC);

	text_init(&error, buf, sizeof(buf));
	r->inputs[file].recording = true;
	options.fold_ns = 0;
	to.sink.fd = fd;
	err = fd < 0 ? -errno : outputs_open(&to, &outputs, &error);
	if (!err)
		err = pipeline_open(outputs, &options, &pipeline);
	if (!err)
		err = records_feed(r, recording, pipeline, fd, file, &error);
	if (error.len && pipeline) {
		log_line("%s; what comes before is used", buf);
		r->inputs[file].ended = "damaged";
		err = 0;
	}
	if (!err)
		err = pipeline_finish(pipeline);
	if (!err)
		err = findings_take(r, fd, file);
	pipeline_close(pipeline);
	outputs_close(outputs);
	if (fd >= 0)
		close(fd);
	return err;
}

/* ---- Files --------------------------------------------------------------------------------------- */

static int ndjson_read(struct reading *r, const char *path, uint32_t file)
{
	int fd = strcmp(path, "-") != 0 ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	uint64_t before = r->used;
	int err = fd < 0 ? -errno : lines_read(r, fd, file);

	if (fd > STDIN_FILENO)
		close(fd);
	if (err)
		log_line("%s: %s", path, strerror(-err));
	else if (r->used == before && r->inputs[file].malformed) {
		log_line("%s: neither a recording nor JSON lines of tlsfail (%s)", path,
			 r->problem_buf);
		err = -EBADMSG;
	} else if (r->inputs[file].malformed) {
		log_line("%s: not used, as malformed: %llu of %llu lines (%s)", path,
			 (unsigned long long)r->inputs[file].malformed,
			 (unsigned long long)r->inputs[file].lines, r->problem_buf);
	}
	return err;
}

static int file_read(struct reading *r, uint32_t file)
{
	const char *path = r->options->arguments[file];
	struct recording *recording = NULL;
	struct text error;
	char buf[1024];
	int err = -EBADMSG;

	text_init(&error, buf, sizeof(buf));
	text_init(&r->problem, r->problem_buf, sizeof(r->problem_buf));
	r->inputs[file].name = r->redact ? redact_name(r->redact, REDACT_INPUT, path) : path;
	if (!r->inputs[file].name)
		return -ENOMEM;
	if (strcmp(path, "-") != 0)
		err = recording_open(path, &recording, &error);
	if (err == -EBADMSG)
		return ndjson_read(r, path, file);
	if (err) {
		log_line("%s", buf);
		return err;
	}
	err = recording_read(r, recording, file);
	if (err)
		log_line("%s: %s", path, strerror(-err));
	recording_close(recording);
	return err;
}

/* ---- The page ------------------------------------------------------------------------------------ */

/* All of it in memory first: it has a limit, and what was there before is not lost to half a page. */
static int page_make(const struct reading *r, char **page, size_t *len)
{
	struct page_options options = {
		.title = r->options->report.title,
		.version = TLSFAIL_VERSION,
		.redacted = r->redact != NULL,
		.inputs = r->inputs,
		.input_count = r->options->argument_count,
	};
	FILE *out = open_memstream(page, len);
	int err = out ? page_write(out, r->report, &options) : -ENOMEM;

	if (out && (ferror(out) || fclose(out)))
		err = -ENOMEM;
	return err;
}

static int page_save(const char *path, const char *page, size_t len)
{
	char buf[512];
	struct text error;
	struct stat st;
	size_t done = 0;
	int fd = STDOUT_FILENO, err = 0;

	text_init(&error, buf, sizeof(buf));
	if (path)
		err = ownfile_open(path, O_TRUNC, MODE_PAGE, &fd, &st, &error);
	while (!err && done < len) {
		ssize_t n = write(fd, page + done, len - done);

		if (n < 0 && errno != EINTR)
			err = -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	if (path && fd >= 0 && close(fd) && !err)
		err = -errno;
	if (err)
		log_line("cannot write the page: %s", error.len ? buf : strerror(-err));
	return err;
}

static int report_make(struct reading *r)
{
	char *page = NULL;
	size_t len = 0;
	int err = 0;

	for (uint32_t i = 0; !err && i < r->options->argument_count; i++)
		err = file_read(r, i);
	if (err)
		return EXIT_CANNOT;
	err = report_finish(r->report);
	if (!err)
		err = page_make(r, &page, &len);
	if (err)
		log_line("%s", strerror(-err));
	else
		err = page_save(r->options->report.output, page, len);
	free(page);
	return err ? EXIT_CANNOT : EXIT_SUCCESS;
}

static bool is_complete(const struct reading *r)
{
	for (size_t i = 0; i < r->options->argument_count; i++)
		if (r->inputs[i].malformed || r->inputs[i].ended)
			return false;
	return true;
}

int report_run(const struct options *o)
{
	struct reading r = { .options = o };
	int status = EXIT_CANNOT;

	if (!o->argument_count) {
		log_line(
			"report needs recordings, or files of JSON lines; see tlsfail report --help");
		return EXIT_USAGE;
	}
	if (!o->report.output && isatty(STDOUT_FILENO)) {
		log_line("report writes a page: name a file with -o, or redirect standard output");
		return EXIT_USAGE;
	}
	r.report = report_new();
	r.buf = malloc(LINE_MAX_LEN);
	r.redact = o->report.redact ? redact_new() : NULL;
	if (r.report && r.buf && (r.redact || !o->report.redact))
		status = report_make(&r);
	else
		log_line("%s", strerror(ENOMEM));
	if (status == EXIT_SUCCESS && !is_complete(&r))
		status = EXIT_INCOMPLETE;
	report_free(r.report);
	redact_free(r.redact);
	free(r.buf);
	return status;
}
