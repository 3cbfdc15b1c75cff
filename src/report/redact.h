/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Redaction, for pages that are passed on. What names a machine, a place, a person or a certificate
 * becomes a pseudonym, the same for the same name everywhere. Nothing is kept because it looks
 * harmless: of keys those that are in a table, of sentences words that are tlsfail's own.
 */
#ifndef TLSFAIL_REPORT_REDACT_H
#define TLSFAIL_REPORT_REDACT_H

#include <jansson.h>

enum redact_kind {
	REDACT_ADDRESS,
	REDACT_HOST,
	REDACT_NAME,
	REDACT_SUBJECT,
	REDACT_FILE,
	REDACT_LOCATION,
	REDACT_UPSTREAM,
	REDACT_PROGRAM,
	REDACT_CERTIFICATE,
	REDACT_WORD,
	REDACT_INPUT,
	REDACT_KINDS,
};

struct redact;

/* words.c: the words of tlsfail's own sentences, in small letters, with a space around each. */
extern const char report_words[];

/* NULL: no memory. The caller's to redact_free(). */
struct redact *redact_new(void);
void redact_free(struct redact *r);

/* The pseudonym of a name ("address-3"), valid as long as r is; NULL: no memory. */
const char *redact_name(struct redact *r, enum redact_kind kind, const char *name);

/* Leaves nothing in the event that could be recognized. Returns 0 or -ENOMEM, and then the event is
 * not to be used. */
int redact_event(struct redact *r, json_t *event);

#endif
