// SPDX-License-Identifier: BSD-2-Clause
/*
 * Feeds records through, and counts what came out.
 */
#include "command/pipeline.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command/confirm.h"
#include "command/programs.h"
#include "command/standings.h"
#include "command/tallies.h"
#include "diagnose/causes.h"
#include "diagnose/certmemo.h"
#include "diagnose/correlate.h"
#include "record/decode.h"
#include "diagnose/diagnose.h"
#include "finding/finding.h"
#include "diagnose/fold.h"
#include "diagnose/groups.h"
#include "diagnose/notes.h"
#include "program/nginx/place.h"
#include "system/clock.h"
#include "system/log.h"

struct pipeline {
	struct outputs *outputs; /* the caller's */
	struct correlator *correlator;
	struct certwatch *certwatch;
	struct certmemo *certmemo;
	struct notes *notes;
	struct fold *fold;
	struct peers *peers;
	uint64_t summary_ns;
	uint64_t summary_deadline;   /* 0: no time is known yet, or there are no summaries */
	uint64_t now;		     /* CLOCK_MONOTONIC, the latest that a record has told */
	struct confirm *confirm;     /* NULL: nothing is confirmed */
	struct metrics *metrics;     /* or NULL */
	struct standings *standings; /* or NULL */
	uint64_t stood_ns;	     /* when it was told last how handshakes stand */
	uint64_t stood_at;	     /* and how many had ended */

	unsigned int roles;
	bool tell_noise;
	struct filter filter;
	struct tallies tallies;
	bool has_totals;
	struct tlsfail_totals totals;

	/* too large for the stack */
	struct decoded record;
	struct failure failure;
	struct diagnose_work work;
	struct finding finding;
	struct finding folded;
};

int pipeline_open(struct outputs *outputs, const struct pipeline_options *options,
		  struct pipeline **out)
{
	struct pipeline *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->outputs = outputs;
	p->roles = options->roles;
	p->tell_noise = options->noise;
	p->filter = options->filter;
	p->correlator = correlator_new();
	p->work.x509 = x509_cache_new();
	p->certwatch = certwatch_new(&options->certs, options->estate);
	p->certmemo = certmemo_new();
	p->notes = notes_new();
	p->fold = fold_new(options->fold_ns, options->fold_limit, options->estate);
	p->peers = peers_new(options->estate);
	p->summary_ns = options->summary_ns;
	if (tallies_open(&p->tallies, options->estate) || !p->work.x509 || !p->correlator ||
	    !p->certwatch || !p->certmemo || !p->notes || !p->fold || !p->peers) {
		pipeline_close(p);
		return -ENOMEM;
	}
	*out = p;
	return 0;
}

void pipeline_close(struct pipeline *p)
{
	if (!p)
		return;
	correlator_free(p->correlator);
	certwatch_free(p->certwatch);
	certmemo_free(p->certmemo);
	notes_free(p->notes);
	x509_cache_free(p->work.x509);
	fold_free(p->fold);
	peers_free(p->peers);
	tallies_close(&p->tallies);
	free(p);
}

void pipeline_set_outputs(struct pipeline *p, struct outputs *outputs)
{
	p->outputs = outputs;
}

void pipeline_count_into(struct pipeline *p, struct metrics *metrics)
{
	p->metrics = metrics;
}

void pipeline_tell_noise(struct pipeline *p, bool noise)
{
	p->tell_noise = noise;
}

bool pipeline_server_name(struct pipeline *p, const struct tlsfail_conn *conn, struct text *name)
{
	const struct tls_client_hello *hello = &p->work.view.client.hello;
	struct tls_capture client, server = { 0 };
	enum tlsfail_dir dir =
		conn->role == TLSFAIL_ROLE_SERVER ? TLSFAIL_DIR_RECEIVED : TLSFAIL_DIR_SENT;

	if (!correlator_bytes(p->correlator, conn->id, dir, &client))
		return false;
	tlswire_parse(&client, &server, &p->work.view);
	if (hello->has_server_name)
		text_add_hostile(name, hello->server_name.data, hello->server_name.len);
	return hello->has_server_name || (hello->present && !hello->cut && !hello->malformed);
}

static void endpoint_set(struct finding_endpoint *endpoint, const struct tlsfail_peer_key *key)
{
	struct text t;

	text_init(&t, endpoint->address, sizeof(endpoint->address));
	text_add_address(&t, key->family, key->addr);
	endpoint->port = key->port;
}

