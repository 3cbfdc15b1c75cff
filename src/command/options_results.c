// SPDX-License-Identifier: BSD-2-Clause
/*
 * Options: what is done with findings.
 */
#include "command/option_rows.h"

#include <string.h>

#include "base/similar.h"
#include "base/units.h"
#include "diagnose/causes.h"
#include "metrics/metrics.h"
#include "output/sink_view.h"
#include "system/log.h"

#define INTERVAL_MAX_S 1000000

static int set_format(struct options *o, const char *value)
{
	o->format = sink_type_find(value);
	if (o->format == &sink_type_text || o->format == &sink_type_json ||
	    (o->format == &sink_type_line && o->command & OUTPUTS))
		return 0;
	log_line("--format takes text%s, not '%s'",
		 o->command & OUTPUTS ? ", json or line" : " or json", value);
	return EXIT_USAGE;
}

static int set_sink(struct options *o, const char *value)
{
	const struct sink_type *type;
	const char *target;
	char buf[256];
	struct text error;

	text_init(&error, buf, sizeof(buf));
	if (sink_parse(value, &type, &target, &error)) {
		log_line("%s", buf);
		return EXIT_USAGE;
	}
	if (o->sink_count == ARRAY_LEN(o->sinks)) {
		log_line("more than %zu sinks", ARRAY_LEN(o->sinks));
		return EXIT_USAGE;
	}
	o->sinks[o->sink_count++] = value;
	o->views |= type == &sink_type_socket;
	return 0;
}

static int set_socket(struct options *o, const char *value)
{
	struct text spec, error;
	char buf[256];

	text_init(&error, buf, sizeof(buf));
	if (sink_type_socket.check(value, &error) || sink_is_stdout(value)) {
		log_line("--socket takes the path of a socket, from the root, not '%s'", value);
		return EXIT_USAGE;
	}
	text_init(&spec, o->socket_spec, sizeof(o->socket_spec));
	text_addf(&spec, "socket:%s", value);
	o->socket = value;
	o->views = true;
	return 0;
}

static int set_sink_queue(struct options *o, const char *value)
{
	int err = option_number("--sink-queue", value, 4096, &o->sink_queue);

	o->sink_queue *= 1024 * 1024;
	return err;
}

static int set_ecs(struct options *o, const char *value)
{
	(void)value;
	o->ecs = true;
	return 0;
}

static int set_verbose(struct options *o, const char *value)
{
	(void)value;
	o->verbose = true;
	o->ladder = true;
	o->pipeline.noise = true;
	return 0;
}

static int set_ladder(struct options *o, const char *value)
{
	(void)value;
	o->ladder = true;
	return 0;
}

static int set_no_color(struct options *o, const char *value)
{
	(void)value;
	o->color = false;
	return 0;
}

static int set_color(struct options *o, const char *value)
{
	if (!strcmp(value, "always"))
		o->color = true;
	else if (!strcmp(value, "never"))
		o->color = false;
	else if (strcmp(value, "auto") != 0) {
		log_line("--color takes auto, always or never, not '%s'", value);
		return EXIT_USAGE;
	}
	return 0;
}

static int set_peer(struct options *o, const char *value)
{
	o->pipeline.filter.peer = value;
	return 0;
}

static int set_cause(struct options *o, const char *value)
{
	struct similar similar;

	o->pipeline.filter.cause = value;
	if (strpbrk(value, "*?[") || cause_find(value))
		return 0;
	similar_begin(&similar, value, strlen(value));
	for (size_t i = 0; i < cause_count(); i++)
		similar_offer(&similar, cause_at(i)->slug);
	if (similar.best)
		log_line("no cause is named '%s'; did you mean %s?", value, similar.best);
	else
		log_line("no cause is named '%s'; tlsfail causes lists them", value);
	return EXIT_USAGE;
}

static int set_server_name(struct options *o, const char *value)
{
	o->pipeline.filter.name = value;
	return 0;
}

static int set_certs(struct options *o, const char *value)
{
	(void)value;
	o->pipeline.certs.seen = true;
	return 0;
}

static int set_cert_warn(struct options *o, const char *value)
{
	return option_duration("--cert-warn", value, 'd', 36500 * 86400ULL,
			       &o->pipeline.certs.warn_s);
}

static int set_interval(const char *option, const char *value, uint64_t *ns)
{
	int err = option_duration(option, value, 's', INTERVAL_MAX_S, ns);

	*ns *= NS_PER_S;
	return err;
}

static int set_fold_interval(struct options *o, const char *value)
{
	return set_interval("--fold-interval", value, &o->pipeline.fold_ns);
}

static int set_summary(struct options *o, const char *value)
{
	return set_interval("--summary", value, &o->pipeline.summary_ns);
}

static int set_fold_limit(struct options *o, const char *value)
{
	return option_number("--fold-limit", value, 1000000, &o->pipeline.fold_limit);
}

