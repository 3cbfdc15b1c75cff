// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The life of a connection: what happens to its socket, and its end, at which it is decided whether it
 * travels. Most of this runs in whatever context the socket's event happens; sk is never dereferenced
 * directly.
 */
#include "life.bpf.h"

/* include/uapi/asm-generic/errno.h */
#define EADDRNOTAVAIL 99
#define ECONNABORTED  103
#define ECONNREFUSED  111

#define PF_EXITING 0x00000004 /* include/linux/sched.h */

/* -- the end of a connection ------------------------------------------------------------------ */

/* Would more have been known if more had been attached to? The next failure is to have it. */
static __always_inline void demand_failure(const struct tlsfail_conn *c)
{
	const struct connection *e = (const struct connection *)c;

	if (c->role == TLSFAIL_ROLE_SERVER) {
		if (e->cert_sent)
			demand_note(TLSFAIL_D_CERT_FAILED);
		if (c->flags & TLSFAIL_F_SESSION_REMOVED && !(c->flags & TLSFAIL_F_VERIFY_ASKED))
			demand_note(TLSFAIL_D_VERIFY_FAILED);
		return;
	}
	if (c->flags & TLSFAIL_F_DONE || e->streams[TLSFAIL_DIR_RECEIVED].protected)
		demand_note(TLSFAIL_D_CERT_FAILED);
}

static __noinline int conn_send(const struct sock *sk, struct tlsfail_conn *c)
{
	bool kept = true;
	__u32 n;

	if (c->tx_bytes)
		kept &= wire_report(c, TLSFAIL_DIR_SENT);
	if (c->rx_bytes)
		kept &= wire_report(c, TLSFAIL_DIR_RECEIVED);
	for (n = 0; n < TLSFAIL_CERTS_MAX && n < c->cert_count; n++)
		kept &= wire_report(c, TLSFAIL_DIR_CERT + n);
	if (!kept)
		c->flags |= TLSFAIL_F_NO_WIRE;
	c->netns = connection_of(c)->kept.netns;
	c->born = connection_of(c)->kept.born;
	report_conn(c);
	return 0;
}

static __noinline int conn_report(const struct sock *sk, struct tlsfail_conn *c)
{
	demand_failure(c);
	peer_failed(c);
	return conn_send(sk, c);
}

/* It counts as what it seems to be; whether there is more to it, the collector may know. */
static __noinline int conn_unused(const struct sock *sk, struct tlsfail_conn *c)
{
	if (c->flags & TLSFAIL_F_DONE) {
		count_success(c);
		if (!c->cert_count)
			demand_note(TLSFAIL_D_CERT_FAILED);
	}
	return peer_is_due(c) ? conn_send(sk, c) : 0;
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

__hidden void orphan_lose(struct thread *t)
{
	t->orphan.reason = 0;
	if (t->orphan_apart)
		return;
	count(TLSFAIL_N_UNOWNED);
	demand_note(TLSFAIL_D_OWNER);
}

/* Called from the exit of the process, which closes its files. */
static __always_inline bool owner_exits(const struct tlsfail_conn *c)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return c->pid == bpf_get_current_pid_tgid() >> 32 &&
	       BPF_CORE_READ(task, flags) & PF_EXITING;
}

/* Each is a number of the sequence, too, and may be among what is counted. */
#define SYN_AND_FIN 2

static __always_inline __u64 without(__u64 all, __u64 part)
{
	return all > part ? all - part : 0;
}

static __always_inline bool is_clear_alert(const __u8 *record)
{
	return is_record(record, RECORD_ALERT) && record_len(record) == RECORD_CLEAR_ALERT_LEN;
}

/* Did the program move more in that direction than was counted here? The kernel skips a BPF program while the
 * same one is under way on that CPU (bpf_prog_inc_misses_counter()), which happens where it can be
 * preempted. */
