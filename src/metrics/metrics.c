// SPDX-License-Identifier: BSD-2-Clause
/*
 * Counts in tables of fixed size. What has no row of its own is counted under "other" or as
 * omitted; nothing is left out in silence.
 */
#include "metrics/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/plus.h"
#include "base/hash.h"
#include "base/units.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define US_PER_SEC 1e6

#define PEER_LEN (FINDING_ADDRESS_LEN + 10) /* [address]:port */

/* Twice as many as peers at the least: there is always a free one, and it is near. */
#define PEER_SLOTS 2048
_Static_assert(PEER_SLOTS >= 2 * METRICS_PEERS_LIMIT, "the table is too small");

enum role {
	ROLE_CLIENT,
	ROLE_SERVER,
	ROLE_COUNT,
};

static const char *const role_names[] = { "client", "server" };

struct cert_row {
	char peer[PEER_LEN];
	struct certificate_ends ends;
};

struct failing_row {
	char peer[PEER_LEN];
	struct metrics_failing how;
};

/* What has to survive: see metrics_new(). */
struct counts {
	uint64_t failed[ROLE_COUNT]; /* handshakes */
	uint64_t aborted;	 /* of the client's: given up here, which is no failure of TLS */
	uint64_t noise;		 /* of the server's: nobody has to do anything */
	uint64_t alerts[2][256]; /* sent, received */

	size_t cert_count;
	struct cert_row certs[METRICS_CERTS_MAX];
	uint64_t certs_omitted; /* sightings of peers that have no row */

	struct plus plus;
	unsigned int peer_count;
};

struct metrics {
	struct estate *estate; /* NULL: the parts are its own */
	struct counts *counts;

	size_t failing_count; /* and no more than METRICS_FAILING_MAX of them here */
	struct failing_row failing[METRICS_FAILING_MAX];

	struct metrics_host host;

	unsigned int peers_max;
	uint16_t slots[PEER_SLOTS]; /* hash table: index in peers, plus 1; 0: free */
	char (*peers)[PEER_LEN];    /* peers_max of them */
	const struct metrics_names *names;
	size_t cause_count;
	/* by cause, as names has them: a row for servers, one for the clients' peers that have no name,
	 * and one for each that has */
	uint64_t *by_cause;
};

enum {
	ROW_SERVER,
	ROW_OTHER,
	ROW_PEERS,
};

static size_t by_cause_len(const struct metrics *m, unsigned int peers)
{
	return (ROW_PEERS + (size_t)peers) * m->cause_count;
}

/* Where a peer is in the table, or the free slot where it would be. */
static size_t slot_find(const struct metrics *m, const char *peer)
{
	size_t slot = (size_t)hash_add(HASH_EMPTY, peer, strlen(peer)) % PEER_SLOTS;

	while (m->slots[slot] && strcmp(m->peers[m->slots[slot] - 1], peer) != 0)
		slot = (slot + 1) % PEER_SLOTS;
	return slot;
}

static bool counts_are_sound(const struct metrics *m)
{
	const struct counts *c = m->counts;

	if (c->peer_count > m->peers_max || c->cert_count > METRICS_CERTS_MAX)
		return false;
	for (unsigned int i = 0; i < c->peer_count; i++)
		if (!estate_is_string(m->peers[i], PEER_LEN))
			return false;
	for (size_t i = 0; i < c->cert_count; i++)
		if (!estate_is_string(c->certs[i].peer, PEER_LEN))
			return false;
	return plus_is_sound(&c->plus);
}

/* What a process before this one has counted. */
static void counts_take_over(struct metrics *m)
{
	if (!counts_are_sound(m)) {
		*m->counts = (struct counts){ 0 };
		memset(m->by_cause, 0, by_cause_len(m, m->peers_max) * sizeof(*m->by_cause));
	}
	for (unsigned int i = 0; i < m->counts->peer_count; i++)
		m->slots[slot_find(m, m->peers[i])] = (uint16_t)(i + 1);
}

