// SPDX-License-Identifier: BSD-2-Clause
/*
 * Option table, parser and help.
 */
#include "command/options.h"

#include <errno.h>
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "system/log.h"
#include "metrics/metrics.h"
#include "tlsfail_abi.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* getopt's value for options without a letter; the table's index is added */
#define LONG_ONLY 256

#define NS_PER_SEC 1000000000ULL

#define FOLD_INTERVAL_S 60

struct option_row {
	const char *name;
	char letter; /* 0: none */
	const char *argument;
	unsigned int commands;
	const char *help;
	/* 0, or EXIT_USAGE after a line on stderr */
	int (*set)(struct options *options, const char *value);
};

static int set_target(struct options *o, enum option_target target, const char *value)
{
	if (o->target != OPTION_TARGET_DEFAULT && o->target != target) {
		log_line("--exe, --pid and --comm cannot be mixed; see tlsfail --help");
		return EXIT_USAGE;
	}
	if (o->target_count == OPTIONS_TARGETS_MAX) {
		log_line("more than %d targets; use --comm, or run a second tlsfail",
			 OPTIONS_TARGETS_MAX);
		return EXIT_USAGE;
	}
	o->target = target;
	o->targets[o->target_count++] = value;
	return 0;
}

static int set_exe(struct options *o, const char *value)
{
	return set_target(o, OPTION_TARGET_EXE, value);
}

/* A positive decimal number that fits. */
static int parse_number(const char *option, const char *value, uint64_t max, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(value, &end, 10);
	if (*value >= '0' && *value <= '9' && !*end && !errno && *number && *number <= max)
		return 0;
	log_line("%s takes a number from 1 to %llu, not '%s'", option, (unsigned long long)max,
		 value);
	return EXIT_USAGE;
}

static int set_pid(struct options *o, const char *value)
{
	uint64_t pid;
	/* include/linux/threads.h PID_MAX_LIMIT */
	int err = parse_number("--pid", value, 4 * 1024 * 1024, &pid);

	return err ? err : set_target(o, OPTION_TARGET_PID, value);
}

static int set_comm(struct options *o, const char *value)
{
	if (o->target_count) {
		log_line("--comm can be given once, and with no other target");
		return EXIT_USAGE;
	}
	if (!*value || strlen(value) >= TLSFAIL_COMM_LEN) {
		log_line("--comm takes a name of 1 to %d bytes, not '%s'", TLSFAIL_COMM_LEN - 1,
			 value);
		return EXIT_USAGE;
	}
	return set_target(o, OPTION_TARGET_COMM, value);
}

static int set_format(struct options *o, const char *value)
{
	o->format = sink_type_find(value);
	if (o->format == &sink_type_text || o->format == &sink_type_json)
		return 0;
	log_line("--format takes text or json, not '%s'", value);
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
	return 0;
}

static int set_sink_queue(struct options *o, const char *value)
{
	int err = parse_number("--sink-queue", value, 4096, &o->sink_queue);

	o->sink_queue *= 1024 * 1024;
	return err;
}

