// SPDX-License-Identifier: BSD-2-Clause
/*
 * One thread counts and publishes; a server and a file writer show what was published.
 */
#include "command/exporter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/causes.h"
#include "system/log.h"
#include "tls/names.h"
#include "metrics/file.h"
#include "metrics/http.h"
#include "metrics/process.h"
#include "metrics/share.h"
#include "system/listen.h"
#include "system/clock.h"

struct exporter {
	struct metrics *metrics;
	struct metrics_share *share;
	struct metrics_http *http;
	struct metrics_file *file;
};

static const char *cause_slug(size_t cause)
{
	return cause_at(cause)->slug;
}

/* Of a cause with several rows the first stands for all: two samples of one name would be none. */
static bool cause_has_role(size_t cause, bool server)
{
	return cause_index(cause_at(cause)->slug) == cause &&
	       cause_at(cause)->when.role != (server ? OF_CLIENT : OF_SERVER);
}

const struct metrics_names exporter_names = {
	.cause_count = cause_count,
	.cause_slug = cause_slug,
	.cause_has_role = cause_has_role,
	.alert_name = tls_alert_name,
};

int exporter_listen(const struct options *o, int *fd)
{
	const char *lacks = o->metrics ? metrics_http_lacks() : NULL;

	*fd = -1;
	if (!o->metrics)
		return 0;
	if (lacks) {
		log_line("--metrics: %s; use --metrics-file instead", lacks);
		return -EOPNOTSUPP;
	}
	*fd = listen_open(&o->metrics_address);
	if (*fd >= 0)
		return 0;
	log_line("cannot serve metrics at %s: %s", o->metrics, strerror(-*fd));
	return *fd;
}

void exporter_unlisten(const struct options *o, int fd)
{
	if (fd >= 0)
		listen_close(&o->metrics_address, fd);
}

/* For metrics_http_open(). */
static int page_make(void *context, enum exposition_format format, char **page, size_t *len)
{
	return metrics_share_page(context, format, page, len);
}

static int exporter_start(struct exporter *e, const struct options *o, int listening,
			  struct estate *estate)
{
	int err = 0;

	e->metrics = metrics_new(o->metrics_peers, &exporter_names, estate);
	e->share = metrics_share_new();
	if (!e->metrics || !e->share) {
		log_line("cannot collect metrics: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	metrics_share_publish(e->share, e->metrics);
	if (listening >= 0)
		err = metrics_http_open(listening, page_make, e->share, &e->http);
	if (err)
		log_line("cannot serve metrics at %s: %s", o->metrics, strerror(-err));
	if (err || !o->metrics_file)
		return err;
	err = metrics_file_open(o->metrics_file, e->share, &e->file);
	if (err)
		log_line("cannot write the metrics to %s: %s", o->metrics_file, strerror(-err));
	return err;
}

int exporter_open(const struct options *options, int listening, struct estate *estate,
		  struct exporter **out)
{
	struct exporter *e;
	int err;

	*out = NULL;
	if (!options->metrics && !options->metrics_file)
		return 0;
	e = calloc(1, sizeof(*e));
	if (!e) {
		log_line("cannot collect metrics: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	err = exporter_start(e, options, listening, estate);
	if (err)
		exporter_close(e);
	else
		*out = e;
	return err;
}

void exporter_close(struct exporter *e)
{
	if (!e)
		return;
	metrics_http_close(e->http);
	metrics_file_close(e->file);
	metrics_share_free(e->share);
	metrics_free(e->metrics);
	free(e);
}

struct metrics *exporter_metrics(struct exporter *e)
{
	return e ? e->metrics : NULL;
}

static void outputs_read(struct outputs *outputs, struct metrics_host *host)
{
	struct output_counts counts;

	for (size_t i = 0; i < METRICS_OUTPUTS_MAX && outputs_counts(outputs, i, &counts); i++) {
		struct metrics_output *output = &host->outputs[host->output_count++];
		struct text name;

		*output = (struct metrics_output){
			.written = counts.written,
			.dropped = counts.dropped,
			.errors = counts.errors,
			.waiting = counts.waiting,
			.waiting_bytes = counts.waiting_bytes,
			.failing = counts.failing,
		};
		text_init(&name, output->name, sizeof(output->name));
		text_add(&name, counts.name);
	}
}

void exporter_publish(struct exporter *e, struct outputs *outputs, struct metrics_host *host)
{
	host->time_ns = clock_realtime();
	outputs_read(outputs, host);
	if (!host->process.known)
		metrics_process_read(&host->process);
	metrics_host_set(e->metrics, host);
	metrics_share_publish(e->share, e->metrics);
}
