// SPDX-License-Identifier: BSD-2-Clause
/*
 * Options: how this host is traced, and how a recording is replayed.
 */
#include "command/option_rows.h"

#include <string.h>

#include "system/log.h"

static int set_duration(struct options *o, const char *value)
{
	return option_duration("--duration", value, 's', 1000000000, &o->duration_s);
}

static int set_heartbeat(struct options *o, const char *value)
{
	return option_duration("--heartbeat", value, 's', 1000000, &o->heartbeat_s);
}

static int set_count(struct options *o, const char *value)
{
	return option_number("--count", value, UINT64_MAX, &o->count);
}

static int set_record(struct options *o, const char *value)
{
	o->record = value;
	return 0;
}

static int set_rate(struct options *o, const char *value)
{
	return option_number("--rate", value, 1000000, &o->rate);
}

static int set_repeat(struct options *o, const char *value)
{
	return option_number("--repeat", value, UINT64_MAX, &o->repeat);
}

static int set_error_log(struct options *o, const char *value)
{
	if (o->error_log_count == OPTIONS_LOGS_MAX) {
		log_line("more than %d error logs", OPTIONS_LOGS_MAX);
		return EXIT_USAGE;
	}
	o->error_logs[o->error_log_count++] = value;
	return 0;
}

static int set_probe_stats(struct options *o, const char *value)
{
	(void)value;
	o->probe_stats = true;
	return 0;
}

static int set_hook(struct options *o, const char *value)
{
	const char *equals = strchr(value, '=');
	enum fact fact;
	int kind;

	if (equals && fact_find(value, equals - value, &fact) &&
	    hook_kind_find(equals + 1, &kind) &&
	    (kind == HOOK_ANY || hook_is_offered(fact, (enum hook_kind)kind))) {
		o->hooks.kinds[fact] = kind;
		return 0;
	}
	log_line("--hook takes FACT=KIND such as close=kprobe, not '%s'; facts: handshake, wire, "
		 "state, close, reset, exec; kinds: tp_btf, raw_tp, fentry, kprobe, and for "
		 "handshake: wire, uprobe; auto is the first that works",
		 value);
	return EXIT_USAGE;
}

static int set_no_return_probes(struct options *o, const char *value)
{
	(void)value;
	o->no_return_probes = true;
	return 0;
}

static int set_confirm(struct options *o, const char *value)
{
	(void)value;
	o->confirm = true;
	return 0;
}

static int set_confirm_every(struct options *o, const char *value)
{
	o->confirm = true;
	return option_duration("--confirm-every", value, 's', 30 * 86400, &o->confirm_every_s);
}

static int set_config(struct options *o, const char *value)
{
	o->config = value;
	return 0;
}

static int set_check(struct options *o, const char *value)
{
	(void)value;
	o->check = true;
	return 0;
}

static const struct option_row rows[] = {
	{ "duration", 'd', "TIME", COMMAND_TRACE, "stop after this time", set_duration },
	{ "heartbeat", 0, "TIME", COMMAND_TRACE,
	  "how often to report on standard error that it is alive, as SIGUSR1 does once",
	  set_heartbeat },
	{ "count", 'c', "N", COMMAND_TRACE, "stop after N failures", set_count },
	{ "record", 'r', "FILE", TRACING, "record what was seen, for tlsfail replay", set_record },
	{ "rate", 0, "N", COMMAND_REPLAY,
	  "replay N failures per second, without waiting for "
	  "sinks",
	  set_rate },
	{ "repeat", 0, "N", COMMAND_REPLAY, "replay the recording N times", set_repeat },
	{ "error-log", 0, "PATH", TRACING,
	  "add nginx's own log lines from this file; auto: the files its configuration names; "
	  "repeatable",
	  set_error_log },
	{ "confirm", 0, NULL, COMMAND_TRACE,
	  "settle what a failure leaves open by connecting to the peer once more, as the location "
	  "would",
	  set_confirm },
	{ "confirm-every", 0, "TIME", COMMAND_TRACE,
	  "do so once per this time for each peer and cause; default 1h", set_confirm_every },
	{ "probe-stats", 0, NULL, COMMAND_TRACE,
	  "have the kernel time every BPF program, for the metrics", set_probe_stats },
	{ "hook", 0, "FACT=KIND", COMMAND_TRACE,
	  "force a hook: wire, state, close, reset or exec = tp_btf, raw_tp, fentry or kprobe; "
	  "handshake = wire or uprobe; repeatable",
	  set_hook },
	{ "no-return-probes", 0, NULL, TRACING,
	  "use entry probes only, which is automatic where return probes are not safe",
	  set_no_return_probes },
	{ "config", 0, "FILE", COMMAND_TRACE | COMMAND_LINE,
	  "read options from this file too; the command line has precedence", set_config },
	{ "check", 0, NULL, COMMAND_TRACE | COMMAND_LINE,
	  "only check whether the options and the file (without --config " CONFIG_DEFAULT_PATH
	  ") are valid",
	  set_check },
};

const struct option_group option_group_trace = { rows, ARRAY_LEN(rows) };
