// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Bytes: what a handshake sends and receives is kept, and its records are followed.
 */
#include "bytes.bpf.h"

/* More records than this in one call are not looked at: TLS 1.3 needs six for a server's flight, two
 * for its tickets. */
#define RECORDS_MAX 10

/* Those of connections from here come first: when all are taken, the bytes of the next handshake are lost, which
 * the finding says. Those of connections that were accepted are apart, so that they take no room from the
 * others, and are taken from their owners in turn: who begins handshakes and leaves them loses first. */
#define CLIENT_WIRES 1024
#define SERVER_WIRES 512 /* a power of two */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CLIENT_WIRES + SERVER_WIRES);
	__type(key, __u32);
	__type(value, struct tlsfail_wire);
} wires SEC(".maps");

/* Those that nobody has. Filled by the collector. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, CLIENT_WIRES);
	__type(value, __u32);
} client_wires SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, SERVER_WIRES);
	__type(value, __u32);
} server_wires SEC(".maps");

/* Whose turn it is. Two CPUs that raise it at once take from one. */
__u32 server_turn = 0;

/* NULL: there are none, or they were taken away. */
static __always_inline struct tlsfail_wire *wire_find(const struct connection *e, __u32 dir)
{
	__u32 slot = e->wires[dir & (TLSFAIL_DIR_COUNT - 1)] - 1;
	struct tlsfail_wire *w = bpf_map_lookup_elem(&wires, &slot);

	return w && w->id == e->c.id ? w : NULL;
}

static __always_inline long slot_take(const struct connection *e, __u32 *slot)
{
	if (e->c.role != TLSFAIL_ROLE_SERVER)
		return bpf_map_pop_elem(&client_wires, slot);
	if (bpf_map_pop_elem(&server_wires, slot))
		*slot = CLIENT_WIRES + (server_turn++ & (SERVER_WIRES - 1));
	return 0;
}

static __noinline struct tlsfail_wire *wire_new(struct connection *e, __u32 dir)
{
	struct tlsfail_wire *w;
	__u32 slot = 0;

	if (slot_take(e, &slot))
		return NULL;
	w = bpf_map_lookup_elem(&wires, &slot);
	if (!w)
		return NULL;
	w->id = e->c.id;
	w->dir = dir;
	w->data_len = 0;
	w->cut = 0;
	e->wires[dir & (TLSFAIL_DIR_COUNT - 1)] = slot + 1;
	return w;
}

