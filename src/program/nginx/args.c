// SPDX-License-Identifier: BSD-2-Clause
/*
 * The title has lost where one argument ends: a value goes on to the next word that looks like an
 * option, which is right for all but a path with " -" in it.
 */
#include "program/nginx/args.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

#define TITLE "master process "

/* What ./configure takes where it is told nothing (auto/options, auto/init). */
#define DEFAULT_PREFIX "/usr/local/nginx"
#define DEFAULT_CONF   "conf/nginx.conf"

/* Where the arguments begin in a title, "NAME: master process ARGUMENTS"; NULL: it is none. */
static const char *title_arguments(const char *cmdline, size_t len)
{
	const char *colon = memchr(cmdline, ':', len);
	size_t left = colon ? len - (size_t)(colon - cmdline) : 0;

	if (left < strlen(": " TITLE) || memcmp(colon, ": " TITLE, strlen(": " TITLE)) != 0)
		return NULL;
	return colon + strlen(": " TITLE);
}

static bool is_other_process(const char *cmdline, size_t len)
{
	static const char *const others[] = { ": worker process", ": cache manager process",
					      ": cache loader process" };
	const char *colon = memchr(cmdline, ':', len);
	size_t left = colon ? len - (size_t)(colon - cmdline) : 0;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (left >= strlen(others[i]) && !memcmp(colon, others[i], strlen(others[i])))
			return true;
	return false;
}

/* A word of letters that nginx takes, such as "-c", "-qg". */
static bool is_option(const char *word, const char *end)
{
	if (end - word < 2 || *word++ != '-')
		return false;
	return strchr("?hvVtTqspeg", *word) || *word == 'c';
}

/* The end of a value that begins at `at`. separator: what stands between arguments. */
static const char *value_end(const char *at, const char *end, char separator)
{
	const char *i = at;

	for (; i < end; i++) {
		if (*i != separator)
			continue;
		if (separator == '\0' || is_option(i + 1, end))
			return i;
	}
	while (i > at && i[-1] == ' ')
		i--;
	return i;
}

static bool value_copy(const char *from, const char *to, char out[NGINXARGS_PATH_LEN])
{
	size_t len = (size_t)(to - from);

	if (len >= NGINXARGS_PATH_LEN)
		return false;
	memcpy(out, from, len);
	out[len] = '\0';
	return true;
}

/* Takes the options in the word at `at`, and the value of one that has any. Goes past them. */
static bool option_take(const char **at, const char *end, char separator, struct nginxargs *args)
{
	const char *letter = *at + 1, *value;

	for (; letter < end && *letter != separator; letter++) {
		if (!strchr("cpges", *letter))
			continue;
		value = letter + 1;
		if (value < end && *value == separator)
			value++;
		*at = value_end(value, end, separator);
		if (*letter == 'c')
			return value_copy(value, *at, args->conf);
		if (*letter == 'p')
			return value_copy(value, *at, args->prefix);
		return true;
	}
	*at = letter;
	return true;
}

bool nginxargs_read_cmdline(const char *cmdline, size_t len, struct nginxargs *args)
{
	const char *end = cmdline + len;
	const char *at = title_arguments(cmdline, len);
	char separator = at ? ' ' : '\0';

	args->conf[0] = '\0';
	args->prefix[0] = '\0';
	if (!at && is_other_process(cmdline, len))
		return false;
	if (!at)
		at = cmdline;
	at = value_end(at, end, separator); /* the name of the program */
	while (at < end) {
		if (*at == separator || *at != '-')
			at++;
		else if (!option_take(&at, end, separator, args))
			return false;
	}
	return true;
}

/* -- configure --------------------------------------------------------------------------------- */

/* Copies a word of a shell's command line, without its quotes. */
static void shell_word_copy(const char *from, char *out, size_t size)
{
	struct text t;
	char quote = '\0';

	text_init(&t, out, size);
	for (; *from && (quote || !isspace((unsigned char)*from)); from++) {
		if (quote ? *from == quote : *from == '\'' || *from == '"')
			quote = quote ? '\0' : *from;
		else
			text_addf(&t, "%c", *from);
	}
}

/* The value of the last --name= in the text, else the default. */
static void configure_value(const char *text, const char *option, const char *value,
			    char out[NGINXARGS_PATH_LEN])
{
	struct text t;

	text_init(&t, out, NGINXARGS_PATH_LEN);
	text_add(&t, value);
	while ((text = strstr(text, option))) {
		text += strlen(option);
		shell_word_copy(text, out, NGINXARGS_PATH_LEN);
	}
}

void nginxargs_read_configure(const char *text, struct nginxargs *args)
{
	configure_value(text, " --prefix=", DEFAULT_PREFIX, args->prefix);
	configure_value(text, " --conf-path=", DEFAULT_CONF, args->conf);
}

unsigned int nginxargs_read_version(const char *text)
{
	static const char *const names[] = { "nginx version: nginx/", "nginx version: openresty/" };
	unsigned int version = 0;
	const char *at = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strncmp(text, names[i], strlen(names[i])))
			at = text + strlen(names[i]);
	for (int part = 0; at && part < 3; part++) {
		unsigned int number = 0;

		if (!isdigit((unsigned char)*at))
			return 0;
		while (isdigit((unsigned char)*at) && number < 1000)
			number = number * 10 + (unsigned int)(*at++ - '0');
		if (number >= 1000 || (part < 2 && *at++ != '.'))
			return 0;
		version = version * 1000 + number;
	}
	return version;
}

/* -- paths ------------------------------------------------------------------------------------- */

/* Adds a '/' unless the path ends with one. */
static void slash_add(struct text *t)
{
	if (!t->len || t->buf[t->len - 1] != '/')
		text_add(t, "/");
}

/* The path that name is in the directory. */
static bool path_join(const char *directory, const char *name, bool is_directory,
		      char out[NGINXARGS_PATH_LEN])
{
	struct text t;

	text_init(&t, out, NGINXARGS_PATH_LEN);
	if (name[0] != '/') {
		text_add(&t, directory);
		slash_add(&t);
	}
	text_add(&t, name);
	if (is_directory)
		slash_add(&t);
	return !t.cut;
}

bool nginxargs_resolve(const struct nginxargs *line, const struct nginxargs *defaults,
		       const char *directory, struct nginxargs_paths *paths)
{
	const char *prefix = line->prefix[0] ? line->prefix : defaults->prefix;
	const char *conf = line->conf[0] ? line->conf : defaults->conf;
	char root[NGINXARGS_PATH_LEN];
	char *slash;

	if (!path_join(directory, prefix, true, root) || !path_join(root, conf, false, paths->conf))
		return false;
	memcpy(paths->prefix, paths->conf, sizeof(paths->conf));
	slash = strrchr(paths->prefix, '/');
	slash[1] = '\0';
	return true;
}