void pipeline_count_failing(struct pipeline *p, uint64_t now)
{
	struct finding_endpoint peer;
	struct peer_failing failing;
	size_t at = 0;

	if (!p->metrics)
		return;
	metrics_failing_begin(p->metrics);
	while (peers_failing(p->peers, now, &at, &failing)) {
		const struct metrics_failing how = {
			.since_ns = correlator_realtime(p->correlator, failing.since),
			.last_ns = correlator_realtime(p->correlator, failing.last),
			.failures = failing.streak,
			.cause = failing.cause,
		};

		endpoint_set(&peer, &failing.key);
		metrics_failing_add(p->metrics, &peer, &how);
	}
}

void pipeline_stand_into(struct pipeline *p, struct standings *standings)
{
	p->standings = standings;
}

/* CLOCK_REALTIME of what did not happen is 0, too. */
static uint64_t realtime_of(const struct pipeline *p, uint64_t t)
{
	return t ? correlator_realtime(p->correlator, t) : 0;
}

void pipeline_stand_peer(struct pipeline *p, const struct tlsfail_peer_key *key,
			 const struct tlsfail_peer_counts *n, uint64_t latency_ns)
{
	struct standing_peer peer = {
		.done = n->done,
		.failed = n->failed,
		.streak = n->streak,
		.last_done_ns = realtime_of(p, n->t_done),
		.last_failed_ns = realtime_of(p, n->t_failed),
		.latency_ns = latency_ns,
	};

	/* It has spoken TLS once, and nothing has ended. */
	if (!p->standings || !n->t_first)
		return;
	endpoint_set(&peer.peer, key);
	standings_peer(p->standings, &peer);
}

static void standing_causes(const struct pipeline *p, struct standing *s)
{
	s->cause_count = 0;
	for (size_t i = 0; i < cause_count() && s->cause_count < STANDING_CAUSES_MAX; i++) {
		struct standing_cause *cause = &s->causes[s->cause_count];
		struct text t;

		if (!p->tallies.by_cause[i])
			continue;
		text_init(&t, cause->slug, sizeof(cause->slug));
		text_add(&t, cause_at(i)->slug);
		cause->count = p->tallies.by_cause[i];
		s->cause_count++;
	}
}

static int standing_write(struct pipeline *p, uint64_t time_ns)
{
	struct standing *s = standings_all(p->standings);

	s->time_ns = time_ns;
	s->client_failed = tallies_as_client(&p->tallies);
	s->server_failed = p->tallies.n->server_failed;
	s->noise = p->tallies.n->noise;
	standing_causes(p, s);
	return outputs_standing(p->outputs, s);
}

/* Since the last time. */
static void standing_rate(struct pipeline *p, struct standing *s, const __u64 *n, uint64_t time_ns)
{
	uint64_t ended = n[TLSFAIL_N_CLIENT_OK] + n[TLSFAIL_N_SERVER_OK] + p->tallies.n->failed +
			 p->tallies.n->refused + p->tallies.n->server_failed + p->tallies.n->noise;

	s->rate =
		p->stood_ns && time_ns > p->stood_ns && ended >= p->stood_at
			? (double)(ended - p->stood_at) * NS_PER_S / (double)(time_ns - p->stood_ns)
			: -1;
	p->stood_ns = time_ns;
	p->stood_at = ended;
}

int pipeline_stand(struct pipeline *p, const struct pipeline_totals *totals)
{
	uint64_t time_ns = totals ? clock_realtime() : realtime_of(p, p->now);
	struct standing *s;

	if (!p->standings || (!totals && !standings_due(p->standings, time_ns)))
		return 0;
	s = standings_all(p->standings);
	s->has_totals = totals;
	if (totals) {
		const __u64 *n = totals->counters->n;

		standing_rate(p, s, n, time_ns);
		s->client_done = n[TLSFAIL_N_CLIENT_OK];
		s->server_done = n[TLSFAIL_N_SERVER_OK];
		s->latency_ns = totals->counters->latency_ns;
		s->lost = n[TLSFAIL_N_LOST_CONN] + n[TLSFAIL_N_UNTRACKED];
		s->processes = totals->processes;
	}
	return standing_write(p, time_ns);
}

uint64_t pipeline_findings(const struct pipeline *p)
{
	return p->tallies.n->findings;
}

uint64_t pipeline_contradictions(const struct pipeline *p)
{
	return p->tallies.n->contradictions;
}

