// SPDX-License-Identifier: BSD-2-Clause
/*
 * One entry a peer, in a table that is searched from end to end: it is small, and holds only peers
 * that have failed.
 */
#include "diagnose/peers.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "diagnose/causes.h"

/* The span of a history is one to two of these. */
#define SPAN_NS (600 * NS_PER_S)

/* So many failures without a success between them are no coincidence. */
#define STREAK_MIN 3

/* A peer works again when it has succeeded, and has not failed for this long. One that fails again
 * soon after that has to prove itself for twice as long. */
#define PROOF_MIN_NS (3 * NS_PER_S)
#define PROOF_MAX_NS (300 * NS_PER_S)
#define RELAPSE_NS   (600 * NS_PER_S)

/* A peer that nobody has tried for longer is not known to be failing still. */
#define TRIED_NS (1800 * NS_PER_S)

/* Counts at some time. */
struct mark {
	uint64_t t;
	uint64_t ended; /* handshakes */
	uint64_t failed;
	uint64_t retried;
};

/* How often the commonest causes came: when there are too many, the rarest gives its place away. */
#define CAUSES_MAX 4

struct tally {
	const char *causes[CAUSES_MAX];
	uint64_t counts[CAUSES_MAX];
};

struct peer {
	struct tlsfail_peer_key key; /* family 0: free */
	uint64_t age;
	uint64_t t_read;
	struct tlsfail_peer_counts n; /* as read */
	struct mark base;	      /* where the span of its history begins */
	struct mark next;	      /* and where the one after it will */
	uint64_t netns;		      /* network namespace of its last failure, 0 unknown */
	uint32_t mixed;		      /* 1: the counts may be those of several peers */
	uint32_t failing;	      /* 1: and not seen to recover */
	struct mark fell;	      /* before the first failure of that */
	uint64_t proof_ns;
	uint64_t t_recovered;
	struct mark summed;  /* at its last summary */
	struct tally tally;  /* since then */
	struct tally totals; /* since it was first seen */
	const char *cause;   /* of its last failure, NULL unknown */
	uint64_t failures_with_session;
	uint64_t failures_without;
	char upstream[PEERS_UPSTREAM_LEN];
};

struct peers {
	struct estate *estate; /* NULL: all is its own */
	uint64_t ages;
	struct peer *all; /* PEERS_MAX */
};

/* As causes.c has it, whatever is found in the place of the pointer; NULL: unknown. */
static const char *slug_of(const char *pointer)
{
	return cause_is_slug(pointer) ? pointer : NULL;
}

static void tally_take_over(struct tally *tally)
{
	for (size_t i = 0; i < CAUSES_MAX; i++) {
		tally->causes[i] = slug_of(tally->causes[i]);
		if (!tally->causes[i])
			tally->counts[i] = 0;
	}
}

/* Another process has left these: of what may be anything, what is no number is put right. */
static void peers_take_over(struct peers *peers)
{
	for (size_t i = 0; i < PEERS_MAX && peers->all[i].key.family; i++) {
		struct peer *p = &peers->all[i];

		if (!estate_is_string(p->upstream, sizeof(p->upstream)))
			p->upstream[0] = '\0';
		p->cause = slug_of(p->cause);
		tally_take_over(&p->tally);
		tally_take_over(&p->totals);
		if (p->age > peers->ages)
			peers->ages = p->age;
	}
}

struct peers *peers_new(struct estate *estate)
{
	struct peers *peers = calloc(1, sizeof(*peers));

	if (!peers)
		return NULL;
	peers->estate = estate;
	peers->all = estate_take(estate, PEERS_MAX * sizeof(*peers->all));
	if (!peers->all) {
		free(peers);
		return NULL;
	}
	peers_take_over(peers);
	return peers;
}

void peers_free(struct peers *peers)
{
	if (!peers)
		return;
	estate_give(peers->estate, peers->all);
	free(peers);
}

static struct tlsfail_peer_key key_of(const struct tlsfail_conn *c)
{
	struct tlsfail_peer_key key = {
		.family = c->family,
		.port = c->rport,
		.netns = (uint32_t)c->netns,
	};

	memcpy(key.addr, c->raddr, sizeof(key.addr));
	return key;
}

static struct peer *peer_find(struct peers *peers, const struct tlsfail_peer_key *key)
{
	for (size_t i = 0; i < PEERS_MAX && peers->all[i].key.family; i++) {
		struct peer *p = &peers->all[i];

		if (p->key.port == key->port && !memcmp(&p->key, key, sizeof(*key)))
			return p;
	}
	return NULL;
}

/* Its entry, made if it is new. */
static struct peer *peer_get(struct peers *peers, const struct tlsfail_peer_key *key)
{
	struct peer *p = peer_find(peers, key);

