// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The server's side: connections that were accepted here.
 *
 * A client that says nothing, or speaks no TLS, never makes the program begin a handshake. So once
 * TLS was spoken on an address and port, connections to it are followed from the moment the kernel
 * has accepted them. And a program may look at the first byte before it begins (nginx does).
 *
 * A server is done last, after the client has seen its certificate. What can still fail then is a
 * client's certificate that the program looks at only when it has a request (nginx): so the
 * connection of a client that sent one, or an empty one, is kept until the answer.
 */
#include "server.bpf.h"

#define LISTENERS_MAX 1024
#define WAITING_MAX   8192

/* Of plain text no more is kept than the name of the longest usual method. */
#define PLAIN_HEAD_LEN 8

/* An empty Certificate: a message of 7 bytes before TLS 1.3 (RFC 5246 section 7.4.2). In TLS 1.3 it
 * has 8 and comes with its content type and a tag of 16; or in one record with the Finished, whose
 * hash is one of 32 or 48 bytes (RFC 8446 sections 4.4.2, 5.2). */
#define EMPTY_CERT_LEN		  7
#define EMPTY_CERT_TLS13_LEN	  25
#define EMPTY_CERT_FINISHED32_LEN (EMPTY_CERT_TLS13_LEN + 36)
#define EMPTY_CERT_FINISHED48_LEN (EMPTY_CERT_TLS13_LEN + 52)

/* A connection that was kept for its certificate, and nobody asks: HTTP/2 begins with sends that are
 * no answer. */
#define SENDS_UNTIL_ASKED 8

struct listener_key {
	__u64 netns;
	__u8 addr[16];
	__u16 family;
	__u16 port;
	__u32 pad;
};

/* What is known of an address and port: TLS was spoken there; clients are asked for certificates; they begin with
 * TLS; they have been answered in plain text. */
#define LISTENER_TLS   1
#define LISTENER_ASKS  2
#define LISTENER_BEGIN 4
#define LISTENER_PLAIN 8

/* Addresses and ports on which TLS was spoken here, as the server. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, LISTENERS_MAX);
	__type(key, struct listener_key);
	__type(value, __u8);
} tls_listeners SEC(".maps");

/* Connections that were accepted there, until they begin a handshake: the least recent give way, so that
 * silent ones take no room from those that speak. */
struct waiting {
	__u64 t_start;
	__u32 rport;
	__u32 lport; /* the socket has none any more when it is gone */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, WAITING_MAX);
	__type(key, __u64); /* address of the struct sock */
	__type(value, struct waiting);
} waiting SEC(".maps");

/* Has there ever been an entry in either table? Many hosts have none, and look nothing up. */
__u32 listeners_known = 0;
__u32 anybody_waits = 0;

static __always_inline void listener_key_of(const struct sock *sk, struct listener_key *key)
{
	key->netns = socket_netns(sk);
	key->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	key->port = BPF_CORE_READ(sk, __sk_common.skc_num);
	if (key->family == AF_INET6)
		BPF_CORE_READ_INTO(&key->addr, sk, __sk_common.skc_v6_rcv_saddr);
	else
		*(__be32 *)key->addr = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
}

__hidden bool listener_did_tls(const struct sock *sk, bool at_once)
{
	struct listener_key key = {};
	__u8 *known, yes = LISTENER_TLS | (at_once ? LISTENER_BEGIN : 0);

	listener_key_of(sk, &key);
	listeners_known = 1;
	known = bpf_map_lookup_elem(&tls_listeners, &key);
	if (!known)
		bpf_map_update_elem(&tls_listeners, &key, &yes, BPF_ANY);
	else if ((*known & yes) != yes)
		*known |= yes;
	return known && *known & LISTENER_ASKS;
}

static __always_inline __u8 *listener_find(const struct sock *sk, __u16 port)
{
	struct listener_key key = {};

	listener_key_of(sk, &key);
	key.port = port;
	return bpf_map_lookup_elem(&tls_listeners, &key);
}

static __always_inline void listener_asks(const struct sock *sk)
{
	__u8 *known = listener_find(sk, BPF_CORE_READ(sk, __sk_common.skc_num));

	if (known)
		*known |= LISTENER_ASKS;
}