uint64_t pipeline_orphans(const struct pipeline *p)
{
	return p->tallies.n->orphans;
}

static int finding_write(struct pipeline *p, const struct finding *finding)
{
	return outputs_write(p->outputs, finding);
}

static void stand_failed(struct pipeline *p, const struct tlsfail_conn *conn)
{
	struct tlsfail_peer_key key = { .family = conn->family, .port = conn->rport };

	memcpy(key.addr, conn->raddr, sizeof(key.addr));
	pipeline_stand_peer(p, &key, &conn->peer, 0);
}

static void failure_count(struct pipeline *p)
{
	tallies_count(&p->tallies, &p->finding, p->failure.conn);
	if (!symptoms_is_server(p->failure.conn))
		stand_failed(p, p->failure.conn);
	if (!p->metrics)
		return;
	metrics_failure(p->metrics, &p->finding);
	if (!symptoms_is_server(p->failure.conn))
		metrics_succeeded(p->metrics, &p->finding.peer, p->failure.conn->peer.done);
}

/* The first upstream block that leads to the peer, "" when none is known. */
static const char *upstream_of(const struct finding_config *config)
{
	for (unsigned int i = 0; i < config->place_count; i++)
		if (*config->places[i].upstream)
			return config->places[i].upstream;
	return "";
}

/* What the peer did before, unless that may be another's. */
static void history_find(struct pipeline *p)
{
	struct failure *f = &p->failure;

	peers_failed(p->peers, f->conn, &f->history);
	if (peers_mixed(p->peers, f->conn, f->netns, f->container[0]))
		f->history = (struct peer_history){ .known = false };
}

static void peer_learn(struct pipeline *p)
{
	certmemo_put(p->certmemo, &p->finding.peer, p->failure.netns, p->finding.time_ns,
		     p->work.certs, p->work.cert_count, p->work.certs_sent);
	notes_drop(p->notes, &p->finding.peer);
	peers_offered(p->peers, p->failure.conn, p->finding.hello.offers_session);
	peers_caused(p->peers, p->failure.conn, p->finding.cause, upstream_of(&p->finding.config));
}

/* Of a finding that says nothing: may the program have refused a certificate all the same, which nobody saw? */
static bool is_unjudged(const struct failure *failure, const struct finding *f)
{
	const struct program *program = failure->program;

	/* Of OpenSSL's chains there would be an error. */
	bool is_unknown = !f->certificate.known || !*failure->version;

	return is_unknown && failure->conn->flags & TLSFAIL_F_DONE &&
	       symptoms_is_suspect(failure->conn) && !(program && program->closes_unused);
}

static int failure_report(struct pipeline *p)
{
	bool tell, told, server = symptoms_is_server(p->failure.conn);
	bool learn = !server && !symptoms_is_suspect(p->failure.conn);
	int err;

	if (!(p->roles & (server ? PIPELINE_SERVER : PIPELINE_CLIENT)))
		return 0;
	if (learn)
		history_find(p);
	p->failure.memo = p->certmemo;
	p->failure.program = programs_find(p->failure.exe, p->failure.conn->comm);
	diagnose(&p->failure, &p->work, &p->finding);
	if (p->finding.nothing) {
		p->tallies.n->unjudged += is_unjudged(&p->failure, &p->finding);
		return 0;
	}
	if (p->finding.kind == FINDING_PLAINTEXT)
		return notes_first(p->notes, &p->finding.peer) ? finding_write(p, &p->finding) : 0;
	failure_count(p);
	if (learn)
		peer_learn(p);
	if ((p->finding.noise && !p->tell_noise) || !filter_passes(&p->filter, &p->finding))
		return 0;
	p->tallies.n->findings++;
	tell = fold_take(p->fold, p->now, &p->finding, &p->folded, &told);
	err = told ? finding_write(p, &p->folded) : 0;
	if (tell && p->confirm)
		confirm_offer(p->confirm, &p->failure, &p->finding, clock_monotonic());
	return err || !tell ? err : finding_write(p, &p->finding);
}

int pipeline_confirm(struct pipeline *p)
{
	int err = 0;

	while (!err && p->confirm && confirm_poll(p->confirm, &p->folded))
		err = finding_write(p, &p->folded);
	return err;
}

bool pipeline_confirms(const struct pipeline *p)
{
	return p->confirm && confirm_waits(p->confirm);
}

