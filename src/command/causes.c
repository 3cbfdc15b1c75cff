// SPDX-License-Identifier: BSD-2-Clause
/*
 * Prints the rule table as it is: what the diagnosis goes by is what is documented. Either an
 * index, a slug and its evidence each, or one whole row.
 */
#include "command/causes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/causes.h"
#include "program/nginx/nginx.h"
#include "system/log.h"
#include "command/options.h"
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

static void index_print(void)
{
	int width = 0;

	for (size_t i = 0; i < cause_count(); i++) {
		int len = (int)strlen(cause_at(i)->slug);

		width = len > width ? len : width;
	}
	for (size_t i = 0; i < cause_count(); i++)
		row_print(0, cause_at(i)->slug, width, cause_at(i)->evidence);
	puts("\ntlsfail causes SLUG shows what one of them means and how to fix it.");
}

static const char *confidence_words(const struct cause *cause)
{
	static const char *const words[] = {
		[CONFIDENCE_LOW] = "low",
		[CONFIDENCE_MEDIUM] = "medium",
		[CONFIDENCE_HIGH] = "high",
	};
	static const char *const words_raised[] = {
		[CONFIDENCE_LOW] = "low, high with more evidence",
		[CONFIDENCE_MEDIUM] = "medium, high with more evidence",
		[CONFIDENCE_HIGH] = "high",
	};

	return cause->high_if ? words_raised[cause->confidence] : words[cause->confidence];
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
		return "if at times";
	case O_CERT_REQUESTED:
		return "if asked";
	default:
		return "if old";
	}
}

static void wordings_print(const struct cause *cause, int width)
{
	for (size_t i = 0; i < CAUSE_WORDINGS_MAX && cause->wordings[i].when; i++) {
		const struct cause_wording *w = &cause->wordings[i];

		row_print(COLUMN_GAP, wording_label((uint64_t)w->when), width,
			  w->doubt ? w->doubt : cause->message);
		row_print(COLUMN_GAP, "fix", width, w->hint);
	}
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
	puts("\nWords in braces are filled in from the failure.");
}

int listing_run(const struct options *options)
{
	const struct cause *cause = options->argument ? cause_find(options->argument) : NULL;

	if (options->argument && !cause) {
		log_line("no cause is named '%s'; tlsfail causes lists them", options->argument);
		return EXIT_USAGE;
	}
	if (cause)
		cause_print(cause);
	else
		index_print();
	return fflush(stdout) ? EXIT_CANNOT : EXIT_SUCCESS;
}