__hidden bool listener_is_tls(const struct sock *sk)
{
	return *(volatile __u32 *)&listeners_known &&
	       listener_find(sk, BPF_CORE_READ(sk, __sk_common.skc_num));
}

/* -- before the handshake --------------------------------------------------------------------- */

static __always_inline __u64 remote_port(const struct sock *sk)
{
	return __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
}

__hidden void server_waits(const struct sock *sk)
{
	struct waiting w = {};
	__u64 key = (__u64)sk;

	if (!listener_is_tls(sk))
		return;
	w.t_start = bpf_ktime_get_ns();
	w.rport = remote_port(sk);
	w.lport = BPF_CORE_READ(sk, __sk_common.skc_num);
	anybody_waits = 1;
	bpf_map_update_elem(&waiting, &key, &w, BPF_ANY);
}

static __always_inline bool may_wait(void)
{
	return *(volatile __u32 *)&anybody_waits;
}

static __always_inline const struct waiting *waiting_find(const struct sock *sk)
{
	__u64 key = (__u64)sk;

	return may_wait() ? bpf_map_lookup_elem(&waiting, &key) : NULL;
}

__hidden void server_waits_no_more(const struct sock *sk)
{
	__u64 key = (__u64)sk;

	if (may_wait())
		bpf_map_delete_elem(&waiting, &key);
}

/* It waits no more. False: it did not, or the one that did was another. */
static __always_inline bool waiting_take(const struct sock *sk, struct waiting *out)
{
	const struct waiting *w = waiting_find(sk);

	if (!w)
		return false;
	*out = *w;
	server_waits_no_more(sk);
	return out->rport == remote_port(sk);
}

__hidden bool listener_is_tls_only(const struct sock *sk)
{
	const struct waiting *w = waiting_find(sk);
	const __u8 *known;

	if (!w || w->rport != remote_port(sk))
		return false;
	known = listener_find(sk, w->lport);
	return known && (*known & (LISTENER_BEGIN | LISTENER_PLAIN)) == LISTENER_BEGIN;
}

static __always_inline void accepted_as(struct tlsfail_conn *c, const struct waiting *w)
{
	c->flags |= TLSFAIL_F_ESTABLISHED;
	c->role = TLSFAIL_ROLE_SERVER;
	c->t_start = w->t_start;
	c->t_established = w->t_start;
	c->lport = w->lport;
}

__hidden struct tlsfail_conn *server_awake(const struct sock *sk)
{
	struct waiting w = {};
	struct tlsfail_conn *c;

	if (!waiting_find(sk) || socket_bytes_read(sk) || !waiting_take(sk, &w))
		return NULL;
	c = conn_new_accepted(sk);
	if (c)
		accepted_as(c, &w);
	return c;
}

__hidden struct tlsfail_conn *conn_new_speaking(const struct sock *sk)
{
	struct waiting w = {};
	bool waited = waiting_take(sk, &w);
	struct tlsfail_conn *c = conn_new_late(sk);

	if (c && waited)
		accepted_as(c, &w);
	return c;
}

__hidden void server_waited(const struct sock *sk)
{
	struct waiting w = {};
	__u8 *known;

	if (!waiting_take(sk, &w) || !socket_bytes_read(sk) ||
	    socket_bytes_written(sk) <= CONTROL_BYTES)
		return;
	known = listener_find(sk, w.lport);
	if (known)
		*known |= LISTENER_PLAIN;
}

static __always_inline bool begins_tls(const __u8 head[TLSFAIL_HEAD_LEN], int len)
{
	return head[0] == RECORD_HANDSHAKE && (len == 1 || head[1] == 3);
}

/* 'P' of version 1, CR of version 2. */
static __always_inline bool begins_proxy_header(const __u8 head[TLSFAIL_HEAD_LEN])
{
	return head[0] == 'P' || head[0] == '\r';
}

/* A look at the first byte decides whether a handshake begins; one at more is for a header of the PROXY
 * protocol, which what is there is not. */