/* Appends len user bytes, a chunk at a time so that the verifier can see each one's bounds. */
static __noinline int wire_append(struct tlsfail_wire *w, __u32 len, __u64 buf)
{
	int i;

	if (!w)
		return -1;
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

/* Those of that direction, made at the first bytes. NULL: there is no room, or they were taken away. */
static __always_inline struct tlsfail_wire *wire_of(struct connection *e, __u32 dir)
{
	if (e->wires[dir & (TLSFAIL_DIR_COUNT - 1)])
		return wire_find(e, dir);
	return wire_new(e, dir);
}

__hidden int wire_keep(struct tlsfail_conn *c, __u32 dir, __u32 len, __u64 buf)
{
	return wire_append(wire_of(connection_of(c), dir), len, buf);
}

__hidden int io_keep(struct tlsfail_conn *c, struct thread *t)
{
	struct tlsfail_wire *w = wire_of(connection_of(c), t->io_dir);
	__u32 at;
	int failed;

	if (!w || !t->io_buf)
		return -1;
	at = w->data_len;
	failed = wire_append(w, t->io_ret, t->io_buf);
	t->kept_slot = connection_of(c)->wires[t->io_dir & (TLSFAIL_DIR_COUNT - 1)] - 1;
	t->kept_at = at;
	t->kept_len = w->data_len - at;
	return failed;
}

__hidden bool wire_report(struct tlsfail_conn *c, __u32 dir)
{
	struct tlsfail_wire *w = wire_find(connection_of(c), dir);

	return w ? report_wire(w) : false;
}

/* The slots of an entry that is gone: each is given back by the one who took the entry out. */
static __always_inline void wires_free(const __u16 slots[TLSFAIL_DIR_COUNT], __u64 id)
{
	__u32 dir;

	for (dir = 0; dir < TLSFAIL_DIR_COUNT; dir++) {
		__u32 slot = slots[dir] - 1;
		struct tlsfail_wire *w = slots[dir] ? bpf_map_lookup_elem(&wires, &slot) : NULL;

		if (!w || w->id != id)
			continue;
		w->id = 0;
		if (slot < CLIENT_WIRES)
			bpf_map_push_elem(&client_wires, &slot, BPF_ANY);
		else
			bpf_map_push_elem(&server_wires, &slot, BPF_ANY);
	}
}

__hidden void conn_forget(const struct sock *sk, struct tlsfail_conn *c)
{
	__u16 slots[TLSFAIL_DIR_COUNT];
	__u64 id = c->id;

	__builtin_memcpy(slots, connection_of(c)->wires, sizeof(slots));
	if (conn_remove(sk, c))
		wires_free(slots, id);
}

__hidden struct tlsfail_conn *conn_unless_earlier(struct tlsfail_conn *c, const struct sock *sk)
{
	if (!conn_is_earlier(c, sk))
		return c;
	count(TLSFAIL_N_UNTRACKED);
	conn_forget(sk, c);
	return NULL;
}

__hidden struct tlsfail_conn *conn_find_current(const struct sock *sk)
{
	struct tlsfail_conn *c = conn_find(sk);

	return c ? conn_unless_earlier(c, sk) : NULL;
}

__hidden void wire_certificate(struct tlsfail_conn *c, __u32 len, __u64 der)
{
	__u32 n = c->cert_count++;
	__u64 end[4] = {};

	if (!n && len > sizeof(end) &&
	    !bpf_probe_read_user(end, sizeof(end), (const void *)(der + len - sizeof(end))))
		c->cert_print = end[0] ^ end[1] ^ end[2] ^ end[3];
	if (n < TLSFAIL_CERTS_MAX && wire_keep(c, TLSFAIL_DIR_CERT + n, len, der))
		c->flags |= TLSFAIL_F_NO_WIRE;
}

/* -- the I/O at hand -------------------------------------------------------------------------- */

/* Of the n bytes at that user address the copy that was kept, or NULL. n: a constant. */
static __always_inline const __u8 *io_kept(const struct thread *t, __u64 at, const __u32 n)
{
	__u64 before = at - t->io_buf, kept_at;
	const struct tlsfail_wire *w;
	__u32 slot = t->kept_slot;

	if (before + n > t->kept_len)
		return NULL;
	w = bpf_map_lookup_elem(&wires, &slot);
	kept_at = t->kept_at + before;
	barrier_var(kept_at);
	return w && kept_at <= TLSFAIL_WIRE_CAP - n ? w->data + kept_at : NULL;
}

static __always_inline void io_head(const struct thread *t, __u8 head[TLSFAIL_HEAD_LEN])
{
	const __u8 *kept = io_kept(t, t->io_buf, TLSFAIL_HEAD_LEN);

	if (kept)
		__builtin_memcpy(head, kept, TLSFAIL_HEAD_LEN);
	else
		read_head(head, t->io_ret, t->io_buf);
}

/* -- what is kept in the entry ---------------------------------------------------------------- */

__hidden void bytes_sent(struct tlsfail_conn *c, const struct sock *sk, const struct thread *t)
{
	__u32 len = t->io_ret;

	if (!c->t_first_tx) {
		c->t_first_tx = c->t_last_io;
		c->first_tx_len = len;
		/* A FIN that is just coming in counts as one byte there. */
		if (!c->rx_bytes && !(c->flags & TLSFAIL_F_PEER_FIN) &&
		    BPF_CORE_READ(tcp(sk), bytes_received) >
			    connection_of(c)->plain[TLSFAIL_DIR_RECEIVED] + 1)
			c->flags |= TLSFAIL_F_RX_BEFORE_TX;
	}
	c->tx_bytes += len;
	c->last_tx_len = len;
	io_head(t, c->last_tx);
}

/* Without read-ahead OpenSSL reads the 5 bytes of a record header by themselves. */
static __always_inline void first_received(struct tlsfail_conn *c, __u32 len)
{
	__u32 at = c->first_rx_kept, n = TLSFAIL_HEAD_LEN - at;
	__u32 i;

	if (n > len)
		n = len;
	for (i = 0; i < TLSFAIL_HEAD_LEN; i++)
		if (i < n)
			c->first_rx[(at + i) & (TLSFAIL_HEAD_LEN - 1)] = c->last_rx[i];
	c->first_rx_kept = at + n;
}

__hidden void bytes_received(struct tlsfail_conn *c, const struct thread *t)
{
	__u32 len = t->io_ret;

	if (!c->t_first_rx)
		c->t_first_rx = c->t_last_io;
	c->rx_bytes += len;
	c->last_rx_len = len;
	io_head(t, c->last_rx);
	if (c->first_rx_kept < TLSFAIL_HEAD_LEN)
		first_received(c, len);
}

/* What follows the handshake is not part of its last flight, which may have begun with what ended it. */
static __always_inline bool flight_is_over(const struct tlsfail_conn *c,
					   const struct tlsfail_flight *f)
{
	return c->flags & TLSFAIL_F_DONE && c->t_start + f->t_us * 1000ULL <= c->t_done;
}

/* Bytes in the same direction as before belong to the same flight, however they are cut. */
__hidden void flight_add(struct tlsfail_conn *c, __u32 dir, __u32 len, __u64 now)
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
	f->t_us = ((now ? now : bpf_ktime_get_ns()) - c->t_start) / 1000;
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

	if (s->left == RECORD_TLS13_ALERT_LEN) {
		s->alert = s->protected > 0;
		return;
	}
	/* Of a client: a Certificate without any, or an alert with padding (Java pads by 16). */
	if (dir == TLSFAIL_DIR_SENT && e->c.role == TLSFAIL_ROLE_CLIENT && !s->protected &&
	    s->left < RECORD_FINISHED_MIN_LEN)
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
	s->sealed = s->left;
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
	else if (s->type == RECORD_ALERT)
		s->alert = s->finished;
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
	const __u8 *kept = io_kept(t, t->at, MESSAGE_HEADER_LEN);
	__u8 message[MESSAGE_HEADER_LEN] = {};

	if (kept)
		__builtin_memcpy(message, kept, sizeof(message));
	else
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

/* The next n bytes of a record header. False: they cannot be read. */
static __always_inline bool header_add(struct stream *s, struct thread *t, __u32 n)
{
	const __u8 *kept = s->have ? NULL : io_kept(t, t->at, RECORD_HEADER_LEN);
	__u32 have = s->have;

	if (kept)
		__builtin_memcpy(s->header, kept, RECORD_HEADER_LEN);
	else if (have >= RECORD_HEADER_LEN ||
		 bpf_probe_read_user(s->header + have, n, (const void *)t->at))
		return false;
	t->at += n;
	t->left -= n;
	s->have = have + n;
	return true;
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
	if (!header_add(s, t, at_most(n, RECORD_HEADER_LEN)))
		return false;
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

__hidden bool header_follows(struct connection *e, __u64 buf)
{
	struct tlsfail_wire *w = wire_find(e, TLSFAIL_DIR_RECEIVED);
	struct stream *s = &e->streams[TLSFAIL_DIR_RECEIVED];
	__u8 header[sizeof(s->header)] = {};
	__u64 at = w ? w->data_len : TLSFAIL_WIRE_CAP;

	barrier_var(at);
	if (s->left || s->have || s->lost || !s->type || e->c.first_rx_kept < TLSFAIL_HEAD_LEN ||
	    at > TLSFAIL_WIRE_CAP - RECORD_HEADER_LEN ||
	    bpf_probe_read_user(header, RECORD_HEADER_LEN, (const void *)buf))
		return false;
	__builtin_memcpy(w->data + at, header, RECORD_HEADER_LEN);
	w->data_len = at + RECORD_HEADER_LEN;
	__builtin_memcpy(s->header, header, sizeof(s->header));
	__builtin_memcpy(e->c.last_rx, header, RECORD_HEADER_LEN);
	e->c.last_rx_len = RECORD_HEADER_LEN;
	e->c.rx_bytes += RECORD_HEADER_LEN;
	record_begins(e, s, TLSFAIL_DIR_RECEIVED);
	return true;
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

/* How long an alert is of a client that pads its records, as Java's does: two bytes instead of a Finished, whose
 * hash is that of the cipher suite, which the ServerHello says. 0: that is not known. */
static __always_inline __u32 padded_alert_len(const struct connection *e)
{
	const struct tlsfail_wire *w = wire_find(e, TLSFAIL_DIR_RECEIVED);
	__u32 at, hash;

	if (!w || !is_record(w->data, RECORD_HANDSHAKE) ||
	    w->data[RECORD_HEADER_LEN] != SERVER_HELLO)
		return 0;
	at = SERVER_HELLO_SESSION_AT + 1 + (w->data[SERVER_HELLO_SESSION_AT] & (64 - 1));
	hash = w->data[at + 1] == TLS13_SHA384_SUITE ? 48 : 32;
	return e->streams[TLSFAIL_DIR_SENT].sealed - MESSAGE_HEADER_LEN - hash +
	       RECORD_CLEAR_ALERT_LEN;
}

static __always_inline bool header_read(__u8 header[RECORD_HEADER_LEN], __u64 buf)
{
	return buf && !bpf_probe_read_user(header, RECORD_HEADER_LEN, (const void *)buf);
}

__hidden bool is_alert(__u64 buf)
{
	__u8 header[RECORD_HEADER_LEN];

	return header_read(header, buf) && record_is_alert(header);
}

__hidden bool is_clients_alert(const struct tlsfail_conn *c, __u64 buf)
{
	__u8 header[RECORD_HEADER_LEN];

	if (!header_read(header, buf))
		return false;
	return record_is_alert(header) ||
	       (header[0] == RECORD_APPLICATION_DATA && client_flight_is_tls13(c) &&
		record_len(header) == padded_alert_len((const struct connection *)c));
}
