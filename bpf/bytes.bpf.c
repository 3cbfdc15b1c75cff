// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Bytes: what a handshake sends and receives is kept, and its records are followed.
 */
#include "bytes.bpf.h"

/* More records than this in one call are not looked at: TLS 1.3 needs six for a server's flight, two
 * for its tickets. */
#define RECORDS_MAX 10

/* Of connections from here: what is full stays, and the bytes of the next handshake are lost, which the
 * finding says. Made as they are needed, where the kernel can: see hooks_select(). */
#define WIRES_MAX 1024

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WIRES_MAX);
	__type(key, __u64); /* address of the struct sock + enum tlsfail_dir */
	__type(value, struct tlsfail_wire);
} wires SEC(".maps");

/* Of those that were accepted, so that these take no room from the others. Least recently used: who begins
 * handshakes and leaves them loses first. */
#define SERVER_WIRES_MAX 512

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SERVER_WIRES_MAX);
	__type(key, __u64);
	__type(value, struct tlsfail_wire);
} server_wires SEC(".maps");

static const struct tlsfail_wire new_wire;

static __always_inline struct tlsfail_wire *wire_find(const struct tlsfail_conn *c, __u64 key)
{
	if (c->role == TLSFAIL_ROLE_SERVER)
		return bpf_map_lookup_elem(&server_wires, &key);
	return bpf_map_lookup_elem(&wires, &key);
}

static __always_inline void wire_new(const struct tlsfail_conn *c, __u64 key)
{
	if (c->role == TLSFAIL_ROLE_SERVER)
		bpf_map_update_elem(&server_wires, &key, &new_wire, BPF_ANY);
	else
		bpf_map_update_elem(&wires, &key, &new_wire, BPF_ANY);
}

/* Appends len user bytes, a chunk at a time so that the verifier can see each one's bounds. */
__hidden __noinline int wire_append(const struct tlsfail_conn *c, __u64 key, __u32 len, __u64 buf)
{
	struct tlsfail_wire *w = wire_find(c, key);
	int i;

	if (!w) {
		wire_new(c, key);
		w = wire_find(c, key);
		if (!w)
			return -1;
	}
	for (i = 0; i < TLSFAIL_WIRE_CAP / TLSFAIL_WIRE_CHUNK + 1; i++) {
		__u64 at = w->data_len, n = at_most(len, TLSFAIL_WIRE_CHUNK);

		if (!len)
			return 0;
		barrier_var(at);
		if (at >= TLSFAIL_WIRE_CAP)
			break;
		if (bpf_probe_read_user(w->data + at, n, (const void *)buf))
			return -1;
		w->data_len = at + n;
		buf += n;
		len -= n;
	}
	w->cut = 1;
	return 0;
}

__hidden bool wire_report(const struct sock *sk, const struct tlsfail_conn *c, __u32 dir)
{
	struct tlsfail_wire *w = wire_find(c, (__u64)sk + dir);

	if (!w)
		return false;
	w->id = c->id;
	w->dir = dir;
	return report_wire(w);
}

static __noinline int wire_forget(const struct sock *sk, const struct tlsfail_conn *c)
{
	__u32 n = TLSFAIL_DIR_CERT + c->cert_count, dir;
	bool server = c->role == TLSFAIL_ROLE_SERVER;

	for (dir = 0; dir < TLSFAIL_DIR_COUNT && dir < n; dir++) {
		__u64 key = (__u64)sk + dir;

		if (server)
			bpf_map_delete_elem(&server_wires, &key);
		else
			bpf_map_delete_elem(&wires, &key);
	}
	return 0;
}

__hidden void conn_forget(const struct sock *sk, const struct tlsfail_conn *c)
{
	if (c->flags & (TLSFAIL_F_TLS | TLSFAIL_F_PLAIN))
		wire_forget(sk, c);
	conn_remove(sk, c);
}

__hidden struct tlsfail_conn *conn_find_current(const struct sock *sk)
{
	struct tlsfail_conn *c = conn_find(sk);

	if (!c || !conn_is_earlier(c, sk))
		return c;
	count(TLSFAIL_N_UNTRACKED);
	conn_forget(sk, c);
	return NULL;
}