	if (!p) {
		p = &peers->all[0];
		for (size_t i = 0; i < PEERS_MAX && p->key.family; i++)
			if (!peers->all[i].key.family || peers->all[i].age < p->age)
				p = &peers->all[i];
		/* The first that is empty ends the list. Behind it there may be what another process left, and
		 * nobody put right: see peers_take_over(). */
		if (!p->key.family && p < &peers->all[PEERS_MAX - 1])
			p[1].key.family = 0;
		*p = (struct peer){ .key = *key, .proof_ns = PROOF_MIN_NS };
	}
	p->age = ++peers->ages;
	return p;
}

static uint64_t ended(const struct peer *p)
{
	return p->n.done + p->n.failed;
}

static struct mark mark_now(const struct peer *p, uint64_t t)
{
	return (struct mark){
		.t = t, .ended = ended(p), .failed = p->n.failed, .retried = p->n.retried
	};
}

/* -- counts ----------------------------------------------------------------------------------- */

static void span_move(struct peer *p, uint64_t t)
{
	if (!p->t_read) {
		p->base = (struct mark){ .t = p->n.t_first };
		p->summed = p->base;
		p->next = mark_now(p, t);
	} else if (t - p->next.t >= SPAN_NS) {
		p->base = p->next;
		p->next = mark_now(p, t);
	}
}

static bool has_recovered(const struct peer *p, uint64_t t)
{
	return p->failing && p->n.t_done > p->n.t_failed && t - p->n.t_failed >= p->proof_ns;
}

/* Takes over counts of time t. Those that are older than what is known say nothing new. */
static void counts_take(struct peer *p, const struct tlsfail_peer_counts *n, uint64_t t)
{
	/* The kernel side has forgotten the peer meanwhile, and counts from 0. */
	if (p->t_read && p->n.t_first != n->t_first)
		*p = (struct peer){ .key = p->key, .age = p->age, .proof_ns = p->proof_ns };
	if (n->done + n->failed < ended(p))
		return;
	p->n = *n;
	span_move(p, t);
	p->t_read = t;
}

bool peers_read(struct peers *peers, const struct tlsfail_peer *record,
		struct peer_recovery *recovery)
{
	struct peer *p = peer_get(peers, &record->key);

	counts_take(p, &record->n, record->t);
	if (!has_recovered(p, record->t))
		return false;
	*recovery = (struct peer_recovery){
		.t = record->t,
		.since = p->fell.t,
		.handshakes = ended(p) - p->fell.ended,
		.failures = p->n.failed - p->fell.failed,
		.last_failure = p->n.t_failed,
		.last_success = p->n.t_done,
	};
	p->failing = 0;
	p->t_recovered = record->t;
	return true;
}

/* -- a failure --------------------------------------------------------------------------------- */

static enum peer_state state_of(const struct peer *p, const struct tlsfail_peer_counts *n)
{
	bool succeeds = n->t_done && n->t_done >= p->base.t;

	return !succeeds || n->streak >= STREAK_MIN ? PEER_FAILING : PEER_FLAPPING;
}

static void fall(struct peer *p, const struct tlsfail_peer_counts *n)
{
	bool relapse = p->t_recovered && n->t_failed - p->t_recovered < RELAPSE_NS;

	p->failing = 1;
	p->fell = (struct mark){
		.t = n->t_failing,
		.ended = n->done + n->failed - n->streak,
		.failed = n->failed - n->streak,
		.retried = n->retried,
	};
	if (!relapse)
		p->proof_ns = PROOF_MIN_NS;
	else if (p->proof_ns < PROOF_MAX_NS)
		p->proof_ns *= 2;
}

void peers_failed(struct peers *peers, const struct tlsfail_conn *conn, struct peer_history *h)
{
	const struct tlsfail_peer_counts *n = &conn->peer;
	struct tlsfail_peer_key key = key_of(conn);
	struct peer *p;

	*h = (struct peer_history){ .known = false };
	if (n->t_first) {
		p = peer_get(peers, &key);
		counts_take(p, n, conn->t_close);
	} else {
		p = peer_find(peers, &key);
		if (!p)
			return;
		n = &p->n;
	}
	/* Came so late that the span of the history begins after it. */
	if (n->done + n->failed <= p->base.ended)
		return;
	*h = (struct peer_history){
		.known = true,
		.state = state_of(p, n),
		.since = p->base.t,
		.handshakes = n->done + n->failed - p->base.ended,
		.failures = n->failed - p->base.failed,
		.streak = n->streak,
		.failing_since = n->streak ? n->t_failing : 0,
		.last_success = n->t_done,
		.failures_with_session = p->failures_with_session,
		.failures_without = p->failures_without,
	};
	/* A failure of before it recovered is no relapse. */
	if (h->state == PEER_FAILING && !p->failing && n->t_failed > p->t_recovered)
		fall(p, n);
}

