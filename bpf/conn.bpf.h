/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the BPF files share. The hooks (openssl.bpf.c, tcp.bpf.c) say what happened; conn.bpf.c
 * keeps the facts of each connection and decides whether they travel, wire.bpf.c keeps its bytes,
 * target.bpf.c knows whom to look at, report.bpf.c sends.
 */
#ifndef CONN_BPF_H
#define CONN_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "tlsfail_abi.h"
#include "tlsfail_maps.h"

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

#define ECONNREFUSED 111 /* include/uapi/asm-generic/errno.h */

/* A thread of a target: what links a TLS library call to the sockets it touches. */
struct thread {
	__u64 ssl; /* SSL object whose handshake it drives, or drove last */
	__u64 sk;  /* socket of that SSL, 0 until its first I/O */
	__u32 tgid;
	__u8 in_handshake;
	__u8 verify_asked; /* inside SSL_get_verify_result for ssl */
	__u8 host_cut;
	__u8 io_dir;
	__u8 io_peek;
	__u64 io_sk;	/* fentry and kprobe alternatives: socket call under way */
	__u64 io_buf;	/* its user buffer */
	__u64 host_sk;	/* entry_only.bpf.c: since X509_check_host for the SSL of
				      * this socket, the thread has done nothing else; or 0 */
	__u64 t_failed; /* when it closed a failed connection, and has not touched
				      * a socket since; or 0 */
	struct tlsfail_peer_key failed_peer; /* of that connection */
	__u32 pad;
	struct tlsfail_error orphan; /* raised before the first I/O: the socket is not known yet */
	char func[TLSFAIL_FUNC_LEN]; /* from ERR_set_debug, for the error that follows */
	char host[TLSFAIL_NAME_LEN]; /* from X509_check_host */
};

/* RFC 8446 section 5.1 */
#define RECORD_CHANGE_CIPHER_SPEC 20
#define RECORD_ALERT		  21
#define RECORD_HANDSHAKE	  22
#define RECORD_APPLICATION_DATA	  23
#define RECORD_HEADER_LEN	  5
#define RECORD_CCS_LEN		  6 /* a ChangeCipherSpec, with its header */

#define CLIENT_HELLO 1 /* RFC 8446 section 4 */

/* an encrypted TLS 1.3 alert: 2 bytes, content type, 16 of tag */
#define RECORD_TLS13_ALERT_LEN 19

/* In TLS 1.3 the last flight of the client is encrypted: application data, perhaps behind a
 * ChangeCipherSpec for middleboxes (RFC 8446 appendix D.4). In TLS 1.2 it is handshake records. */
static __always_inline bool client_flight_is_tls13(const struct tlsfail_conn *c)
{
	return c->last_tx[0] == RECORD_APPLICATION_DATA ||
	       (c->last_tx[0] == RECORD_CHANGE_CIPHER_SPEC &&
		c->last_tx[RECORD_HEADER_LEN + 1] == RECORD_APPLICATION_DATA);
}

/* Where the first record that is not a ChangeCipherSpec begins. */
static __always_inline const __u8 *first_record(const __u8 head[TLSFAIL_HEAD_LEN])
{
	return head[0] == RECORD_CHANGE_CIPHER_SPEC ? head + RECORD_CCS_LEN : head;
}

static __always_inline __u32 record_len(const __u8 *record)
{
	return record[3] << 8 | record[4];
}

static __always_inline bool is_record(const __u8 *record, __u8 type)
{
	return record[0] == type && record[1] == 3;
}

/* n, at most max, in a way that the verifier can follow: clang would otherwise compare one copy of
 * the value and pass another. */
static __always_inline __u64 at_most(__u64 n, __u64 max)
{
	if (n > max)
		n = max;
	barrier_var(n);
	return n > max ? max : n;
}

/* Keeps the beginning of len user bytes. */
static __always_inline void read_head(__u8 head[TLSFAIL_HEAD_LEN], __u32 len, __u64 buf)
{
	bpf_probe_read_user(head, at_most(len, TLSFAIL_HEAD_LEN), (const void *)buf);
}

/* In TLS 1.3 an alert's length tells it from application data. */
static __always_inline bool record_is_alert(const __u8 header[RECORD_HEADER_LEN])
{
	return header[0] == RECORD_ALERT || (header[0] == RECORD_APPLICATION_DATA && !header[3] &&
					     header[4] == RECORD_TLS13_ALERT_LEN);
}

/* report.bpf.c: the ring and the counters. The reports fill in the header. */
void count(enum tlsfail_counter what);
void count_latency(__u64 ns);
bool report_wire(struct tlsfail_wire *w);
void report_conn(struct tlsfail_conn *c);
void report_certs(const struct tlsfail_conn *c);
void report_exec(struct tlsfail_exec *e);

/* False until the collector has attached every hook. */
bool tracing_armed(void);

/* The calling thread's state, or NULL when it is not (yet) known as a target's. */
struct thread *thread_find(void);

/* The same; made when it is a target's. */
struct thread *thread_get(void);

/* A connection's entry, or NULL; a new one, of nobody yet, or one of a connection that has been there
 * for a while; its end without a report, and that of one whose handshake has turned out well. */