__hidden void wire_certificate(struct tlsfail_conn *c, __u64 sk, __u32 len, __u64 der)
{
	__u32 n = c->cert_count++;
	__u64 end[4] = {};

	if (!n && len > sizeof(end) &&
	    !bpf_probe_read_user(end, sizeof(end), (const void *)(der + len - sizeof(end))))
		c->cert_print = end[0] ^ end[1] ^ end[2] ^ end[3];
	if (n < TLSFAIL_CERTS_MAX && wire_append(c, sk + TLSFAIL_DIR_CERT + n, len, der))
		c->flags |= TLSFAIL_F_NO_WIRE;
}

/* -- what is kept in the entry ---------------------------------------------------------------- */

__hidden void bytes_sent(struct tlsfail_conn *c, const struct sock *sk, __u32 len, __u64 buf)
{
	if (!c->t_first_tx) {
		const struct tcp_sock *tp = (const struct tcp_sock *)sk;

		c->t_first_tx = c->t_last_io;
		c->first_tx_len = len;
		/* A FIN that is just coming in counts as one byte there. */
		if (!c->rx_bytes && !(c->flags & TLSFAIL_F_PEER_FIN) &&
		    BPF_CORE_READ(tp, bytes_received) >
			    connection_of(c)->plain[TLSFAIL_DIR_RECEIVED] + 1)
			c->flags |= TLSFAIL_F_RX_BEFORE_TX;
	}
	c->tx_bytes += len;
	c->last_tx_len = len;
	read_head(c->last_tx, len, buf);
}

/* Without read-ahead OpenSSL reads the 5 bytes of a record header by themselves. */
static __always_inline void first_received(struct tlsfail_conn *c, __u32 len, __u64 buf)
{
	__u32 at = c->first_rx_kept, n = TLSFAIL_HEAD_LEN - at;
	__u8 head[TLSFAIL_HEAD_LEN] = {};
	__u32 i;

	if (n > len)
		n = len;
	read_head(head, n, buf);
	for (i = 0; i < TLSFAIL_HEAD_LEN; i++)
		if (i < n)
			c->first_rx[(at + i) & (TLSFAIL_HEAD_LEN - 1)] = head[i];
	c->first_rx_kept = at + n;
}

__hidden void bytes_received(struct tlsfail_conn *c, __u32 len, __u64 buf)
{
	if (!c->t_first_rx)
		c->t_first_rx = c->t_last_io;
	c->rx_bytes += len;
	c->last_rx_len = len;
	read_head(c->last_rx, len, buf);
	if (c->first_rx_kept < TLSFAIL_HEAD_LEN)
		first_received(c, len, buf);
}

/* What follows the handshake is not part of its last flight. */
static __always_inline bool flight_is_over(const struct tlsfail_conn *c,
					   const struct tlsfail_flight *f)
{
	return c->flags & TLSFAIL_F_DONE && c->t_start + f->t_us * 1000ULL < c->t_done;
}

/* Bytes in the same direction as before belong to the same flight, however they are cut. */
__hidden void flight_add(struct tlsfail_conn *c, __u32 dir, __u32 len)
{
	__u32 n = c->flight_count, last = n < TLSFAIL_FLIGHTS_MAX ? n : TLSFAIL_FLIGHTS_MAX;
	struct tlsfail_flight *f = &c->flights[(last - 1) & (TLSFAIL_FLIGHTS_MAX - 1)];

	if (n && f->dir == dir && !flight_is_over(c, f)) {
		f->len += len;
		return;
	}
	if (last == TLSFAIL_FLIGHTS_MAX)
		last--;
	f = &c->flights[last & (TLSFAIL_FLIGHTS_MAX - 1)];
	f->t_us = (bpf_ktime_get_ns() - c->t_start) / 1000;
	f->len = len;
	f->dir = dir;
	c->flight_count = n + 1;
}

/* -- records ---------------------------------------------------------------------------------- */

/* A client that shows a certificate, or says that it has none, sends it before its Finished, encrypted
 * in TLS 1.3. Early data comes there, too. */
static __always_inline void protected_begins(struct connection *e, struct stream *s, __u32 dir)
{
	bool finished = s->left == RECORD_FINISHED32_LEN || s->left == RECORD_FINISHED48_LEN;

	if (s->left == RECORD_TLS13_ALERT_LEN)
		return;
	if (dir == TLSFAIL_DIR_RECEIVED && e->c.role == TLSFAIL_ROLE_SERVER) {
		if (!e->c.tx_bytes)
			e->early = 1;
		if (e->early && !finished)
			return;
		if (!finished)
			e->cert_sent = 1;
	}
	s->protected ++;
}