struct metrics *metrics_new(unsigned int peers, const struct metrics_names *names,
			    struct estate *estate)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->estate = estate;
	m->names = names;
	m->cause_count = names->cause_count();
	m->peers_max = peers;
	m->counts = estate_take(estate, sizeof(*m->counts));
	m->peers = estate_take(estate, (peers ? peers : 1) * sizeof(*m->peers));
	m->by_cause = estate_take(estate, by_cause_len(m, peers) * sizeof(*m->by_cause));
	if (m->counts && m->peers && m->by_cause) {
		counts_take_over(m);
		return m;
	}
	metrics_free(m);
	return NULL;
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	estate_give(m->estate, m->counts);
	estate_give(m->estate, m->peers);
	estate_give(m->estate, m->by_cause);
	free(m);
}

struct metrics *metrics_clone(const struct metrics *m)
{
	struct metrics *clone = metrics_new(m->peers_max, m->names, NULL), own;
	unsigned int peers = m->counts->peer_count;

	if (!clone)
		return NULL;
	own = *clone;
	*clone = *m;
	clone->estate = NULL;
	clone->counts = own.counts;
	clone->peers = own.peers;
	clone->by_cause = own.by_cause;
	*clone->counts = *m->counts;
	memcpy(clone->peers, m->peers, peers * sizeof(*m->peers));
	memcpy(clone->by_cause, m->by_cause, by_cause_len(m, peers) * sizeof(*m->by_cause));
	return clone;
}

/* -- counting --------------------------------------------------------------------------------- */

static void peer_print(char peer[PEER_LEN], const struct finding_endpoint *endpoint)
{
	struct text t;

	text_init(&t, peer, PEER_LEN);
	text_addf(&t, strchr(endpoint->address, ':') ? "[%s]:%u" : "%s:%u", endpoint->address,
		  endpoint->port);
}

/* The row of a peer, which is made while there is room. */
static size_t peer_row(struct metrics *m, const struct finding_endpoint *endpoint)
{
	char peer[PEER_LEN];
	size_t slot;

	if (!m->peers_max)
		return ROW_OTHER;
	peer_print(peer, endpoint);
	slot = slot_find(m, peer);
	if (!m->slots[slot]) {
		if (m->counts->peer_count == m->peers_max)
			return ROW_OTHER;
		memcpy(m->peers[m->counts->peer_count], peer, sizeof(peer));
		m->slots[slot] = (uint16_t)++m->counts->peer_count;
	}
	return ROW_PEERS + m->slots[slot] - 1;
}

void metrics_failure(struct metrics *m, const struct finding *f)
{
	enum role role = !strcmp(f->role, role_names[ROLE_SERVER]) ? ROLE_SERVER : ROLE_CLIENT;
	size_t row = role == ROLE_SERVER ? ROW_SERVER : peer_row(m, &f->peer);

	/* Where TCP did not connect no handshake was begun. */
	if (f->noise)
		m->counts->noise++;
	else if (!strcmp(f->cause, "local-abort"))
		m->counts->aborted++;
	else if (strcmp(f->phase, "connect") != 0)
		m->counts->failed[role]++;
	for (size_t i = 0; i < m->cause_count; i++) {
		if (strcmp(m->names->cause_slug(i), f->cause) != 0)
			continue;
		m->by_cause[row * m->cause_count + i]++;
		break; /* of a cause with several rows the first counts */
	}
	if (f->alert.known)
		m->counts->alerts[f->alert.received][f->alert.code]++;
	plus_failure(&m->counts->plus, f);
}

void metrics_succeeded(struct metrics *m, const struct finding_endpoint *peer, uint64_t handshakes)
{
	plus_succeeded(&m->counts->plus, peer, handshakes);
}

static void certs_forget(struct metrics *m, uint64_t now_ns)
{
	for (size_t i = 0; i < m->counts->cert_count;) {
		uint64_t seen_ns = m->counts->certs[i].ends.time_ns;

		if (now_ns > seen_ns &&
		    now_ns - seen_ns > METRICS_CERT_FORGET_S * (uint64_t)NS_PER_S)
			m->counts->certs[i] = m->counts->certs[--m->counts->cert_count];
		else
			i++;
	}
}