static __always_inline bool peek_tells(const struct sock *sk, const __u8 head[TLSFAIL_HEAD_LEN],
				       int len)
{
	if (len == 1)
		return !begins_tls(head, len) && !(head[0] & RECORD_SSL2);
	return begins_tls(head, len) || (!begins_proxy_header(head) && listener_is_tls(sk));
}

__hidden int conn_peeked(const struct sock *sk, int ret, __u64 buf)
{
	__u8 head[TLSFAIL_HEAD_LEN] = {};
	struct tlsfail_conn *c;

	if (ret <= 0 || !tracing_armed() || !buf || !socket_is_tcp(sk) || socket_bytes_read(sk))
		return 0;
	read_head(head, ret, buf);
	if (!peek_tells(sk, head, ret) || !role_wanted(TLSFAIL_ROLE_SERVER) || !thread_get())
		return 0;
	c = conn_find(sk);
	if (!c) {
		c = conn_new_speaking(sk);
		if (!c)
			return 0;
		c->role = TLSFAIL_ROLE_SERVER;
	}
	if (c->role != TLSFAIL_ROLE_SERVER || c->flags & TLSFAIL_F_TLS)
		return 0;
	conn_own(c);
	if (ret == 1) {
		listener_did_tls(sk, true);
		c->flags |= TLSFAIL_F_PLAIN;
	}
	c->t_first_rx = bpf_ktime_get_ns();
	__builtin_memcpy(c->first_rx, head, sizeof(head));
	c->first_rx_kept = at_most(ret, TLSFAIL_HEAD_LEN);
	return 0;
}

/* The program reads it after all, to say in the same language that it wants another. */
__hidden int server_plain_io(struct tlsfail_conn *c, int ret, __u32 dir, __u64 buf)
{
	c->t_last_io = bpf_ktime_get_ns();
	flight_add(c, dir, ret, c->t_last_io);
	c->last_dir = dir;
	c->last_ret = ret;
	if (dir != TLSFAIL_DIR_RECEIVED || c->first_rx_kept > 1 || !buf)
		return 0;
	c->first_rx_kept = at_most(ret, PLAIN_HEAD_LEN);
	if (bpf_probe_read_user(c->first_rx, at_most(ret, PLAIN_HEAD_LEN), (const void *)buf))
		c->first_rx_kept = 0;
	return 0;
}

/* -- in the handshake and after it ------------------------------------------------------------ */

/* The client answers the ServerHello with its Certificate, if it was asked for one. */
__hidden void server_handshake_received(struct tlsfail_conn *c)
{
	const __u8 *record = first_record(c->last_rx);
	__u32 len = record_len(record);

	if ((is_record(record, RECORD_HANDSHAKE) && len == EMPTY_CERT_LEN) ||
	    (is_record(record, RECORD_APPLICATION_DATA) &&
	     (len == EMPTY_CERT_TLS13_LEN || len == EMPTY_CERT_FINISHED32_LEN ||
	      len == EMPTY_CERT_FINISHED48_LEN)))
		c->flags |= TLSFAIL_F_CERT_EMPTY;
}

/* With padding only to a client without a certificate: something else would seldom be as short. What was sent last
 * may be the body of a record (Erlang has that in a buffer of its own); its header was followed. Not where the TLS
 * library tells of handshakes: the verifier could not follow that. */
static __always_inline bool sent_alert(const struct tlsfail_conn *c)
{
	return record_is_alert(c->last_tx) ||
	       (handshake_from_wire() &&
		((const struct connection *)c)->streams[TLSFAIL_DIR_SENT].alert) ||
	       (c->flags & TLSFAIL_F_CERT_EMPTY && c->last_tx[0] == RECORD_APPLICATION_DATA &&
		record_len(c->last_tx) == RECORD_PADDED_ALERT_LEN);
}

/* Before TLS 1.3 the server is done when both have sent their Finished. In TLS 1.3 the client's looks
 * like its Certificate, so that the server is done when it sends something encrypted after that:
 * session tickets, or an answer. */