static __always_inline void stream_end(struct stream *s, bool unseen)
{
	s->lost = 1;
	s->unseen = unseen;
}

__hidden void stream_lose(struct connection *e, __u32 dir)
{
	stream_end(&e->streams[dir & 1], true);
}

static __always_inline void record_begins(struct connection *e, struct stream *s, __u32 dir)
{
	bool first = !s->type;

	s->type = s->header[0];
	s->left = record_len(s->header);
	s->have = 0;
	s->has_message = 0;
	if (!is_record(s->header, s->type) || s->type < RECORD_CHANGE_CIPHER_SPEC ||
	    s->type > RECORD_APPLICATION_DATA || s->left > RECORD_MAX_LEN)
		stream_end(s,
			   !first); /* a peer that speaks no TLS does not speak it from the first */
	else if (s->type == RECORD_APPLICATION_DATA)
		protected_begins(e, s, dir);
}

static __always_inline void record_ends(struct stream *s)
{
	if (s->type == RECORD_CHANGE_CIPHER_SPEC)
		s->ccs = 1;
	else if (s->type == RECORD_HANDSHAKE && s->ccs)
		s->finished = 1;
}

/* The type of a handshake message that is in clear. A hello after a ChangeCipherSpec is one: both sides
 * may send that around a HelloRetryRequest (RFC 8446 appendix D.4), and it changes nothing. */
static __always_inline void message_begins(struct connection *e, struct stream *s,
					   const struct thread *t)
{
	__u8 message[MESSAGE_HEADER_LEN] = {};

	bpf_probe_read_user(message, sizeof(message), (const void *)t->at);
	if (s->ccs && (message[0] == CLIENT_HELLO || message[0] == SERVER_HELLO) && !message[1] &&
	    (__u32)(message[2] << 8 | message[3]) + MESSAGE_HEADER_LEN == s->left)
		s->ccs = 0;
	if (!s->ccs && message[0] == CERTIFICATE && e->c.role == TLSFAIL_ROLE_SERVER &&
	    t->io_dir == TLSFAIL_DIR_RECEIVED)
		e->cert_sent = 1;
}

/* The rest of a record, as far as it is there. */
static __always_inline void body_follow(struct connection *e, struct stream *s, struct thread *t)
{
	__u32 n = s->left < t->left ? s->left : t->left;

	if (!n)
		return;
	if (!s->has_message && s->type == RECORD_HANDSHAKE) {
		s->has_message = 1;
		message_begins(e, s, t);
	}
	t->at += n;
	t->left -= n;
	s->left -= n;
	if (!s->left)
		record_ends(s);
}

/* A record header, or what is there of it. False: it cannot be read. */
static __always_inline bool header_follow(struct connection *e, struct stream *s, struct thread *t)
{
	__u32 have = s->have, n;

	if (have >= RECORD_HEADER_LEN)
		return false;
	n = RECORD_HEADER_LEN - have;
	if (n > t->left)
		n = t->left;
	n = at_most(n, RECORD_HEADER_LEN);
	if (bpf_probe_read_user(s->header + have, n, (const void *)t->at))
		return false;
	t->at += n;
	t->left -= n;
	s->have = have + n;
	if (s->have >= RECORD_HEADER_LEN)
		record_begins(e, s, t->io_dir);
	return true;
}

/* One record, from a cursor in memory: in registers it would be something else on each path, and the
 * verifier would follow them all. False: that was all. */
static __noinline bool record_follow(struct connection *e, struct thread *t)
{
	struct stream *s = &e->streams[t->io_dir & 1];

	body_follow(e, s, t);
	if (!t->left || s->lost)
		return false;
	if (header_follow(e, s, t))
		return true;
	stream_end(s, true);
	return false;
}

__hidden int records_follow(struct connection *e, struct thread *t)
{
	int i;

	t->at = t->io_buf;
	t->left = t->io_ret;
	for (i = 0; i < RECORDS_MAX; i++)
		if (!record_follow(e, t))
			return 0;
	stream_lose(e, t->io_dir);
	return 0;
}

__hidden bool is_alert(__u64 buf)
{
	__u8 header[RECORD_HEADER_LEN];

	if (!buf || bpf_probe_read_user(header, sizeof(header), (const void *)buf))
		return false;
	return record_is_alert(header);
}
