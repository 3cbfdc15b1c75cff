// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Kernel hooks: what happens to sockets. For each fact every alternative stands beside its
 * siblings; the collector loads one of them (src/kernel/hooks.c says in which order they are tried).
 *
 * Many of these run in softirq on whatever task was interrupted, so none takes a process from the
 * context; a connection is known by its socket. The exceptions are connect(), send and receive,
 * which are system calls of the task that makes them.
 */
#include "library.bpf.h"

/* include/linux/socket.h */
#define MSG_PEEK 2

/* Of a vector so many buffers are looked at, the last time at all that is left, unread. A TLS library hands over
 * one; GnuTLS, and a program that does its I/O itself, each record of a flight: up to six. Erlang hands over parts of
 * records: 13 for a flight with one certificate. Where the TLS library tells of handshakes, the verifier follows each
 * of them anew, and cannot follow so many. */
#define BUFFERS_MAX	   32
#define BUFFERS_MAX_UPROBE 8

/* -- wire: bytes sent and received ------------------------------------------------------------ */

/* The calling thread, if its I/O is of interest. From the wire any I/O of a target may begin a
 * handshake; else the TLS library has told of the thread before. */
static __always_inline struct thread *io_thread(void)
{
	return handshake_from_wire() ? thread_get() : thread_find();
}

/* So many packets with data each way, and no handshake is under way: it is long over, or there is none. The longest
 * dialogue in clear before one has some ten. */
#define QUIET_PACKETS 128

/* Fields are read directly: so sk has to be a pointer whose type the verifier knows. */
static __always_inline bool is_quiet(struct sock *sk)
{
	const struct tcp_sock *tcp;

	if (!handshake_from_wire() || conn_may_be(sk))
		return false;
	tcp = bpf_skc_to_tcp_sock(sk);
	return tcp && tcp->data_segs_in > QUIET_PACKETS && tcp->data_segs_out > QUIET_PACKETS;
}

/* Likewise. */
static __always_inline void typed_view(struct sock *sk, struct thread *t)
{
	const struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);

	t->io_view.addrpair = sk->__sk_common.skc_addrpair;
	t->io_view.portpair = sk->__sk_common.skc_portpair;
	t->io_view.waiting = tcp ? tcp->rcv_nxt - tcp->copied_seq : 0;
}

static __always_inline void untyped_view(const struct sock *sk, struct thread *t)
{
	t->io_view.addrpair = BPF_CORE_READ(sk, __sk_common.skc_addrpair);
	t->io_view.portpair = BPF_CORE_READ(sk, __sk_common.skc_portpair);
	t->io_view.waiting = socket_is_tcp(sk) ? socket_bytes_waiting(sk) : 0;
}

static __always_inline int buffer_io(const struct sock *sk, struct thread *t, int ret, __u32 dir,
				     __u64 buf)
{
	return handshake_from_wire() ? wire_io(ret, dir, buf) : entered_io(sk, t, ret, dir, buf);
}

/* In process context: ret bytes (or a negative errno) went from or to the user's buffers. Each counts as I/O of
 * its own, unless nothing is followed on that connection after the first. */
static __always_inline int buffers_io(const struct sock *sk, struct thread *t, int ret, __u32 dir)
{
	struct buffers *b = &t->io;
	int i;

	t->io_left = 0;
	if (ret <= 0 || !b->more)
		return buffer_io(sk, t, ret, dir, b->at);
	t->io_left = ret;
	for (i = 1; i < (handshake_from_wire() ? BUFFERS_MAX : BUFFERS_MAX_UPROBE) && t->io_left;
	     i++) {
		bool is_known = b->at || (handshake_from_wire() && !b->len);
		__u32 n = is_known && b->len < t->io_left ? b->len : t->io_left;

		t->io_left -= n;
		if (n && !buffer_io(sk, t, n, dir, b->at))
			t->io_left = 0;
		else
			buffers_next(b);
	}
	ret = t->io_left;
	t->io_left = 0;
	return ret > 0 ? buffer_io(sk, t, ret, dir, b->more ? 0 : b->at) : 0;
}

