// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * State of connections, target filter, counters, and what travels to the collector.
 *
 * A connection enters the table when a target calls connect(), or with its first handshake I/O
 * (accepted sockets, and those that were connecting when tracing began). It leaves the table as
 * soon as it cannot become a failure any more: the first application data came back, or it turns
 * out to carry no TLS. What is still there when its socket is closed has failed, or was never
 * finished, and is sent with its wire bytes; so a healthy handshake sends nothing.
 */
#include "conn.bpf.h"
#include <bpf/bpf_core_read.h>

#define AF_INET	    2
#define AF_INET6    10
#define IPPROTO_TCP 6

/* include/openssl/err.h ERR_LIB_SSL; BoringSSL's ERR_LIB_SSL */
#define OPENSSL_LIB_SSL	  20
#define BORINGSSL_LIB_SSL 16

/* RFC 8446 section 5.1 */
#define RECORD_CHANGE_CIPHER_SPEC 20
#define RECORD_APPLICATION_DATA	  23
#define RECORD_HEADER_LEN	  5
/* an encrypted TLS 1.3 alert: 2 bytes, content type, 16 of tag */
#define RECORD_TLS13_ALERT_LEN 19
/* No server's session tickets are larger together; anything longer is application data. */
#define TICKETS_MAX_LEN 8192

/* More records than this in one read are application data for sure. */
#define WATCH_RECORDS_MAX 8

#define CONNS_MAX   16384
#define WIRES_MAX   3072
#define THREADS_MAX 4096
#define PEERS_MAX   4096
#define RING_BYTES  (4 << 20)

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CONNS_MAX);
	__type(key, __u64); /* address of the struct sock */
	__type(value, struct tlsfail_conn);
} conns SEC(".maps");

/* Least recently used: under more handshakes than it holds, the oldest lose their bytes, and the
 * finding says so. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, WIRES_MAX);
	__type(key, __u64); /* address of the struct sock + direction */
	__type(value, struct tlsfail_wire);
} wires SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, THREADS_MAX);
	__type(key, __u32); /* thread id */
	__type(value, struct thread);
} threads SEC(".maps");

struct peer_key {
	__u8 addr[16];
	__u16 family;
	__u16 port;
};

/* Peers that have sent TLS records. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PEERS_MAX);
	__type(key, struct peer_key);
	__type(value, __u8);
} tls_peers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct tlsfail_exe_key);
	__type(value, __u8);
} target_exes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u8);
} target_pids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tlsfail_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES);
} ring SEC(".maps");

const volatile __u32 target_select = TLSFAIL_SELECT_EXE;
const volatile char target_comm[TLSFAIL_COMM_LEN] = "";
/* A program of this name is reported when it starts, so that its libraries are looked at. */
const volatile char exec_comm[TLSFAIL_COMM_LEN] = "";

/* Set by the collector when every hook is attached. */
__u32 armed = 0;

/* Too large for the stack. */
static const struct tlsfail_conn new_conn;
static const struct tlsfail_wire new_wire;
static const struct thread new_thread;

/* n, at most max, in a way that the verifier can follow: clang would otherwise compare one copy of
 * the value and pass another. */
static __always_inline __u64 at_most(__u64 n, __u64 max)
{
	if (n > max)
		n = max;
	barrier_var(n);
	return n > max ? max : n;
}

static __always_inline void count(enum tlsfail_counter what)
{
	__u32 zero = 0;
	struct tlsfail_counters *c = bpf_map_lookup_elem(&counters, &zero);

	if (c)
		c->n[what]++;
}

__hidden bool tracing_armed(void)
{
	return *(volatile __u32 *)&armed;
}

/* -- targets ---------------------------------------------------------------------------------- */

static __always_inline bool comm_equals(const volatile char *wanted)
{
	char comm[TLSFAIL_COMM_LEN] = {};
	int i;

	bpf_get_current_comm(comm, sizeof(comm));
	for (i = 0; i < TLSFAIL_COMM_LEN; i++) {
		if (comm[i] != wanted[i])
			return false;
		if (!comm[i])
			break;
	}
	return true;
}

