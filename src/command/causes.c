// SPDX-License-Identifier: BSD-2-Clause
/*
 * Prints the rule table as it is: what the diagnosis goes by is what is documented. Either an
 * index, a slug and its meaning each, or one whole row.
 */
#define _GNU_SOURCE /* strcasestr() */
#include "command/causes.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/similar.h"
#include "command/explain.h"
#include "diagnose/causes.h"
#include "diagnose/titles.h"
#include "system/terminal.h"
#include "program/nginx/fixes.h"
#include "program/nginx/nginx.h"
#include "system/log.h"
#include "command/options.h"
#include "command/printed.h"
#include "base/text.h"

#define COLUMN_GAP 2
#define ROW_LEN	   4096

/* Prints a name in a column of that width, and behind it words, wrapped; settings by nginx's names. */
static void row_print(int indent, const char *name, int width, const char *words)
{
	static const struct program_view nginx = { .program = &program_nginx };
	char buf[ROW_LEN], filled[ROW_LEN];
	struct text t;

	text_init(&t, filled, sizeof(filled));
	program_add_words(&t, &nginx, words);

	text_init(&t, buf, sizeof(buf));
	text_addf(&t, "%*s%-*s", indent, "", width + COLUMN_GAP, name);
	text_add_wrapped(&t, indent + width + COLUMN_GAP, filled, "", "");
	puts(buf);
}

/* Is the word in the text, in capitals or not? */
static bool has_word(const char *text, const char *word)
{
	return text && strcasestr(text, word);
}

/* Is it in anything that is said about the cause? */
static bool is_about(const struct cause *cause, const char *title, const char *word)
{
	return has_word(cause->slug, word) || has_word(title, word) ||
	       has_word(cause->evidence, word) || has_word(cause->message, word) ||
	       has_word(cause->hint, word);
}

/* A cause of that role that is about the word, if there is one. */
static bool entry_print(const struct cause *cause, enum cause_role role, const char *word,
			const char *heading, int width)
{
	const struct cause_title *title = cause_title_find(cause->slug);
	const char *words = title ? title->words : cause->evidence;
	char buf[ROW_LEN];
	struct text t;

	if ((title ? title->role : cause->when.role) != role ||
	    (word && !is_about(cause, words, word)))
		return false;
	if (heading)
		puts(heading);
	text_init(&t, buf, sizeof(buf));
	text_addf(&t, "  %-*s", width + COLUMN_GAP, cause->slug);
	text_add_filled(&t, terminal_columns(fileno(stdout)), width + 2 * COLUMN_GAP, words, "",
			"");
	puts(buf);
	return true;
}

/* Returns how many causes were printed. */
static size_t index_print(const char *word)
{
	static const char *const headings[] = {
		[OF_CLIENT] = "As the client of an upstream",
		[OF_SERVER] = "As the server",
		[OF_EITHER] = "As either",
	};
	size_t count = 0;
	int width = 0;

	for (size_t i = 0; i < cause_count(); i++) {
		int len = (int)strlen(cause_at(i)->slug);

		width = len > width ? len : width;
	}
	for (int role = OF_CLIENT; role <= OF_EITHER; role++) {
		const char *heading = headings[role];

		for (size_t i = 0; i < cause_count(); i++) {
			/* The other rows of a cause are other ways to know it. */
			if (cause_index(cause_at(i)->slug) != i ||
			    !entry_print(cause_at(i), (enum cause_role)role, word, heading, width))
				continue;
			heading = NULL;
			count++;
		}
	}
	if (count)
		puts("\ntlsfail causes SLUG shows what one of them means and how to fix it.");
	return count;
}

static const char *confidence_words(const struct cause *cause)
{
	static const char *const words[] = {
		[CONFIDENCE_LOW] = "low",
		[CONFIDENCE_MEDIUM] = "medium",
		[CONFIDENCE_HIGH] = "high",
	};
	static const char *const words_raised[] = {
		[CONFIDENCE_LOW] = "low; high with more evidence",
		[CONFIDENCE_MEDIUM] = "medium; high with more evidence",
		[CONFIDENCE_HIGH] = "high",
	};

	if (cause->medium_if)
		return "low, medium with more evidence";
	return cause->high_if || cause->high_with ? words_raised[cause->confidence]
						  : words[cause->confidence];
}

