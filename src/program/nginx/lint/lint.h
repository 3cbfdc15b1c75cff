/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules for a configuration of nginx: what in it will fail in a TLS handshake, or does not do what it
 * says. A rule is a row: its name, how bad it is, why, and a function that looks. Pure: files that
 * directives name come through a callback, and so does the time.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_LINT_LINT_H
#define TLSFAIL_PROGRAM_NGINX_LINT_LINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "program/nginx/conf.h"

#define LINT_RULES_MAX	  48
#define LINT_TEXT_LEN	  384
#define LINT_EDIT_LEN	  160
#define LINT_FINDINGS_MAX 4096

enum lint_severity {
	LINT_OFF, /* a matter of policy: somebody has to ask for it */
	LINT_NOTE,
	LINT_WARNING,
	LINT_ERROR,
};

struct lint;

struct lint_rule {
	const char *slug;
	enum lint_severity severity;
	const char *title; /* what it is about, in a few words */
	const char *why;
	const char *fix;
	unsigned int until; /* the version of nginx that it is not true of any more, 0: all */
	void (*check)(struct lint *lint, const struct lint_rule *rule);
};

/* What could be written instead. */
enum lint_edit_kind {
	LINT_EDIT_NONE,
	LINT_EDIT_BEHIND,  /* a line behind the directive */
	LINT_EDIT_REPLACE, /* the directive itself, from its name to its ';' */
};

struct lint_finding {
	const struct lint_rule *rule;
	enum lint_severity severity;
	const struct nginxconf_directive *at;
	char text[LINT_TEXT_LEN];
	enum lint_edit_kind edit_kind;
	char edit[LINT_EDIT_LEN]; /* directives, without a newline at the end */
};

struct lint_settings {
	int64_t now;	      /* seconds since 1970 */
	int64_t cert_days;    /* certificates have to be valid for so long */
	unsigned int version; /* of nginx, 1022001; 0: not known */
	const char
		*location; /* only this place that passes, or those to this upstream; NULL: all */
	enum lint_severity severities[LINT_RULES_MAX]; /* of the rules, by index */
	/* The text of a file that a directive names: malloc()ed, and the caller's to free(). A negative
	 * errno when it is not there: then nothing is said about it. */
	int (*read)(void *context, const char *name, char **text, size_t *len);
	/* Asked before each rule, and before each file that one reads; false: what was found until then is
	 * enough. NULL: nobody interrupts. */
	bool (*go_on)(void *context, const char *slug);
	void *context;
};

/* The row of that index; NULL behind the last one. */
const struct lint_rule *lint_rule_at(size_t i);

/* Its index, or -1. */
int lint_rule_find(const char *slug);

/* Fills the severities that the rules have by themselves. */
void lint_settings_default(struct lint_settings *settings);

/* -ENOMEM, or 0: *lint is the caller's to lint_free(). conf has to live as long, with its texts. */
int lint_run(const struct nginxconf *conf, const struct lint_settings *settings,
	     struct lint **lint);
void lint_free(struct lint *lint);

/* What was found, in the order of the configuration. */
size_t lint_count(const struct lint *lint);
const struct lint_finding *lint_at(const struct lint *lint, size_t i);

/* False: no place that passes has the name that was asked for. */
bool lint_is_located(const struct lint *lint);

/* Not all that was to be looked at was. */
bool lint_is_interrupted(const struct lint *lint);

/* Files that directives name and that could not be read. */
size_t lint_files_missing(const struct lint *lint);

/* "note", "warning", "error", "off" */
const char *lint_severity_name(enum lint_severity severity);
bool lint_severity_find(const char *name, enum lint_severity *severity);

#endif