static __always_inline bool exe_selected(struct task_struct *task)
{
	struct inode *inode = BPF_CORE_READ(task, mm, exe_file, f_inode);
	struct tlsfail_exe_key key = {};

	key.ino = BPF_CORE_READ(inode, i_ino);
	key.dev = BPF_CORE_READ(inode, i_sb, s_dev);
	if (bpf_map_lookup_elem(&target_exes, &key))
		return true;
	key.dev = 0;
	return bpf_map_lookup_elem(&target_exes, &key);
}

static __always_inline bool pid_selected(struct task_struct *task)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (bpf_map_lookup_elem(&target_pids, &pid))
		return true;
	pid = BPF_CORE_READ(task, real_parent, tgid);
	return bpf_map_lookup_elem(&target_pids, &pid);
}

static __noinline bool is_target(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	switch (target_select) {
	case TLSFAIL_SELECT_PID:
		return pid_selected(task);
	case TLSFAIL_SELECT_COMM:
		return comm_equals(target_comm);
	}
	return exe_selected(task);
}

__hidden struct thread *thread_find(void)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tid = id;
	struct thread *t = bpf_map_lookup_elem(&threads, &tid);

	return t && t->tgid == id >> 32 ? t : NULL;
}

/* The calling thread's state; made when it is a target's. */
static __noinline struct thread *thread_get(void)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tid = id;
	struct thread *t = thread_find();

	if (t)
		return t;
	if (!is_target())
		return NULL;
	bpf_map_update_elem(&threads, &tid, &new_thread, BPF_ANY);
	t = bpf_map_lookup_elem(&threads, &tid);
	if (t)
		t->tgid = id >> 32;
	return t;
}

__hidden int process_exec(void)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tid = id;
	struct tlsfail_exec *rec;

	/* Another program now, whatever the thread was before. */
	bpf_map_delete_elem(&threads, &tid);
	if (!(exec_comm[0] ? comm_equals(exec_comm) : is_target()))
		return 0;
	rec = bpf_ringbuf_reserve(&ring, sizeof(*rec), 0);
	if (!rec) {
		count(TLSFAIL_N_LOST_EXEC);
		return 0;
	}
	__builtin_memset(rec, 0, sizeof(*rec));
	rec->h.type = TLSFAIL_REC_EXEC;
	rec->h.version = TLSFAIL_ABI_VERSION;
	rec->h.len = sizeof(*rec);
	rec->t = bpf_ktime_get_ns();
	rec->pid = id >> 32;
	bpf_get_current_comm(rec->comm, sizeof(rec->comm));
	bpf_ringbuf_submit(rec, 0);
	return 0;
}

/* -- a connection's entry --------------------------------------------------------------------- */

static __always_inline struct tlsfail_conn *conn_find(const struct sock *sk)
{
	__u64 key = (__u64)sk;

	return bpf_map_lookup_elem(&conns, &key);
}

/* Addresses as they are now: known in parts at connect(), whole once established, and wiped by
 * the kernel when a connect() fails. */
static __always_inline void conn_read_addresses(struct tlsfail_conn *c, const struct sock *sk)
{
	c->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	c->lport = BPF_CORE_READ(sk, __sk_common.skc_num);
	c->rport = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (c->family == AF_INET6) {
		BPF_CORE_READ_INTO(&c->laddr, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&c->raddr, sk, __sk_common.skc_v6_daddr);
		return;
	}
	*(__be32 *)c->laddr = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
	*(__be32 *)c->raddr = BPF_CORE_READ(sk, __sk_common.skc_daddr);
}

static __always_inline void peer_key_of(const struct tlsfail_conn *c, struct peer_key *key)
{
	__builtin_memcpy(key->addr, c->raddr, sizeof(key->addr));
	key->family = c->family;
	key->port = c->rport;
}

static __noinline struct tlsfail_conn *conn_new(const struct sock *sk)
{
	__u64 key = (__u64)sk, id = bpf_get_current_pid_tgid(), now = bpf_ktime_get_ns();
	struct tlsfail_conn *c;

	bpf_map_update_elem(&conns, &key, &new_conn, BPF_ANY);
	c = bpf_map_lookup_elem(&conns, &key);
	if (!c) {
		count(TLSFAIL_N_UNTRACKED);
		return NULL;
	}
	/* One CPU makes no two in a nanosecond. */
	c->id = now << 8 | (bpf_get_smp_processor_id() & 0xff);
	c->t_start = now;
	c->pid = id >> 32;
	c->tid = id;
	bpf_get_current_comm(c->comm, sizeof(c->comm));
	conn_read_addresses(c, sk);
	return c;
}

