// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * State of connections, and which of them travel to the collector.
 *
 * A connection enters the table when a target calls connect(), or with its first handshake I/O
 * (accepted sockets, and those that were connecting when tracing began). It leaves the table as
 * soon as it cannot become a failure any more: the first application data came back, or it turns
 * out to carry no TLS. What is still there when its socket is closed has failed, or was never
 * finished, and is sent with its wire bytes; so a healthy handshake sends nothing.
 */
#include "conn.bpf.h"
#include <bpf/bpf_core_read.h>

#define AF_INET	 2
#define AF_INET6 10

/* include/openssl/err.h ERR_LIB_SSL; BoringSSL's ERR_LIB_SSL */
#define OPENSSL_LIB_SSL	  20
#define BORINGSSL_LIB_SSL 16

/* An encrypted alert record of TLS 1.2 (5 + 8 + 2 + 16) and a FIN, which the kernel counts as one
 * byte (tcp_rcv_nxt_update). The shortest HTTP answer makes a record of 41 bytes. */
#define UNREAD_ALERT_MAX 32

#define PF_EXITING 0x00000004 /* include/linux/sched.h */

#define CONNS_MAX 8192

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CONNS_MAX);
	__type(key, __u64); /* address of the struct sock */
	__type(value, struct tlsfail_conn);
} conns SEC(".maps");

/* The same certificate of a peer is reported again after this time; 0: certificates of healthy
 * handshakes are not reported. */
const volatile __u64 cert_interval_ns = 0;

/* Bits of enum tlsfail_role. */
const volatile __u32 roles = 1 << TLSFAIL_ROLE_CLIENT | 1 << TLSFAIL_ROLE_SERVER;

/* Too large for the stack. */
static const struct tlsfail_conn new_conn;

/* -- a connection's entry --------------------------------------------------------------------- */

__hidden bool role_wanted(__u32 role)
{
	return roles >> (role & 3) & 1;
}

__hidden struct tlsfail_conn *conn_find(const struct sock *sk)
{
	__u64 key = (__u64)sk;

	return bpf_map_lookup_elem(&conns, &key);
}

static __always_inline void read_addresses(const struct sock *sk, __u8 local[16], __u8 remote[16])
{
	if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET6) {
		bpf_core_read(local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(remote, 16, &sk->__sk_common.skc_v6_daddr);
		return;
	}
	*(__be32 *)local = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
	*(__be32 *)remote = BPF_CORE_READ(sk, __sk_common.skc_daddr);
}

/* Addresses as they are now: known in parts at connect(), whole once established, and wiped by
 * the kernel when a connect() fails. */
static __always_inline void conn_read_addresses(struct tlsfail_conn *c, const struct sock *sk)
{
	c->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	c->lport = BPF_CORE_READ(sk, __sk_common.skc_num);
	c->rport = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	read_addresses(sk, c->laddr, c->raddr);
}

__hidden struct tlsfail_conn *conn_new(const struct sock *sk)
{
	__u64 key = (__u64)sk, now = bpf_ktime_get_ns();
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
	conn_read_addresses(c, sk);
	return c;
}

__hidden struct tlsfail_conn *conn_new_late(const struct sock *sk)
{
	struct tlsfail_conn *c = conn_new(sk);

	if (!c)
		return NULL;
	c->flags = TLSFAIL_F_ESTABLISHED;
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_CLOSE_WAIT) {
		c->flags |= TLSFAIL_F_PEER_FIN;
		c->t_peer_fin = c->t_start;
	}
	return c;
}

__hidden void conn_own(struct tlsfail_conn *c)
{
	__u64 id = bpf_get_current_pid_tgid();

	if (c->tid)
		return;
	c->pid = id >> 32;
	c->tid = id;
	bpf_get_current_comm(c->comm, sizeof(c->comm));
}

__hidden void conn_forget(const struct sock *sk, const struct tlsfail_conn *c)
{
	__u64 key = (__u64)sk;

	if (c->flags & TLSFAIL_F_TLS)
		wire_forget(sk, c->cert_count);
	bpf_map_delete_elem(&conns, &key);
}

static __always_inline void count_success(const struct tlsfail_conn *c)
{
	count(c->role == TLSFAIL_ROLE_SERVER ? TLSFAIL_N_SERVER_OK : TLSFAIL_N_CLIENT_OK);
	if (c->role != TLSFAIL_ROLE_SERVER)
		peer_done(c);
}

__hidden void conn_succeed(const struct sock *sk, const struct tlsfail_conn *c)
{
	count_success(c);
	conn_forget(sk, c);
}

/* -- the end of a connection ------------------------------------------------------------------ */

/*
 * Whether what came after the handshake is no answer. In TLS 1.3 session tickets come in records
 * that look like application data. Two of equal length, and nothing else, are OpenSSL's tickets
 * (SSL_CTX_set_num_tickets defaults to 2); a single record may be a short answer, so it is taken
 * for one: better a failure untold than a success called a failure.
 */
