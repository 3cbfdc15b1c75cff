/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rule table: root causes as data, in words of no TLS library and of no program. A row says
 * what must have been observed, how certain the conclusion is, and what to tell the operator. The
 * first row that fits wins; the last one, "unknown", always fits. Slugs are stable API.
 */
#ifndef TLSFAIL_DIAGNOSE_CAUSES_H
#define TLSFAIL_DIAGNOSE_CAUSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diagnose/circumstances.h"
#include "diagnose/observations.h"
#include "finding/finding.h"

#define CAUSE_NUMBERS_MAX    6
#define CAUSE_CANDIDATES_MAX 6
#define CAUSE_WORDINGS_MAX   3

/* Whose failure a row is about: a word of a server and the same of a client differ in all. */
enum cause_role {
	OF_CLIENT,
	OF_SERVER,
	OF_EITHER,
};

/* Numbers a row accepts; the list ends with 0. An empty list accepts anything. */
struct cause_when {
	enum cause_role role;
	uint64_t all;				/* observations that must be there */
	uint64_t none;				/* and must not */
	uint64_t any;				/* one of which must be there; 0: none need be */
	uint64_t with;				/* circumstances: all of these, */
	uint64_t without;			/* none of these, */
	uint64_t with_any;			/* and one of these; 0: none need be */
	uint16_t alert[CAUSE_NUMBERS_MAX];	/* fatal alert received */
	uint16_t alert_sent[CAUSE_NUMBERS_MAX]; /* fatal alert sent, seen or inferred */
	uint16_t reason[CAUSE_NUMBERS_MAX];	/* enum tls_reason of the first error */
	uint16_t verify[CAUSE_NUMBERS_MAX]; /* enum tls_verify that was asked for, or enforced */
};

struct cause_candidate {
	const char *slug;
	uint64_t all;	  /* named only when this was observed, */
	uint64_t with;	  /* in these circumstances, */
	uint64_t without; /* and not in one of these */
};

/* Other words for the same cause, where what the peer did before says more, or the circumstances. */
struct cause_wording {
	uint64_t when;	     /* one observation, */
	uint64_t with;	     /* or a circumstance; both 0: there is no such wording */
	const char *message; /* NULL: the row's */
	const char *doubt;
	const char *hint;
};

struct cause {
	const char *slug;
	struct cause_when when;
	/* Everybody sees that all day, and nobody has to do anything: counted, and told only when all
	 * is asked for (-v). */
	bool noise;
	enum responsible responsible; /* who has to do something about it */
	enum confidence confidence;
	uint64_t medium_if;   /* of a low one: any of these observations makes it medium */
	uint64_t medium_with; /* of a high one: any of these circumstances makes it medium */
	uint64_t high_if;     /* any of these observations makes it high; 0: none */
	uint64_t high_with;   /* or any of these circumstances */
	/* The row that would fit if this one did not is a candidate, before the others. */
	bool or_next;
	struct cause_candidate candidates[CAUSE_CANDIDATES_MAX];
	const char *close_kind; /* of a close here, instead of what the socket tells; or NULL */
	const char *evidence;	/* what is observed, for `tlsfail causes` */
	/* One sentence and what to do. {words} are facts of the failure, see explain.c. No row names a
	 * directive: {setting:word} and {with:word} are in the program's words, program/program.h. */
	const char *message;
	const char *with_cert; /* instead of it, when the certificate is known; or NULL */
	/* resumption skips what fails here, so that it can hide this cause for a while */
	bool resumption_hides;
	const char *doubt; /* appended to the message while confidence is not high, or NULL */
	const char *hint;
	struct cause_wording wordings[CAUSE_WORDINGS_MAX]; /* the first that was observed counts */
};

/* Appended to the message when the library refused the certificate, and why is concluded. */
extern const char cause_note_concluded[];

/* Appended to the message when a session was resumed, and the verify result came from it; and when
 * one was offered that could have been resumed. */
extern const char cause_note_resumed[];
extern const char cause_note_shown[];	/* where the certificate is one that was shown before */
extern const char cause_hint_resumed[]; /* appended to the hint then */
extern const char cause_note_hidden[];

/* The rows, in the order in which they are looked at; NULL behind the last one. */
size_t cause_count(void);
const struct cause *cause_at(size_t index);

/* The index of the first row with that slug; cause_count(): there is none. A cause may have several
 * rows, each a way to know it. */
size_t cause_index(const char *slug);

/* Is it the slug of a row? A pointer that another process has left is compared, not followed. */
bool cause_is_slug(const char *pointer);

/* The first row with that slug, or NULL. */
const struct cause *cause_find(const char *slug);

#endif
