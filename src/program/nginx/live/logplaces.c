/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files behind --error-log.
 */
#include "program/nginx/live/logplaces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "program/nginx/live/read.h"
#include "system/files.h"

#define TARGETS_MAX 4096
#define PATH_LEN    (2 * NGINXARGS_PATH_LEN)

/* While the processes are looked at. */
struct search {
	struct logplaces *places;
	struct text *problem;
	pid_t masters[LOGPLACES_MAX]; /* whose configuration was read */
	size_t master_count;
};

void logplaces_clear(struct logplaces *places)
{
	for (size_t i = 0; i < places->count; i++)
		free(places->paths[i]);
	*places = (struct logplaces){ 0 };
}

bool logplaces_have(const struct logplaces *places, const char *path)
{
	for (size_t i = 0; i < places->count; i++)
		if (!strcmp(places->paths[i], path))
			return true;
	return false;
}

/* The first problem is as good as any. */
static void tell(struct text *problem, const char *sentence)
{
	if (!problem->len)
		text_add(problem, sentence);
}

static int path_add(struct logplaces *places, const char *path, struct text *problem)
{
	if (logplaces_have(places, path))
		return 0;
	if (places->count == LOGPLACES_MAX) {
		tell(problem, "there are more than 64 error logs; following the first 64");
		return 0;
	}
	places->paths[places->count] = strdup(path);
	if (!places->paths[places->count])
		return -ENOMEM;
	places->count++;
	return 0;
}

/* Is the root directory of the process ours? Then its paths are good without it, and for longer. */
static bool shares_root(pid_t pid)
{
	struct stat ours, its;

	return !files_stat(0, "/", false, &ours) && !files_stat(pid, "/", false, &its) &&
	       ours.st_dev == its.st_dev && ours.st_ino == its.st_ino;
}

/* As in the images that hand their logs to the container's runtime: a link to the standard error of
 * whoever opens it. */
static bool leads_to_stderr(const char *path)
{
	static const char *const ends[] = { "/dev/stderr", "/dev/stdout", "/proc/self/fd/" };
	char target[64];

	if (files_log_link(path, target, sizeof(target)))
		return false;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (!strncmp(target, ends[i], strlen(ends[i])))
			return true;
	return false;
}

static void stderr_tell(struct search *s, pid_t master, const char *name)
{
	char buf[512];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	text_addf(&t, "nginx (master %d) logs to its standard error (", (int)master);
	text_add_hostile(&t, name, strlen(name));
	text_add(&t, "), which cannot be read here; point its error_log to a file, or pass the "
		     "container runtime's log file to --error-log");
	tell(s->problem, buf);
}

static int directive_take(struct search *s, const struct nginxread *read, pid_t master,
			  const char *name)
{
	char path[PATH_LEN];
	struct stat stat_buf;
	bool is_file;
	struct text t;

	if (!strcmp(name, "stderr") && !shares_root(master))
		stderr_tell(s, master, name);
	if (!strcmp(name, "stderr") || !strncmp(name, "syslog:", 7) || !strncmp(name, "memory:", 7))
		return 0;
	text_init(&t, path, sizeof(path));
	if (!shares_root(master))
		text_addf(&t, "/proc/%d/root", (int)master);
	if (name[0] != '/')
		text_add(&t, read->paths.prefix);
	text_add(&t, name);
	if (t.cut)
		return 0;
	is_file = !files_log_look(path, &stat_buf) && S_ISREG(stat_buf.st_mode);
	if (!is_file && leads_to_stderr(path))
		stderr_tell(s, master, name);
	if (!is_file)
		return 0;
	return path_add(s->places, path, s->problem);
}

/* The depth is bounded by NGINXCONF_BLOCKS_MAX. */
static int directives_walk(struct search *s, const struct nginxread *read, pid_t master,
			   const struct nginxconf_directive *d)
{
	int err = 0;

	for (; d && !err; d = d->next) {
		if (d->is_block)
			err = directives_walk(s, read, master, d->first);
		else if (!strcmp(d->words[0], "error_log"))
			err = directive_take(s, read, master, nginxconf_word(d, 1));
	}
	return err;
}

static int process_look(struct search *s, pid_t pid)
{
	struct nginxread read;
	char problem[512];
	struct text t;
	pid_t master;
	int err;

	if (nginxread_master(pid, &master))
		return 0;
	for (size_t i = 0; i < s->master_count; i++)
		if (s->masters[i] == master)
			return 0;
	if (s->master_count == LOGPLACES_MAX)
		return 0;
	s->masters[s->master_count++] = master;
	text_init(&t, problem, sizeof(problem));
	if (nginxread_open(master, &read, &t)) {
		tell(s->problem, problem);
		return 0;
	}
	err = directives_walk(s, &read, master, read.conf->first);
	nginxread_close(&read);
	return err;
}

static int configured_find(struct logplaces *places, struct text *problem)
{
	struct search s = { .places = places, .problem = problem };
	size_t before = places->count;
	pid_t pids[TARGETS_MAX];
	int count = files_targets(pids, TARGETS_MAX), err = count < 0 ? count : 0;

	for (int i = 0; i < count && !err; i++)
		err = process_look(&s, pids[i]);
	if (!err && places->count == before)
		tell(problem, s.master_count ? "nginx's configuration names no file for error_log"
					     : "no nginx is running");
	return err;
}

int logplaces_find(const char *const *names, size_t count, struct logplaces *places,
		   struct text *problem)
{
	int err = 0;

	*places = (struct logplaces){ 0 };
	for (size_t i = 0; i < count && !err; i++)
		err = strcmp(names[i], LOGPLACES_AUTO) != 0 ? path_add(places, names[i], problem)
							    : configured_find(places, problem);
	return err;
}