static __always_inline void conn_forget(const struct sock *sk, const struct tlsfail_conn *c)
{
	__u64 key = (__u64)sk, sent = key + TLSFAIL_DIR_SENT, received = key + TLSFAIL_DIR_RECEIVED;

	if (c->flags & TLSFAIL_F_TLS) {
		bpf_map_delete_elem(&wires, &sent);
		bpf_map_delete_elem(&wires, &received);
	}
	bpf_map_delete_elem(&conns, &key);
}

/* -- the end of a connection ------------------------------------------------------------------ */

/* In TLS 1.3 the last flight of the client is encrypted: application data, perhaps behind a
 * ChangeCipherSpec for middleboxes (RFC 8446 appendix D.4). In TLS 1.2 it is handshake records. */
static __always_inline bool client_flight_is_tls13(const struct tlsfail_conn *c)
{
	return c->last_tx[0] == RECORD_APPLICATION_DATA ||
	       (c->last_tx[0] == RECORD_CHANGE_CIPHER_SPEC &&
		c->last_tx[RECORD_HEADER_LEN + 1] == RECORD_APPLICATION_DATA);
}

/*
 * Whether what came after the handshake is no answer. In TLS 1.3 session tickets come in records
 * that look like application data. Two of equal length, and nothing else, are OpenSSL's tickets
 * (SSL_CTX_set_num_tickets defaults to 2); a single record may be a short answer, so it is taken
 * for one: better a failure untold than a success called a failure.
 */
static __always_inline bool no_answer(const struct tlsfail_conn *c)
{
	/* Bytes that nobody here has read, or that another thread read, may be the answer. A FIN
	 * counts as one byte (tcp_rcv_nxt_update). */
	if (c->tcp_bytes_received > c->rx_bytes + c->post_rx_bytes + 1)
		return false;
	if (!c->post_rx_records)
		return true;
	return client_flight_is_tls13(c) && c->post_rx_records == 2 &&
	       c->post_rx_len[0] == c->post_rx_len[1];
}

static __always_inline bool client_failed(const struct tlsfail_conn *c)
{
	__u32 peer_closed = c->flags & (TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_RST);

	if (!(c->flags & TLSFAIL_F_ESTABLISHED) && c->flags & TLSFAIL_F_CONNECT)
		return c->flags & TLSFAIL_F_REFUSED;
	if (!(c->flags & TLSFAIL_F_TLS))
		return peer_closed && c->flags & TLSFAIL_F_PEER_DID_TLS;
	if (!(c->flags & TLSFAIL_F_DONE))
		return true;
	if (c->error_count || c->flags & TLSFAIL_F_HOST_REFUSED)
		return true;
	if (c->flags & TLSFAIL_F_VERIFY_ASKED && c->verify_code)
		return true;
	return peer_closed && c->post_tx_bytes && no_answer(c);
}

static __always_inline bool send_wire(const struct sock *sk, __u64 id, __u32 dir)
{
	__u64 key = (__u64)sk + dir;
	struct tlsfail_wire *w = bpf_map_lookup_elem(&wires, &key);
	__u32 len;

	if (!w)
		return false;
	len = at_most(w->data_len, sizeof(w->data));
	w->h.type = TLSFAIL_REC_WIRE;
	w->h.version = TLSFAIL_ABI_VERSION;
	w->h.len = TLSFAIL_WIRE_FIXED + len;
	w->id = id;
	w->dir = dir;
	if (bpf_ringbuf_output(&ring, w, TLSFAIL_WIRE_FIXED + len, 0)) {
		count(TLSFAIL_N_LOST_WIRE);
		return false;
	}
	return true;
}

static __noinline int conn_report(const struct sock *sk, struct tlsfail_conn *c)
{
	bool kept = true;

	if (c->tx_bytes)
		kept &= send_wire(sk, c->id, TLSFAIL_DIR_SENT);
	if (c->rx_bytes)
		kept &= send_wire(sk, c->id, TLSFAIL_DIR_RECEIVED);
	if (!kept)
		c->flags |= TLSFAIL_F_NO_WIRE;
	c->h.type = TLSFAIL_REC_CONN;
	c->h.version = TLSFAIL_ABI_VERSION;
	c->h.len = sizeof(*c);
	c->ssl = 0;
	count(bpf_ringbuf_output(&ring, c, sizeof(*c), 0) ? TLSFAIL_N_LOST_CONN
							  : TLSFAIL_N_REPORTED);
	return 0;
}