/* The row for a peer: its own, a new one, or that of the peer whose certificate ends last, if that
 * is later. NULL: none. */
static struct cert_row *cert_row(struct metrics *m, const char *peer, int64_t leaf)
{
	struct cert_row *last = &m->counts->certs[0];

	for (size_t i = 0; i < m->counts->cert_count; i++) {
		if (!strcmp(m->counts->certs[i].peer, peer))
			return &m->counts->certs[i];
		if (m->counts->certs[i].ends.leaf > last->ends.leaf)
			last = &m->counts->certs[i];
	}
	if (m->counts->cert_count < METRICS_CERTS_MAX)
		return &m->counts->certs[m->counts->cert_count++];
	m->counts->certs_omitted++;
	return last->ends.leaf > leaf ? last : NULL;
}

void metrics_certificates(struct metrics *m, const struct certificate_ends *ends)
{
	char peer[PEER_LEN];
	struct cert_row *row;

	peer_print(peer, &ends->peer);
	row = cert_row(m, peer, ends->leaf);
	if (!row)
		return;
	memcpy(row->peer, peer, sizeof(peer));
	row->ends = *ends;
}

void metrics_failing_begin(struct metrics *m)
{
	m->failing_count = 0;
}

void metrics_failing_add(struct metrics *m, const struct finding_endpoint *peer,
			 const struct metrics_failing *failing)
{
	struct failing_row *row;

	if (m->failing_count++ >= METRICS_FAILING_MAX)
		return;
	row = &m->failing[m->failing_count - 1];
	row->how = *failing;
	peer_print(row->peer, peer);
}

void metrics_host_set(struct metrics *m, const struct metrics_host *host)
{
	m->host = *host;
	certs_forget(m, host->time_ns);
}

/* -- the page --------------------------------------------------------------------------------- */

static void write_state(struct exposition *e, const struct metrics_host *h)
{
	const struct exposition_label build[] = { { "version", TLSFAIL_VERSION }, { 0 } };

	exposition_family(e, EXPOSITION_INFO, "tlsfail_build", NULL, "Version of tlsfail.");
	exposition_integer(e, build, 1);
	exposition_family(
		e, EXPOSITION_GAUGE, "tlsfail_armed", NULL,
		"1 while handshakes are traced, 0 while a process to trace is waited for.");
	exposition_integer(e, NULL, h->armed);
	exposition_family(e, EXPOSITION_GAUGE, "tlsfail_traced_processes", NULL,
			  "Processes that were found and traced.");
	exposition_integer(e, NULL, h->traced);
	exposition_family(e, EXPOSITION_GAUGE, "tlsfail_snapshot_timestamp_seconds", "seconds",
			  "When these metrics were collected.");
	exposition_decimal(e, NULL, (double)h->time_ns / NS_PER_S);
}

static void write_result(struct exposition *e, enum role role, const char *result, uint64_t count)
{
	const struct exposition_label labels[] = { { "role", role_names[role] },
						   { "result", result },
						   { 0 } };

	exposition_integer(e, labels, count);
}

static void write_handshakes(struct exposition *e, const struct metrics *m)
{
	const __u64 *n = m->host.counters.n;

	exposition_family(
		e, EXPOSITION_COUNTER, "tlsfail_handshakes", NULL,
		"TLS handshakes whose outcome is known, by the side that the traced process "
		"was on.");
	write_result(e, ROLE_CLIENT, "success", n[TLSFAIL_N_CLIENT_OK]);
	write_result(e, ROLE_CLIENT, "failure", m->counts->failed[ROLE_CLIENT]);
	write_result(e, ROLE_CLIENT, "aborted", m->counts->aborted);
	write_result(e, ROLE_SERVER, "success", n[TLSFAIL_N_SERVER_OK]);
	write_result(e, ROLE_SERVER, "failure", m->counts->failed[ROLE_SERVER]);
	write_result(e, ROLE_SERVER, "noise", m->counts->noise);
}

/* Of a row that is always there the causes that were not met are 0, so that the first failure is seen
 * as an increase; those of a peer are left out, as they would be too many. */