static __always_inline bool no_answer(const struct tlsfail_conn *c)
{
	/* Bytes that nobody here has read, or that another thread read, may be the answer, unless
	 * they are too few for more than an alert. */
	if (c->tcp_bytes_received > c->rx_bytes + c->post_rx_bytes + UNREAD_ALERT_MAX)
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
	/* Closed before anything was said, and seen from its connect on: as with a refusal, TLS may
	 * have been meant. */
	if (!(c->flags & TLSFAIL_F_TLS))
		return peer_closed && c->flags & TLSFAIL_F_CONNECT;
	if (!(c->flags & TLSFAIL_F_DONE))
		return true;
	if (c->error_count || c->flags & TLSFAIL_F_HOST_REFUSED)
		return true;
	if (c->flags & TLSFAIL_F_VERIFY_ASKED && c->verify_code)
		return true;
	/* A FIN before any request may end an idle connection; a reset refuses. */
	if (!peer_closed || c->flags & TLSFAIL_F_LOCAL_NOTIFY ||
	    !(c->post_tx_bytes || c->flags & TLSFAIL_F_PEER_RST))
		return false;
	return no_answer(c);
}

static __noinline int conn_report(const struct sock *sk, struct tlsfail_conn *c)
{
	bool kept = true;
	__u32 n;

	if (c->tx_bytes)
		kept &= wire_report(sk, c->id, TLSFAIL_DIR_SENT);
	if (c->rx_bytes)
		kept &= wire_report(sk, c->id, TLSFAIL_DIR_RECEIVED);
	for (n = 0; n < TLSFAIL_CERTS_MAX && n < c->cert_count; n++)
		kept &= wire_report(sk, c->id, TLSFAIL_DIR_CERT + n);
	if (!kept)
		c->flags |= TLSFAIL_F_NO_WIRE;
	c->ssl = 0;
	peer_failed(c);
	report_conn(c);
	return 0;
}

/* An error that was raised before the first I/O, as when nothing can be offered, belongs to the
 * connection on which the thread then sends its alert, or which it closes without having used. */
__hidden void conn_adopt_orphan(struct tlsfail_conn *c, struct thread *t)
{
	if (!t->orphan.reason)
		return;
	c->error_count = 1;
	c->errors[0] = t->orphan;
	__builtin_memcpy(c->error_func, t->func, sizeof(c->error_func));
	t->orphan.reason = 0;
}

/* Called from the exit of the process, which closes its files. */
static __always_inline bool owner_exits(const struct tlsfail_conn *c)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return c->pid == bpf_get_current_pid_tgid() >> 32 &&
	       BPF_CORE_READ(task, flags) & PF_EXITING;
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
	if (owner_exits(c))
		c->flags |= TLSFAIL_F_EXITING;
	if (entry_probes_only())
		conclude_at_end(sk, c);
	if (role_wanted(c->role) &&
	    (c->role == TLSFAIL_ROLE_SERVER ? server_failed(c) : client_failed(c)))
		conn_report(sk, c);
	else if (role_wanted(c->role) && c->flags & TLSFAIL_F_DONE)
		count_success(c);
	conn_forget(sk, c);
	return 0;
}

/* Parts of an address are not known before connect() is over, and wiped when it fails. */
static __always_inline bool differs(__u16 kept, __u16 now)
{
	return kept && now && kept != now;
}

static __always_inline bool address_differs(const __u64 kept[2], const __u64 now[2])
{
	return (kept[0] | kept[1]) && (now[0] | now[1]) && (kept[0] != now[0] || kept[1] != now[1]);
}

/* Is it that of an earlier connection, in whose memory this socket is? The kernel skips a program
 * that was switched out on the same CPU (tracepoints allow that since 7.0, a46023d5616e), so that the
 * end of a connection may not be seen. */
static __noinline bool conn_is_earlier(const struct tlsfail_conn *c, const struct sock *sk)
{
	__u64 local[2] = {}, remote[2] = {};

	read_addresses(sk, (__u8 *)local, (__u8 *)remote);
	return differs(c->lport, BPF_CORE_READ(sk, __sk_common.skc_num)) ||
	       differs(c->rport, __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport))) ||
	       address_differs((const __u64 *)c->laddr, local) ||
	       address_differs((const __u64 *)c->raddr, remote);
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

/* -- what happens to a socket ----------------------------------------------------------------- */

__hidden int conn_connect(const struct sock *sk)
{
	struct tlsfail_conn *c;
	struct thread *t;

	if (!tracing_armed() || !role_wanted(TLSFAIL_ROLE_CLIENT))
		return 0;
	t = thread_get();
	if (!t)
		return 0;
	/* Another connection's, whose end was not seen, or that of the same socket, which connects again
	 * without a close in between. */
	c = conn_find(sk);
	if (c) {
		count(TLSFAIL_N_UNTRACKED);
		conn_forget(sk, c);
	}
	c = conn_new(sk);
	if (!c)
		return 0;
	conn_own(c);
	c->flags = TLSFAIL_F_CONNECT;
	c->role = TLSFAIL_ROLE_CLIENT;
	if (peer_did_tls(c))
		c->flags |= TLSFAIL_F_PEER_DID_TLS;
	peer_retried(c, t);
	return 0;
}