static void candidates_print(const struct cause *cause, int width)
{
	char buf[ROW_LEN];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	for (size_t i = 0; i < CAUSE_CANDIDATES_MAX && cause->candidates[i].slug; i++)
		text_addf(&t, "%s%s", i ? ", " : "", cause->candidates[i].slug);
	if (t.len)
		row_print(COLUMN_GAP, "or", width, buf);
}

/* When the words are these. */
static const char *wording_label(uint64_t when)
{
	switch (when) {
	case O_PEER_FAILS:
		return "if always";
	case O_PEER_SUCCEEDS:
		return "sometimes";
	case O_CERT_REQUESTED:
		return "if asked";
	case O_ISSUER_SENT:
		return "if sent";
	case O_ONE_CERT:
		return "if alone";
	default:
		return "if old";
	}
}

static void wordings_print(const struct cause *cause, int width)
{
	for (size_t i = 0; i < CAUSE_WORDINGS_MAX; i++) {
		const struct cause_wording *w = &cause->wordings[i];

		if (!w->when && !w->with)
			continue;
		row_print(COLUMN_GAP, w->when ? wording_label((uint64_t)w->when) : "or else", width,
			  w->doubt     ? w->doubt
			  : w->message ? w->message
				       : cause->message);
		row_print(COLUMN_GAP, "fix", width, w->hint);
	}
}

/* The directives that a patch may set, by the names that they have in the http module's proxy. */
static void patch_print(const struct cause *cause, int width)
{
	const struct nginxfix *fix = nginxfix_find(cause->slug);
	const char *prefix = nginx_module_prefix(NGINX_MODULE_PROXY);
	char buf[ROW_LEN];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	for (int i = 0; fix && i < NGINX_SETTING_COUNT; i++)
		if (fix->sets & NGINXFIX_BIT(i))
			text_addf(&t, "%s%s%s", t.len ? ", " : "", prefix,
				  nginx_setting_name((enum nginx_setting)i));
	if (t.len)
		row_print(COLUMN_GAP, "patch sets", width, buf);
}

static void cause_print(const struct cause *cause)
{
	const int width = sizeof("confidence") - 1;

	puts(cause->slug);
	row_print(COLUMN_GAP, "evidence", width, cause->evidence);
	row_print(COLUMN_GAP, "meaning", width, cause->message);
	if (cause->with_cert)
		row_print(COLUMN_GAP, "in detail", width, cause->with_cert);
	if (cause->doubt)
		row_print(COLUMN_GAP, "in doubt", width, cause->doubt);
	row_print(COLUMN_GAP, "confidence", width, confidence_words(cause));
	candidates_print(cause, width);
	row_print(COLUMN_GAP, "fix", width, cause->hint);
	wordings_print(cause, width);
	patch_print(cause, width);
	puts("\nWords in braces are filled in from the failure.");
}

static int search(const char *word)
{
	struct similar similar;

	if (index_print(word))
		return EXIT_SUCCESS;
	similar_begin(&similar, word, strlen(word));
	for (size_t i = 0; i < cause_count(); i++)
		similar_offer(&similar, cause_at(i)->slug);
	if (similar.best)
		log_line("no cause is named '%s'; did you mean %s?", word, similar.best);
	else
		log_line("no cause matches '%s'; tlsfail causes lists them", word);
	return EXIT_USAGE;
}

/* explain does it; the causes are in its answer. */
static int log_explain(const struct options *options)
{
	struct options asked = *options;
	char *arguments[] = { (char *)options->ask.log, NULL };

	asked.arguments = arguments;
	asked.argument = options->ask.log;
	asked.argument_count = 1;
	return explain_run(&asked);
}

int listing_run(const struct options *options)
{
	const struct cause *cause = options->argument ? cause_find(options->argument) : NULL;
	int status = EXIT_SUCCESS;

	if (options->ask.log)
		return log_explain(options);
	if (cause)
		cause_print(cause);
	else if (options->argument)
		status = search(options->argument);
	else
		index_print(NULL);
	return printed() ? status : EXIT_CANNOT;
}
