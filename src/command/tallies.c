// SPDX-License-Identifier: BSD-2-Clause
/*
 * Numbers and nothing else: whatever is found in the place of those of a process before, it can be shown.
 */
#include "command/tallies.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "diagnose/causes.h"
#include "diagnose/symptoms.h"
#include "system/log.h"

int tallies_open(struct tallies *t, struct estate *estate)
{
	t->estate = estate;
	t->n = estate_take(estate, sizeof(*t->n));
	t->by_cause = estate_take(estate, cause_count() * sizeof(*t->by_cause));
	if (!t->n || !t->by_cause)
		return -ENOMEM;
	t->orphans = t->n->orphans;
	return 0;
}

void tallies_close(struct tallies *t)
{
	estate_give(t->estate, t->n);
	estate_give(t->estate, t->by_cause);
}

void tallies_count(struct tallies *t, const struct finding *f, const struct tlsfail_conn *conn)
{
	if (f->noise)
		t->n->noise++;
	else if (symptoms_is_server(conn))
		t->n->server_failed++;
	else if (!strcmp(f->phase, "connect"))
		conn->flags &TLSFAIL_F_REFUSED ? t->n->refused++ : t->n->unconnected++;
	else
		t->n->failed++;
	t->by_cause[cause_index(f->cause)]++;
	t->n->contradictions += f->contradictions;
}

void tallies_orphans(struct tallies *t, uint64_t orphans)
{
	t->n->orphans = t->orphans + orphans;
}

uint64_t tallies_as_client(const struct tallies *t)
{
	return t->n->failed + t->n->refused + t->n->unconnected;
}

/* -- on stderr ---------------------------------------------------------------------------------- */

/* "1 handshake", "2 handshakes" */
static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

void tallies_status(const struct tallies *t)
{
	uint64_t failed = tallies_as_client(t) + t->n->server_failed;

	log_line("alive: %" PRIu64 " failure%s since the start, including %" PRIu64
		 " refused connection%s and %" PRIu64 " as the server; noise: %" PRIu64,
		 failed, plural(failed), t->n->refused, plural(t->n->refused), t->n->server_failed,
		 t->n->noise);
}

static void losses_write(const struct tallies *t, const struct tlsfail_totals *totals)
{
	const struct tlsfail_lost *l = &totals->lost;
	uint64_t lost = l->conns + l->wires + l->untracked + l->execs;

	log_line("%" PRIu64 " records received, %" PRIu64 " records lost",
		 (uint64_t)totals->records, lost);
	if (lost)
		log_line("  %" PRIu64 " failures, %" PRIu64 " wire records, %" PRIu64
			 " connections not followed, %" PRIu64 " process starts",
			 (uint64_t)l->conns, (uint64_t)l->wires, (uint64_t)l->untracked,
			 (uint64_t)l->execs);
	if (t->n->contradictions)
		log_line("%" PRIu64
			 " conclusions were withdrawn because their own evidence contradicts "
			 "them: please report this",
			 t->n->contradictions);
	if (t->n->orphans)
		log_line("%" PRIu64 " wire records arrived without their connection",
			 t->n->orphans);
}

static void client_write(const struct tallies *t, const struct tlsfail_totals *totals)
{
	char others[64] = "";
	struct text text;

	text_init(&text, others, sizeof(others));
	if (t->n->unconnected)
		text_addf(&text, "; others that were not established: %" PRIu64, t->n->unconnected);
	log_line("%" PRIu64 " handshake%s seen, %" PRIu64 " failed; refused connections: %" PRIu64
		 "%s",
		 (uint64_t)totals->client_seen, plural(totals->client_seen), t->n->failed,
		 t->n->refused, others);
}

void tallies_summary(const struct tallies *t, const struct tallies_summary *how)
{
	const struct tlsfail_totals *totals = how->totals;

	if (!totals)
		log_line("%" PRIu64 " failed; the totals are missing",
			 tallies_as_client(t) + t->n->server_failed + t->n->noise);
	else if (how->client)
		client_write(t, totals);
	if (t->n->unjudged)
		log_line(
			"at least %" PRIu64
			" handshake%s done and the connection closed here at once, without a "
			"request: whether the program refused the certificate is not known (health "
			"checks do the same)",
			t->n->unjudged, t->n->unjudged == 1 ? " was" : "s were");
	if (totals && (how->server || totals->server_seen || t->n->server_failed || t->n->noise))
		log_line("%" PRIu64 " handshake%s seen as the server, %" PRIu64
			 " failed; noise%s: %" PRIu64,
			 (uint64_t)totals->server_seen, plural(totals->server_seen),
			 t->n->server_failed, how->noise ? "" : " (-v shows it)", t->n->noise);
	for (size_t i = 0; i < cause_count(); i++)
		if (t->by_cause[i])
			log_line("  %" PRIu64 " %s", t->by_cause[i], cause_at(i)->slug);
	if (t->n->lines || t->n->lines_alone)
		log_line("error.log: findings with a matching line: %" PRIu64
			 "; SSL lines without a finding: %" PRIu64,
			 t->n->lines, t->n->lines_alone);
	if (totals)
		losses_write(t, totals);
}
