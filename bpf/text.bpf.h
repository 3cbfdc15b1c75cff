/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Plain text said to a program that expects TLS.
 */
#ifndef TEXT_BPF_H
#define TEXT_BPF_H

#include "server.bpf.h"

/* Of an answer to plain text no more is looked at. */
#define PLAIN_ANSWER_MAX 1024

/* include/openssl/err.h ERR_LIB_SSL; BoringSSL's ERR_LIB_SSL */
#define OPENSSL_LIB_SSL	  20
#define BORINGSSL_LIB_SSL 16

/* Are these len bytes all that was ever read? A FIN behind them may have been taken with them. */
static __always_inline bool is_all_read(const struct sock *sk, __u32 len)
{
	return socket_bytes_read(sk) - len <= CONTROL_BYTES;
}

static __always_inline __u64 said_before(__u32 all, __u32 now)
{
	return all > now + CONTROL_BYTES ? all - now : 0;
}

/* What a server of TLS says to one that speaks none: an alert, or as HTTP that the request is bad. */
static __always_inline bool is_tls_answer(const __u8 *head)
{
	const __u8 *status = head + 9; /* behind "HTTP/1.1 " */

	return is_record(head, RECORD_ALERT) ||
	       (head[0] == 'H' && head[1] == 'T' && head[2] == 'T' && head[3] == 'P' &&
		status[0] == '4' && status[1] == '0' && status[2] == '0');
}

/* Is it an error about what was received instead of TLS? include/openssl/sslerr.h, BoringSSL's ssl.h */
static __always_inline bool says_no_tls(__u32 lib, __u32 reason)
{
	if (lib == BORINGSSL_LIB_SSL)
		return reason == 247; /* wrong version number */
	return reason == 155 ||	      /* https proxy request */
	       reason == 156 ||	      /* http request */
	       reason == 198 ||	      /* packet length too long */
	       reason == 267;	      /* wrong version number */
}

/* The connection whose first bytes the thread has read last, where they are all that was ever read: its new
 * entry, as the server's; or NULL. */
struct tlsfail_conn *text_conn(struct thread *t);

/* The thread sends what begins with head and is_tls_answer(): the entry of a connection on which that answers plain
 * text, or NULL. */
struct tlsfail_conn *text_answered(const struct sock *sk, struct thread *t, const __u8 *head);

/* It closes a connection without an entry: the new one of one that was closed because of plain text, or NULL. */
struct tlsfail_conn *text_closed(const struct sock *sk, struct thread *t);

#endif
