// SPDX-License-Identifier: BSD-2-Clause
/*
 * Findings of lint as lines, as JSON and as SARIF 2.1.0 (OASIS, section numbers below).
 */
#include "command/lint_report.h"

#include <string.h>

#include "base/json.h"

#define PIECE_SIZE   4096
#define SARIF_SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

const char *lint_report_relative(const struct lint_report *r, const char *path)
{
	size_t len = strlen(r->directory);

	return strncmp(path, r->directory, len) != 0 ? path : path + len;
}

const char *lint_report_path(const struct lint_report *r, const struct nginxconf_file *file)
{
	return lint_report_relative(r, file->path);
}

static const char *color_of(enum lint_severity severity)
{
	return severity == LINT_ERROR	  ? "\033[1;31m"
	       : severity == LINT_WARNING ? "\033[1;33m"
					  : "\033[1m";
}

void lint_report_text(const struct lint_report *r)
{
	for (size_t i = 0; i < lint_count(r->lint); i++) {
		const struct lint_finding *f = lint_at(r->lint, i);
		char buf[PIECE_SIZE];
		struct text t;

		text_init(&t, buf, sizeof(buf));
		text_add_hostile(&t, lint_report_path(r, f->at->file),
				 strlen(lint_report_path(r, f->at->file)));
		text_addf(&t, ":%u: %s%s%s: %s: %s\n    fix: %s\n", f->at->line,
			  r->color ? color_of(f->severity) : "", lint_severity_name(f->severity),
			  r->color ? "\033[0m" : "", f->rule->slug, f->text, f->rule->fix);
		fputs(buf, r->out);
	}
}

static void member(struct jsonout *j, const char *key, const char *value)
{
	jsonout_key(j, key);
	jsonout_string(j, value);
}

/* {"text": ...}, as SARIF has messages (3.11, 3.12). */
static void message(struct jsonout *j, const char *key, const char *value)
{
	jsonout_key(j, key);
	jsonout_begin(j, "{");
	member(j, "text", value);
	jsonout_end(j, "}");
}

static uint64_t hash_add(uint64_t hash, const char *s)
{
	for (; *s; s++)
		hash = (hash ^ (unsigned char)*s) * 0x100000001b3;
	return (hash ^ 0xff) * 0x100000001b3;
}

static uint64_t hash_of(const struct lint_report *r, const struct lint_finding *f)
{
	uint64_t hash = hash_add(0xcbf29ce484222325, f->rule->slug);

	hash = hash_add(hash, lint_report_path(r, f->at->file));
	for (uint32_t i = 0; i < f->at->word_count; i++)
		hash = hash_add(hash, f->at->words[i]);
	return hash;
}

/* Stays when lines are added above: of the rule, the file and the words, and how many of the same
 * stand before it. */
static void fingerprint(const struct lint_report *r, size_t index, char out[32])
{
	uint64_t hash = hash_of(r, lint_at(r->lint, index));
	size_t same = 0;
	struct text t;

	for (size_t i = 0; i < index; i++)
		same += hash_of(r, lint_at(r->lint, i)) == hash;
	text_init(&t, out, 32);
	text_addf(&t, "%016llx:%zu", (unsigned long long)hash, same + 1);
}

static void piece_put(const struct lint_report *r, struct text *t)
{
	fputs(t->buf, r->out);
	text_init(t, t->buf, t->size);
}

void lint_report_json(const struct lint_report *r)
{
	char buf[PIECE_SIZE], print[32];
	struct text t;
	struct jsonout j = { .text = &t };

	text_init(&t, buf, sizeof(buf));
	jsonout_begin(&j, "{");
	jsonout_key(&j, "findings");
	jsonout_begin(&j, "[");
	for (size_t i = 0; i < lint_count(r->lint); i++) {
		const struct lint_finding *f = lint_at(r->lint, i);

		fingerprint(r, i, print);
		jsonout_begin(&j, "{");
		member(&j, "file", lint_report_path(r, f->at->file));
		jsonout_key(&j, "line");
		jsonout_integer(&j, f->at->line);
		member(&j, "severity", lint_severity_name(f->severity));
		member(&j, "rule", f->rule->slug);
		member(&j, "text", f->text);
		member(&j, "why", f->rule->why);
		member(&j, "fix", f->rule->fix);
		member(&j, "fingerprint", print);
		jsonout_end(&j, "}");
		piece_put(r, &t);
	}
	jsonout_end(&j, "]");
	jsonout_key(&j, "files_not_read");
	jsonout_integer(&j, (int64_t)lint_files_missing(r->lint));
	jsonout_key(&j, "interrupted");
	jsonout_boolean(&j, lint_is_interrupted(r->lint));
	jsonout_end(&j, "}");
	text_add(&t, "\n");
	piece_put(r, &t);
}

