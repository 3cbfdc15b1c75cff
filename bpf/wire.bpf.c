// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Bytes: what a handshake sends and receives is kept, and after it the record headers are watched
 * until application data has come back.
 */
#include "conn.bpf.h"
#include <bpf/bpf_core_read.h>

#define AF_INET	    2
#define AF_INET6    10
#define IPPROTO_TCP 6

/* No server's session tickets are larger together; anything longer is application data. */
#define TICKETS_MAX_LEN 8192

/* More records than this in one read are application data for sure. */
#define WATCH_RECORDS_MAX 8

#define WIRES_MAX 4096

/* Least recently used: under more handshakes than it holds, the oldest lose their bytes, and the
 * finding says so. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, WIRES_MAX);
	__type(key, __u64); /* address of the struct sock + enum tlsfail_dir */
	__type(value, struct tlsfail_wire);
} wires SEC(".maps");

static const struct tlsfail_wire new_wire;

/* Appends len user bytes, a chunk at a time so that the verifier can see each one's bounds. */
static __noinline int wire_append(__u64 key, __u32 len, __u64 buf)
{
	struct tlsfail_wire *w = bpf_map_lookup_elem(&wires, &key);
	int i;

	if (!w) {
		bpf_map_update_elem(&wires, &key, &new_wire, BPF_ANY);
		w = bpf_map_lookup_elem(&wires, &key);
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

__hidden bool wire_report(const struct sock *sk, __u64 id, __u32 dir)
{
	__u64 key = (__u64)sk + dir;
	struct tlsfail_wire *w = bpf_map_lookup_elem(&wires, &key);

	if (!w)
		return false;
	w->id = id;
	w->dir = dir;
	return report_wire(w);
}

__hidden void wire_forget(const struct sock *sk, __u32 cert_count)
{
	__u32 n = TLSFAIL_DIR_CERT + cert_count, dir;

	for (dir = 0; dir < TLSFAIL_DIR_COUNT && dir < n; dir++) {
		__u64 key = (__u64)sk + dir;

		bpf_map_delete_elem(&wires, &key);
	}
}

__hidden void wire_certificate(struct tlsfail_conn *c, __u64 sk, __u32 len, __u64 der)
{
	__u32 n = c->cert_count++;
	__u64 end[4] = {};

	if (!n && len > sizeof(end) &&
	    !bpf_probe_read_user(end, sizeof(end), (const void *)(der + len - sizeof(end))))
		c->cert_print = end[0] ^ end[1] ^ end[2] ^ end[3];
	if (n < TLSFAIL_CERTS_MAX && wire_append(sk + TLSFAIL_DIR_CERT + n, len, der))
		c->flags |= TLSFAIL_F_NO_WIRE;
}

static __always_inline void handshake_sent(struct tlsfail_conn *c, const struct sock *sk, int ret,
					   __u64 buf)
{
	if (!c->t_first_tx) {
		const struct tcp_sock *tp = (const struct tcp_sock *)sk;

		c->t_first_tx = c->t_last_io;
		c->first_tx_len = ret;
		/* A FIN that is just coming in counts as one byte there. */
		if (!c->rx_bytes && !(c->flags & TLSFAIL_F_PEER_FIN) &&
		    BPF_CORE_READ(tp, bytes_received) > 1)
			c->flags |= TLSFAIL_F_RX_BEFORE_TX;
	}
	c->tx_bytes += ret;
	c->last_tx_len = ret;
	read_head(c->last_tx, ret, buf);
}

static __always_inline void handshake_received(struct tlsfail_conn *c, int ret, __u64 buf)
{
	if (!c->t_first_rx)
		c->t_first_rx = c->t_last_io;
	c->rx_bytes += ret;
	c->last_rx_len = ret;
	read_head(c->last_rx, ret, buf);
	/* Without read-ahead OpenSSL reads the 5 bytes of a record header by themselves. */
	if (c->first_rx_kept < TLSFAIL_HEAD_LEN) {
		__u32 at = c->first_rx_kept, n = TLSFAIL_HEAD_LEN - at;
		__u8 head[TLSFAIL_HEAD_LEN] = {};
		__u32 i;

		if (n > (__u32)ret)
			n = ret;
		read_head(head, n, buf);
		for (i = 0; i < TLSFAIL_HEAD_LEN; i++)
			if (i < n)
				c->first_rx[(at + i) & (TLSFAIL_HEAD_LEN - 1)] = head[i];
		c->first_rx_kept = at + n;
		if (!at && c->role == TLSFAIL_ROLE_CLIENT &&
		    c->first_rx[0] >= RECORD_CHANGE_CIPHER_SPEC &&
		    c->first_rx[0] <= RECORD_APPLICATION_DATA)
			peer_sent_tls(c);
	}
	if (c->role == TLSFAIL_ROLE_SERVER)
		server_handshake_received(c);
}

__hidden bool socket_is_tcp(const struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	return (family == AF_INET || family == AF_INET6) &&
	       BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP;
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

static __always_inline void handshake_seen(const struct sock *sk, const struct tlsfail_conn *c)
{
	if (!role_wanted(c->role))
		return;
	count(c->role == TLSFAIL_ROLE_CLIENT ? TLSFAIL_N_CLIENT_SEEN : TLSFAIL_N_SERVER_SEEN);
	if (c->role == TLSFAIL_ROLE_SERVER)
		listener_did_tls(sk);
}

/*
 * Can these be the first bytes of a handshake? One that was forgotten when it was done may be entered
 * again: for what TLS 1.3 does after it, or for the part that comes after early data.
 */
static __always_inline bool begins_handshake(int ret, __u32 dir, __u64 buf)
{
	__u8 head[RECORD_HEADER_LEN + 1] = {};

	if (ret <= 0 || !buf)
		return true;
	bpf_probe_read_user(head, at_most(ret, sizeof(head)), (const void *)buf);
	if (dir == TLSFAIL_DIR_SENT)
		return is_record(head, RECORD_HANDSHAKE) && head[RECORD_HEADER_LEN] == CLIENT_HELLO;
	return !is_record(head, RECORD_CHANGE_CIPHER_SPEC) && !is_record(head, RECORD_ALERT) &&
	       !is_record(head, RECORD_APPLICATION_DATA);
}

static __noinline int io_in_handshake(const struct sock *sk, struct thread *t, int ret, __u32 dir,
				      __u64 buf)
{
	struct tlsfail_conn *c = conn_find_current(sk);

	if (!c) {
		if (!socket_is_tcp(sk) || !begins_handshake(ret, dir, buf))
			return 0;
		c = conn_new_late(sk);
		if (!c)
			return 0;
	}
	conn_own(c);
	/* A callback of the handshake talking to somebody else, or a renegotiation. */
	if ((c->ssl && c->ssl != t->ssl) || c->flags & TLSFAIL_F_DONE)
		return 0;
	if (!(c->flags & TLSFAIL_F_TLS)) {
		if (!c->role)
			c->role =
				dir == TLSFAIL_DIR_SENT ? TLSFAIL_ROLE_CLIENT : TLSFAIL_ROLE_SERVER;
		c->flags |= TLSFAIL_F_TLS;
		c->ssl = t->ssl;
		conn_adopt_orphan(c, t);
		handshake_seen(sk, c);
	}
	t->sk = (__u64)sk;
	if (!role_wanted(c->role))
		return 0;
	c->pid = t->tgid;
	c->t_last_io = bpf_ktime_get_ns();
	c->last_dir = dir;
	c->last_ret = ret;
	if (ret <= 0)
		return 0;
	flight_add(c, dir, ret);
	if (dir == TLSFAIL_DIR_SENT)
		handshake_sent(c, sk, ret, buf);
	else
		handshake_received(c, ret, buf);
	if (!buf || wire_append((__u64)sk + dir, ret, buf))
		c->flags |= TLSFAIL_F_NO_WIRE;
	return 0;
}

/* Looks at the record headers (in clear, RFC 8446 section 5.1) of what came after the handshake.
 * True: application data came, or it cannot be told, so the connection is no failure. */
static __noinline bool answer_came(struct tlsfail_conn *c, __u32 len, __u64 buf)
{
	bool tls13 = client_flight_is_tls13(c);
	__u32 at = 0;
	int i;

	c->post_rx_bytes += len;
	if (c->post_rx_bytes > TICKETS_MAX_LEN)
		return true;
	for (i = 0; i < WATCH_RECORDS_MAX; i++) {
		__u8 header[RECORD_HEADER_LEN];
		__u32 body, n;

		if (c->post_skip) {
			n = len - at < c->post_skip ? len - at : c->post_skip;
			c->post_skip -= n;
			at += n;
		}
		if (at >= len)
			return false;
		if (len - at < sizeof(header) ||
		    bpf_probe_read_user(header, sizeof(header), (const void *)(buf + at)))
			return true;
		at += sizeof(header);
		body = header[3] << 8 | header[4];
		c->post_skip = body;
		if (header[0] != RECORD_APPLICATION_DATA)
			continue;
		if (!tls13)
			return true;
		if (body == RECORD_TLS13_ALERT_LEN)
			continue;
		n = c->post_rx_records++;
		if (n >= 2)
			return true;
		c->post_rx_len[n & (TLSFAIL_POST_RX - 1)] = body;
	}
	return true;
}

__hidden bool is_alert(__u64 buf)
{
	__u8 header[RECORD_HEADER_LEN];

	if (!buf || bpf_probe_read_user(header, sizeof(header), (const void *)buf))
		return false;
	return record_is_alert(header);
}

/* Application data of a connection that is still followed. */
static __noinline int io_outside(const struct sock *sk, struct thread *t, int ret, __u32 dir,
				 __u64 buf)
{
	struct tlsfail_conn *c = conn_find(sk);

	if (!c) {
		/* An error that SSL_read raises next is about nobody who is followed. */
		if (t->sk && socket_is_tcp(sk))
			t->sk = 0;
		return 0;
	}
	/* An error that SSL_read raises next is about this connection. */
	t->sk = (__u64)sk;
	if (ret <= 0)
		return 0;
	if (c->flags & TLSFAIL_F_PLAIN)
		return server_plain_io(c, ret, dir, buf);
	if (!(c->flags & TLSFAIL_F_DONE)) {
		/* plain text before any handshake: not ours */
		if (!(c->flags & TLSFAIL_F_TLS))
			conn_forget(sk, c);
		return 0;
	}
	flight_add(c, dir, ret);
	if (c->role == TLSFAIL_ROLE_SERVER)
		return server_io(sk, c, ret, dir, buf);
	if (dir == TLSFAIL_DIR_RECEIVED) {
		if (!buf || answer_came(c, ret, buf))
			conn_succeed(sk, c);
		return 0;
	}
	if (is_alert(buf)) {
		if (!(c->flags & (TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_RST)))
			c->flags |= TLSFAIL_F_LOCAL_NOTIFY;
		return 0;
	}
	/* The next request of a connection that has answered one. */
	if (c->t_request && c->post_rx_records) {
		conn_succeed(sk, c);
		return 0;
	}
	if (!c->t_request)
		c->t_request = bpf_ktime_get_ns();
	c->post_tx_bytes += ret;
	return 0;
}

__hidden int conn_io(const struct sock *sk, int ret, __u32 dir, __u64 buf)
{
	struct thread *t = thread_find();

	if (!t)
		return 0;
	if (t->t_failed && socket_is_tcp(sk))
		t->t_failed = 0;
	if (entry_probes_only())
		conclude_before_io(sk, t, ret, dir, buf);
	if (!t->in_handshake)
		return io_outside(sk, t, ret, dir, buf);
	io_in_handshake(sk, t, ret, dir, buf);
	if (entry_probes_only())
		conclude_after_io(t, ret, dir);
	return 0;
}