/* An error that was raised before the first I/O, as when nothing could be offered, belongs to the
 * connection that the same thread closes next without having used it. */
static __always_inline void conn_adopt_orphan(struct tlsfail_conn *c)
{
	struct thread *t = thread_find();

	if (c->flags & TLSFAIL_F_TLS || !t || !t->orphan.reason)
		return;
	c->flags |= TLSFAIL_F_TLS;
	c->error_count = 1;
	c->errors[0] = t->orphan;
	__builtin_memcpy(c->error_func, t->func, sizeof(c->error_func));
	t->orphan.reason = 0;
}

static __noinline int conn_end(const struct sock *sk, struct tlsfail_conn *c)
{
	const struct tcp_sock *tp = (const struct tcp_sock *)sk;

	c->t_close = bpf_ktime_get_ns();
	c->tcp_bytes_sent = BPF_CORE_READ(tp, bytes_sent);
	c->tcp_bytes_acked = BPF_CORE_READ(tp, bytes_acked);
	c->tcp_bytes_received = BPF_CORE_READ(tp, bytes_received);
	c->tcp_srtt_us = BPF_CORE_READ(tp, srtt_us);
	c->tcp_retransmits = BPF_CORE_READ(tp, total_retrans);
	if (!(c->flags & (TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_RST)))
		c->flags |= TLSFAIL_F_LOCAL_FIN;
	if (c->role == TLSFAIL_ROLE_SERVER) {
		if (!(c->flags & TLSFAIL_F_DONE))
			count(TLSFAIL_N_SERVER_FAILED);
	} else if (client_failed(c)) {
		conn_report(sk, c);
	}
	conn_forget(sk, c);
	return 0;
}

/* -- what happens to a socket ----------------------------------------------------------------- */

__hidden int conn_connect(const struct sock *sk)
{
	struct tlsfail_conn *c;
	struct peer_key peer = {};

	if (!tracing_armed() || !thread_get())
		return 0;
	c = conn_new(sk);
	if (!c)
		return 0;
	c->flags = TLSFAIL_F_CONNECT;
	c->role = TLSFAIL_ROLE_CLIENT;
	peer_key_of(c, &peer);
	if (bpf_map_lookup_elem(&tls_peers, &peer))
		c->flags |= TLSFAIL_F_PEER_DID_TLS;
	return 0;
}

__hidden int conn_established(const struct sock *sk)
{
	struct tlsfail_conn *c = conn_find(sk);

	if (!c)
		return 0;
	c->flags |= TLSFAIL_F_ESTABLISHED;
	c->t_established = bpf_ktime_get_ns();
	conn_read_addresses(c, sk);
	return 0;
}

__hidden int conn_peer_fin(const struct sock *sk)
{
	struct tlsfail_conn *c = conn_find(sk);

	if (!c)
		return 0;
	c->flags |= TLSFAIL_F_PEER_FIN;
	c->t_peer_fin = bpf_ktime_get_ns();
	if (!c->t_first_tx)
		c->flags |= TLSFAIL_F_FIN_BEFORE_TX;
	return 0;
}

__hidden int conn_reset_received(const struct sock *sk)
{
	struct tlsfail_conn *c = conn_find(sk);

	if (!c)
		return 0;
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_SYN_SENT) {
		c->flags |= TLSFAIL_F_REFUSED;
		conn_read_addresses(c, sk);
	}
	c->flags |= TLSFAIL_F_PEER_RST;
	c->t_peer_rst = bpf_ktime_get_ns();
	return 0;
}

__hidden int conn_reset_sent(const struct sock *sk)
{
	struct tlsfail_conn *c = conn_find(sk);

	if (c)
		c->flags |= TLSFAIL_F_LOCAL_RST;
	return 0;
}

__hidden int conn_closing(const struct sock *sk)
{
	struct tlsfail_conn *c = conn_find(sk);

	if (!c)
		return 0;
	conn_adopt_orphan(c);
	return conn_end(sk, c);
}

