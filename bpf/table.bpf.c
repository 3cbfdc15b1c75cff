// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A connection enters the table when a target calls connect(), or with the first record of its
 * handshake. It leaves the table as soon as it cannot become a failure any more: the first application
 * data came back, or it turns out to carry no TLS. What is still there when its socket is closed has
 * failed, or was never finished, and is sent with its wire bytes; so a healthy handshake sends nothing.
 */
#include "table.bpf.h"

#define IPPROTO_TCP 6

#define CONNS_MAX 4096

/* Who connects to a server chooses how many connections there are, and how long they say nothing that
 * ends a handshake. They may not take the room of what is connected from here. */
#define ACCEPTED_MAX (CONNS_MAX / 2)

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CONNS_MAX);
	__type(key, __u64); /* address of the struct sock */
	__type(value, struct connection);
} conns SEC(".maps");

__u32 entries_of[1 << SOCKET_NUMBERS_LOG2] = {};

/* Entries of connections whose connect() was not seen. */
__s32 accepted_count = 0;

const volatile __u32 roles = 1 << TLSFAIL_ROLE_CLIENT | 1 << TLSFAIL_ROLE_SERVER;
const volatile bool from_wire = true;

/* Too large for the stack. */
static const struct connection new_conn;

__hidden struct tlsfail_conn *conn_look_up(const struct sock *sk)
{
	__u64 key = (__u64)sk;

	return bpf_map_lookup_elem(&conns, &key);
}

/* Addresses and ports of IPv4 are in one word each (include/net/sock.h, struct sock_common): the peer's address
 * below ours, both in network byte order; the peer's port below ours, which is in that of the host. The ports of
 * IPv6 are there, too. */
static __always_inline __u64 read_addrpair(const struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_addrpair);
}

static __always_inline __u32 read_portpair(const struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_portpair);
}

static __always_inline __u16 lport_of(__u32 portpair)
{
	return portpair >> 16;
}

static __always_inline __u16 rport_of(__u32 portpair)
{
	return __builtin_bswap16(portpair);
}

static __always_inline void read_addresses(const struct sock *sk, __u16 family, __u64 addrpair,
					   __u8 local[16], __u8 remote[16])
{
	if (family == AF_INET6) {
		bpf_core_read(local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(remote, 16, &sk->__sk_common.skc_v6_daddr);
		return;
	}
	*(__be32 *)local = addrpair >> 32;
	*(__be32 *)remote = addrpair;
}

/* Known in parts at connect(), whole once established, and wiped by the kernel when a connect()
 * fails. */
__hidden void conn_read_addresses(struct tlsfail_conn *c, const struct sock *sk)
{
	__u64 addrpair = read_addrpair(sk);
	__u32 portpair = read_portpair(sk);

	c->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	c->lport = lport_of(portpair);
	c->rport = rport_of(portpair);
	read_addresses(sk, c->family, addrpair, c->laddr, c->raddr);
	connection_of(c)->addrpair = addrpair;
	connection_of(c)->portpair = portpair;
}

/* The ways to a new entry are inlined into one another: the verifier allows 8 frames. */
static __always_inline struct tlsfail_conn *entry_new(const struct sock *sk)
{
	__u64 key = (__u64)sk, now = bpf_ktime_get_ns();
	struct tlsfail_conn *c = NULL;

	__sync_fetch_and_add(entries_at(sk), 1);
	if (bpf_map_update_elem(&conns, &key, &new_conn, BPF_NOEXIST))
		__sync_fetch_and_add(entries_at(sk), -1);
	else
		c = bpf_map_lookup_elem(&conns, &key);
	if (!c) {
		count(TLSFAIL_N_UNTRACKED);
		return NULL;
	}
	/* One CPU makes no two in a nanosecond. */
	c->id = now << 8 | (bpf_get_smp_processor_id() & 0xff);
	c->t_start = now;
	connection_of(c)->kept.netns = socket_netns_inode(sk);
	conn_read_addresses(c, sk);
	return c;
}

__hidden struct tlsfail_conn *conn_new(const struct sock *sk)
{
	return entry_new(sk);
}

static __always_inline struct tlsfail_conn *entry_new_accepted(const struct sock *sk)
{
	struct tlsfail_conn *c;

	if (*(volatile __s32 *)&accepted_count >= ACCEPTED_MAX) {
		count(TLSFAIL_N_UNTRACKED);
		return NULL;
	}
	c = entry_new(sk);
	if (c) {
		connection_of(c)->accepted = 1;
		__sync_fetch_and_add(&accepted_count, 1);
	}
	return c;
}

__hidden struct tlsfail_conn *conn_new_accepted(const struct sock *sk)
{
	return entry_new_accepted(sk);
}

__hidden struct tlsfail_conn *conn_new_late(const struct sock *sk)
{
	struct tlsfail_conn *c = entry_new_accepted(sk);

	if (!c)
		return NULL;
	c->flags = TLSFAIL_F_ESTABLISHED;
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_CLOSE_WAIT) {
		c->flags |= TLSFAIL_F_PEER_FIN;
		c->t_peer_fin = c->t_start;
	}
	return c;
}