void pipeline_confirm_with(struct pipeline *p, struct confirm *confirm)
{
	p->confirm = confirm;
}

static int loss_report(struct pipeline *p, const struct tlsfail_loss *loss)
{
	diagnose_loss(loss, correlator_realtime(p->correlator, loss->t),
		      correlator_host(p->correlator), &p->finding);
	return finding_write(p, &p->finding);
}

static int certificates_report(struct pipeline *p, const struct tlsfail_certs *record)
{
	const struct x509_view *certs;
	struct finding_endpoint peer;
	struct certificate_ends ends;
	struct sighting sighting;
	size_t count;
	int err = 0;

	correlator_sighting(p->correlator, record, &sighting);
	sighting.program = programs_find(sighting.exe, "");
	count = certwatch_read(p->certwatch, &sighting, &peer, &certs);
	certmemo_put(p->certmemo, &peer, sighting.netns, sighting.time_ns, certs, count,
		     record->cert_count);
	if ((p->metrics || p->standings) && certwatch_ends(p->certwatch, &sighting, &ends)) {
		if (p->metrics)
			metrics_certificates(p->metrics, &ends);
		if (p->standings)
			standings_certificates(p->standings, &ends);
	}
	for (int event = 0; !err && event < CERTWATCH_EVENTS; event++)
		if (certwatch_tell(p->certwatch, &sighting, event, &p->finding) &&
		    (event != CERTWATCH_UNSENT || !notes_put(p->notes, p->now, &p->finding)))
			err = finding_write(p, &p->finding);
	return err;
}

/* Before the recovery comes what is still folded of the peer. */
static int recovery_report(struct pipeline *p, const struct tlsfail_peer *record)
{
	struct peer_recovery recovery;
	struct finding_endpoint peer;
	int err = 0;

	if (p->metrics) {
		endpoint_set(&peer, &record->key);
		metrics_succeeded(p->metrics, &peer, record->n.done);
	}
	pipeline_stand_peer(p, &record->key, &record->n, 0);
	if (!peers_read(p->peers, record, &recovery))
		return 0;
	diagnose_recovery(record, &recovery, correlator_realtime(p->correlator, recovery.t),
			  correlator_host(p->correlator), &p->finding);
	while (!err && fold_tell_peer(p->fold, &p->finding.peer, &p->folded))
		err = finding_write(p, &p->folded);
	return err ? err : finding_write(p, &p->finding);
}

/* The time of a record, CLOCK_MONOTONIC in ns, 0 for one that has none. */
static uint64_t record_time(const struct decoded *record)
{
	switch (record->type) {
	case TLSFAIL_REC_CONN:
		return record->conn.t_close;
	case TLSFAIL_REC_EXEC:
		return record->exec.t;
	case TLSFAIL_REC_CERTS:
		return record->certs.t;
	case TLSFAIL_REC_CLOCK:
		return record->clock.monotonic;
	case TLSFAIL_REC_LOSS:
		return record->loss.t;
	case TLSFAIL_REC_PEER:
		return record->peer.t;
	case TLSFAIL_REC_TOTALS:
		return record->totals.t;
	case TLSFAIL_REC_WIRE:
	case TLSFAIL_REC_HOST:
	case TLSFAIL_REC_PROCESS:
	case TLSFAIL_REC_LOG_LINE:
	case TLSFAIL_REC_NGINX:
		return 0;
	}
	return 0;
}

/* An event for each peer that has something to tell, and then for each group of such. */
static int peers_report(struct pipeline *p, bool whole)
{
	uint64_t time_ns = correlator_realtime(p->correlator, p->now);
	struct groups groups = { 0 };
	struct peer_summary summary;
	bool first = true;
	size_t at = 0;
	int err = 0;

	while (!err && peers_summarize(p->peers, p->now, whole, &at, &summary)) {
		diagnose_summary(&summary, p->now, time_ns, correlator_host(p->correlator),
				 &p->folded);
		p->folded.history.first = first;
		p->folded.history.whole = whole;
		first = false;
		err = finding_write(p, &p->folded);
		groups_add(&groups, &summary);
	}
	for (size_t i = 0; !err && i < groups.count; i++) {
		diagnose_group(&groups.all[i], p->now, time_ns, correlator_host(p->correlator),
			       &p->folded);
		p->folded.history.whole = whole;
		err = finding_write(p, &p->folded);
	}
	return err;
}

