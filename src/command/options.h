/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line: one table that both parses and prints the help.
 */
#ifndef TLSFAIL_COMMAND_OPTIONS_H
#define TLSFAIL_COMMAND_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "command/config.h"
#include "kernel/hooks.h"
#include "system/listen.h"
#include "output/outputs.h"
#include "command/pipeline.h"
#include "command/probe.h"
#include "base/text.h"

#define EXIT_CANNOT   1 /* something outside the command line stands in the way */
#define EXIT_USAGE    2
#define EXIT_DEGRADED 3 /* doctor: tracing works, but not fully */

#define OPTIONS_TARGETS_MAX 32
#define OPTIONS_ROWS_MAX    128
#define OPTIONS_LOGS_MAX    32

enum command {
	COMMAND_TRACE = 1 << 0,
	COMMAND_REPLAY = 1 << 1,
	COMMAND_CAUSES = 1 << 2,
	COMMAND_DOCTOR = 1 << 3,
	COMMAND_EXPLAIN = 1 << 4,
	COMMAND_LINT = 1 << 5,
	COMMAND_PROBE = 1 << 6,
	COMMAND_HELP = 1 << 7,
	COMMAND_COMPLETION = 1 << 8,
	COMMAND_REPORT = 1 << 9,
	COMMAND_TOP = 1 << 10,
};

enum option_target {
	OPTION_TARGET_DEFAULT, /* every nginx */
	OPTION_TARGET_EXE,
	OPTION_TARGET_PID,
	OPTION_TARGET_COMM,
};

enum report_format {
	REPORT_TEXT,
	REPORT_JSON,
	REPORT_SARIF,
};

/* What explain and lint are asked. */
struct ask_settings {
	const char *conf; /* nginx.conf, or NULL */
	const char *log;  /* a line of a log, or NULL */
	/* of lint */
	const char *policy;	    /* file of severities, or NULL */
	bool diff;		    /* print what can be written instead */
	const char *location;	    /* or upstream block, alone; NULL: all */
	bool rules;		    /* list them */
	uint64_t cert_days_s;	    /* certificates have to be valid for so long, 0: default */
	unsigned int nginx_version; /* such as 1022001, 0: not known */
	enum report_format format;
};

/* What report is asked. */
struct page_settings {
	const char *output; /* file, or NULL: standard output */
	const char *title;  /* or NULL */
	bool redact;
};

struct options {
	enum option_target target;
	const char *targets[OPTIONS_TARGETS_MAX]; /* paths, numbers or names, as given */
	size_t target_count;
	bool all_users; /* also programs that only look like nginx, by their name */

	const struct sink_type *format;	    /* of standard output, NULL: not given */
	const char *sinks[OUTPUTS_MAX - 2]; /* TYPE:TARGET, beside it and the socket */
	size_t sink_count;
	uint64_t sink_queue;   /* bytes */
	const char *socket;    /* for live views, or of a service to look at; or NULL */
	char socket_spec[128]; /* the same as a sink */
	bool views;	       /* there are live views, or can be */
	int records; /* for the view that has started this process: what gets a recording, or 0 */
	bool verbose;
	bool ladder;
	bool color;
	bool utf8;
	bool ecs;

	struct pipeline_options pipeline;

	const char *metrics; /* where to serve them, or NULL */
	struct listen_address metrics_address;
	const char *metrics_file;   /* or NULL */
	unsigned int metrics_peers; /* named in them */
	bool probe_stats;

	uint64_t heartbeat_s;			  /* 0: none */
	uint64_t duration_s;			  /* 0: until interrupted */
	uint64_t count;				  /* 0: no limit */
	const char *record;			  /* file, or NULL */
	uint64_t rate;				  /* of replay: failures a second, 0: no limit */
	uint64_t repeat;			  /* of replay: times */
	const char *error_logs[OPTIONS_LOGS_MAX]; /* of nginx, to be followed */
	size_t error_log_count;
	struct hook_request hooks;
	bool no_return_probes;

	struct probe_settings probe;

	bool confirm;
	uint64_t confirm_every_s;

	const char *config;  /* file whose settings were taken too, or NULL */
	struct config *file; /* what was read from it; owned */
	bool check;	     /* only say whether all this is valid */

	struct ask_settings ask;
	struct page_settings report;

	char **arguments; /* that are no options */
	size_t argument_count;
	const char *argument; /* the first of them, or NULL */
	bool help;
	bool version;

	/* What was parsed, to be parsed again; and what was given for each row of the option table, as
	 * a hash, 0 for nothing. */
	enum command command;
	int argc;
	char **argv;
	uint64_t given[OPTIONS_ROWS_MAX];
};

/*
 * Parses the arguments that follow the name of a command: argv[0] is that name; then the
 * configuration file that they name. What the command line says has precedence. Returns 0, or
 * EXIT_USAGE after one line on stderr. Strings point into argv and into the configuration; *options
 * is the caller's to options_release(), whatever is returned.
 */
int options_parse(enum command command, int argc, char **argv, struct options *options);
void options_release(struct options *options);

/* Parses what options was parsed from once more: the configuration file may be another one now. As
 * options_parse(). */
int options_parse_again(const struct options *options, struct options *next);

/* Do both ask for the same outputs? */
bool options_same_outputs(const struct options *a, const struct options *b);

/* Names on stderr the options, other than those of outputs, in which the two differ. */
void options_tell_fixed(const struct options *running, const struct options *next);

/* The outputs that the options ask for; text on standard output when they name none. */
void options_outputs(const struct options *options, struct outputs_options *outputs);

/* Appends the options of the command, in lines of so many columns. */
void options_help(enum command command, int columns, struct text *text);

#endif
