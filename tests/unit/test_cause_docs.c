/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the documentation says of causes is made from the rule table: docs/causes.md, docs/evidence.md
 * and the list in the manual page are compared with what is made here. `make docs` writes them.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "diagnose/causes.h"
#include "diagnose/words.h"
#include "program/nginx/nginx.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE_LEN     (512 * 1024)
#define MANUAL_WIDTH 79

#define MANUAL_BEGIN ".\\\" The lists of causes are made by make docs.\n"
#define MANUAL_END   ".\\\" End of the lists of causes.\n"

/* What stands for a word where nothing has failed yet. */
static const struct {
	const char *word, *stands;
} placeholders[] = {
	{ "shown", "DATE" },
	{ "flaw", "REASON" },
	{ "refusal", " (alert N)" },
	{ "port_protocol", "PROTOCOL" },
	{ "way_back", "" },
	{ "local", "ADDRESS:PORT" },
	{ "sni", "NAME" },
	{ "name", "NAME" },
	{ "asked", "NAME" },
	{ "versions", "VERSIONS" },
	{ "version", "VERSION" },
	{ "host", "NAME" },
	{ "elapsed", "TIME" },
	{ "first", "BYTES" },
	{ "code", " (verify code N)" },
	{ "what", "REASON" },
	{ "missing_issuer", "ISSUER" },
	{ "client_fix", "as the verify code says: renew it, have it issued by a CA of "
			"ssl_client_certificate, or correct the CRL or the verify depth here" },
	{ "our_alert", " (alert N sent)" },
	{ "alert_means", "MEANING" },
	{ "library", "OpenSSL" },
	{ "verdict", "verify code N" },
	{ "alert", "N" },
	{ "subject", "SUBJECT" },
	{ "issuer", "ISSUER" },
	{ "ended", "DATE" },
	{ "begins", "DATE" },
	{ "key", "KEY" },
	{ "chain", "N" },
	{ "names", "NAMES" },
	{ "ciphers", "CIPHERS" },
	{ "groups", "GROUPS" },
	{ "protocols", "PROTOCOLS" },
	{ "answer", "something that" },
	{ "after_retry", "" },
	{ "progress", "after its ClientHello" },
	{ "reached", "having received its ClientHello" },
	{ "stopped", "did not go on" },
	{ "or_none", ", or the fact that there was none" },
	{ "silent_refusal", "" },
	{ "length", "N" },
	{ "bulk", "" },
	{ "shorten", "proxy_ssl_session_reuse off; or other Groups" },
	{ "end", "END" },
	{ "error", "ERROR" },
	{ "raw", "EVIDENCE" },
};

static const char *placeholder(const char *word, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(placeholders); i++)
		if (strlen(placeholders[i].word) == len && !memcmp(placeholders[i].word, word, len))
			return placeholders[i].stands;
	fail_msg("test_cause_docs.c has no placeholder for {%.*s}", (int)len, word);
	return "";
}

/* The words of a row, in nginx's words, with words in capitals for what is seen. */
static void add_sentence(struct text *t, const struct cause *cause, const char *words)
{
	static const struct program_view nginx = { .program = &program_nginx };
	const char *peer = cause->when.role == OF_SERVER ? "a client" : "the upstream";
	char buf[2048], *first = t->buf + t->len;
	struct text filled;

	text_init(&filled, buf, sizeof(buf));
	program_add_words(&filled, &nginx, words);
	words = buf;
	for (const char *open, *close; (open = strchr(words, '{')); words = close + 1) {
		size_t before = (size_t)(open - words);

		close = strchr(open, '}');
		if (!memcmp(open, "{peer}", 6)) {
			/* "Client {peer}" is "a client" */
			if (before >= 7 && !strncasecmp(open - 7, "client ", 7))
				before -= 7;
			text_addf(t, "%.*s%s", (int)before, words, peer);
			continue;
		}
		text_addf(t, "%.*s%s", (int)before, words,
			  placeholder(open + 1, (size_t)(close - open - 1)));
	}
	text_add(t, words);
	if (first < t->buf + t->len && islower((unsigned char)first[0]) &&
	    strncmp(first, "nginx", 5) != 0 && t->buf[t->len - 1] == '.')
		first[0] = (char)toupper((unsigned char)first[0]);
}

