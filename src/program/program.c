// SPDX-License-Identifier: BSD-2-Clause
/*
 * Words for a program of any kind.
 */
#include "program/program.h"

#include <ctype.h>
#include <string.h>

static const struct {
	const char *name;
	const char *words;
} settings[SETTING_COUNT] = {
#define PROGRAM_SETTING(setting, neutral) { #setting, neutral },
	PROGRAM_SETTINGS(PROGRAM_SETTING)
#undef PROGRAM_SETTING
};

void program_add_name(struct text *t, const struct program_view *view)
{
	if (view->program && view->program->name)
		text_add(t, view->program->name);
	else
		text_add(t, view->executable[0] ? view->executable : "the program");
}

void program_add_peer(struct text *t, const struct program_view *view)
{
	text_add(t, view->program && view->program->peer ? view->program->peer : "server");
}

static bool setting_is(enum program_setting setting, const char *word, size_t len)
{
	const char *name = settings[setting].name;

	if (strlen(name) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (tolower((unsigned char)name[i]) != word[i])
			return false;
	return true;
}

/* The program's own words; NULL when it has none. */
static const char *own_words(const struct program_view *view, enum program_setting setting)
{
	const struct program *program = view->program;
	const char *words = NULL;

	if (program && program->words_at && view->places)
		words = program->words_at(setting, view->places, view->places_len);
	return words || !program ? words : program->words[setting];
}

static void add_scoped(struct text *t, const struct program_view *view, const char *words)
{
	const struct program *program = view->program;
	const char *scope = program->scope ? program->scope(view->places, view->places_len) : "";

	for (const char *at; (at = strchr(words, '@')); words = at + 1) {
		bool literal = at[1] == '@';

		text_addf(t, "%.*s", (int)(at - words), words);
		text_add(t, literal ? "@" : scope);
		at += literal;
	}
	text_add(t, words);
}

bool program_add_setting(struct text *t, const struct program_view *view, const char *word,
			 size_t len, bool in_parentheses)
{
	for (int i = 0; i < SETTING_COUNT; i++) {
		const char *own;

		if (!setting_is(i, word, len))
			continue;
		own = own_words(view, i);
		if (!own) {
			text_add(t, in_parentheses ? "" : settings[i].words);
			return true;
		}
		text_add(t, in_parentheses ? " (" : "");
		add_scoped(t, view, own);
		text_add(t, in_parentheses ? ")" : "");
		return true;
	}
	return false;
}

bool program_add_word(struct text *t, const struct program_view *view, const char *word, size_t len)
{
	static const char setting[] = "setting:", with[] = "with:";

	if (len > strlen(setting) && !memcmp(word, setting, strlen(setting)))
		return program_add_setting(t, view, word + strlen(setting), len - strlen(setting),
					   false);
	if (len > strlen(with) && !memcmp(word, with, strlen(with)))
		return program_add_setting(t, view, word + strlen(with), len - strlen(with), true);
	if (len == strlen("program") && !memcmp(word, "program", len)) {
		program_add_name(t, view);
		return true;
	}
	if (len == strlen("upstream") && !memcmp(word, "upstream", len)) {
		program_add_peer(t, view);
		return true;
	}
	return false;
}

void program_add_words(struct text *t, const struct program_view *view, const char *words)
{
	for (const char *open, *close; (open = strchr(words, '{')); words = close + 1) {
		close = strchr(open, '}');
		if (!close)
			break;
		text_addf(t, "%.*s", (int)(open - words), words);
		if (!program_add_word(t, view, open + 1, (size_t)(close - open - 1)))
			text_addf(t, "%.*s", (int)(close + 1 - open), open);
	}
	text_add(t, words);
}
