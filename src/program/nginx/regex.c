// SPDX-License-Identifier: BSD-2-Clause
/*
 * The expression is rewritten as an extended one of POSIX: named groups become plain ones, \d and \w sets
 * of characters, and a quantifier's laziness is left out, which changes what is captured and not whether
 * it matches. Whoever wrote it may mean harm, so repetitions are few and small.
 */
#include "program/nginx/regex.h"

#include <ctype.h>
#include <regex.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define EXPRESSION_MAX	512
#define REPEATED_MAX	64
#define REPETITIONS_MAX 2

struct rewriting {
	const char *at;
	struct text out;
	bool in_set;
	unsigned int repetitions;
};

static void add_char(struct rewriting *r, char c)
{
	text_addf(&r->out, "%c", c);
}

/* A backslash and what follows. */
static bool escape_rewrite(struct rewriting *r)
{
	char c = r->at[1];

	r->at += 2;
	if (c == 'd' || c == 'w') {
		const char *set = c == 'd' ? "0-9" : "A-Za-z0-9_";

		text_addf(&r->out, r->in_set ? "%s" : "[%s]", set);
		return true;
	}
	if (!ispunct((unsigned char)c))
		return false;
	/* In a set of POSIX a backslash is one, and a hyphen may be a range. */
	if (!r->in_set)
		text_addf(&r->out, "\\%c", c);
	else if (c == '.' || c == '_')
		add_char(r, c);
	else
		return false;
	return true;
}

/* "(", "(?:", "(?<name>", "(?P<name>" */
static bool group_rewrite(struct rewriting *r)
{
	const char *at = r->at + 1;

	add_char(r, '(');
	if (*at == '?') {
		at++;
		if (*at == ':') {
			at++;
		} else {
			at += *at == 'P';
			if (*at != '<' || !(isalpha((unsigned char)at[1]) || at[1] == '_'))
				return false;
			at = strchr(at, '>');
			if (!at)
				return false;
			at++;
		}
	}
	r->at = at;
	return true;
}

/* "{2}", "{2,}", "{2,5}" */
static bool repetition_rewrite(struct rewriting *r)
{
	char *end;
	unsigned long n = strtoul(r->at + 1, &end, 10);

	if (!isdigit((unsigned char)r->at[1]) || n > REPEATED_MAX ||
	    r->repetitions++ == REPETITIONS_MAX)
		return false;
	if (*end == ',' && isdigit((unsigned char)end[1]))
		n = strtoul(end + 1, &end, 10);
	else
		end += *end == ',';
	if (*end != '}' || n > REPEATED_MAX)
		return false;
	text_addf(&r->out, "%.*s", (int)(end + 1 - r->at), r->at);
	r->at = end + 1;
	return true;
}

/* The end of a quantifier: it may be lazy. */
static bool quantifier_end(struct rewriting *r)
{
	r->at += *r->at == '?';
	return !*r->at || !strchr("*+?{", *r->at);
}

static bool part_rewrite(struct rewriting *r)
{
	char c = *r->at;

	if (c == '\\')
		return escape_rewrite(r);
	if (r->in_set || c == '[') {
		/* "[]a]" and "[^]a]" begin with a bracket that ends nothing. */
		if (!r->in_set && (r->at[1] == ']' || !strncmp(r->at + 1, "^]", 2)))
			return false;
		r->in_set = c != ']';
	} else if (c == '(') {
		return group_rewrite(r);
	} else if (c == '{') {
		return repetition_rewrite(r) && quantifier_end(r);
	}
	add_char(r, c);
	r->at++;
	return r->in_set || !strchr("*+?", c) || quantifier_end(r);
}

enum nginxregex nginxregex_match(const char *expression, const char *name)
{
	char buf[EXPRESSION_MAX];
	struct rewriting r = { .at = expression };
	regex_t regex;
	int found;

	text_init(&r.out, buf, sizeof(buf));
	while (*r.at)
		if (!part_rewrite(&r))
			return NGINXREGEX_UNKNOWN;
	/* nginx compares names in lower case. */
	if (r.out.cut || r.in_set || regcomp(&regex, buf, REG_EXTENDED | REG_ICASE | REG_NOSUB))
		return NGINXREGEX_UNKNOWN;
	found = regexec(&regex, name, 0, NULL, 0);
	regfree(&regex);
	return found ? NGINXREGEX_NO : NGINXREGEX_YES;
}