static __always_inline bool missed_bytes(const struct sock *sk, const struct connection *e,
					 __u32 dir)
{
	const struct tlsfail_conn *c = &e->c;
	__u64 counted = e->plain[dir & 1];

	if (dir == TLSFAIL_DIR_SENT)
		return (__s32)(socket_bytes_written(sk) -
			       (__u32)(counted + c->tx_bytes + c->post_tx_bytes)) > SYN_AND_FIN;
	return (__s32)(socket_bytes_read(sk) - (__u32)(counted + c->rx_bytes + c->post_rx_bytes)) >
	       SYN_AND_FIN;
}

/* Part of what passed was not seen, or could not be read, as with io_uring or splice(): without anything
 * that says that the handshake failed, it may as well be done. And what is left of a direction without a
 * part of it looks like something else, whatever else is known. */
static __always_inline bool is_unsure(const struct sock *sk, const struct connection *e)
{
	const struct tlsfail_conn *c = &e->c;
	bool unread = (e->streams[0].unseen || e->streams[1].unseen) && c->rx_bytes && c->tx_bytes;
	bool sent, received;

	/* Nothing passes before there is a connection; tcp_disconnect(), which connect(2) calls when it
	 * was refused, moves the sequence on all the same. */
	if (c->flags & (TLSFAIL_F_PLAIN | TLSFAIL_F_REFUSED))
		return false;
	received = missed_bytes(sk, e, TLSFAIL_DIR_RECEIVED);
	/* After the handshake only what a client receives is counted whole. */
	if (c->flags & TLSFAIL_F_DONE)
		return received && c->role == TLSFAIL_ROLE_CLIENT;
	sent = missed_bytes(sk, e, TLSFAIL_DIR_SENT);
	if ((sent && c->tx_bytes) || (received && c->rx_bytes))
		return true;
	if (!unread && !sent && !received)
		return false;
	/* An error that is about a ClientHello which nobody saw. */
	if (!(c->role == TLSFAIL_ROLE_SERVER ? c->rx_bytes : c->tx_bytes))
		return true;
	return !c->error_count && !(c->flags & TLSFAIL_F_HOST_REFUSED) &&
	       !(c->flags & TLSFAIL_F_VERIFY_ASKED && c->verify_code) &&
	       !is_clear_alert(c->last_tx) && !is_clear_alert(c->last_rx);
}

static __always_inline enum client_end ended(struct tlsfail_conn *c)
{
	if (c->role != TLSFAIL_ROLE_SERVER)
		return client_ended(c);
	return server_failed(c) ? CLIENT_FAILED : CLIENT_WELL;
}

static __noinline int conn_end(const struct sock *sk, struct tlsfail_conn *c)
{
	const struct connection *e = connection_of(c);
	enum client_end end;

	c->t_close = bpf_ktime_get_ns();
	/* Its FIN was not seen: see missed_bytes(). When it came is not known, but that it did. */
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_CLOSE_WAIT && !c->t_peer_fin) {
		c->t_peer_fin = c->t_close;
		c->flags |= TLSFAIL_F_PEER_FIN;
	}
	c->tcp_bytes_sent = BPF_CORE_READ(tcp(sk), bytes_sent);
	/* Of what belongs to TLS: not what was said in clear before it. */
	c->tcp_bytes_acked =
		without(BPF_CORE_READ(tcp(sk), bytes_acked), e->plain[TLSFAIL_DIR_SENT]);
	c->tcp_bytes_received =
		without(BPF_CORE_READ(tcp(sk), bytes_received), e->plain[TLSFAIL_DIR_RECEIVED]);
	c->tcp_srtt_us = BPF_CORE_READ(tcp(sk), srtt_us);
	c->tcp_retransmits = BPF_CORE_READ(tcp(sk), total_retrans);
	if (c->role == TLSFAIL_ROLE_CLIENT && e->plain[TLSFAIL_DIR_RECEIVED])
		c->flags |= TLSFAIL_F_PEER_SPOKE;
	/* shutdown(2) and another connect(2) give it up likewise, and leave no port (tcp_disconnect()). */
	if (c->last_ret == -TLSFAIL_E_TAKEN && !BPF_CORE_READ(sk, __sk_common.skc_dport))
		c->last_ret = 0;
	/* An encrypted alert that the library made an error of is another one. */
	if (c->error_count)
		c->flags &= ~TLSFAIL_F_PEER_NOTIFY;
	if (!(c->flags & (TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_RST | TLSFAIL_F_PEER_NOTIFY)))
		c->flags |= TLSFAIL_F_LOCAL_FIN;
	if (owner_exits(c))
		c->flags |= TLSFAIL_F_EXITING;
	if (entry_probes_only())
		conclude_at_end(sk, c);
	if (!role_wanted(c->role) || e->unsure)
		goto out;
	end = is_unsure(sk, e) ? CLIENT_UNSURE : ended(c);
	if (end == CLIENT_UNSURE)
		count(TLSFAIL_N_UNSURE);
	else if (end == CLIENT_FAILED)
		conn_report(sk, c);
	else if (end == CLIENT_UNUSED)
		conn_unused(sk, c);
	else if (c->flags & TLSFAIL_F_DONE)
		count_success(c);