static __always_inline bool is_header(const struct thread *t, int ret, __u32 dir)
{
	return handshake_from_wire() && dir == TLSFAIL_DIR_RECEIVED && ret == RECORD_HEADER_LEN &&
	       t->io.at && !t->io.more;
}

/* Of several. An empty one may be nowhere: Erlang has one of those in front. And of what is sent after a handshake only
 * the first record's header counts. */
static __noinline int buffers_look(const struct sock *sk, struct thread *t, __u32 dir)
{
	const struct tlsfail_conn *c = dir == TLSFAIL_DIR_SENT ? conn_find(sk) : NULL;
	struct buffers *b = &t->io;

	if (!b->len)
		buffers_next(b);
	if (c && c->flags & TLSFAIL_F_DONE)
		b->more = 0;
	return 0;
}

/* In place: where sends and receives have one program, a single buffer takes no other search for the thread. */
static __always_inline int conn_io(const struct sock *sk, struct thread *t, int ret, __u32 dir,
				   bool in_place)
{
	if (t->t_failed && socket_is_tcp(sk))
		t->t_failed = 0;
	if (is_header(t, ret, dir) && wire_header(sk, t))
		return 0;
	if (handshake_from_wire() && ret > 0 && t->io.more)
		buffers_look(sk, t, dir);
	if (in_place && (ret <= 0 || !t->io.more))
		return wire_whole(sk, t, ret, dir);
	t->io_sk = (__u64)sk;
	buffers_io(sk, t, ret, dir);
	t->io_sk = 0;
	return 0;
}

/* Where nothing has passed, only what was to be sent tells something, and only without return probes. */
static __always_inline void io_buffers(struct thread *t, int ret)
{
	if (ret > 0 || entry_probes_only())
		syscall_buffers(&t->io);
	else
		buffers_single(&t->io, 0);
}

/* The program in which those of sends and receives go on, whose arguments are the same. A handshake sends and
 * receives in turn, with so much in between that neither finds its instructions in the processor's caches any
 * more: there is one copy of them, then. Filled by the collector. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} wire_next SEC(".maps");

static __always_inline int tp_look(struct sock *sk, struct thread *t, int ret, __u32 dir, bool peek)
{
	typed_view(sk, t);
	io_buffers(t, ret);
	return peek ? conn_peeked(sk, ret, t->io.at)
		    : conn_io(sk, t, ret, dir, handshake_from_wire());
}

/* Only what is of interest goes on, and does not come back: nothing is left to do. Where the TLS library tells of
 * handshakes, the verifier could not follow all that may happen to either in one program. */
static __always_inline int tp_io(void *ctx, struct sock *sk, struct thread *t, int ret, __u32 dir,
				 bool peek)
{
	if (!t)
		return 0;
	if (!handshake_from_wire())
		return tp_look(sk, t, ret, dir, peek);
	if (is_quiet(sk))
		return peek ? 0 : wire_beyond(sk, t, ret, dir);
	t->io_dir = dir;
	t->io_peek = peek;
	bpf_tail_call(ctx, &wire_next, 0);
	return 0;
}

/* 6.3 and later (6e6eda44b939 "sock: add tracepoint for send recv length"): after the copy,
 * before the system call returns */