__hidden int conn_destroyed(const struct sock *sk)
{
	struct tlsfail_conn *c = conn_find(sk);

	return c ? conn_end(sk, c) : 0;
}

/* -- bytes ------------------------------------------------------------------------------------ */

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

static __always_inline void read_head(__u8 head[TLSFAIL_HEAD_LEN], __u32 len, __u64 buf)
{
	bpf_probe_read_user(head, at_most(len, TLSFAIL_HEAD_LEN), (const void *)buf);
}

static __always_inline void peer_did_tls(const struct tlsfail_conn *c)
{
	struct peer_key peer = {};
	__u8 yes = 1;

	if (c->flags & TLSFAIL_F_PEER_DID_TLS)
		return;
	peer_key_of(c, &peer);
	bpf_map_update_elem(&tls_peers, &peer, &yes, BPF_ANY);
}

static __always_inline void handshake_sent(struct tlsfail_conn *c, const struct sock *sk, int ret,
					   __u64 buf)
{
	if (!c->t_first_tx) {
		const struct tcp_sock *tp = (const struct tcp_sock *)sk;

		c->t_first_tx = c->t_last_io;
		c->first_tx_len = ret;
		if (!c->rx_bytes && !(c->flags & TLSFAIL_F_PEER_FIN) &&
		    BPF_CORE_READ(tp, bytes_received))
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
		if (!at && c->first_rx[0] >= RECORD_CHANGE_CIPHER_SPEC &&
		    c->first_rx[0] <= RECORD_APPLICATION_DATA)
			peer_did_tls(c);
	}
}

static __always_inline bool is_tcp(const struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	return (family == AF_INET || family == AF_INET6) &&
	       BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP;
}