static int set_role(struct options *o, const char *value)
{
	if (!strcmp(value, "client"))
		o->pipeline.roles = PIPELINE_CLIENT;
	else if (!strcmp(value, "server"))
		o->pipeline.roles = PIPELINE_SERVER;
	else if (!strcmp(value, "both"))
		o->pipeline.roles = PIPELINE_CLIENT | PIPELINE_SERVER;
	else {
		log_line("--role takes client, server or both, not '%s'", value);
		return EXIT_USAGE;
	}
	return 0;
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

static int set_certs(struct options *o, const char *value)
{
	(void)value;
	o->pipeline.certs.seen = true;
	return 0;
}

/* A number, with its unit or without: "30d" or "30". */
static int parse_units(const char *option, const char *value, char unit, uint64_t max,
		       uint64_t *number)
{
	size_t len = strlen(value);
	char digits[16];
	struct text t;

	text_init(&t, digits, sizeof(digits));
	text_addf(&t, "%.*s", (int)(len && value[len - 1] == unit ? len - 1 : len), value);
	return parse_number(option, digits, max, number);
}

static int parse_interval(const char *option, const char *value, uint64_t *ns)
{
	int err = parse_units(option, value, 's', 1000000, ns);

	*ns *= NS_PER_SEC;
	return err;
}

static int set_cert_warn(struct options *o, const char *value)
{
	uint64_t days;
	int err = parse_units("--cert-warn", value, 'd', 36500, &days);

	o->pipeline.certs.warn_s = days * 24 * 3600;
	return err;
}

static int set_fold_interval(struct options *o, const char *value)
{
	return parse_interval("--fold-interval", value, &o->pipeline.fold_ns);
}

static int set_summary(struct options *o, const char *value)
{
	return parse_interval("--summary", value, &o->pipeline.summary_ns);
}

static int set_no_fold(struct options *o, const char *value)
{
	(void)value;
	o->pipeline.fold_ns = 0;
	return 0;
}

static int set_duration(struct options *o, const char *value)
{
	return parse_number("--duration", value, 1000000000, &o->duration_s);
}

static int set_count(struct options *o, const char *value)
{
	return parse_number("--count", value, UINT64_MAX, &o->count);
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
	int err = parse_number("--metrics-peers", value, METRICS_PEERS_LIMIT, &n);

	o->metrics_peers = (unsigned int)n;
	return err;
}

static int set_probe_stats(struct options *o, const char *value)
{
	(void)value;
	o->probe_stats = true;
	return 0;
}

static int set_record(struct options *o, const char *value)
{
	o->record = value;
	return 0;
}

static int set_rate(struct options *o, const char *value)
{
	return parse_number("--rate", value, 1000000, &o->rate);
}

static int set_repeat(struct options *o, const char *value)
{
	return parse_number("--repeat", value, UINT64_MAX, &o->repeat);
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

static int set_hook(struct options *o, const char *value)
{
	const char *equals = strchr(value, '=');
	enum hook_kind kind;
	enum fact fact;

	if (equals && fact_find(value, equals - value, &fact) &&
	    hook_kind_find(equals + 1, &kind)) {
		o->hooks.kinds[fact] = kind;
		return 0;
	}
	log_line("--hook takes FACT=KIND such as close=kprobe, not '%s'; facts: wire, state, "
		 "close, reset, exec; kinds: tp_btf, raw_tp, fentry, kprobe",
		 value);
	return EXIT_USAGE;
}

static int set_no_return_probes(struct options *o, const char *value)
{
	(void)value;
	o->no_return_probes = true;
	return 0;
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

static int set_help(struct options *o, const char *value)
{
	(void)value;
	o->help = true;
	return 0;
}

static int set_version(struct options *o, const char *value)
{
	(void)value;
	o->version = true;
	return 0;
}

/* Where the second line of a help text begins. */
#define HELP_INDENT "                           "

#define ANY	(COMMAND_TRACE | COMMAND_REPLAY | COMMAND_CAUSES | COMMAND_DOCTOR)
#define TARGETS (COMMAND_TRACE | COMMAND_DOCTOR)
#define OUTPUTS (COMMAND_TRACE | COMMAND_REPLAY)
#define FORMATS (OUTPUTS | COMMAND_DOCTOR)
/* taken from the configuration file anew on SIGHUP */
#define LIVE (1U << 31)

static const struct option_row rows[] = {
	{ "exe", 0, "PATH", TARGETS, "the processes that run this executable; repeatable",
	  set_exe },
	{ "pid", 'p', "PID", TARGETS, "this process and its children; repeatable", set_pid },
	{ "comm", 0, "NAME", TARGETS, "the processes of this command name", set_comm },
	{ "role", 0, "ROLE", OUTPUTS, "of the processes: client, server or both (default)",
	  set_role },
	{ "format", 'f', "FORMAT", FORMATS | LIVE,
	  "of standard output: text (default) or json, one\n" HELP_INDENT "object a line",
	  set_format },
	{ "sink", 's', "TYPE:TARGET", OUTPUTS | LIVE, "where findings go, see below; repeatable",
	  set_sink },
	{ "ecs", 0, NULL, OUTPUTS | LIVE, "JSON with the keys of Elastic Common Schema", set_ecs },
	{ "sink-queue", 0, "MIB", OUTPUTS | LIVE,
	  "what waits for a slow sink at most; 4 by default", set_sink_queue },
	{ "verbose", 'v', NULL, OUTPUTS | LIVE, "show the evidence, and draw the handshake",
	  set_verbose },
	{ "ladder", 0, NULL, OUTPUTS | LIVE, "draw the handshake, as -v does", set_ladder },
	{ "certs", 0, NULL, OUTPUTS, "tell each certificate of a healthy peer once", set_certs },
	{ "cert-warn", 0, "DAYS", OUTPUTS, "warn once a day of those that end so soon",
	  set_cert_warn },
	{ "fold-interval", 0, "SECONDS", OUTPUTS,
	  "tell so often how many more failures of a kind\n" HELP_INDENT "came (60)",
	  set_fold_interval },
	{ "summary", 0, "SECONDS", OUTPUTS, "sum up so often how the peers that fail stand",
	  set_summary },
	{ "no-fold", 0, NULL, OUTPUTS, "tell each failure, however many there are", set_no_fold },
	{ "no-color", 0, NULL, OUTPUTS | LIVE, "no colours; also when NO_COLOR is set",
	  set_no_color },
	{ "duration", 'd', "SECONDS", COMMAND_TRACE, "end after this time", set_duration },
	{ "count", 'c', "N", COMMAND_TRACE, "end after N failures", set_count },
	{ "record", 'r', "FILE", COMMAND_TRACE, "write what was seen, for tlsfail replay",
	  set_record },
	{ "rate", 0, "N", COMMAND_REPLAY, "N failures a second, and wait for no sink", set_rate },
	{ "repeat", 0, "N", COMMAND_REPLAY, "replay it N times", set_repeat },
	{ "error-log", 0, "PATH", COMMAND_TRACE,
	  "add what nginx itself logs there; auto: where its\n" HELP_INDENT
	  "configuration says; repeatable",
	  set_error_log },
	{ "metrics", 0, "ADDR:PORT", OUTPUTS,
	  "serve metrics for Prometheus; also PORT, unix:/PATH\n" HELP_INDENT
	  "(with libmicrohttpd, so not in a static build)",
	  set_metrics },
	{ "metrics-file", 0, "FILE", OUTPUTS, "write them every 10 s, for node_exporter",
	  set_metrics_file },
	{ "metrics-peers", 0, "N", OUTPUTS, "name the first N peers in them", set_metrics_peers },
	{ "probe-stats", 0, NULL, COMMAND_TRACE, "have the kernel time every BPF program, for them",
	  set_probe_stats },
	{ "hook", 0, "FACT=KIND", COMMAND_TRACE,
	  "force a hook: wire, state, close, reset or exec\n" HELP_INDENT
	  "= tp_btf, raw_tp, fentry or kprobe; repeatable",
	  set_hook },
	{ "no-return-probes", 0, NULL, COMMAND_TRACE,
	  "use entry probes only, as is done by itself where\n" HELP_INDENT
	  "return probes are not safe",
	  set_no_return_probes },
	{ "config", 0, "FILE", COMMAND_TRACE,
	  "take options from this file too; those of the\n" HELP_INDENT "command line come first",
	  set_config },
	{ "check", 0, NULL, COMMAND_TRACE,
	  "only say whether the options and the file (without\n" HELP_INDENT
	  "--config " CONFIG_DEFAULT_PATH ") are valid",
	  set_check },
	{ "help", 'h', NULL, ANY, "show this help", set_help },
	{ "version", 'V', NULL, ANY, "show the version", set_version },
};

static void getopt_tables(enum command command, struct option *longs, char *shorts)
{
	size_t n = 0;

	/* we say ourselves what is wrong */
	*shorts++ = ':';
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct option_row *row = &rows[i];

		if (!(row->commands & command))
			continue;
		longs[n++] = (struct option){
			.name = row->name,
			.has_arg = row->argument ? required_argument : no_argument,
			.val = LONG_ONLY + (int)i,
		};
		if (row->letter)
			*shorts++ = row->letter;
		if (row->letter && row->argument)
			*shorts++ = ':';
	}
	longs[n] = (struct option){ 0 };
	*shorts = '\0';
}

static const struct option_row *row_of(int value)
{
	if (value >= LONG_ONLY)
		return &rows[value - LONG_ONLY];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].letter == value)
			return &rows[i];
	return NULL;
}