out:
	conn_forget(sk, c);
	return 0;
}

/* -- what happens to a socket ----------------------------------------------------------------- */

/* An entry; one is made now for a connection that was accepted and has not said a word. */
static __always_inline struct tlsfail_conn *conn_find_waiting(const struct sock *sk)
{
	struct tlsfail_conn *c = conn_find(sk);

	return c ? c : server_awake(sk);
}

/* Not of MPTCP: what the program sends goes by a socket of that protocol, and then by some of TCP that the kernel
 * connects and closes as it likes (not with tcp_close(), which may be what is hooked). Those have an upper protocol
 * (subflow_ulp_init()) when they connect; those of a program have none before they are connected. */
static __always_inline bool connects_tcp(const struct sock *sk)
{
	return socket_is_tcp(sk) &&
	       !BPF_CORE_READ((const struct inet_connection_sock *)sk, icsk_ulp_ops);
}

__hidden int conn_connect(const struct sock *sk)
{
	struct tlsfail_conn *c;
	struct thread *t;

	if (!tracing_armed())
		return 0;
	t = thread_get();
	if (!t)
		return 0;
	/* What is raised from now on is about this one, or nobody. */
	t->last_sk = 0;
	t->blocked = 1;
	orphan_drop(t);
	if (!role_wanted(TLSFAIL_ROLE_CLIENT) || !connects_tcp(sk))
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
	peer_recall(c);
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

__hidden int conn_accepted(const struct sock *sk)
{
	/* a simultaneous open */
	if (conn_find_current(sk))
		return conn_established(sk);
	if (tracing_armed() && role_wanted(TLSFAIL_ROLE_SERVER))
		server_waits(sk);
	return 0;
}

__hidden int conn_peer_fin(const struct sock *sk)
{
	struct tlsfail_conn *c = conn_find_waiting(sk);

	if (!c)
		return 0;
	c->flags |= TLSFAIL_F_PEER_FIN;
	c->t_peer_fin = bpf_ktime_get_ns();
	/* A near peer answers before the call that sends has returned, and with it our first sight
	 * of what was sent: TCP knows. */
	if (!c->t_first_tx && !BPF_CORE_READ(tcp(sk), bytes_sent))
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
	struct tlsfail_conn *c = conn_find_waiting(sk);

	if (!c)
		return 0;
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_SYN_SENT)
		peer_refused(c, sk);
	else
		peer_reset(c);
	return 0;
}

/* What connect() ended with, when that was no answer of the peer. ECONNABORTED is of an administrator, who had the
 * socket closed (tcp_abort()). Without an error and a segment of the peer it was: a close here; no local port, as long
 * as there is none (__inet_hash_connect()); or what an ICMP message says, taken by getsockopt(SO_ERROR), which needs
 * no lock, on another CPU before it was read here. */
