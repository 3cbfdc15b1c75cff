// SPDX-License-Identifier: BSD-2-Clause
/*
 * The parser of the command line and of the configuration file; and the help.
 */
#include "command/option_rows.h"

#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/similar.h"
#include "command/commands.h"
#include "system/log.h"
#include "system/terminal.h"
#include "base/hash.h"
#include "base/units.h"

/* getopt's value for options without a letter; the table's index is added */
#define LONG_ONLY 256

#define FOLD_INTERVAL_S 60
#define CONFIRM_EVERY_S 3600
#define FOLD_LIMIT	200

/* Where the words of the help begin. */
#define HELP_COLUMN 27

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

static const struct option_row common_rows[] = {
	{ "help", 'h', NULL, ANY | COMMAND_LINE, "show this help", set_help },
	{ "version", 'V', NULL, ANY | COMMAND_LINE, "show the version", set_version },
};

const struct option_group option_group_common = { common_rows, ARRAY_LEN(common_rows) };

const struct option_row *option_row_at(size_t i)
{
	static const struct option_group *const groups[] = {
		&option_group_targets, &option_group_results, &option_group_trace,
		&option_group_probe,   &option_group_ask,     &option_group_common,
	};

	for (size_t g = 0; g < ARRAY_LEN(groups); g++) {
		if (i < groups[g]->count)
			return &groups[g]->rows[i];
		i -= groups[g]->count;
	}
	return NULL;
}