/* The records of several CPUs are not quite in order: time never goes back. */
static int time_advance(struct pipeline *p, uint64_t t)
{
	int err = 0;

	if (t > p->now)
		p->now = t;
	while (!err && fold_tell_due(p->fold, p->now, &p->folded))
		err = finding_write(p, &p->folded);
	while (!err && notes_take(p->notes, p->now, &p->folded))
		err = finding_write(p, &p->folded);
	return err;
}

/* Not by the counts of a peer: those of others may come with them. */
static int summary_tell(struct pipeline *p)
{
	bool due = pipeline_summary_is_due(p, p->now);

	if (!p->summary_ns || !p->now || p->record.type == TLSFAIL_REC_PEER)
		return 0;
	if (due || !p->summary_deadline)
		p->summary_deadline = p->now + p->summary_ns;
	return due ? peers_report(p, false) : 0;
}

/* Of two times, 0: none. */
static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a && (!b || a < b) ? a : b;
}

uint64_t pipeline_deadline(const struct pipeline *p)
{
	return earlier(earlier(p->summary_deadline, fold_deadline(p->fold)),
		       notes_deadline(p->notes));
}

bool pipeline_summary_is_due(const struct pipeline *p, uint64_t t)
{
	return p->summary_deadline && t >= p->summary_deadline;
}

bool pipeline_peer_watched(const struct pipeline *p, bool any, size_t *at,
			   struct tlsfail_peer_key *key)
{
	return peers_watched(p->peers, any, at, key);
}

int pipeline_finish(struct pipeline *p)
{
	int err = 0;

	while (!err && fold_tell_rest(p->fold, &p->folded))
		err = finding_write(p, &p->folded);
	while (!err && notes_take(p->notes, UINT64_MAX, &p->folded))
		err = finding_write(p, &p->folded);
	if (!err && p->standings)
		err = standing_write(p, realtime_of(p, p->now));
	/* Intervals added up are the run: the last one is shorter. */
	if (!err && p->summary_ns)
		err = peers_report(p, false);
	return err || !p->summary_ns ? err : peers_report(p, true);
}

static int record_take(struct pipeline *p)
{
	int ret;

	switch (p->record.type) {
	case TLSFAIL_REC_LOSS:
		return loss_report(p, &p->record.loss);
	case TLSFAIL_REC_TOTALS:
		p->totals = p->record.totals;
		p->has_totals = true;
		return 0;
	case TLSFAIL_REC_CERTS:
		return certificates_report(p, &p->record.certs);
	case TLSFAIL_REC_PEER:
		return recovery_report(p, &p->record.peer);
	case TLSFAIL_REC_LOG_LINE:
		p->tallies.n->lines += p->record.log_line.id != 0;
		p->tallies.n->lines_alone += p->record.log_line.id == 0;
		return correlator_feed(p->correlator, &p->record, &p->failure);
	default:
		ret = correlator_feed(p->correlator, &p->record, &p->failure);
		return ret > 0 ? failure_report(p) : ret;
	}
}

/* To decode_record(), what nginx's configuration says is bytes. */
static bool record_is_readable(const struct decoded *record)
{
	struct nginx_places places;

	return record->type != TLSFAIL_REC_NGINX ||
	       nginx_places_read(record->nginx.data, record->nginx.len, &places);
}

int pipeline_feed(struct pipeline *p, const void *data, size_t len, struct text *problem)
{
	const char *words = NULL;
	int ret, err;

	ret = decode_record(data, len, &p->record, &words);
	if (ret) {
		text_add(problem, words);
		return ret;
	}
	if (!record_is_readable(&p->record)) {
		text_add(problem, "has a place in a configuration that cannot be read");
		return -EBADMSG;
	}
	err = time_advance(p, record_time(&p->record));
	if (!err)
		err = summary_tell(p);
	ret = record_take(p);
	tallies_orphans(&p->tallies, correlator_orphans(p->correlator));
	return err ? err : ret;
}

void pipeline_status(const struct pipeline *p)
{
	tallies_status(&p->tallies);
}

void pipeline_summary(const struct pipeline *p)
{
	const struct tallies_summary how = {
		.client = p->roles & PIPELINE_CLIENT,
		.server = p->roles == PIPELINE_SERVER,
		.noise = p->tell_noise,
		.totals = p->has_totals ? &p->totals : NULL,
	};

	tallies_summary(&p->tallies, &how);
	outputs_summary(p->outputs);
}
