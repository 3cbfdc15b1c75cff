// SPDX-License-Identifier: BSD-2-Clause
/*
 * Options: of explain, lint and report, which ask files and nobody else.
 */
#include "command/option_rows.h"

#include <string.h>

#include "base/text.h"
#include "program/nginx/args.h"
#include "system/log.h"

static int set_conf(struct options *o, const char *value)
{
	o->ask.conf = value;
	return 0;
}

static int set_log(struct options *o, const char *value)
{
	o->ask.log = value;
	return 0;
}

static int set_report(struct options *o, const char *value)
{
	static const char *const names[] = {
		[REPORT_TEXT] = "text",
		[REPORT_JSON] = "json",
		[REPORT_SARIF] = "sarif",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		o->ask.format = (enum report_format)i;
		if (!strcmp(names[i], value) && (i != REPORT_SARIF || o->command == COMMAND_LINT))
			return 0;
	}
	log_line("--format takes text%s, not '%s'",
		 o->command == COMMAND_LINT ? ", json or sarif" : " or json", value);
	return EXIT_USAGE;
}

static int set_policy(struct options *o, const char *value)
{
	o->ask.policy = value;
	return 0;
}

static int set_diff(struct options *o, const char *value)
{
	(void)value;
	o->ask.diff = true;
	return 0;
}

static int set_location(struct options *o, const char *value)
{
	o->ask.location = value;
	return 0;
}

static int set_rules(struct options *o, const char *value)
{
	(void)value;
	o->ask.rules = true;
	return 0;
}

static int set_cert_days(struct options *o, const char *value)
{
	return option_duration("--cert-days", value, 'd', 36500 * 86400ULL, &o->ask.cert_days_s);
}

static int set_nginx_version(struct options *o, const char *value)
{
	char line[64];
	struct text t;

	text_init(&t, line, sizeof(line));
	text_addf(&t, "nginx version: nginx/%s", value);
	o->ask.nginx_version = nginxargs_read_version(line);
	if (o->ask.nginx_version)
		return 0;
	log_line("--nginx-version takes a version such as 1.26.3, not '%s'", value);
	return EXIT_USAGE;
}

static int set_output(struct options *o, const char *value)
{
	o->report.output = value;
	return 0;
}

static int set_title(struct options *o, const char *value)
{
	o->report.title = value;
	return 0;
}

static int set_redact(struct options *o, const char *value)
{
	(void)value;
	o->report.redact = true;
	return 0;
}

#define EXPLAIN (COMMAND_EXPLAIN | COMMAND_LINE)
#define LINT	(COMMAND_LINT | COMMAND_LINE)
#define REPORT	(COMMAND_REPORT | COMMAND_LINE)

static const struct option_row rows[] = {
	{ "conf", 'c', "FILE", EXPLAIN, "nginx.conf, to find the place that a line is about",
	  set_conf },
	{ "log", 0, "LINE", COMMAND_CAUSES | COMMAND_LINE,
	  "list the causes that can lead to this line of error.log", set_log },
	{ "format", 'f', "text|json", EXPLAIN, "output format", set_report },
	{ "conf", 'c', "FILE", LINT, "configuration to check; default /etc/nginx/nginx.conf",
	  set_conf },
	{ "format", 'f', "text|json|sarif", LINT, "output format", set_report },
	{ "diff", 0, NULL, LINT, "print the suggested changes as a patch, for patch -p0",
	  set_diff },
	{ "location", 0, "NAME", LINT,
	  "check only this location, or the places that pass to this upstream block",
	  set_location },
	{ "policy", 0, "FILE", LINT, "read the severities of rules from this file", set_policy },
	{ "cert-days", 0, "TIME", LINT,
	  "warn about certificates that expire within this time; "
	  "default 30d",
	  set_cert_days },
	{ "nginx-version", 0, "VERSION", LINT,
	  "skip rules that do not apply to this version, such as 1.30.0", set_nginx_version },
	{ "rules", 0, NULL, LINT, "list the rules", set_rules },
	{ "output", 'o', "FILE", REPORT, "write the page to this file; default standard output",
	  set_output },
	{ "redact", 0, NULL, REPORT,
	  "replace addresses, names, files and certificates with pseudonyms, for sharing",
	  set_redact },
	{ "title", 0, "TEXT", REPORT, "title of the page", set_title },
};

const struct option_group option_group_ask = { rows, ARRAY_LEN(rows) };