__hidden void conn_take(struct tlsfail_conn *c)
{
	__u64 id = bpf_get_current_pid_tgid();

	c->pid = id >> 32;
	c->tid = id;
	connection_of(c)->kept.born = current_process_born();
	bpf_get_current_comm(c->comm, sizeof(c->comm));
}

__hidden bool conn_remove(const struct sock *sk, const struct tlsfail_conn *c)
{
	bool accepted = ((const struct connection *)c)->accepted;
	__u64 key = (__u64)sk;

	/* Two CPUs may see the end. */
	if (bpf_map_delete_elem(&conns, &key))
		return false;
	__sync_fetch_and_add(entries_at(sk), -1);
	if (accepted)
		__sync_fetch_and_add(&accepted_count, -1);
	return true;
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

/* The kernel skips a program that was switched out on the same CPU (tracepoints allow that since 7.0,
 * a46023d5616e), so that the end of a connection may not be seen. */
__hidden bool conn_is_earlier(const struct tlsfail_conn *c, const struct sock *sk)
{
	__u64 addrpair = read_addrpair(sk), local[2] = {}, remote[2] = {};
	__u32 portpair = read_portpair(sk);

	read_addresses(sk, BPF_CORE_READ(sk, __sk_common.skc_family), addrpair, (__u8 *)local,
		       (__u8 *)remote);
	return differs(c->lport, lport_of(portpair)) || differs(c->rport, rport_of(portpair)) ||
	       address_differs((const __u64 *)c->laddr, local) ||
	       address_differs((const __u64 *)c->raddr, remote);
}

__hidden struct tlsfail_conn *conn_of_thread(const struct thread *t)
{
	struct tlsfail_conn *c = t->sk ? conn_find((const struct sock *)t->sk) : NULL;

	return c && c->flags & TLSFAIL_F_TLS ? c : NULL;
}

__hidden bool socket_is_tcp(const struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	return (family == AF_INET || family == AF_INET6) &&
	       BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP;
}

__hidden __u32 socket_bytes_waiting(const struct sock *sk)
{
	return BPF_CORE_READ(tcp(sk), rcv_nxt) - BPF_CORE_READ(tcp(sk), copied_seq);
}

/* What TCP received, without what it has still to hand out. */
__hidden __u32 socket_bytes_read(const struct sock *sk)
{
	return (__u32)BPF_CORE_READ(tcp(sk), bytes_received) - socket_bytes_waiting(sk);
}

/* What TCP has sent and what it has still to send. */
__hidden __u32 socket_bytes_written(const struct sock *sk)
{
	return BPF_CORE_READ(tcp(sk), write_seq) - BPF_CORE_READ(tcp(sk), snd_una) +
	       (__u32)BPF_CORE_READ(tcp(sk), bytes_acked);
}
