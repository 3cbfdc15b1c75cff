/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Peers that have failed, and how their handshakes went: "fails always since 14:02" and "3 of 400"
 * are different diagnoses. Counts come from the kernel side, which sees the successes too, with each
 * failure. Pure, and of bounded size.
 *
 * Times are CLOCK_MONOTONIC in ns, as records have them; 0: it did not happen.
 */
#ifndef TLSFAIL_DIAGNOSE_PEERS_H
#define TLSFAIL_DIAGNOSE_PEERS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/estate.h"
#include "tlsfail_abi.h"

/* Peers that are remembered at a time; the one that was quiet for longest makes room. */
#define PEERS_MAX 512

#define PEERS_UPSTREAM_LEN 64

enum peer_state {
	PEER_OK,       /* no failure of late */
	PEER_FLAPPING, /* handshakes fail, and others succeed */
	PEER_FAILING,  /* handshakes fail, and none succeeds */
};

struct peer_history {
	bool known; /* false: no counts came */
	enum peer_state state;
	/* A span of time up to now, in which so many handshakes have ended, of which so many failed. All
	 * that are known, at first; later the last ten minutes or more. */
	uint64_t since;
	uint64_t handshakes;
	uint64_t failures;
	/* Since the last success: failures, and when the first of them was. */
	uint64_t streak;
	uint64_t failing_since;
	uint64_t last_success;
	/* Failures before this one that were remembered, by whether they offered a session. */
	uint64_t failures_with_session;
	uint64_t failures_without;
};

/* A peer that works again. */
struct peer_recovery {
	uint64_t t;	/* when that was certain */
	uint64_t since; /* it failed from then on; what follows is counted from there */
	uint64_t handshakes;
	uint64_t failures;
	uint64_t last_failure;
	uint64_t last_success;
};

struct peers;

/* estate: where peers are remembered, and another process may have remembered some; NULL: in memory of its
 * own. NULL when out of memory. */
struct peers *peers_new(struct estate *estate);
void peers_free(struct peers *peers);

/* Takes over counts. Do they tell that a peer which was failing works again? Then that is told in
 * *recovery, once. */
bool peers_read(struct peers *peers, const struct tlsfail_peer *record,
		struct peer_recovery *recovery);

/* The history of the peer of that failure, by the counts that came with it; in a recording of ABI 1 by
 * those that were taken over last. */
void peers_failed(struct peers *peers, const struct tlsfail_conn *conn,
		  struct peer_history *history);

/* That failure's ClientHello offered a session, to be resumed, or did not. */
void peers_offered(struct peers *peers, const struct tlsfail_conn *conn, bool session);

/*
 * Do the counts of the peer of that failure belong to several peers? Each network namespace has a loopback
 * of its own, and up to ABI 2 the kernel side counted by address alone: so they may, of a process in a
 * container, and where the same address has failed in another namespace.
 */
bool peers_mixed(struct peers *peers, const struct tlsfail_conn *conn, uint64_t netns,
		 bool in_container);

/* That failure was one of that cause: its slug, which lives for ever. upstream is the block of nginx's
 * configuration that the peer is in, "" when none is known; it is copied, and cut where it is long. */
void peers_caused(struct peers *peers, const struct tlsfail_conn *conn, const char *cause,
		  const char *upstream);

/* How a peer stood in a span of time. */
struct peer_summary {
	struct tlsfail_peer_key key;
	enum peer_state state;
	uint64_t since; /* the span begins */
	uint64_t handshakes;
	uint64_t failures;
	uint64_t retried;	/* failures that were followed by another attempt */
	uint64_t failing_since; /* 0: it does not fail always */
	uint64_t last_success;
	const char *cause; /* the one that failures had most often; NULL: there were none */
	uint64_t cause_count;
	const char *upstream; /* its group, "" unknown; lives as long as the peer is remembered */
};

/* The next peer, from *at = 0 on, that failed since its last summary, or fails always; whole: since it
 * was first seen. False: no more. t is now. */
bool peers_summarize(struct peers *peers, uint64_t t, bool whole, size_t *at,
		     struct peer_summary *summary);

/* The next peer, from *at = 0 on, whose counts are to be read again to see it recover; or
 * any. False: no more. */
bool peers_watched(const struct peers *peers, bool any, size_t *at, struct tlsfail_peer_key *key);
/* A peer with which no handshake succeeds. */
struct peer_failing {
	struct tlsfail_peer_key key;
	uint64_t since;	   /* the first failure */
	uint64_t last;	   /* the last one */
	uint64_t streak;   /* failures from the first to the last */
	const char *cause; /* of the last whose cause is known; NULL: none is */
};

/* The next peer, from *at = 0 on, that is failing at t and has failed not long before. False: no
 * more. */
bool peers_failing(const struct peers *peers, uint64_t t, size_t *at, struct peer_failing *failing);

#endif