__hidden bool server_is_done(const struct connection *e, __u32 dir)
{
	const struct stream *tx = &e->streams[TLSFAIL_DIR_SENT];
	const struct stream *rx = &e->streams[TLSFAIL_DIR_RECEIVED];

	if (tx->finished && rx->finished)
		return true;
	return dir == TLSFAIL_DIR_SENT && rx->protected &&
	       is_encrypted_data(first_record(e->c.last_tx)) && !sent_alert(&e->c);
}

/* A session that is resumed says nothing of certificates: kept where clients are asked for them. */
__hidden bool server_keeps(const struct sock *sk, struct tlsfail_conn *c)
{
	struct connection *e = connection_of(c);
	bool asked = c->cert_count || c->flags & TLSFAIL_F_CERT_EMPTY || e->cert_sent;

	if (asked && !e->asks)
		listener_asks(sk);
	return asked || e->asks;
}

/* OpenSSL itself calls it for a fatal alert, which it sends for an error, and when an SSL object is
 * freed that was not shut down: then nothing is sent any more (ssl3_dispatch_alert() and
 * ssl_clear_bad_session()). */
__hidden void server_session_removed(struct tlsfail_conn *c)
{
	if (c->role == TLSFAIL_ROLE_SERVER && c->flags & TLSFAIL_F_DONE && !c->error_count)
		connection_of(c)->session_removed = 1;
}

__hidden int server_io(const struct sock *sk, struct tlsfail_conn *c, int ret, __u32 dir, __u64 buf)
{
	if (dir == TLSFAIL_DIR_SENT && connection_of(c)->session_removed && !c->error_count)
		c->flags |= TLSFAIL_F_SESSION_REMOVED;
	if (dir == TLSFAIL_DIR_RECEIVED) {
		if (!c->t_request)
			c->t_request = bpf_ktime_get_ns();
		c->post_rx_bytes += ret;
		return 0;
	}
	if (is_alert(buf)) {
		if (!(c->flags & (TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_RST)))
			c->flags |= TLSFAIL_F_LOCAL_NOTIFY;
		return 0;
	}
	c->post_tx_bytes += ret;
	c->post_sends++;
	/* It is the answer to a client that was not refused. */
	if (!(c->flags & TLSFAIL_F_SESSION_REMOVED) &&
	    (c->flags & TLSFAIL_F_VERIFY_ASKED || c->post_sends >= SENDS_UNTIL_ASKED))
		conn_succeed(sk, c);
	return 0;
}

/* -- the end ---------------------------------------------------------------------------------- */

/* Whose is a connection that nobody has read from? It is closed in the task that accepted it; a reset
 * may end it before, in any context. */
static __always_inline bool has_owner(struct tlsfail_conn *c)
{
	if (!c->tid && thread_get())
		conn_own(c);
	return c->tid;
}

/* A client of TLS 1.3 that has sent its Finished has nothing against what it got. If it is gone before the
 * server has sent its tickets, as a health check is, the server never learns that it is done; nor if the
 * server's process, which sends none, ends there. The alert that follows the Finished is a close_notify, and one
 * of the server the answer, unless that refuses a certificate. */
static __always_inline bool client_was_done(struct tlsfail_conn *c)
{
	const __u32 gone = TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_RST | TLSFAIL_F_EXITING;
	const struct connection *e = connection_of(c);
	const struct stream *rx = &e->streams[TLSFAIL_DIR_RECEIVED];

	if (!rx->protected || c->error_count)
		return false;
	if (rx->alert && !e->cert_sent && !(c->flags & TLSFAIL_F_CERT_EMPTY))
		return true;
	return c->flags & gone && !sent_alert(c);
}

__hidden bool server_failed(struct tlsfail_conn *c)
{
	bool failed;

	if (!(c->flags & TLSFAIL_F_DONE) && client_was_done(c)) {
		c->flags |= TLSFAIL_F_DONE;
		count(TLSFAIL_N_SERVER_DONE);
	}
	failed = has_owner(c) &&
		 (!(c->flags & TLSFAIL_F_DONE) || c->flags & TLSFAIL_F_SESSION_REMOVED);
	if (failed)
		count(TLSFAIL_N_SERVER_FAILED);
	return failed;
}