static int options_bad(int got, char **argv)
{
	/* getopt has stepped over the word, except inside a cluster of letters. */
	const char *word = optopt && optopt < LONG_ONLY ? NULL : argv[optind - 1];

	if (got == ':' && word)
		log_line("option '%s' needs a value; see tlsfail --help", word);
	else if (got == ':')
		log_line("option '-%c' needs a value; see tlsfail --help", optopt);
	else if (word)
		log_line("unknown or ambiguous option '%s'; see tlsfail --help", word);
	else
		log_line("unknown option '-%c'; see tlsfail --help", optopt);
	return EXIT_USAGE;
}

static int take_arguments(enum command command, int argc, char **argv, struct options *o)
{
	if (optind < argc && command & (COMMAND_REPLAY | COMMAND_CAUSES))
		o->argument = argv[optind++];
	if (optind < argc) {
		log_line("unexpected argument '%s'; see tlsfail --help", argv[optind]);
		return EXIT_USAGE;
	}
	if ((o->metrics_peers || o->probe_stats) && !o->metrics && !o->metrics_file) {
		log_line("--metrics-peers and --probe-stats need --metrics or --metrics-file");
		return EXIT_USAGE;
	}
	if (command == COMMAND_REPLAY && !o->argument && !o->help && !o->version) {
		log_line("replay needs the name of a recording; see tlsfail --help");
		return EXIT_USAGE;
	}
	return 0;
}

