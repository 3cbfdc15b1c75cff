/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why does it fail? One thing at a time is changed about the client until the handshake works; the
 * change that helps is the proof.
 */
#ifndef TLSFAIL_PROBE_VARY_H
#define TLSFAIL_PROBE_VARY_H

#include "probe/handshake.h"
#include "probe/judge.h"

#define VARY_TRIES_MAX 12
#define VARY_WORDS_LEN 320

struct vary_try {
	char what[VARY_WORDS_LEN]; /* "with SNI app.example.com" */
	bool works;
	const char *cause; /* when it does not */
};

struct verdict {
	enum handshake_end end; /* of the handshake as the client is set */
	struct finding finding; /* about it */
	struct handshake first;
	unsigned int try_count;
	struct vary_try tries[VARY_TRIES_MAX];
	bool settled;		    /* the last try works, or what the server asked for tells */
	char works[VARY_WORDS_LEN]; /* what was changed, "" nothing helped */
	/* too large for a stack */
	struct handshake other;
	struct finding other_finding;
	struct diagnose_work work;
};

struct vary_options {
	struct dial_patience patience; /* with each connection */
	uint64_t pause_ns;	       /* between two of them */
	/* Asked before each further connection; false: no more. NULL: none asks. */
	bool (*go_on)(void *context);
	void *context;
};

/* Fills in *verdict, to be cleared with vary_clear(). x509 may be NULL. */
void vary(const struct client *client, const struct dial_peer *peer,
	  const struct judge_place *place, const struct vary_options *options,
	  struct verdict *verdict);
void vary_clear(struct verdict *verdict);

#endif
