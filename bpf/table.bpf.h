/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table of connections: an entry each, found by the socket.
 */
#ifndef TABLE_BPF_H
#define TABLE_BPF_H

#include "record.bpf.h"
#include "target.bpf.h"

/* include/net/tcp_states.h; the numbers are ABI of inet_diag */
enum tcp_state {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT = 2,
	TCP_SYN_RECV = 3,
	TCP_FIN_WAIT1 = 4,
	TCP_CLOSE = 7,
	TCP_CLOSE_WAIT = 8,
	TCP_LAST_ACK = 9,
};

#define AF_INET	 2
#define AF_INET6 10

/* Records of one direction, followed through however few bytes a call moves. */
struct stream {
	__u32 left;	  /* bytes of the record under way that have not passed yet */
	__u16 protected;  /* encrypted records that are no alerts */
	__u8 type;	  /* of the record under way */
	__u8 have;	  /* bytes of the next record's header */
	__u8 header[8];	  /* 5, and slack for the verifier */
	__u8 has_message; /* the type of the handshake message has passed */
	__u8 ccs;	  /* a ChangeCipherSpec has passed */
	__u8 finished;	  /* and a whole handshake record after it */
	__u8 lost;	  /* not followed any more: no records, or unseen */
	__u8 unseen;	  /* because there were too many, or their bytes could not be read */
	__u8 alert;	  /* an encrypted alert has passed, behind what ends a handshake */
	__u16 sealed;	  /* length of the last of the encrypted records that are no alerts */
};

/* An entry: what travels if it fails, and what only BPF needs. */
struct connection {
	struct tlsfail_conn c; /* first: one is a pointer to the other */
	struct tlsfail_kept kept;
	struct stream streams[2];
	__u64 plain[2];	      /* bytes in clear before the handshake, by enum tlsfail_dir */
	__u64 t_notify;	      /* the peer's close_notify, 0 none */
	__u32 there;	      /* unread bytes of the peer as the client had finished: no answer */
	__u8 unsure;	      /* the record that it began with may be of an older handshake */
	__u8 early;	      /* the client sent more than its ClientHello before an answer */
	__u8 cert_sent;	      /* the client's flight holds more than a Finished */
	__u8 session_removed; /* SSL_CTX_remove_session; by whom, the next send tells */
	__u8 accepted;	      /* its connect() was not seen */
	__u8 tickets;	      /* some were there */
	__u8 asks;	      /* clients are asked for certificates on its address and port */
	__u8 cert_asked;      /* the peer's certificate was seen before, or asked for */
	__u64 addrpair;	      /* of the socket, as its addresses and ports were read last */
	__u32 portpair;
	__u16 wires[TLSFAIL_DIR_COUNT]; /* where its bytes are kept, from 1 on; 0 nowhere */
};

static __always_inline struct connection *connection_of(struct tlsfail_conn *c)
{
	return (struct connection *)c;
}

/* The collector's choices, constants to the verifier: --role, as bits of enum tlsfail_role, and whether the
 * wire tells of handshakes, or the TLS library. */
extern const volatile __u32 roles;
extern const volatile bool from_wire;

static __always_inline bool role_wanted(__u32 role)
{
	return roles >> (role & 3) & 1;
}

static __always_inline bool handshake_from_wire(void)
{
	return from_wire;
}

/* How many entries there are for all sockets of a number: for most there is none, which is known without a
 * look into the table. A power of two. */
#define SOCKET_NUMBERS_LOG2 13
extern __u32 entries_of[1 << SOCKET_NUMBERS_LOG2];

/* Hashed with GOLDEN_RATIO_64 of include/linux/hash.h, whose upper bits are the best. To swap bytes is the one thing
 * that the verifier lets be done to a pointer whose type it knows, and makes a number of it. */
static __always_inline __u32 *entries_at(const struct sock *sk)
{
	__u64 hash = __builtin_bswap64((__u64)sk) * 0x61c8864680b583eb;

	return &entries_of[hash >> (64 - SOCKET_NUMBERS_LOG2)];
}

static __always_inline bool conn_may_be(const struct sock *sk)
{
	return *(volatile __u32 *)entries_at(sk);
}

/* The entry of a socket for which there may be one, or NULL. */
struct tlsfail_conn *conn_look_up(const struct sock *sk);

/* A connection's entry, or NULL. */
static __always_inline struct tlsfail_conn *conn_find(const struct sock *sk)
{
	return conn_may_be(sk) ? conn_look_up(sk) : NULL;
}

/* Is it that of an earlier connection, in whose memory this socket is? */
bool conn_is_earlier(const struct tlsfail_conn *c, const struct sock *sk);

/* Is it that of the connection whose socket this is? False: it takes a closer look to say. */
static __always_inline bool conn_is_of(const struct tlsfail_conn *c, const struct socket_view *view)
{
	const struct connection *e = (const struct connection *)c;

	return c->family == AF_INET && view->addrpair == e->addrpair &&
	       view->portpair == e->portpair;
}

/* A new entry, of nobody yet; NULL, and counted, when there is no room. */
struct tlsfail_conn *conn_new(const struct sock *sk);

/* The same for one that was accepted; those have a share of the table, so as not to fill it. */
struct tlsfail_conn *conn_new_accepted(const struct sock *sk);

/* The same for a connection that has been there for a while. */
struct tlsfail_conn *conn_new_late(const struct sock *sk);

/* Addresses as they are now. */
void conn_read_addresses(struct tlsfail_conn *c, const struct sock *sk);

/* The calling task's from now on; the latter unless it is somebody's already. */
void conn_take(struct tlsfail_conn *c);
static __always_inline void conn_own(struct tlsfail_conn *c)
{
	if (!c->tid)
		conn_take(c);
}

/* Takes the entry out. False: somebody else has. */
bool conn_remove(const struct sock *sk, const struct tlsfail_conn *c);

/* The TLS connection of the thread's last I/O, or of its SSL object, or NULL. */
struct tlsfail_conn *conn_of_thread(const struct thread *t);

static __always_inline const struct tcp_sock *tcp(const struct sock *sk)
{
	return (const struct tcp_sock *)sk;
}

/* Is it TCP over IPv4 or IPv6? */
bool socket_is_tcp(const struct sock *sk);

/* What TCP counts beside bytes: the SYN of a connection made here, a FIN. */
#define CONTROL_BYTES 1

/* How many bytes the program has read from it; and how many are there to be read, a FIN counted as one. */
__u32 socket_bytes_read(const struct sock *sk);
__u32 socket_bytes_waiting(const struct sock *sk);
/* Bytes that the program has written, and TCP may still have to send. */
__u32 socket_bytes_written(const struct sock *sk);

#endif
