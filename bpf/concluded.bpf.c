// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Where return probes would endanger the traced process there are none. What they would tell, that
 * SSL_do_handshake returned and that it returned 1, is then concluded from what the thread does
 * next, and what X509_check_host returned from what it does not do.
 *
 *  - A thread that does I/O on another socket is not in the handshake any more. One that has just
 *    entered begins with a ClientHello, or by waiting for one.
 *  - In TLS 1.3 the client is done with the handshake once it has sent its Finished: the first
 *    records that it encrypts. Before, it is done at the latest when it sends application data, or
 *    an encrypted alert for no error: close_notify.
 *  - A server of TLS 1.2 is done when it sends its own ChangeCipherSpec, perhaps behind a session
 *    ticket; or, if it resumes a session, when what the client encrypts after its has come. In TLS
 *    1.3 the client's Finished looks like its Certificate, so that the server is done when it sends
 *    something encrypted after that: session tickets, or an answer.
 *  - SSL_get_verify_result and X509_check_host are asked when it is done.
 *  - A program that accepts the host name goes on: it sends its request, or turns to the other
 *    side of a tunnel. If it closes the connection instead, the name was refused.
 */
#include "concluded.bpf.h"

/* TLS 1.2, with the largest of its MACs and paddings; no ClientHello is as short. */
#define FINISHED_MAX_LEN 96

const volatile bool entry_only = false;

/* -- the end of a handshake ------------------------------------------------------------------- */

static __always_inline void conclude_done(struct thread *t, struct tlsfail_conn *c)
{
	t->in_handshake = 0;
	handshake_done((const struct sock *)t->sk, c, bpf_ktime_get_ns());
}

/* The connection whose handshake the thread was in last, while that is not known to be done. */
static __always_inline struct tlsfail_conn *conn_undone(const struct thread *t)
{
	struct tlsfail_conn *c = conn_find((const struct sock *)t->sk);

	if (!c || !(c->flags & TLSFAIL_F_TLS) || c->ssl != t->ssl || c->flags & TLSFAIL_F_DONE)
		return NULL;
	return c;
}

/* Can this I/O be the first of a handshake that the thread has entered? An error that was raised
 * before it leaves nothing to send but an alert. */
static __always_inline bool is_first_io(const struct thread *t, const struct tlsfail_conn *c,
					__u32 dir, const __u8 head[TLSFAIL_HEAD_LEN], __u64 buf)
{
	if (dir == TLSFAIL_DIR_RECEIVED)
		return !c || c->role == TLSFAIL_ROLE_SERVER;
	if (!buf)
		return c;
	return t->orphan.reason ? is_record(head, RECORD_ALERT) : is_record(head, RECORD_HANDSHAKE);
}

/* Is this I/O one that follows a handshake of TLS 1.2 or older? */
static __always_inline bool is_after_tls12(const struct tlsfail_conn *c, __u32 dir,
					   const __u8 head[TLSFAIL_HEAD_LEN])
{
	if (c->role == TLSFAIL_ROLE_CLIENT && is_encrypted_data(head))
		return !is_client_hello(first_record(c->last_tx));
	return dir == TLSFAIL_DIR_SENT && is_record(head, RECORD_ALERT) &&
	       record_len(head) > RECORD_CLEAR_ALERT_LEN && !c->error_count;
}

static __always_inline bool still_in_handshake(const struct sock *sk, struct thread *t, __u32 dir,
					       const __u8 head[TLSFAIL_HEAD_LEN], __u64 buf)
{
	struct tlsfail_conn *c = conn_find(sk);

	if (t->sk && t->sk != (__u64)sk)
		return false;
	if (!c || !(c->flags & TLSFAIL_F_TLS))
		return is_first_io(t, c, dir, head, buf);
	if (c->ssl != t->ssl || c->flags & TLSFAIL_F_DONE)
		return false;
	t->sk = (__u64)sk;
	if (!is_after_tls12(c, dir, head))
		return true;
	conclude_done(t, c);
	return false;
}

/* I/O after X509_check_host: the program goes on, unless this is its close_notify. */
static __always_inline void host_settle(const struct sock *sk, struct thread *t, __u32 dir,
					bool alert)
{
	if (t->host_sk && socket_is_tcp(sk) &&
	    !(t->host_sk == (__u64)sk && dir == TLSFAIL_DIR_SENT && alert))
		t->host_sk = 0;
}

