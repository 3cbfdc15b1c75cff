// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is remembered of a peer beyond one connection: how its handshakes went, whether it speaks
 * TLS, which certificate it showed. Peers are those of which a target is the client; the clients of
 * a server are too many, and would push out the few that matter.
 */
#include "peer.bpf.h"

#define PEERS_MAX 4096

/* A connect() that follows the close of a failed connection by no more, with no socket touched in
 * between, belongs to the same turn of the event loop. */
#define RETRY_NS 100000000ULL

/* A record with a session ticket: its fixed parts (RFC 8446 section 4.6.1), content type, tag and 16 bytes
 * at least; and what those take that hold a client's certificates. */
#define TICKET_MIN_LEN 52
#define TICKET_MAX_LEN 4096

/* Health checks do it all the time. */
#define SUSPECT_PAUSE_NS 5000000ULL

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PEERS_MAX);
	__type(key, struct tlsfail_peer_key);
	__type(value, struct tlsfail_peer_state);
} peers SEC(".maps");

static const struct tlsfail_peer_state new_peer;

static __always_inline void key_of(const struct tlsfail_conn *c, struct tlsfail_peer_key *key)
{
	__builtin_memcpy(key->addr, c->raddr, sizeof(key->addr));
	key->family = c->family;
	key->port = c->rport;
	key->netns = ((const struct connection *)c)->kept.netns;
}

static __noinline struct tlsfail_peer_state *peer_get(const struct tlsfail_conn *c)
{
	struct tlsfail_peer_key key = {};
	struct tlsfail_peer_state *p;

	key_of(c, &key);
	p = bpf_map_lookup_elem(&peers, &key);
	if (p)
		return p;
	/* Another CPU may have made it meanwhile. */
	bpf_map_update_elem(&peers, &key, &new_peer, BPF_NOEXIST);
	return bpf_map_lookup_elem(&peers, &key);
}

__hidden void peer_recall(struct tlsfail_conn *c)
{
	struct tlsfail_peer_key key = {};
	struct tlsfail_peer_state *p;

	key_of(c, &key);
	p = bpf_map_lookup_elem(&peers, &key);
	if (!p)
		return;
	if (p->did_tls)
		c->flags |= TLSFAIL_F_PEER_DID_TLS;
	connection_of(c)->cert_asked = p->t_cert || p->cert_asked;
}

__hidden bool peer_sends_tickets(const struct tlsfail_conn *c)
{
	struct tlsfail_peer_key key = {};
	struct tlsfail_peer_state *p;

	key_of(c, &key);
	p = bpf_map_lookup_elem(&peers, &key);
	return p && p->tickets;
}

/* Before the client was done, or two of one length: no answer is cut like that. */
static __always_inline bool had_tickets(struct tlsfail_conn *c)
{
	return connection_of(c)->tickets ||
	       (c->post_rx_records >= 2 && c->post_rx_len[0] == c->post_rx_len[1] &&
		c->post_rx_len[0] >= TICKET_MIN_LEN && c->post_rx_len[0] <= TICKET_MAX_LEN);
}

__hidden void peer_sent_tls(const struct tlsfail_conn *c)
{
	struct tlsfail_peer_state *p;

	if (c->role != TLSFAIL_ROLE_CLIENT || c->flags & TLSFAIL_F_PEER_DID_TLS)
		return;
	p = peer_get(c);
	if (p)
		p->did_tls = 1;
}

__hidden bool peer_cert_is_new(const struct tlsfail_conn *c, __u64 interval_ns, __u64 pause_ns)
{
	struct tlsfail_peer_state *p = peer_get(c);

	if (!p)
		return true;
	if (p->t_cert &&
	    c->t_done - p->t_cert < (p->cert_print == c->cert_print ? interval_ns : pause_ns))
		return false;
	p->cert_print = c->cert_print;
	p->t_cert = c->t_done;
	return true;
}

__hidden void peer_cert_missed(struct tlsfail_conn *c)
{
	struct tlsfail_peer_state *p = connection_of(c)->cert_asked ? NULL : peer_get(c);

	if (!p || p->t_cert || p->cert_asked)
		return;
	p->cert_asked = 1;
	demand_note(TLSFAIL_D_CERT_NEWS);
}

__hidden bool peer_is_due(const struct tlsfail_conn *c)
{
	struct tlsfail_peer_state *p = peer_get(c);

	if (!p || (p->t_suspect && c->t_close - p->t_suspect < SUSPECT_PAUSE_NS))
		return false;
	p->t_suspect = c->t_close;
	return true;
}

static __always_inline void peer_done(struct tlsfail_conn *c)
{
	struct tlsfail_peer_state *p = peer_get(c);

	if (!p)
		return;
	if (!p->n.t_first)
		p->n.t_first = c->t_start;
	if (had_tickets(c))
		p->tickets = 1;
	p->n.t_done = bpf_ktime_get_ns();
	p->n.streak = 0;
	__sync_fetch_and_add(&p->n.done, 1);
	__sync_fetch_and_add(&p->latency_ns, c->t_done - c->t_start);
}

__hidden void peer_failed(struct tlsfail_conn *c)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct tlsfail_peer_state *p = c->role == TLSFAIL_ROLE_SERVER ? NULL : peer_get(c);
	struct thread *t = thread_find();

	if (p) {
		if (!p->n.t_first)
			p->n.t_first = c->t_start;
		if (!p->n.streak)
			p->n.t_failing = c->t_close;
		if (had_tickets(c))
			p->tickets = 1;
		p->n.t_failed = c->t_close;
		__sync_fetch_and_add(&p->n.streak, 1);
		__sync_fetch_and_add(&p->n.failed, 1);
		c->peer = p->n;
	}
	/* Not where softirq closed it on somebody else's time. */
	if (p && t && c->tid == (__u32)id && c->pid == id >> 32) {
		key_of(c, &t->failed_peer);
		t->t_failed = c->t_close;
	}
}

__hidden void peer_retried(struct tlsfail_conn *c, struct thread *t)
{
	struct tlsfail_peer_state *p;

	if (t->t_failed && c->t_start - t->t_failed < RETRY_NS) {
		c->flags |= TLSFAIL_F_RETRY;
		count(TLSFAIL_N_RETRIED);
		p = bpf_map_lookup_elem(&peers, &t->failed_peer);
		if (p)
			__sync_fetch_and_add(&p->n.retried, 1);
	}
	t->t_failed = 0;
}

__hidden void count_success(struct tlsfail_conn *c)
{
	count(c->role == TLSFAIL_ROLE_SERVER ? TLSFAIL_N_SERVER_OK : TLSFAIL_N_CLIENT_OK);
	if (c->role != TLSFAIL_ROLE_SERVER)
		peer_done(c);
}

__hidden void conn_succeed(const struct sock *sk, struct tlsfail_conn *c)
{
	count_success(c);
	conn_forget(sk, c);
}