static bool shows_zero(const struct metrics *m, size_t row, size_t cause)
{
	return row < ROW_PEERS && m->names->cause_has_role(cause, row == ROW_SERVER);
}

static void write_row(struct exposition *e, const struct metrics *m, size_t row, const char *peer)
{
	const uint64_t *count = &m->by_cause[row * m->cause_count];

	for (size_t i = 0; i < m->cause_count; i++) {
		const struct exposition_label labels[] = {
			{ "cause", m->names->cause_slug(i) },
			{ "role", role_names[row == ROW_SERVER ? ROLE_SERVER : ROLE_CLIENT] },
			{ "peer", peer },
			{ 0 }
		};

		if (count[i] || shows_zero(m, row, i))
			exposition_integer(e, labels, count[i]);
	}
}

static void write_failures(struct exposition *e, const struct metrics *m)
{
	exposition_family(
		e, EXPOSITION_COUNTER, "tlsfail_failures", NULL,
		"Failures by cause, including refused TCP connections and handshakes that this "
		"side gave up.");
	write_row(e, m, ROW_SERVER, NULL);
	write_row(e, m, ROW_OTHER, m->peers_max ? "other" : NULL);
	for (unsigned int i = 0; i < m->counts->peer_count; i++)
		write_row(e, m, ROW_PEERS + i, m->peers[i]);
}

static void write_failing_times(struct exposition *e, const struct metrics *m, size_t rows)
{
	exposition_family(e, EXPOSITION_GAUGE, "tlsfail_peer_failing_since_timestamp_seconds",
			  "seconds",
			  "When the first failure happened, of a peer with which every handshake "
			  "fails.");
	for (size_t i = 0; i < rows; i++) {
		const struct exposition_label peer[] = { { "peer", m->failing[i].peer }, { 0 } };

		exposition_decimal(e, peer, (double)m->failing[i].how.since_ns / NS_PER_S);
	}
	exposition_family(e, EXPOSITION_GAUGE, "tlsfail_peer_last_failure_timestamp_seconds",
			  "seconds", "When the last of them was: does anybody still try?");
	for (size_t i = 0; i < rows; i++) {
		const struct exposition_label peer[] = { { "peer", m->failing[i].peer }, { 0 } };

		exposition_decimal(e, peer, (double)m->failing[i].how.last_ns / NS_PER_S);
	}
}

static void write_failing(struct exposition *e, const struct metrics *m)
{
	size_t rows =
		m->failing_count < METRICS_FAILING_MAX ? m->failing_count : METRICS_FAILING_MAX;

	exposition_family(
		e, EXPOSITION_COUNTER, "tlsfail_retries", NULL,
		"Failures as the client after which the same thread reconnected immediately.");
	exposition_integer(e, NULL, m->host.counters.n[TLSFAIL_N_RETRIED]);
	exposition_family(e, EXPOSITION_GAUGE, "tlsfail_failing_peers", NULL,
			  "Peers with which every handshake fails.");
	exposition_integer(e, NULL, m->failing_count);
	write_failing_times(e, m, rows);
	exposition_family(e, EXPOSITION_GAUGE, "tlsfail_peer_failures_in_row", NULL,
			  "How many failures there have been since, without a success.");
	for (size_t i = 0; i < rows; i++) {
		const struct exposition_label peer[] = { { "peer", m->failing[i].peer }, { 0 } };

		exposition_integer(e, peer, m->failing[i].how.failures);
	}
	exposition_family(e, EXPOSITION_GAUGE, "tlsfail_peer_failing_cause", NULL,
			  "1: the cause of the last of them.");
	for (size_t i = 0; i < rows; i++) {
		const struct exposition_label labels[] = { { "peer", m->failing[i].peer },
							   { "cause", m->failing[i].how.cause },
							   { 0 } };

		if (m->failing[i].how.cause)
			exposition_integer(e, labels, 1);
	}
}