struct tlsfail_conn *conn_find(const struct sock *sk);
/* As conn_find(); that of an earlier connection, whose end was not seen, is counted and forgotten. */
struct tlsfail_conn *conn_find_current(const struct sock *sk);
struct tlsfail_conn *conn_new(const struct sock *sk);
struct tlsfail_conn *conn_new_late(const struct sock *sk);
void conn_forget(const struct sock *sk, const struct tlsfail_conn *c);
void conn_succeed(const struct sock *sk, const struct tlsfail_conn *c);

/* The calling task's from now on, unless it is somebody's already. */
void conn_own(struct tlsfail_conn *c);

/* The collector's choice, --role. */
bool role_wanted(__u32 role);

/* The connection that the thread's current SSL object uses, or NULL; is it that of this object? */
struct tlsfail_conn *conn_of_thread(const struct thread *t);
bool thread_is_about(const struct thread *t, __u64 ssl);

/* wire.bpf.c: is it TCP over IPv4 or IPv6? */
bool socket_is_tcp(const struct sock *sk);

/* peer.bpf.c: of the peer of a connection in which the target is the client. */

/* It has sent a TLS record before; it has now. */
bool peer_did_tls(const struct tlsfail_conn *c);
void peer_sent_tls(const struct tlsfail_conn *c);

/* Its certificates are others than the last time, or interval_ns has passed: they are to be
 * reported, and the next ones are compared with them. */
bool peer_cert_is_new(const struct tlsfail_conn *c, __u64 interval_ns);

/* A handshake was done and not refused, or has failed: then the connection takes the counts along. */
void peer_done(const struct tlsfail_conn *c);
void peer_failed(struct tlsfail_conn *c);

/* A new connection, which may be another try of what failed on the thread's last. */
void peer_retried(struct tlsfail_conn *c, struct thread *t);

/* Takes over the error that the thread raised before it had a socket. */
void conn_adopt_orphan(struct tlsfail_conn *c, struct thread *t);

/* wire.bpf.c: sends the bytes kept for one direction; false: there are none, or they are lost. */
bool wire_report(const struct sock *sk, __u64 id, __u32 dir);
void wire_forget(const struct sock *sk, __u32 cert_count);

/* Another len bytes in that direction (enum tlsfail_dir). */
void flight_add(struct tlsfail_conn *c, __u32 dir, __u32 len);

/* An alert in the user's buffer, as close_notify before a close, is no data. */
bool is_alert(__u64 buf);

/* Keeps the next certificate of the peer: len bytes of user memory at der. */
void wire_certificate(struct tlsfail_conn *c, __u64 sk, __u32 len, __u64 der);

/* The handshake of the thread's SSL object is done, and c is its connection, perhaps for the last
 * time. */
void handshake_done(const struct thread *t, struct tlsfail_conn *c);

/*
 * server.bpf.c: connections that are accepted here. Where TLS is spoken is known from the first
 * handshake on that address and port.
 */
void listener_did_tls(const struct sock *sk);
bool server_keeps(const struct tlsfail_conn *c);
bool server_failed(struct tlsfail_conn *c);
void server_handshake_received(struct tlsfail_conn *c);
int server_io(const struct sock *sk, struct tlsfail_conn *c, int ret, __u32 dir, __u64 buf);
int server_plain_io(struct tlsfail_conn *c, int ret, __u32 dir, __u64 buf);

/*
 * entry_only.bpf.c: conclusions in the place of return probes. True: there are none, and these are
 * to be called before and after each I/O of a thread, the latter within the handshake only; when
 * SSL_get_verify_result is called for the thread's SSL object; when X509_check_host is; when the
 * socket of a connection is closed.
 */
bool entry_probes_only(void);
int conclude_before_io(const struct sock *sk, struct thread *t, int ret, __u32 dir, __u64 buf);
int conclude_after_io(struct thread *t, int ret, __u32 dir);
int conclude_verified(struct thread *t);
int conclude_host_asked(struct thread *t);
int conclude_at_end(const struct sock *sk, struct tlsfail_conn *c);

/* In process context of the TLS library. */
int handshake_enter(__u64 ssl);
int handshake_leave(int ret);
int error_raised(__u32 lib, __u32 reason);
int certificate_read(__u32 len, __u64 der);
int verify_result(int code);
int session_removed(void);
int host_check_result(int ret);

/* In whatever context the socket's event happens; sk is never dereferenced directly. */
int conn_connect(const struct sock *sk);
int conn_established(const struct sock *sk);
int conn_accepted(const struct sock *sk);
int conn_peer_fin(const struct sock *sk);
int conn_connect_failed(const struct sock *sk);
int conn_reset_received(const struct sock *sk);
int conn_reset_sent(const struct sock *sk);
int conn_closing(const struct sock *sk);
int conn_destroyed(const struct sock *sk);

/* In process context: ret bytes (or a negative errno) went from or to the user's buffer; one byte
 * was looked at there, and left. */
int conn_io(const struct sock *sk, int ret, __u32 dir, __u64 buf);
int conn_peeked(const struct sock *sk, __u64 buf);

/* A program was executed. */
int process_exec(void);

#endif