/* Of the role, or of both: those of both are told with the client's. */
static bool is_of(const struct cause *cause, bool server)
{
	return (cause->when.role == OF_SERVER) == server;
}

static void add_cause_table(struct text *t, bool server)
{
	text_add(t, "| cause | meaning | fix |\n| --- | --- | --- |\n");
	for (size_t i = 0; i < cause_count(); i++) {
		const struct cause *cause = cause_at(i);

		if (!is_of(cause, server) || cause_find(cause->slug) != cause)
			continue;
		text_addf(t, "| `%s` | ", cause->slug);
		add_sentence(t, cause, cause->message);
		text_add(t, " | ");
		add_sentence(t, cause, cause->hint);
		text_add(t, " |\n");
	}
}

static void make_causes(struct text *t)
{
	text_add(
		t,
		"# Causes\n\n"
		"`make docs` generates this page from the rule table, in the order and the words of "
		"`tlsfail causes`.\n"
		"`tlsfail causes SLUG` also shows the evidence and the confidence. A slug keeps its "
		"meaning from release to\n"
		"release. Words in capitals stand for what a finding fills in, such as a name in the "
		"certificate. The fixes name\n"
		"nginx's directives; findings about another program use its own words. "
		"[evidence.md](evidence.md) shows the\n"
		"rules.\n\n");
	add_cause_table(t, false);
	text_add(t, "\nWhen the traced program is the server:\n\n");
	add_cause_table(t, true);
}

static void add_observations(struct text *t, const char *before, uint64_t bits, uint64_t context,
			     const char *between)
{
	bool first = true;

	for (int n = 0; n < OBSERVATION_COUNT; n++) {
		if (!(bits >> n & 1))
			continue;
		text_addf(t, "%s%s", first ? before : between, observation_words(n));
		first = false;
	}
	for (int n = 0; n < CIRCUMSTANCE_COUNT; n++) {
		if (!(context >> n & 1))
			continue;
		text_addf(t, "%s%s", first ? before : between, circumstance_words(n));
		first = false;
	}
	text_add(t, first ? "" : "<br>");
}

static void add_candidate(struct text *t, const struct cause_candidate *c)
{
	text_addf(t, "`%s`", c->slug);
	if (!c->all && !c->with && !c->without)
		text_add(t, "<br>");
	add_observations(t, ": ", c->all, c->with, "; ");
	add_observations(t, "; but not if ", 0, c->without, ", or if ");
}

static void add_evidence_table(struct text *t, bool server)
{
	text_add(t,
		 "| cause | confidence | evidence | observed | not observed | makes it certain | "
		 "or, if observed |\n| --- | --- | --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < cause_count(); i++) {
		static const char *const levels[] = { "low", "medium", "high" };
		const struct cause *cause = cause_at(i);

		if (!is_of(cause, server))
			continue;
		text_addf(t, "| `%s` | %s", cause->slug, levels[cause->confidence]);
		add_observations(t, "<br>medium if any of: ", cause->medium_if, cause->medium_with,
				 "; ");
		text_addf(t, " | %s | ", cause->evidence);
		add_observations(t, "", cause->when.all, cause->when.with, "; ");
		add_observations(t, "any of: ", cause->when.any, cause->when.with_any, "; ");
		text_add(t, " | ");
		add_observations(t, "", cause->when.none, cause->when.without, "; ");
		text_add(t, " | ");
		add_observations(t, "", cause->high_if, cause->high_with, "; ");
		text_add(t, " | ");
		if (cause->or_next)
			text_add(t, "the cause that the rows below give<br>");
		for (size_t n = 0; n < CAUSE_CANDIDATES_MAX && cause->candidates[n].slug; n++)
			add_candidate(t, &cause->candidates[n]);
		text_add(t, " |\n");
	}
}