static void write_alerts(struct exposition *e, const struct metrics *m)
{
	static const char *const directions[] = { "sent", "received" };

	exposition_family(
		e, EXPOSITION_COUNTER, "tlsfail_alerts", NULL,
		"TLS alerts of failed handshakes; those sent may be inferred from the error.");
	for (size_t direction = 0; direction < ARRAY_LEN(m->counts->alerts); direction++) {
		for (unsigned int code = 0; code < ARRAY_LEN(m->counts->alerts[0]); code++) {
			const char *name = m->names->alert_name((uint8_t)code);
			char number[4];
			struct exposition_label labels[] = { { "direction", directions[direction] },
							     { "code", number },
							     { "name", name ? name : "unassigned" },
							     { 0 } };
			struct text t;

			if (!m->counts->alerts[direction][code])
				continue;
			text_init(&t, number, sizeof(number));
			text_addf(&t, "%u", code);
			exposition_integer(e, labels, m->counts->alerts[direction][code]);
		}
	}
}

/* The kernel's buckets are powers of 2 of microseconds. Shown are the bounds from 256 us to 67 s;
 * what is below and above goes to the first and to the last. */
#define BOUND_FIRST 8
#define BOUND_LAST  26
#define BOUND_COUNT (BOUND_LAST - BOUND_FIRST + 1)

static void write_durations(struct exposition *e, const struct tlsfail_counters *c)
{
	uint64_t count[BOUND_COUNT + 1] = { 0 };
	double bounds[BOUND_COUNT];

	for (unsigned int i = 0; i < BOUND_COUNT; i++)
		bounds[i] = (double)(1ULL << (BOUND_FIRST + i)) / US_PER_SEC;
	for (unsigned int i = 0; i < TLSFAIL_LATENCY_BUCKETS; i++) {
		/* bucket i ends at 2^(i + 1) us */
		unsigned int bound = i + 1 < BOUND_FIRST ? 0 : i + 1 - BOUND_FIRST;

		count[bound < BOUND_COUNT ? bound : BOUND_COUNT] += c->latency[i];
	}
	exposition_family(e, EXPOSITION_HISTOGRAM, "tlsfail_handshake_duration_seconds", "seconds",
			  "Time from the TCP connect to the end of the TLS handshake, as the "
			  "client, of completed handshakes.");
	exposition_histogram(e, bounds, count, BOUND_COUNT, (double)c->latency_ns / NS_PER_S);
}

static void write_certificates(struct exposition *e, const struct metrics *m)
{
	exposition_family(e, EXPOSITION_GAUGE, "tlsfail_certificate_not_after_timestamp_seconds",
			  "seconds", "When a peer's certificate expires.");
	for (size_t i = 0; i < m->counts->cert_count; i++) {
		const struct exposition_label labels[] = { { "peer", m->counts->certs[i].peer },
							   { 0 } };

		exposition_decimal(e, labels, (double)m->counts->certs[i].ends.leaf);
	}
	exposition_family(e, EXPOSITION_GAUGE,
			  "tlsfail_certificate_chain_not_after_timestamp_seconds", "seconds",
			  "When the first certificate in the chain that a peer sent expires.");
	for (size_t i = 0; i < m->counts->cert_count; i++) {
		const struct exposition_label labels[] = { { "peer", m->counts->certs[i].peer },
							   { 0 } };

		exposition_decimal(e, labels, (double)m->counts->certs[i].ends.chain);
	}
	exposition_family(e, EXPOSITION_COUNTER, "tlsfail_certificate_sightings_omitted", NULL,
			  "Certificates of peers beyond the number of peers that are shown.");
	exposition_integer(e, NULL, m->counts->certs_omitted);
}

void metrics_write(const struct metrics *m, enum exposition_format format, struct text *text)
{
	struct exposition e;

	exposition_begin(&e, format, text);
	write_state(&e, &m->host);
	write_handshakes(&e, m);
	write_failures(&e, m);
	write_failing(&e, m);
	write_alerts(&e, m);
	plus_write(&m->counts->plus, &e,
		   m->host.counters.n[TLSFAIL_N_CLIENT_OK] +
			   m->host.counters.n[TLSFAIL_N_SERVER_OK]);
	write_durations(&e, &m->host.counters);
	write_certificates(&e, m);
	metrics_host_write(&m->host, &e);
	exposition_end(&e);
}