/* A path as a relative reference (RFC 3986): 3.4.3 */
static void uri_member(struct jsonout *j, const char *path)
{
	char uri[1024];
	struct text t;

	text_init(&t, uri, sizeof(uri));
	for (const unsigned char *c = (const unsigned char *)path; *c; c++)
		if (((*c | 32) >= 'a' && (*c | 32) <= 'z') || (*c >= '0' && *c <= '9') ||
		    strchr("-._~/", *c))
			text_addf(&t, "%c", *c);
		else
			text_addf(&t, "%%%02X", *c);
	member(j, "uri", uri);
}

/* 3.49 */
static void sarif_rule(struct jsonout *j, const struct lint_rule *rule)
{
	jsonout_begin(j, "{");
	member(j, "id", rule->slug);
	message(j, "shortDescription", rule->title);
	message(j, "fullDescription", rule->why);
	message(j, "help", rule->fix);
	jsonout_key(j, "defaultConfiguration");
	jsonout_begin(j, "{");
	if (rule->severity == LINT_OFF) {
		jsonout_key(j, "enabled");
		jsonout_boolean(j, false);
	} else {
		member(j, "level", lint_severity_name(rule->severity));
	}
	jsonout_end(j, "}");
	jsonout_end(j, "}");
}

/* 3.27 */
static void sarif_result(const struct lint_report *r, struct jsonout *j, size_t index)
{
	const struct lint_finding *f = lint_at(r->lint, index);
	char print[32];

	fingerprint(r, index, print);
	jsonout_begin(j, "{");
	member(j, "ruleId", f->rule->slug);
	jsonout_key(j, "ruleIndex");
	jsonout_integer(j, lint_rule_find(f->rule->slug));
	member(j, "level", lint_severity_name(f->severity));
	message(j, "message", f->text);
	jsonout_key(j, "locations");
	jsonout_begin(j, "[");
	jsonout_begin(j, "{");
	jsonout_key(j, "physicalLocation");
	jsonout_begin(j, "{");
	jsonout_key(j, "artifactLocation");
	jsonout_begin(j, "{");
	uri_member(j, lint_report_path(r, f->at->file));
	jsonout_end(j, "}");
	jsonout_key(j, "region");
	jsonout_begin(j, "{");
	jsonout_key(j, "startLine");
	jsonout_integer(j, f->at->line);
	jsonout_end(j, "}");
	jsonout_end(j, "}");
	jsonout_end(j, "}");
	jsonout_end(j, "]");
	jsonout_key(j, "partialFingerprints");
	jsonout_begin(j, "{");
	member(j, "tlsfail/v1", print);
	jsonout_end(j, "}");
	jsonout_end(j, "}");
}

void lint_report_sarif(const struct lint_report *r)
{
	char buf[PIECE_SIZE];
	const struct lint_rule *rule;
	struct text t;
	struct jsonout j = { .text = &t };

	text_init(&t, buf, sizeof(buf));
	jsonout_begin(&j, "{");
	member(&j, "$schema", SARIF_SCHEMA);
	member(&j, "version", "2.1.0");
	jsonout_key(&j, "runs");
	jsonout_begin(&j, "[");
	jsonout_begin(&j, "{");
	jsonout_key(&j, "tool");
	jsonout_begin(&j, "{");
	jsonout_key(&j, "driver");
	jsonout_begin(&j, "{");
	member(&j, "name", "tlsfail");
	member(&j, "version", TLSFAIL_VERSION);
	jsonout_key(&j, "rules");
	jsonout_begin(&j, "[");
	for (size_t i = 0; (rule = lint_rule_at(i)); i++) {
		sarif_rule(&j, rule);
		piece_put(r, &t);
	}
	jsonout_end(&j, "]");
	jsonout_end(&j, "}");
	jsonout_end(&j, "}");
	jsonout_key(&j, "invocations"); /* 3.20 */
	jsonout_begin(&j, "[");
	jsonout_begin(&j, "{");
	jsonout_key(&j, "executionSuccessful");
	jsonout_boolean(&j, !lint_is_interrupted(r->lint));
	jsonout_end(&j, "}");
	jsonout_end(&j, "]");
	jsonout_key(&j, "results");
	jsonout_begin(&j, "[");
	for (size_t i = 0; i < lint_count(r->lint); i++) {
		sarif_result(r, &j, i);
		piece_put(r, &t);
	}
	jsonout_end(&j, "]");
	jsonout_end(&j, "}");
	jsonout_end(&j, "]");
	jsonout_end(&j, "}");
	text_add(&t, "\n");
	piece_put(r, &t);
}

void lint_report_rules(const struct lint_report *r)
{
	const struct lint_rule *rule;

	for (size_t i = 0; (rule = lint_rule_at(i)); i++) {
		char buf[PIECE_SIZE];
		struct text t;

		text_init(&t, buf, sizeof(buf));
		text_addf(&t, "%s (%s): %s.\n    ", rule->slug,
			  lint_severity_name(r->settings->severities[i]), rule->title);
		text_add_wrapped(&t, 4, rule->why, "", "");
		text_add(&t, "\n    fix: ");
		text_add_wrapped(&t, 9, rule->fix, "", "");
		text_add(&t, "\n");
		fputs(buf, r->out);
	}
}