/* What is taken from a configuration file, for a command, beside what its command line gave. */
struct file_reading {
	struct options *options;
	enum command command;
	const bool *given; /* by row */
};

/* Sets what the row is about, and remembers that it was given (FNV-1a). */
static int row_take(struct options *o, const struct option_row *row, const char *value)
{
	uint64_t *hash = &o->given[row - rows];

	*hash = (*hash ^ 1) * 0x100000001b3;
	for (const char *c = value ? value : ""; *c; c++)
		*hash = (*hash ^ (unsigned char)*c) * 0x100000001b3;
	return row->set(o, value);
}

static bool is_target(const struct option_row *row)
{
	return row->set == set_exe || row->set == set_pid || row->set == set_comm;
}

/* Has the command line said it already? Its targets replace those of the file. */
static bool is_given(const struct file_reading *r, const struct option_row *row)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (r->given[i] && (&rows[i] == row || (is_target(row) && is_target(&rows[i]))))
			return true;
	return false;
}

static bool belongs_in_file(const struct option_row *row)
{
	return row->set != set_help && row->set != set_version && row->set != set_config &&
	       row->set != set_check;
}

/* For config_each(). */
static int take_setting(void *context, const char *name, const char *value)
{
	const struct file_reading *r = context;
	const struct option_row *row = NULL;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!strcmp(rows[i].name, name) && rows[i].commands & r->command)
			row = &rows[i];
	if (!row || !belongs_in_file(row)) {
		log_line("unknown setting '%s'; they are the long options of tlsfail trace", name);
		return EXIT_USAGE;
	}
	if (!row->argument && value) {
		log_line("%s is true or false", name);
		return EXIT_USAGE;
	}
	if (row->argument && !value) {
		log_line("%s needs a value (%s), not true", name, row->argument);
		return EXIT_USAGE;
	}
	return is_given(r, row) ? 0 : row_take(r->options, row, value);
}