SEC("tp_btf/sock_send_length")
int BPF_PROG(wire_tp_send, struct sock *sk, int ret, int flags)
{
	return tp_io(ctx, sk, io_thread(), ret, TLSFAIL_DIR_SENT, false);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(wire_tp_recv, struct sock *sk, int ret, int flags)
{
	bool peek = flags & MSG_PEEK;

	return tp_io(ctx, sk, peek ? thread_get() : io_thread(), ret, TLSFAIL_DIR_RECEIVED, peek);
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(wire_tp_next, struct sock *sk, int ret, int flags)
{
	struct thread *t = thread_find();

	return t && handshake_from_wire() ? tp_look(sk, t, ret, t->io_dir & 1, t->io_peek) : 0;
}

/* The others see the call twice: at its entry the buffer is in the iterator, at its return the
 * length is known. inet_recvmsg and not tcp_recvmsg, whose arguments changed with ec095263a965
 * (5.19). */
static __always_inline int io_begin(const struct sock *sk, const struct msghdr *msg, __u32 dir,
				    bool peek)
{
	struct thread *t = peek ? thread_get() : io_thread();

	if (!t)
		return 0;
	t->io_peek = peek;
	t->io_sk = (__u64)sk;
	msghdr_buffers(&t->io, msg);
	t->io_dir = dir;
	return 0;
}

static __always_inline int io_end(const struct sock *sk, struct thread *t, int ret)
{
	t->io_sk = 0;
	return t->io_peek ? conn_peeked(sk, ret, t->io.at) : conn_io(sk, t, ret, t->io_dir, false);
}

static __always_inline int untyped_end(int ret)
{
	struct thread *t = thread_find();
	const struct sock *sk;

	if (!t || !t->io_sk)
		return 0;
	sk = (const struct sock *)t->io_sk;
	untyped_view(sk, t);
	return io_end(sk, t, ret);
}

/* The same, where what is quiet is known without a look at the thread. */
static __always_inline int typed_begin(struct sock *sk, const struct msghdr *msg, __u32 dir,
				       bool peek)
{
	return is_quiet(sk) ? 0 : io_begin(sk, msg, dir, peek);
}

static __always_inline int typed_end(struct sock *sk, int ret, __u32 dir, bool peek)
{
	struct thread *t = thread_find();

	if (!t)
		return 0;
	if (t->io_sk == (__u64)sk) {
		typed_view(sk, t);
		return io_end(sk, t, ret);
	}
	t->io_sk = 0;
	return !peek && is_quiet(sk) ? wire_beyond(sk, t, ret, dir) : 0;
}

struct socket {
	struct sock *sk;
} __attribute__((preserve_access_index));

SEC("fentry/tcp_sendmsg")
int BPF_PROG(wire_fentry_send, struct sock *sk, struct msghdr *msg)
{
	return typed_begin(sk, msg, TLSFAIL_DIR_SENT, false);
}

SEC("fexit/tcp_sendmsg")
int BPF_PROG(wire_fexit_send, struct sock *sk, struct msghdr *msg, size_t size, int ret)
{
	return typed_end(sk, ret, TLSFAIL_DIR_SENT, false);
}

SEC("fentry/inet_recvmsg")
int BPF_PROG(wire_fentry_recv, struct socket *sock, struct msghdr *msg, size_t size, int flags)
{
	return typed_begin(sock->sk, msg, TLSFAIL_DIR_RECEIVED, flags & MSG_PEEK);
}

SEC("fexit/inet_recvmsg")
int BPF_PROG(wire_fexit_recv, struct socket *sock, struct msghdr *msg, size_t size, int flags,
	     int ret)
{
	return typed_end(sock->sk, ret, TLSFAIL_DIR_RECEIVED, flags & MSG_PEEK);
}

SEC("fentry/inet6_recvmsg")
int BPF_PROG(wire_fentry_recv6, struct socket *sock, struct msghdr *msg, size_t size, int flags)
{
	return typed_begin(sock->sk, msg, TLSFAIL_DIR_RECEIVED, flags & MSG_PEEK);
}

SEC("fexit/inet6_recvmsg")
int BPF_PROG(wire_fexit_recv6, struct socket *sock, struct msghdr *msg, size_t size, int flags,
	     int ret)
{
	return typed_end(sock->sk, ret, TLSFAIL_DIR_RECEIVED, flags & MSG_PEEK);
}

SEC("kprobe/tcp_sendmsg")
int BPF_KPROBE(wire_kprobe_send, struct sock *sk, struct msghdr *msg)
{
	return io_begin(sk, msg, TLSFAIL_DIR_SENT, false);
}

SEC("kretprobe/tcp_sendmsg")
int BPF_KRETPROBE(wire_kretprobe_send, int ret)
{
	return untyped_end(ret);
}

SEC("kprobe/inet_recvmsg")
int BPF_KPROBE(wire_kprobe_recv, struct socket *sock, struct msghdr *msg, size_t size, int flags)
{
	return io_begin(BPF_CORE_READ(sock, sk), msg, TLSFAIL_DIR_RECEIVED, flags & MSG_PEEK);
}

SEC("kretprobe/inet_recvmsg")
int BPF_KRETPROBE(wire_kretprobe_recv, int ret)
{
	return untyped_end(ret);
}

SEC("kprobe/inet6_recvmsg")
int BPF_KPROBE(wire_kprobe_recv6, struct socket *sock, struct msghdr *msg, size_t size, int flags)
{
	return io_begin(BPF_CORE_READ(sock, sk), msg, TLSFAIL_DIR_RECEIVED, flags & MSG_PEEK);
}

SEC("kretprobe/inet6_recvmsg")
int BPF_KRETPROBE(wire_kretprobe_recv6, int ret)
{
	return untyped_end(ret);
}

/* -- state: TCP transitions ------------------------------------------------------------------- */

/* The collector's choice for "close": true when no hook on tcp_close itself is used. */
const volatile bool close_by_state = true;

static __always_inline int state_changed(const struct sock *sk, int from, int to)
{
	switch (to) {
	case TCP_SYN_SENT:
		/* tcp_v4_connect, tcp_v6_connect: in the connecting task */
		return conn_connect(sk);
	case TCP_ESTABLISHED:
		return from == TCP_SYN_RECV ? conn_accepted(sk) : conn_established(sk);
	case TCP_CLOSE_WAIT:
		return conn_peer_fin(sk);
	case TCP_FIN_WAIT1:
	case TCP_LAST_ACK:
		/* tcp_close_state: our FIN. tcp_destroy_sock would come up to a minute late. */
		return close_by_state ? conn_closing(sk) : 0;
	case TCP_CLOSE:
		return from == TCP_SYN_SENT ? conn_connect_failed(sk) : 0;
	}
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_tp, const struct sock *sk, int from, int to)
{
	return state_changed(sk, from, to);
}

SEC("raw_tp/inet_sock_set_state")
int BPF_PROG(state_raw_tp, const struct sock *sk, int from, int to)
{
	return state_changed(sk, from, to);
}

/* -- close: the socket is closed here --------------------------------------------------------- */

SEC("fentry/tcp_close")
int BPF_PROG(close_fentry, struct sock *sk)
{
	return conn_closing(sk);
}

SEC("kprobe/tcp_close")
int BPF_KPROBE(close_kprobe, struct sock *sk)
{
	return conn_closing(sk);
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(close_tp, struct sock *sk)
{
	return conn_destroyed(sk);
}

SEC("raw_tp/tcp_destroy_sock")
int BPF_PROG(close_raw_tp, struct sock *sk)
{
	return conn_destroyed(sk);
}

/* -- reset: RST received and sent ------------------------------------------------------------- */

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(reset_tp_received, const struct sock *sk)
{
	return conn_reset_received(sk);
}

/* sk is NULL for a reset that belongs to no socket. */
SEC("tp_btf/tcp_send_reset")
int BPF_PROG(reset_tp_sent, const struct sock *sk)
{
	return sk ? conn_reset_sent(sk) : 0;
}

SEC("raw_tp/tcp_receive_reset")
int BPF_PROG(reset_raw_tp_received, const struct sock *sk)
{
	return conn_reset_received(sk);
}

SEC("raw_tp/tcp_send_reset")
int BPF_PROG(reset_raw_tp_sent, const struct sock *sk)
{
	return sk ? conn_reset_sent(sk) : 0;
}

SEC("kprobe/tcp_reset")
int BPF_KPROBE(reset_kprobe_received, struct sock *sk)
{
	return conn_reset_received(sk);
}

SEC("kprobe/tcp_send_active_reset")
int BPF_KPROBE(reset_kprobe_sent, struct sock *sk)
{
	return conn_reset_sent(sk);
}

/* -- exec: a program starts ------------------------------------------------------------------- */

SEC("tp_btf/sched_process_exec")
int BPF_PROG(exec_tp)
{
	return process_exec();
}

SEC("raw_tp/sched_process_exec")
int BPF_PROG(exec_raw_tp)
{
	return process_exec();
}