/* 127.0.0.0/8, also as an IPv4-mapped address, and ::1. */
static bool is_loopback(const struct tlsfail_conn *conn)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t six[16] = { [15] = 1 };

	if (conn->family == AF_INET)
		return conn->raddr[0] == 127;
	return !memcmp(conn->raddr, six, sizeof(six)) ||
	       (!memcmp(conn->raddr, mapped, sizeof(mapped)) && conn->raddr[12] == 127);
}

bool peers_mixed(struct peers *peers, const struct tlsfail_conn *conn, uint64_t netns,
		 bool in_container)
{
	struct tlsfail_peer_key key = key_of(conn);
	struct peer *p = peer_find(peers, &key);

	if (!p || conn->netns || !netns || !is_loopback(conn))
		return false;
	p->mixed |= in_container || (p->netns && p->netns != netns);
	p->netns = netns;
	return p->mixed;
}

/* -- summaries -------------------------------------------------------------------------------- */

static void tally_add(struct tally *tally, const char *cause)
{
	size_t rarest = 0;

	for (size_t i = 0; i < CAUSES_MAX; i++) {
		if (tally->causes[i] && !strcmp(tally->causes[i], cause)) {
			tally->counts[i]++;
			return;
		}
		if (tally->counts[i] < tally->counts[rarest])
			rarest = i;
	}
	tally->causes[rarest] = cause;
	tally->counts[rarest]++;
}

void peers_offered(struct peers *peers, const struct tlsfail_conn *conn, bool session)
{
	struct tlsfail_peer_key key = key_of(conn);
	struct peer *p = peer_find(peers, &key);

	if (p && session)
		p->failures_with_session++;
	else if (p)
		p->failures_without++;
}

void peers_caused(struct peers *peers, const struct tlsfail_conn *conn, const char *cause,
		  const char *upstream)
{
	struct tlsfail_peer_key key = key_of(conn);
	struct peer *p = peer_find(peers, &key);

	if (!p)
		return;
	p->cause = cause;
	tally_add(&p->tally, cause);
	tally_add(&p->totals, cause);
	if (*upstream) {
		struct text t;

		text_init(&t, p->upstream, sizeof(p->upstream));
		text_add(&t, upstream);
	}
}

static enum peer_state state_in_summary(const struct peer *p)
{
	if (p->failing)
		return PEER_FAILING;
	return p->n.t_failed <= p->t_recovered || p->n.t_failed < p->summed.t ? PEER_OK
									      : PEER_FLAPPING;
}

static void summarize(const struct peer *p, bool whole, struct peer_summary *s)
{
	const struct mark begin = { .t = p->n.t_first }, *since = whole ? &begin : &p->summed;
	const struct tally *tally = whole ? &p->totals : &p->tally;

	*s = (struct peer_summary){
		.key = p->key,
		.state = state_in_summary(p),
		.since = since->t,
		.handshakes = ended(p) - since->ended,
		.failures = p->n.failed - since->failed,
		.retried = p->n.retried - since->retried,
		.failing_since = p->failing ? p->fell.t : 0,
		.last_success = p->n.t_done,
		.upstream = p->upstream,
	};
	for (size_t i = 0; i < CAUSES_MAX; i++) {
		if (tally->counts[i] <= s->cause_count)
			continue;
		s->cause = tally->causes[i];
		s->cause_count = tally->counts[i];
	}
}

bool peers_summarize(struct peers *peers, uint64_t t, bool whole, size_t *at,
		     struct peer_summary *summary)
{
	for (; *at < PEERS_MAX && peers->all[*at].key.family; (*at)++) {
		struct peer *p = &peers->all[*at];
		bool told = p->failing || p->n.failed > (whole ? 0 : p->summed.failed);

		if (told)
			summarize(p, whole, summary);
		p->summed = mark_now(p, t);
		p->tally = (struct tally){ 0 };
		if (!told)
			continue;
		(*at)++;
		return true;
	}
	return false;
}

bool peers_failing(const struct peers *peers, uint64_t t, size_t *at, struct peer_failing *failing)
{
	for (; *at < PEERS_MAX && peers->all[*at].key.family; (*at)++) {
		const struct peer *p = &peers->all[*at];

		if (!p->failing || !p->n.streak || t - p->n.t_failed > TRIED_NS)
			continue;
		*failing = (struct peer_failing){
			.key = p->key,
			.since = p->n.t_failing,
			.last = p->n.t_failed,
			.streak = p->n.streak,
			.cause = p->cause,
		};
		(*at)++;
		return true;
	}
	return false;
}

bool peers_watched(const struct peers *peers, bool any, size_t *at, struct tlsfail_peer_key *key)
{
	for (; *at < PEERS_MAX && peers->all[*at].key.family; (*at)++) {
		if (!any && !peers->all[*at].failing)
			continue;
		*key = peers->all[(*at)++].key;
		return true;
	}
	return false;
}
