// SPDX-License-Identifier: BSD-2-Clause
/*
 * The table of commands.
 */
#include "command/commands.h"

#include <string.h>

#include "base/similar.h"
#include "command/causes.h"
#include "command/completion.h"
#include "command/doctor.h"
#include "command/explain.h"
#include "command/help.h"
#include "command/lint.h"
#include "command/probe.h"
#include "command/replay.h"
#include "command/report.h"
#include "command/top.h"
#include "command/trace.h"
#include "system/log.h"

const struct command_row command_table[] = {
	{ "trace", COMMAND_TRACE, "", 0, "trace this host until interrupted (the default)",
	  "Without --exe, --pid or --comm, every nginx on this host is traced.\n"
	  "Exit status: 0 done, 1 cannot trace (one line says why), 2 wrong usage.\n"
	  "Examples:\n"
	  "  tlsfail                            every nginx, until Ctrl-C\n"
	  "  tlsfail -v -d 10m --role client    ten minutes, handshakes with upstreams only\n"
	  "  tlsfail -f json >failures.ndjson\n",
	  tracer_run },
	{ "top", COMMAND_TOP, " [FILE]", 1, "watch handshakes, peers and causes live",
	  "FILE: a recording, or the output of --format json; without one, watch the\n"
	  "service on this host, or trace this host. ? shows the keys, q quits.\n"
	  "Exit status: 0 quit, 1 cannot trace, 2 wrong usage.\n"
	  "Examples:\n"
	  "  tlsfail top                         the service, or every nginx of this host\n"
	  "  tlsfail top --exe /usr/bin/curl     what curl does\n"
	  "  tlsfail top night.rec               a recording\n",
	  top_run },
	{ "replay", COMMAND_REPLAY, " FILE", 1, "diagnose a recording; - is standard input",
	  "Exit status: 0 done, 1 cannot read it, 2 wrong usage.\n", replay_run },
	{ "doctor", COMMAND_DOCTOR, "", 0, "check what works on this host, and how to fix it",
	  "Exit status: 0 all works, 1 cannot trace, 2 wrong usage, 3 works, but not fully.\n",
	  doctor_run },
	{ "causes", COMMAND_CAUSES, " [SLUG | WORD]", 1,
	  "list the causes; show one with its evidence and fix",
	  "WORD: list the causes whose name, meaning, evidence or fix contains it.\n"
	  "Exit status: 0 done, 2 there is no such cause.\n"
	  "Examples:\n"
	  "  tlsfail causes expired\n"
	  "  tlsfail causes --log 'SSL alert number 40'\n",
	  listing_run },
	{ "probe", COMMAND_PROBE, " [TARGET...]", PROBE_TARGETS_MAX,
	  "test an upstream as nginx would, and find the fix",
	  "TARGET: HOST[:PORT], a URL, or (with -c or a running nginx) a location or the\n"
	  "name of an upstream block; without one, every upstream that nginx connects to\n"
	  "with TLS.\n"
	  "Exit status: 0 works, 1 fails, 2 wrong usage, 3 could not be tested.\n"
	  "Examples:\n"
	  "  tlsfail probe -c /etc/nginx/nginx.conf /v1/    as that location would\n"
	  "  tlsfail probe app.internal:8443 --sni app.example.com\n"
	  "  tlsfail probe --starttls smtp mail.internal:25\n",
	  probe_run },
	{ "explain", COMMAND_EXPLAIN, " [LINE | FILE... | -]", 64,
	  "explain a line of error.log, or whole logs",
	  "LINE: a line of error.log, part of one, or an OpenSSL code such as 0A000410.\n"
	  "Exit status: 0 explained, 1 cannot read it, 2 wrong usage, 3 nothing recognized.\n"
	  "Examples:\n"
	  "  tlsfail explain 'peer closed connection in SSL handshake'\n"
	  "  tlsfail explain 0A000410\n"
	  "  tlsfail explain -c /etc/nginx/nginx.conf /var/log/nginx/error.log\n"
	  "  zcat error.log.*.gz | tlsfail explain -\n",
	  explain_run },
	{ "lint", COMMAND_LINT, " [FILE]", 1, "check nginx's configuration for TLS mistakes",
	  "FILE: nginx.conf, read with everything it includes. \"# tlsfail: ignore RULE\" on\n"
	  "the line of a directive, or above it, turns a rule off there.\n"
	  "Exit status: 0 clean, 1 findings, 2 wrong usage, 3 could not read.\n"
	  "Examples:\n"
	  "  tlsfail lint\n"
	  "  tlsfail lint -f sarif conf/nginx.conf >lint.sarif\n"
	  "  tlsfail lint --diff | patch -p0\n",
	  lint_command_run },
	{ "report", COMMAND_REPORT, " FILE...", REPORT_FILES_MAX,
	  "show what failed as an HTML page for other people",
	  "FILE: a recording (--record), or JSON lines (--format json); - is JSON lines\n"
	  "from standard input. The page is a single self-contained HTML file.\n"
	  "Exit status: 0 done, 1 cannot read or write, 2 wrong usage, 3 done, but part of\n"
	  "the input could not be used.\n"
	  "Examples:\n"
	  "  tlsfail report nginx.rec -o incident.html\n"
	  "  tlsfail report --redact web1.ndjson web2.ndjson -o incident.html\n",
	  report_run },
	{ "help", COMMAND_HELP, " [COMMAND]", 1, "show the help of a command", "", help_run },
	{ "completion", COMMAND_COMPLETION, " bash|zsh|fish", 1,
	  "print the shell completion script",
	  "Examples:\n"
	  "  bash:  source <(tlsfail completion bash)\n"
	  "  zsh:   tlsfail completion zsh >\"${fpath[1]}/_tlsfail\"\n"
	  "  fish:  tlsfail completion fish >~/.config/fish/completions/tlsfail.fish\n",
	  completion_run },
	{ 0 },
};

const struct command_row *command_of(enum command command)
{
	const struct command_row *row = command_table;

	while (row->name && row->command != command)
		row++;
	return row->name ? row : &command_table[0];
}

const char *command_name(enum command command)
{
	return command_of(command)->name;
}

const struct command_row *command_find(const char *name)
{
	struct similar similar;

	similar_begin(&similar, name, strlen(name));
	for (const struct command_row *row = command_table; row->name; row++) {
		if (!strcmp(row->name, name))
			return row;
		similar_offer(&similar, row->name);
	}
	if (similar.best)
		log_line("unknown command '%s'; did you mean %s?", name, similar.best);
	else
		log_line("unknown command '%s'; see tlsfail --help", name);
	return NULL;
}
