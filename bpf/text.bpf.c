// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Plain text said to a program that expects TLS, as the socket tells of it, whatever the library: what came first
 * begins no handshake, and the answer is an alert, or an HTTP status 400, or none at all.
 *
 * An alert in clear says it by itself. The others say it only where clients begin with TLS and nothing else; and
 * what the status means is left to its words, which the collector reads. What came is known to the thread that
 * read it: if another one answers, nothing is said.
 */
#include "text.bpf.h"

/* Of plain text no more is kept than the name of the longest usual method. */
#define TEXT_HEAD_LEN 8

__hidden struct tlsfail_conn *text_conn(struct thread *t)
{
	const struct sock *sk = (const struct sock *)t->last_sk;
	struct tlsfail_conn *c;
	__u32 i;

	if (!sk || t->last_dir != TLSFAIL_DIR_RECEIVED || t->last_ret <= 0 ||
	    !role_wanted(TLSFAIL_ROLE_SERVER) || !socket_is_tcp(sk) ||
	    !is_all_read(sk, t->last_ret))
		return NULL;
	c = conn_new_speaking(sk);
	if (!c)
		return NULL;
	conn_own(c);
	c->role = TLSFAIL_ROLE_SERVER;
	c->t_first_rx = c->t_last_io = bpf_ktime_get_ns();
	c->last_ret = t->last_ret;
	c->last_dir = TLSFAIL_DIR_RECEIVED;
	c->first_rx_kept = at_most(t->last_ret, TEXT_HEAD_LEN);
	for (i = 0; i < TEXT_HEAD_LEN; i++)
		c->first_rx[i] = t->last_head[i];
	t->last_sk = 0;
	return c;
}

/* Did the thread read something on that socket last that is known, and begins no record? A first byte of 0 may be
 * one that could not be read; what may be a hello may have found no room. */
static __always_inline bool has_read_text(const struct sock *sk, const struct thread *t)
{
	__u8 first = t->last_head[0];

	return t->last_sk == (__u64)sk && t->last_ret > 0 && t->last_dir == TLSFAIL_DIR_RECEIVED &&
	       first && !(first & RECORD_SSL2) &&
	       (first < RECORD_CHANGE_CIPHER_SPEC || first > RECORD_APPLICATION_DATA);
}

static __always_inline bool answer_tells(const struct sock *sk, const __u8 *head, __u32 len)
{
	if (head[0] != RECORD_ALERT)
		return listener_is_tls_only(sk);
	return record_len(head) == RECORD_CLEAR_ALERT_LEN &&
	       len == RECORD_HEADER_LEN + RECORD_CLEAR_ALERT_LEN;
}

__hidden struct tlsfail_conn *text_answered(const struct sock *sk, struct thread *t,
					    const __u8 *head)
{
	struct tlsfail_conn *c = NULL;
	__u32 len = t->io_ret;

	if (said_before(socket_bytes_written(sk), len))
		return NULL;
	if (has_read_text(sk, t) && answer_tells(sk, head, len))
		c = text_conn(t);
	if (!c) {
		server_waits_no_more(sk);
		return NULL;
	}
	c->flags |= TLSFAIL_F_PLAIN;
	if (head[0] != RECORD_ALERT) {
		c->tx_bytes = len;
		wire_keep(c, TLSFAIL_DIR_SENT, at_most(len, PLAIN_ANSWER_MAX), t->io_buf);
	}
	return c;
}

__hidden struct tlsfail_conn *text_closed(const struct sock *sk, struct thread *t)
{
	struct tlsfail_conn *c;

	if (!has_read_text(sk, t) || said_before(socket_bytes_written(sk), 0))
		return NULL;
	if (!says_no_tls(t->orphan.lib, t->orphan.reason) && !listener_is_tls_only(sk))
		return NULL;
	c = text_conn(t);
	if (c)
		c->flags |= TLSFAIL_F_PLAIN;
	return c;
}