__hidden int conclude_host_settled(const struct sock *sk, struct thread *t, __u32 dir, __u64 buf)
{
	if (t->host_sk)
		host_settle(sk, t, dir, is_alert(buf));
	return 0;
}

__hidden int conclude_before_io(const struct sock *sk, struct thread *t, int ret, __u32 dir,
				__u64 buf)
{
	__u8 head[TLSFAIL_HEAD_LEN] = {};

	/* What could not be sent tells as much as what was; what did not come tells nothing. */
	if (buf && (ret > 0 || dir == TLSFAIL_DIR_SENT))
		read_head(head, ret > 0 ? ret : TLSFAIL_HEAD_LEN, buf);
	host_settle(sk, t, dir, record_is_alert(head));
	if (t->in_handshake && !still_in_handshake(sk, t, dir, head, buf))
		t->in_handshake = 0;
	return 0;
}

static __always_inline bool rx_type_seen(const struct tlsfail_conn *c, __u8 type)
{
	return c->rx_types >> (type - RECORD_CHANGE_CIPHER_SPEC) & 1;
}

/* After each receive of a server's handshake, and after each send. */
static __always_inline bool server_must_be_done(struct tlsfail_conn *c, __u32 dir)
{
	const __u8 *record = first_record(dir == TLSFAIL_DIR_SENT ? c->last_tx : c->last_rx);

	if (dir == TLSFAIL_DIR_SENT)
		return is_record(c->last_tx, RECORD_CHANGE_CIPHER_SPEC) ||
		       (is_record(c->last_tx, RECORD_HANDSHAKE) &&
			c->last_tx[RECORD_HEADER_LEN] == NEW_SESSION_TICKET) ||
		       (is_encrypted_data(record) && rx_type_seen(c, RECORD_APPLICATION_DATA));
	if (is_encrypted_data(record))
		c->rx_types |= 1 << (RECORD_APPLICATION_DATA - RECORD_CHANGE_CIPHER_SPEC);
	if (is_record(c->last_rx, RECORD_CHANGE_CIPHER_SPEC))
		c->rx_types |= 1;
	return is_record(record, RECORD_HANDSHAKE) && record_len(record) <= FINISHED_MAX_LEN &&
	       rx_type_seen(c, RECORD_CHANGE_CIPHER_SPEC);
}

__hidden int conclude_after_io(struct thread *t, int ret, __u32 dir)
{
	struct tlsfail_conn *c = conn_undone(t);

	if (!c || ret <= 0)
		return 0;
	if (c->role == TLSFAIL_ROLE_SERVER
		    ? server_must_be_done(c, dir)
		    : dir == TLSFAIL_DIR_SENT && is_encrypted_data(first_record(c->last_tx)))
		conclude_done(t, c);
	return 0;
}

__hidden int conclude_verified(struct thread *t)
{
	struct tlsfail_conn *c = conn_undone(t);

	if (c)
		conclude_done(t, c);
	return 0;
}

/* -- the host name ---------------------------------------------------------------------------- */

__hidden int conclude_host_asked(struct thread *t)
{
	struct tlsfail_conn *c;

	if (!handshake_from_wire())
		conclude_verified(t);
	c = conn_find((const struct sock *)t->sk);
	if (!c || !(c->flags & TLSFAIL_F_TLS))
		return 0;
	c->flags |= TLSFAIL_F_HOST_CHECKED;
	if (t->host_cut)
		c->flags |= TLSFAIL_F_HOST_CUT;
	__builtin_memcpy(c->host, t->host, sizeof(c->host));
	t->host_sk = t->sk;
	return 0;
}

__hidden int conclude_at_end(const struct sock *sk, struct tlsfail_conn *c)
{
	struct thread *t = thread_find();

	c->flags |= TLSFAIL_F_ENTRY_ONLY;
	if (!t)
		return 0;
	if (t->sk == (__u64)sk)
		t->in_handshake = 0;
	if (t->host_sk != (__u64)sk)
		return 0;
	t->host_sk = 0;
	/* A program that finds the connection reset closes it too, as does its end. */
	if (!(c->flags & (TLSFAIL_F_PEER_RST | TLSFAIL_F_EXITING)) &&
	    !(c->flags & TLSFAIL_F_VERIFY_ASKED && c->verify_code))
		c->flags |= TLSFAIL_F_HOST_REFUSED;
	return 0;
}