static void getopt_tables(enum command command, struct option *longs, char *shorts)
{
	const struct option_row *row;
	size_t n = 0;

	/* we say ourselves what is wrong */
	*shorts++ = ':';
	for (size_t i = 0; (row = option_row_at(i)); i++) {
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

/* The number of the row that getopt_long() has found, for what it gave back. */
static size_t row_of(enum command command, int value)
{
	size_t i = 0;

	if (value >= LONG_ONLY)
		return (size_t)(value - LONG_ONLY);
	while (option_row_at(i)->letter != value || !(option_row_at(i)->commands & command))
		i++;
	return i;
}

/* The option of the command that a mistyped name may have meant, of those that are not in the mask;
 * NULL: there is none. */
static const char *option_similar(enum command command, unsigned int without, const char *name,
				  size_t len)
{
	const struct option_row *row;
	struct similar similar;

	similar_begin(&similar, name, len);
	for (size_t i = 0; (row = option_row_at(i)); i++)
		if (row->commands & command && !(row->commands & without))
			similar_offer(&similar, row->name);
	return similar.best;
}

static void options_unknown(enum command command, const char *word)
{
	const char *similar = word[0] == '-'
				      ? option_similar(command, 0, word + 2, strcspn(word + 2, "="))
				      : NULL;

	if (similar)
		log_line("unknown option '%s'; did you mean --%s?", word, similar);
	else
		log_line("unknown or ambiguous option '%s'; see tlsfail %s --help", word,
			 command_name(command));
}

static int options_bad(enum command command, int got, char **argv)
{
	/* getopt has stepped over the word, except inside a cluster of letters. */
	const char *word = optopt && optopt < LONG_ONLY ? NULL : argv[optind - 1];
	const char *name = command_name(command);

	if (got == ':' && word)
		log_line("option '%s' needs a value; see tlsfail %s --help", word, name);
	else if (got == ':')
		log_line("option '-%c' needs a value; see tlsfail %s --help", optopt, name);
	else if (word)
		options_unknown(command, word);
	else
		log_line("unknown option '-%c'; see tlsfail %s --help", optopt, name);
	return EXIT_USAGE;
}

static int take_arguments(enum command command, int argc, char **argv, struct options *o)
{
	const struct command_row *row = command_of(command);

	o->arguments = argv + optind;
	o->argument_count = (size_t)(argc - optind);
	o->argument = optind < argc ? argv[optind] : NULL;
	if (o->help || o->version)
		return 0;
	if (o->argument_count > row->arguments_max) {
		log_line("unexpected argument '%s'; see tlsfail %s --help",
			 o->arguments[row->arguments_max], row->name);
		return EXIT_USAGE;
	}
	if ((o->metrics_peers || o->probe_stats) && !o->metrics && !o->metrics_file) {
		log_line("--metrics-peers and --probe-stats need --metrics or --metrics-file");
		return EXIT_USAGE;
	}
	if (command == COMMAND_REPLAY && !o->argument) {
		log_line("replay needs the name of a recording; see tlsfail replay --help");
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

/* Sets what row number i is about, and remembers that it was given. */
static int row_take(struct options *o, size_t i, const char *value)
{
	const char *value_text = value ? value : "";
	uint64_t *hash = &o->given[i];

	*hash = hash_add(*hash, "\1", 1);
	*hash = hash_add(*hash, value_text, strlen(value_text));
	return option_row_at(i)->set(o, value);
}

/* Has the command line said it already? Its targets replace those of the file. */
static bool is_given(const struct file_reading *r, const struct option_row *row)
{
	const struct option_row *other;

	for (size_t i = 0; (other = option_row_at(i)); i++)
		if (r->given[i] && (other == row || (row->commands & other->commands & TARGET)))
			return true;
	return false;
}

static int setting_unknown(enum command command, const char *name)
{
	const char *similar = option_similar(command, COMMAND_LINE, name, strlen(name));

	if (similar)
		log_line("unknown setting '%s'; did you mean %s?", name, similar);
	else
		log_line("unknown setting '%s'; they are the long options of tlsfail trace", name);
	return EXIT_USAGE;
}

/* For config_each(). */
static int take_setting(void *context, const char *name, const char *value)
{
	const struct file_reading *r = context;
	const struct option_row *row;
	size_t i = 0;

	while ((row = option_row_at(i)) &&
	       (strcmp(row->name, name) != 0 || !(row->commands & r->command)))
		i++;
	if (!row || row->commands & COMMAND_LINE)
		return setting_unknown(r->command, name);
	if (!row->argument && value) {
		log_line("%s is true or false", name);
		return EXIT_USAGE;
	}
	if (row->argument && !value) {
		log_line("%s needs a value (%s), not true", name, row->argument);
		return EXIT_USAGE;
	}
	return is_given(r, row) ? 0 : row_take(r->options, i, value);
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

int options_parse_again(const struct options *o, struct options *next)
{
	return options_parse(o->command, o->argc, o->argv, next);
}

bool options_same_outputs(const struct options *a, const struct options *b)
{
	for (size_t i = 0; option_row_at(i); i++)
		if (option_row_at(i)->commands & LIVE && a->given[i] != b->given[i])
			return false;
	return true;
}

void options_tell_fixed(const struct options *running, const struct options *next)
{
	const struct option_row *row;

	for (size_t i = 0; (row = option_row_at(i)); i++)
		if (!(row->commands & LIVE) && running->given[i] != next->given[i])
			log_line("%s takes effect when tlsfail is restarted", row->name);
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

/* What makes no sense without another option, or with it. */
static int check_together(const struct options *o)
{
	const char *problem = NULL;

	if (o->help)
		return 0;
	if (o->probe.key && !o->probe.certificate)
		problem = "--key needs --cert, the certificate that the key belongs to";
	else if (o->confirm && !(o->pipeline.roles & PIPELINE_CLIENT))
		problem = "--confirm connects to upstreams again, so it needs --role client or "
			  "both: a client that failed cannot be asked";
	else if (o->command == COMMAND_PROBE && o->metrics && !o->probe.watch_s)
		problem = "--metrics needs --watch: without it, tlsfail ends after one round";
	else if (o->ask.location && o->ask.rules)
		problem = "--rules lists all rules, and takes no --location";
	if (!problem)
		return 0;
	log_line("%s", problem);
	return EXIT_USAGE;
}

int options_parse(enum command command, int argc, char **argv, struct options *o)
{
	struct option longs[OPTIONS_ROWS_MAX + 1];
	char shorts[2 * OPTIONS_ROWS_MAX + 2];
	bool given[OPTIONS_ROWS_MAX] = { false };
	int got, err;

	*o = (struct options){
		.pipeline = { .roles = PIPELINE_CLIENT | PIPELINE_SERVER,
			      .fold_ns = FOLD_INTERVAL_S * NS_PER_S,
			      .fold_limit = FOLD_LIMIT },
		.sink_queue = OUTPUTS_QUEUE_SIZE,
		.repeat = 1,
		.confirm_every_s = CONFIRM_EVERY_S,
		.probe = { .timeout_s = PROBE_TIMEOUT_S, .rate = PROBE_RATE },
		.command = command,
		.argc = argc,
		.argv = argv,
	};
	o->color = terminal_has_color(STDOUT_FILENO);
	setlocale(LC_CTYPE, "");
	o->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	for (int i = 0; i < FACT_COUNT; i++)
		o->hooks.kinds[i] = HOOK_ANY;
	getopt_tables(command, longs, shorts);
	optind = 0; /* glibc, musl: begin anew, wherever the last call stopped */
	opterr = 0;
	while ((got = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		size_t row;

		if (got == ':' || got == '?')
			return options_bad(command, got, argv);
		row = row_of(command, got);
		err = row_take(o, row, optarg);
		if (err)
			return err;
		given[row] = true;
	}
	err = take_arguments(command, argc, argv, o);
	if (!err)
		err = take_file(o, command, given);
	if (!err)
		err = check_sinks(o);
	return err ? err : check_together(o);
}

void options_help(enum command command, int columns, struct text *t)
{
	const struct option_row *row;

	for (size_t i = 0; (row = option_row_at(i)); i++) {
		char left[64];
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
		if (l.len > HELP_COLUMN - 3)
			text_addf(t, "  %s\n%*s", left, HELP_COLUMN, "");
		else
			text_addf(t, "  %-*s ", HELP_COLUMN - 3, left);
		text_add_filled(t, columns, HELP_COLUMN, row->help, "", "");
		text_add(t, "\n");
	}
}
