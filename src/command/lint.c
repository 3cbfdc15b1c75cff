// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads a configuration with all that it includes and the files that it names, and runs the rules.
 */
#include "command/lint.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/similar.h"
#include "command/config.h"
#include "command/lint_report.h"
#include "command/printed.h"
#include "program/nginx/lint/lint.h"
#include "program/nginx/live/read.h"
#include "system/clock.h"
#include "system/log.h"

#define CONF_DEFAULT "/etc/nginx/nginx.conf"
#define DAY_S	     86400
#define FILE_MAX     (1U << 20)
#define PATH_LEN     4096

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

struct linting {
	struct nginxread read;
	uint64_t shown_ns; /* when the progress was, CLOCK_MONOTONIC */
};

/* For lint_settings.go_on: a rule looks. */
static bool go_on(void *context, const char *slug)
{
	struct linting *l = context;
	uint64_t now = clock_monotonic();

	if (now - l->shown_ns >= NS_PER_S) {
		l->shown_ns = now;
		log_progress("checking %s", slug);
	}
	return !interrupted;
}

/* For lint_settings.read. */
static int file_read(void *context, const char *name, char **text, size_t *len)
{
	const struct linting *l = context;
	struct stat stat;
	int fd = nginxread_file(&l->read, name, &stat);
	int err;

	if (fd < 0)
		return fd;
	err = nginxread_head(fd, FILE_MAX, text, len);
	close(fd);
	return err;
}

static int policy_unknown(const char *name)
{
	const struct lint_rule *rule;
	struct similar similar;

	similar_begin(&similar, name, strlen(name));
	for (size_t i = 0; (rule = lint_rule_at(i)); i++)
		similar_offer(&similar, rule->slug);
	if (similar.best)
		log_line("unknown rule '%s'; did you mean %s?", name, similar.best);
	else
		log_line("unknown rule '%s'; tlsfail lint --rules lists them", name);
	return EXIT_USAGE;
}

/* For config_each(). */
static int policy_take(void *context, const char *name, const char *value)
{
	struct lint_settings *settings = context;
	int index = lint_rule_find(name);

	if (index < 0)
		return policy_unknown(name);
	if (value && lint_severity_find(value, &settings->severities[index]))
		return 0;
	log_line("a rule is \"off\", \"note\", \"warning\" or \"error\"");
	return EXIT_USAGE;
}

static int policy_read(const char *path, struct lint_settings *settings)
{
	struct config *config;
	int err = config_read_path(path, &config);

	if (!err) {
		err = config_each(config, policy_take, settings);
		config_free(config);
	}
	return err;
}

static void diff(const struct lint_report *r)
{
	size_t all = lint_count(r->lint), left = all - lint_report_diff(r);

	if (left)
		log_line("%zu of %zu finding%s %s not in the patch; tlsfail lint shows %s", left,
			 all, all == 1 ? "" : "s", left == 1 ? "is" : "are",
			 left == 1 ? "it" : "them");
}

static void report(const struct options *o, const struct lint_report *r)
{
	size_t missing = lint_files_missing(r->lint);

	if (o->ask.diff)
		diff(r);
	else if (o->ask.format == REPORT_SARIF)
		lint_report_sarif(r);
	else if (o->ask.format == REPORT_JSON)
		lint_report_json(r);
	else
		lint_report_text(r);
	if (lint_is_interrupted(r->lint))
		log_line("interrupted: not everything was checked");
	if (missing && o->ask.format == REPORT_TEXT)
		log_line(
			"%zu of the files named in the configuration %s missing or unreadable, so %s "
			"not checked",
			missing, missing == 1 ? "is" : "are",
			missing == 1 ? "it was" : "they were");
}

static int configuration_lint(const struct options *o, const struct lint_settings *settings,
			      const char *path)
{
	struct lint_settings asked = *settings;
	char cwd[PATH_LEN], directory[PATH_LEN + 2], buf[512];
	struct lint_report r = {
		.out = stdout,
		.settings = settings,
		.directory = directory,
		.color = o->color,
	};
	const struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
	struct linting linting = { .shown_ns = clock_monotonic() };
	struct lint *lint = NULL;
	struct text problem, t;
	int status;

	text_init(&t, directory, sizeof(directory));
	text_init(&problem, buf, sizeof(buf));
	if (nginxread_open_whole(path, &linting.read, &problem)) {
		log_line("%s", buf);
		return EXIT_UNREADABLE;
	}
	if (getcwd(cwd, sizeof(cwd)))
		text_addf(&t, "%s%s", cwd, cwd[1] ? "/" : "");
	asked.read = file_read;
	asked.go_on = go_on;
	asked.context = &linting;
	/* the second one ends the program as ever */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	status = lint_run(linting.read.conf, &asked, &lint) ? EXIT_UNREADABLE : EXIT_SUCCESS;
	log_progress(NULL);
	if (status) {
		log_line("%s", strerror(ENOMEM));
	} else if (!lint_is_located(lint)) {
		log_line("%s: no location or upstream that nginx passes to is called '%s'", path,
			 o->ask.location);
		status = EXIT_USAGE;
	} else {
		r.lint = lint;
		report(o, &r);
		status = lint_count(lint)	     ? EXIT_FINDINGS
			 : lint_is_interrupted(lint) ? EXIT_UNREADABLE
						     : EXIT_SUCCESS;
	}
	lint_free(lint);
	nginxread_close(&linting.read);
	return status;
}

int lint_command_run(const struct options *o)
{
	struct lint_settings settings = {
		.now = time(NULL),
		.cert_days = (int64_t)(o->ask.cert_days_s ? o->ask.cert_days_s / DAY_S : 30),
		.version = o->ask.nginx_version,
		.location = o->ask.location,
	};
	struct lint_report rules = { .out = stdout, .settings = &settings };
	int status;

	lint_settings_default(&settings);
	if (o->ask.policy && policy_read(o->ask.policy, &settings))
		return EXIT_USAGE;
	if (o->argument && o->ask.conf) {
		log_line("give only one file: either --conf or an argument");
		return EXIT_USAGE;
	}
	if (o->ask.rules) {
		lint_report_rules(&rules);
		status = EXIT_SUCCESS;
	} else {
		status = configuration_lint(o, &settings,
					    o->argument	  ? o->argument
					    : o->ask.conf ? o->ask.conf
							  : CONF_DEFAULT);
	}
	return printed() ? status : EXIT_UNREADABLE;
}