static int set_no_fold(struct options *o, const char *value)
{
	(void)value;
	o->pipeline.fold_ns = 0;
	return 0;
}

static int set_metrics(struct options *o, const char *value)
{
	o->metrics = value;
	if (!listen_parse(value, &o->metrics_address))
		return 0;
	log_line("--metrics takes ADDRESS:PORT such as 127.0.0.1:9913, a port, or unix:/PATH, not "
		 "'%s'",
		 value);
	return EXIT_USAGE;
}

static int set_metrics_file(struct options *o, const char *value)
{
	o->metrics_file = value;
	if (*value)
		return 0;
	log_line("--metrics-file takes the name of a file");
	return EXIT_USAGE;
}

static int set_metrics_peers(struct options *o, const char *value)
{
	uint64_t n = 0;
	int err = option_number("--metrics-peers", value, METRICS_PEERS_LIMIT, &n);

	o->metrics_peers = (unsigned int)n;
	return err;
}

static const struct option_row rows[] = {
	{ "format", 'f', "text|json|line", OUTPUTS | LIVE,
	  "format of standard output; json: one object per line, line: one finding per line",
	  set_format },
	{ "format", 'f', "text|json", COMMAND_DOCTOR | COMMAND_PROBE | LIVE,
	  "format of standard output; json: one object per line", set_format },
	{ "sink", 's', "TYPE:TARGET", OUTPUTS | COMMAND_PROBE | LIVE,
	  "where findings go (see below); repeatable", set_sink },
	{ "socket", 0, "PATH", COMMAND_TRACE | LIVE,
	  "let tlsfail top watch through this socket, as root or in the group tlsfail",
	  set_socket },
	{ "socket", 0, "PATH", COMMAND_TOP | COMMAND_LINE,
	  "watch the service behind this socket; default without FILE: " VIEW_SOCKET_DEFAULT
	  ", or this host",
	  set_socket },
	{ "ecs", 0, NULL, OUTPUTS | LIVE, "JSON with the keys of the Elastic Common Schema",
	  set_ecs },
	{ "sink-queue", 0, "MIB", OUTPUTS | LIVE, "size of the queue for each slow sink; default 4",
	  set_sink_queue },
	{ "verbose", 'v', NULL, OUTPUTS | LIVE, "show the evidence, and draw the handshake",
	  set_verbose },
	{ "ladder", 0, NULL, OUTPUTS | LIVE, "draw the handshake, as -v does", set_ladder },
	{ "certs", 0, NULL, OUTPUTS, "report each certificate of healthy peers once", set_certs },
	{ "cert-warn", 0, "DAYS", OUTPUTS,
	  "warn once a day about certificates that expire this soon", set_cert_warn },
	{ "fold-interval", 0, "TIME", OUTPUTS,
	  "how often to report the number of repeated failures; default 60s", set_fold_interval },
	{ "summary", 0, "TIME", OUTPUTS, "how often to print a summary of failing peers",
	  set_summary },
	{ "fold-limit", 0, "N", OUTPUTS,
	  "report at most N failures per program in full in each such interval; default 200",
	  set_fold_limit },
	{ "no-fold", 0, NULL, OUTPUTS, "report every failure, however many there are",
	  set_no_fold },
	{ "peer", 0, "ADDRESS", OUTPUTS,
	  "report only failures with this peer; ADDRESS or ADDRESS:PORT", set_peer },
	{ "cause", 0, "CAUSE", OUTPUTS, "report only failures with this cause, such as 'verify-*'",
	  set_cause },
	{ "name", 0, "NAME", OUTPUTS,
	  "report only failures for this server name (SNI), such as '*.example.com'",
	  set_server_name },
	{ "color", 0, "auto|always|never",
	  OUTPUTS | COMMAND_EXPLAIN | COMMAND_LINT | COMMAND_PROBE | COMMAND_TOP | LIVE,
	  "auto: on a terminal only", set_color },
	{ "no-color", 0, NULL, OUTPUTS | COMMAND_TOP | LIVE,
	  "no colours; the same as setting NO_COLOR", set_no_color },
	{ "metrics", 0, "ADDR:PORT", OUTPUTS | COMMAND_PROBE,
	  "serve metrics for Prometheus; also PORT or unix:/PATH (needs libmicrohttpd, so not in "
	  "a static build)",
	  set_metrics },
	{ "metrics-file", 0, "FILE", OUTPUTS | COMMAND_PROBE,
	  "write metrics every 10 s, or after each round of probes, for node_exporter",
	  set_metrics_file },
	{ "metrics-peers", 0, "N", OUTPUTS, "break the metrics down by the first N peers",
	  set_metrics_peers },
};

const struct option_group option_group_results = { rows, ARRAY_LEN(rows) };
