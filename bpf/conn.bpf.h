/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the hooks (openssl.bpf.c, tcp.bpf.c) call: the state of a connection, kept in conn.bpf.c.
 * The hooks say what happened; conn.bpf.c keeps the facts and decides whether they travel.
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
	TCP_FIN_WAIT1 = 4,
	TCP_CLOSE = 7,
	TCP_CLOSE_WAIT = 8,
	TCP_LAST_ACK = 9,
};

/* A thread of a target: what links a TLS library call to the sockets it touches. */
struct thread {
	__u64 ssl; /* SSL object whose handshake it drives, or drove last */
	__u64 sk;  /* socket of that SSL, 0 until its first I/O */
	__u32 tgid;
	__u8 in_handshake;
	__u8 verify_asked; /* inside SSL_get_verify_result for ssl */
	__u8 host_cut;
	__u8 io_dir;
	__u64 io_sk;		     /* fentry and kprobe alternatives: socket call under way */
	__u64 io_buf;		     /* its user buffer */
	struct tlsfail_error orphan; /* raised before the first I/O: the socket is not known yet */
	char func[TLSFAIL_FUNC_LEN]; /* from ERR_set_debug, for the error that follows */
	char host[TLSFAIL_NAME_LEN]; /* from X509_check_host */
};

/* False until the collector has attached every hook. */
bool tracing_armed(void);

/* The calling thread's state, or NULL when it is not (yet) known as a target's. */
struct thread *thread_find(void);

/* In process context of the TLS library. */
int handshake_enter(__u64 ssl);
int handshake_leave(int ret);
int error_raised(__u32 lib, __u32 reason);
int verify_result(int code);
int host_check_result(int ret);

/* In whatever context the socket's event happens; sk is never dereferenced directly. */
int conn_connect(const struct sock *sk);
int conn_established(const struct sock *sk);
int conn_peer_fin(const struct sock *sk);
int conn_reset_received(const struct sock *sk);
int conn_reset_sent(const struct sock *sk);
int conn_closing(const struct sock *sk);
int conn_destroyed(const struct sock *sk);

/* In process context: ret bytes (or a negative errno) went from or to the user's buffer. */
int conn_io(const struct sock *sk, int ret, __u32 dir, __u64 buf);

/* A program was executed. */
int process_exec(void);

#endif