static __always_inline int connect_error(const struct sock *sk, int error)
{
	if (error)
		return error == ECONNABORTED ? 0 : error;
	if (BPF_CORE_READ(sk, sk_shutdown) || BPF_CORE_READ(tcp(sk), segs_in))
		return 0;
	/* Not skc_num, which tcp_set_state() has wiped by now. */
	return BPF_CORE_READ((const struct inet_sock *)sk, inet_sport) ? TLSFAIL_E_TAKEN
								       : EADDRNOTAVAIL;
}

/* The kernel skips a program that it would run within itself on the same CPU, as in a soft interrupt
 * (__bpf_trace_run() in kernel/trace/bpf_trace.c), so of thousands of resets one may not be seen. What
 * tcp_reset() leaves in the socket tells of it, too; an ICMP message with the same error is no segment. */
__hidden int conn_connect_failed(const struct sock *sk)
{
	struct tlsfail_conn *c = conn_find(sk);
	int error;

	if (!c || c->flags & TLSFAIL_F_REFUSED)
		return 0;
	error = BPF_CORE_READ(sk, sk_err);
	if (error == ECONNREFUSED && BPF_CORE_READ(tcp(sk), segs_in)) {
		peer_refused(c, sk);
		return 0;
	}
	c->last_ret = -connect_error(sk, error);
	return 0;
}

__hidden int conn_reset_sent(const struct sock *sk)
{
	struct tlsfail_conn *c = conn_find(sk);

	if (c)
		c->flags |= TLSFAIL_F_LOCAL_RST;
	return 0;
}

/* Connected by the calling thread, and nothing was said. */
static __always_inline bool is_unused(const struct tlsfail_conn *c)
{
	return c->flags & TLSFAIL_F_CONNECT && !(c->flags & TLSFAIL_F_TLS) &&
	       c->tid == (__u32)bpf_get_current_pid_tgid();
}

/* The thread read until nothing was left, to give it to a memory BIO; then came an error, and now it closes
 * what it read from, with nothing else in between. */
static __always_inline bool is_of_drained(const struct sock *sk, const struct tlsfail_conn *c,
					  const struct thread *t)
{
	return t->orphan.reason && t->sk == (__u64)sk && !c->error_count &&
	       (c->flags & (TLSFAIL_F_TLS | TLSFAIL_F_DONE)) == TLSFAIL_F_TLS && !owner_exits(c);
}

/* An entry; one is made now for a connection that plain text has ended, or that ends without a word. */
static __noinline struct tlsfail_conn *conn_find_ending(const struct sock *sk, struct thread *t)
{
	struct tlsfail_conn *c = conn_find(sk);

	if (c)
		return c;
	c = t ? text_closed(sk, t) : NULL;
	if (c && says_no_tls(t->orphan.lib, t->orphan.reason))
		conn_adopt_orphan(c, t);
	if (!c)
		c = server_awake(sk);
	if (!c)
		server_waited(sk);
	return c;
}

__hidden int conn_closing(const struct sock *sk)
{
	struct thread *t = thread_find();
	struct tlsfail_conn *c = conn_find_ending(sk, t);

	if (!c) {
		/* Some other socket: what this thread connects next is no retry, and what it raised
		 * is about something else. */
		if (t) {
			t->t_failed = 0;
			orphan_drop(t);
		}
		return 0;
	}
	if (t && t->orphan.reason && is_unused(c)) {
		conn_adopt_orphan(c, t);
		c->flags |= TLSFAIL_F_TLS;
	} else if (t && is_of_drained(sk, c, t)) {
		conn_adopt_orphan(c, t);
	}
	return conn_end(sk, c);
}

__hidden int conn_destroyed(const struct sock *sk)
{
	struct tlsfail_conn *c = conn_find_ending(sk, thread_find());

	return c ? conn_end(sk, c) : 0;
}