static __noinline int io_in_handshake(const struct sock *sk, struct thread *t, int ret, __u32 dir,
				      __u64 buf)
{
	struct tlsfail_conn *c = conn_find(sk);

	if (!c) {
		if (!is_tcp(sk))
			return 0;
		c = conn_new(sk);
		if (!c)
			return 0;
		c->flags = TLSFAIL_F_ESTABLISHED;
	}
	/* A callback of the handshake talking to somebody else, or a renegotiation. */
	if ((c->ssl && c->ssl != t->ssl) || c->flags & TLSFAIL_F_DONE)
		return 0;
	if (!(c->flags & TLSFAIL_F_TLS)) {
		if (!c->role)
			c->role =
				dir == TLSFAIL_DIR_SENT ? TLSFAIL_ROLE_CLIENT : TLSFAIL_ROLE_SERVER;
		c->flags |= TLSFAIL_F_TLS;
		c->ssl = t->ssl;
		count(c->role == TLSFAIL_ROLE_CLIENT ? TLSFAIL_N_CLIENT_SEEN
						     : TLSFAIL_N_SERVER_SEEN);
	}
	t->sk = (__u64)sk;
	c->pid = t->tgid;
	c->t_last_io = bpf_ktime_get_ns();
	c->last_dir = dir;
	c->last_ret = ret;
	if (ret <= 0)
		return 0;
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

/* Application data of a connection that is still followed. */
static __noinline int io_outside(const struct sock *sk, struct thread *t, int ret, __u32 dir,
				 __u64 buf)
{
	struct tlsfail_conn *c = conn_find(sk);

	if (!c)
		return 0;
	/* An error that SSL_read raises next is about this connection. */
	t->sk = (__u64)sk;
	if (ret <= 0)
		return 0;
	if (!(c->flags & TLSFAIL_F_DONE)) {
		/* plain text before any handshake: not ours */
		if (!(c->flags & TLSFAIL_F_TLS))
			conn_forget(sk, c);
		return 0;
	}
	if (dir == TLSFAIL_DIR_RECEIVED) {
		if (!buf || answer_came(c, ret, buf))
			conn_forget(sk, c);
		return 0;
	}
	/* The next request of a connection that has answered one. */
	if (c->t_request && c->post_rx_records) {
		conn_forget(sk, c);
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
	if (t->in_handshake)
		return io_in_handshake(sk, t, ret, dir, buf);
	return io_outside(sk, t, ret, dir, buf);
}

/* -- what the TLS library does ---------------------------------------------------------------- */

/* The connection that the thread's current SSL object uses, or NULL. */
static __always_inline struct tlsfail_conn *conn_of_thread(const struct thread *t)
{
	__u64 key = t->sk;
	struct tlsfail_conn *c;

	if (!key)
		return NULL;
	c = bpf_map_lookup_elem(&conns, &key);
	return c && c->flags & TLSFAIL_F_TLS ? c : NULL;
}

__hidden int handshake_enter(__u64 ssl)
{
	struct thread *t = thread_get();
	struct tlsfail_conn *c;

	if (!t)
		return 0;
	c = conn_of_thread(t);
	if (t->ssl != ssl || !c || c->ssl != ssl) {
		/* Another object, or a new one at the address of one that is gone. */
		t->ssl = ssl;
		t->sk = 0;
		t->orphan.reason = 0;
	}
	t->func[0] = '\0';
	t->in_handshake = 1;
	return 0;
}

static __always_inline void count_latency(__u64 ns)
{
	__u32 zero = 0, bucket = 0;
	struct tlsfail_counters *n = bpf_map_lookup_elem(&counters, &zero);
	__u64 us = ns / 1000;
	int i;

	if (!n)
		return;
	for (i = 0; i < TLSFAIL_LATENCY_BUCKETS - 1; i++) {
		us >>= 1;
		if (!us)
			break;
		bucket++;
	}
	n->latency[bucket & (TLSFAIL_LATENCY_BUCKETS - 1)]++;
}

__hidden int handshake_leave(int ret)
{
	struct thread *t = thread_find();
	struct tlsfail_conn *c;

	if (!t || !t->in_handshake)
		return 0;
	t->in_handshake = 0;
	c = conn_of_thread(t);
	if (!c || c->ssl != t->ssl || c->flags & TLSFAIL_F_DONE)
		return 0;
	c->handshake_ret = ret;
	/* Not a failure yet: a non-blocking socket wants more. The end of the connection decides. */
	if (ret != 1)
		return 0;
	c->flags |= TLSFAIL_F_DONE;
	c->t_done = bpf_ktime_get_ns();
	if (c->role == TLSFAIL_ROLE_SERVER) {
		count(TLSFAIL_N_SERVER_DONE);
		conn_forget((const struct sock *)t->sk, c);
		return 0;
	}
	count(TLSFAIL_N_CLIENT_DONE);
	count_latency(c->t_done - c->t_start);
	return 0;
}

__hidden int error_raised(__u32 lib, __u32 reason)
{
	struct tlsfail_error error = {};
	struct tlsfail_conn *c;
	struct thread *t = thread_find();
	__u32 n;

	if (!t || (lib != OPENSSL_LIB_SSL && lib != BORINGSSL_LIB_SSL))
		return 0;
	error.t = bpf_ktime_get_ns();
	error.lib = lib;
	error.reason = reason;
	c = conn_of_thread(t);
	if (!c) {
		if (t->in_handshake && !t->orphan.reason)
			t->orphan = error;
		return 0;
	}
	n = c->error_count++;
	if (!n)
		__builtin_memcpy(c->error_func, t->func, sizeof(c->error_func));
	if (n < TLSFAIL_ERRORS_MAX)
		c->errors[n & (TLSFAIL_ERRORS_MAX - 1)] = error;
	t->func[0] = '\0';
	return 0;
}

__hidden int verify_result(int code)
{
	struct thread *t = thread_find();
	struct tlsfail_conn *c = t ? conn_of_thread(t) : NULL;

	if (!c)
		return 0;
	c->flags |= TLSFAIL_F_VERIFY_ASKED;
	c->verify_code = code;
	return 0;
}

__hidden int host_check_result(int ret)
{
	struct thread *t = thread_find();
	struct tlsfail_conn *c = t ? conn_of_thread(t) : NULL;

	if (!c)
		return 0;
	c->flags |= TLSFAIL_F_HOST_CHECKED;
	if (ret == 1) {
		c->flags &= ~TLSFAIL_F_HOST_REFUSED;
		return 0;
	}
	c->flags |= TLSFAIL_F_HOST_REFUSED;
	if (t->host_cut)
		c->flags |= TLSFAIL_F_HOST_CUT;
	__builtin_memcpy(c->host, t->host, sizeof(c->host));
	return 0;
}