static int take_file(struct options *o, enum command command, const bool *given)
{
	struct file_reading reading = { .options = o, .command = command, .given = given };

	if (o->check && !o->config)
		o->config = CONFIG_DEFAULT_PATH;
	if (!o->config || o->help || o->version)
		return 0;
	if (config_read_path(o->config, &o->file))
		return EXIT_USAGE;
	return config_each(o->file, take_setting, &reading) ? EXIT_USAGE : 0;
}

void options_release(struct options *o)
{
	config_free(o->file);
	o->file = NULL;
}

_Static_assert(ARRAY_LEN(rows) <= OPTIONS_ROWS_MAX, "struct options");

int options_parse_again(const struct options *o, struct options *next)
{
	return options_parse(o->command, o->argc, o->argv, next);
}

bool options_same_outputs(const struct options *a, const struct options *b)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].commands & LIVE && a->given[i] != b->given[i])
			return false;
	return true;
}

void options_tell_fixed(const struct options *running, const struct options *next)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!(rows[i].commands & LIVE) && running->given[i] != next->given[i])
			log_line("%s takes effect when tlsfail is restarted", rows[i].name);
}

/* What two sinks would write to standard output, nobody could take apart. */
static int check_sinks(const struct options *o)
{
	size_t count = o->format != NULL;

	for (size_t i = 0; i < o->sink_count; i++)
		count += sink_is_stdout(strchr(o->sinks[i], ':') + 1);
	if (count <= 1)
		return 0;
	log_line("standard output takes one of --format, --sink json:- and --sink text:-");
	return EXIT_USAGE;
}

int options_parse(enum command command, int argc, char **argv, struct options *o)
{
	struct option longs[ARRAY_LEN(rows) + 1];
	char shorts[2 * ARRAY_LEN(rows) + 2];
	const char *no_color = getenv("NO_COLOR");
	bool given[ARRAY_LEN(rows)] = { false };
	int got, err;

	*o = (struct options){
		.pipeline = { .roles = PIPELINE_CLIENT | PIPELINE_SERVER,
			      .fold_ns = FOLD_INTERVAL_S * NS_PER_SEC },
		.sink_queue = OUTPUTS_QUEUE_SIZE,
		.repeat = 1,
		.command = command,
		.argc = argc,
		.argv = argv,
	};
	/* https://no-color.org: present and not empty */
	o->color = isatty(STDOUT_FILENO) && !(no_color && *no_color);
	setlocale(LC_CTYPE, "");
	o->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	for (int i = 0; i < FACT_COUNT; i++)
		o->hooks.kinds[i] = HOOK_ANY;
	getopt_tables(command, longs, shorts);
	optind = 0; /* glibc, musl: begin anew, wherever the last call stopped */
	opterr = 0;
	while ((got = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct option_row *row = got == ':' || got == '?' ? NULL : row_of(got);

		err = row ? row_take(o, row, optarg) : options_bad(got, argv);
		if (err)
			return err;
		given[row - rows] = true;
	}
	err = take_arguments(command, argc, argv, o);
	if (!err)
		err = take_file(o, command, given);
	return !err && check_sinks(o) ? EXIT_USAGE : err;
}

void options_help(enum command command, struct text *t)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct option_row *row = &rows[i];
		char left[40];
		struct text l;

		if (!(row->commands & command))
			continue;
		text_init(&l, left, sizeof(left));
		if (row->letter)
			text_addf(&l, "-%c, ", row->letter);
		else
			text_add(&l, "    ");
		text_addf(&l, "--%s%s%s", row->name, row->argument ? " " : "",
			  row->argument ? row->argument : "");
		text_addf(t, "  %-24s %s\n", left, row->help);
	}
}