__hidden int conn_established(const struct sock *sk)
{
	struct tlsfail_conn *c = conn_find_current(sk);

	if (!c)
		return 0;
	c->flags |= TLSFAIL_F_ESTABLISHED;
	c->t_established = bpf_ktime_get_ns();
	conn_read_addresses(c, sk);
	return 0;
}

__hidden int conn_peer_fin(const struct sock *sk)
{
	const struct tcp_sock *tp = (const struct tcp_sock *)sk;
	struct tlsfail_conn *c = conn_find(sk);

	if (!c)
		return 0;
	c->flags |= TLSFAIL_F_PEER_FIN;
	c->t_peer_fin = bpf_ktime_get_ns();
	/* A near peer answers before the call that sends has returned, and with it our first sight
	 * of what was sent: TCP knows. */
	if (!c->t_first_tx && !BPF_CORE_READ(tp, bytes_sent))
		c->flags |= TLSFAIL_F_FIN_BEFORE_TX;
	return 0;
}

static __always_inline void peer_reset(struct tlsfail_conn *c)
{
	c->flags |= TLSFAIL_F_PEER_RST;
	c->t_peer_rst = bpf_ktime_get_ns();
}

static __always_inline void peer_refused(struct tlsfail_conn *c, const struct sock *sk)
{
	c->flags |= TLSFAIL_F_REFUSED;
	conn_read_addresses(c, sk);
	peer_reset(c);
}

__hidden int conn_reset_received(const struct sock *sk)
{
	struct tlsfail_conn *c = conn_find(sk);

	if (!c)
		return 0;
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_SYN_SENT)
		peer_refused(c, sk);
	else
		peer_reset(c);
	return 0;
}

/* The kernel skips a program that it would run within itself on the same CPU, as in a soft interrupt
 * (__bpf_trace_run() in kernel/trace/bpf_trace.c), so of thousands of resets one may not be seen. What
 * tcp_reset() leaves in the socket tells of it, too. */
__hidden int conn_connect_failed(const struct sock *sk)
{
	struct tlsfail_conn *c = conn_find(sk);

	if (c && !(c->flags & TLSFAIL_F_REFUSED) && BPF_CORE_READ(sk, sk_err) == ECONNREFUSED)
		peer_refused(c, sk);
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
	struct thread *t = thread_find();

	if (!c) {
		/* Some other socket: what this thread connects next is no retry. */
		if (t)
			t->t_failed = 0;
		return 0;
	}
	if (t && t->orphan.reason && !(c->flags & TLSFAIL_F_TLS)) {
		conn_adopt_orphan(c, t);
		c->flags |= TLSFAIL_F_TLS;
	}
	return conn_end(sk, c);
}

__hidden int conn_destroyed(const struct sock *sk)
{
	struct tlsfail_conn *c = conn_find(sk);

	return c ? conn_end(sk, c) : 0;
}

/* -- what the TLS library does ---------------------------------------------------------------- */

__hidden struct tlsfail_conn *conn_of_thread(const struct thread *t)
{
	__u64 key = t->sk;
	struct tlsfail_conn *c;

	if (!key)
		return NULL;
	c = bpf_map_lookup_elem(&conns, &key);
	return c && c->flags & TLSFAIL_F_TLS ? c : NULL;
}

__hidden bool thread_is_about(const struct thread *t, __u64 ssl)
{
	const struct tlsfail_conn *c = conn_of_thread(t);

	return c && c->ssl == ssl;
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

/* Once per peer and certificate and interval; a resumed handshake has no certificate. */
static __noinline int certificates_watch(const struct sock *sk, const struct tlsfail_conn *c)
{
	__u32 n;

	if (!cert_interval_ns || !c->cert_count || !peer_cert_is_new(c, cert_interval_ns))
		return 0;
	for (n = 0; n < TLSFAIL_CERTS_MAX && n < c->cert_count; n++)
		wire_report(sk, c->id, TLSFAIL_DIR_CERT + n);
	report_certs(c);
	return 0;
}

__hidden void handshake_done(const struct thread *t, struct tlsfail_conn *c)
{
	c->handshake_ret = 1;
	c->flags |= TLSFAIL_F_DONE;
	c->t_done = bpf_ktime_get_ns();
	if (!role_wanted(c->role)) {
		conn_forget((const struct sock *)t->sk, c);
		return;
	}
	if (c->role == TLSFAIL_ROLE_SERVER) {
		count(TLSFAIL_N_SERVER_DONE);
		if (!server_keeps(c))
			conn_succeed((const struct sock *)t->sk, c);
		return;
	}
	count(TLSFAIL_N_CLIENT_DONE);
	count_latency(c->t_done - c->t_start);
	certificates_watch((const struct sock *)t->sk, c);
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
	if (ret == 1)
		handshake_done(t, c);
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

__hidden int certificate_read(__u32 len, __u64 der)
{
	struct thread *t = thread_find();
	struct tlsfail_conn *c = t && t->in_handshake ? conn_of_thread(t) : NULL;

	if (c && role_wanted(c->role))
		wire_certificate(c, t->sk, len, der);
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