static void make_evidence(struct text *t)
{
	text_add(
		t,
		"# How a cause is found\n\n"
		"`make docs` generates this page from the rule table. tlsfail tries the rows from "
		"the top; the first that\n"
		"fits is the cause. The column \"evidence\" includes the alerts, and the errors (in "
		"OpenSSL's words) and verify\n"
		"codes of the TLS library, that a row requires. The observations under \"makes it "
		"certain\" raise the confidence\n"
		"to high. Without them a finding also lists the causes under \"or, if observed\", "
		"the most likely first, each only\n"
		"if what follows it was observed.\n\n");
	add_evidence_table(t, false);
	text_add(t, "\nWhen the traced program is the server:\n\n");
	add_evidence_table(t, true);
}

static void add_manual_list(struct text *t, bool server)
{
	text_add(t, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < cause_count(); i++) {
		const struct cause *cause = cause_at(i);
		char buf[2048];
		struct text sentence;
		size_t column = 0;

		if (!is_of(cause, server) || cause_find(cause->slug) != cause)
			continue;
		text_addf(t, ".It Cm %s\n", cause->slug);
		text_init(&sentence, buf, sizeof(buf));
		add_sentence(&sentence, cause, cause->message);
		/* a sentence begins a line, as mandoc wants it */
		for (char *word = strtok(buf, " "); word; word = strtok(NULL, " ")) {
			size_t len = strlen(word);

			if (column && column + 1 + len > MANUAL_WIDTH) {
				text_add(t, "\n");
				column = 0;
			}
			text_addf(t, "%s%s", column ? " " : "", word);
			column += len + (column ? 1 : 0);
			if (word[len - 1] == '.') {
				text_add(t, "\n");
				column = 0;
			}
		}
	}
	text_add(t, ".El\n");
}

static void make_manual(struct text *t)
{
	text_add(t, MANUAL_BEGIN);
	add_manual_list(t, false);
	text_add(t, ".Pp\nWhen the traced program is the server of a client:\n");
	add_manual_list(t, true);
	text_add(t, MANUAL_END);
}

/* Of the directory where make is run, and so the tests. */
static char *page_read(const char *name)
{
	char *page = calloc(1, PAGE_LEN);
	FILE *file = fopen(name, "r");

	assert_non_null(page);
	if (file) {
		assert_in_range(fread(page, 1, PAGE_LEN - 1, file), 0, PAGE_LEN - 2);
		fclose(file);
	}
	return page;
}

static void page_write(const char *name, const char *before, size_t before_len, const char *words,
		       const char *after)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	fwrite(before, 1, before_len, file);
	fputs(words, file);
	fputs(after, file);
	assert_int_equal(fclose(file), 0);
}

/* The part of the page between the marks, or all of it, has to be what make() makes. */
static void assert_page(const char *name, void (*make)(struct text *), const char *begin,
			const char *end)
{
	char *page = page_read(name), *want = malloc(PAGE_LEN);
	const char *from = begin ? strstr(page, begin) : page;
	const char *to = begin && from ? strstr(from, end) : NULL;
	struct text t;

	assert_non_null(want);
	if (!from) {
		free(want);
		free(page);
		fail_msg("%s has no mark for what is made", name);
		return;
	}
	to = to ? to + strlen(end) : from + strlen(from);
	text_init(&t, want, PAGE_LEN);
	make(&t);
	assert_false(t.cut);
	if (getenv("TLSFAIL_WRITE_DOCS"))
		page_write(name, page, (size_t)(from - page), want, to);
	else if (strlen(want) != (size_t)(to - from) || memcmp(want, from, strlen(want)) != 0)
		fail_msg("%s is not what the rule table says: run make docs", name);
	free(want);
	free(page);
}

static void test_causes(void **state)
{
	(void)state;
	assert_page("docs/causes.md", make_causes, NULL, NULL);
}

static void test_evidence(void **state)
{
	(void)state;
	assert_page("docs/evidence.md", make_evidence, NULL, NULL);
}

static void test_manual(void **state)
{
	(void)state;
	assert_page("man/tlsfail.8", make_manual, MANUAL_BEGIN, MANUAL_END);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_evidence),
		cmocka_unit_test(test_manual),
	};

	return cmocka_run_group_tests_name("cause_docs", tests, NULL, NULL);
}
