// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Handshakes as the TLS library tells of them: from the call of SSL_do_handshake to its return, the
 * TCP I/O of the calling thread is that of the handshake.
 */
#include "entered.bpf.h"

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
		handshake_done((const struct sock *)t->sk, c, bpf_ktime_get_ns());
	return 0;
}

/*
 * Can these be the first bytes of a handshake? One that was forgotten when it was done may be entered
 * again: for what TLS 1.3 does after it, or for the part that comes after early data.
 */
static __always_inline bool begins_handshake(int ret, __u32 dir, __u64 buf)
{
	__u8 head[RECORD_HEADER_LEN + 1] = {};

	if (ret <= 0 || !buf)
		return true;
	bpf_probe_read_user(head, at_most(ret, sizeof(head)), (const void *)buf);
	if (dir == TLSFAIL_DIR_SENT)
		return is_record(head, RECORD_HANDSHAKE) && head[RECORD_HEADER_LEN] == CLIENT_HELLO;
	return !is_record(head, RECORD_CHANGE_CIPHER_SPEC) && !is_record(head, RECORD_ALERT) &&
	       !is_record(head, RECORD_APPLICATION_DATA);
}

static __noinline int io_in_handshake(const struct sock *sk, struct thread *t, int ret, __u32 dir,
				      __u64 buf)
{
	struct tlsfail_conn *c = conn_find_current(sk);

	if (!c) {
		if (!socket_is_tcp(sk) || !begins_handshake(ret, dir, buf))
			return 0;
		c = conn_new_speaking(sk);
		if (!c)
			return 0;
	}
	conn_own(c);
	/* A callback of the handshake talking to somebody else, or a renegotiation. */
	if ((c->ssl && c->ssl != t->ssl) || c->flags & TLSFAIL_F_DONE)
		return 0;
	if (!(c->flags & TLSFAIL_F_TLS)) {
		if (!c->role)
			c->role =
				dir == TLSFAIL_DIR_SENT ? TLSFAIL_ROLE_CLIENT : TLSFAIL_ROLE_SERVER;
		c->flags |= TLSFAIL_F_TLS;
		c->ssl = t->ssl;
		conn_adopt_orphan(c, t);
		handshake_seen(sk, c);
	} else if (!c->error_count) {
		/* raised since this object was entered, before any I/O */
		conn_adopt_orphan(c, t);
	}
	t->sk = (__u64)sk;
	if (!role_wanted(c->role))
		return 0;
	handshake_io(c, sk, t);
	return 0;
}

/* Application data of a connection that is still followed. */
static __noinline int io_outside(const struct sock *sk, struct thread *t, int ret, __u32 dir,
				 __u64 buf)
{
	struct tlsfail_conn *c = conn_find(sk);

	if (!c) {
		/* An error that SSL_read raises next is about nobody who is followed. */
		if (t->sk && socket_is_tcp(sk))
			t->sk = 0;
		return 0;
	}
	/* An error that SSL_read raises next is about this connection. */
	t->sk = (__u64)sk;
	if (ret <= 0)
		return 0;
	if (c->flags & TLSFAIL_F_PLAIN)
		return server_plain_io(c, ret, dir, buf);
	if (!(c->flags & TLSFAIL_F_DONE)) {
		/* plain text before any handshake: not ours */
		if (!(c->flags & TLSFAIL_F_TLS))
			conn_forget(sk, c);
		return 0;
	}
	return after_io(sk, c, ret, dir, buf);
}

__hidden int entered_io(const struct sock *sk, struct thread *t, int ret, __u32 dir, __u64 buf)
{
	thread_io_begin(t, ret, dir, buf);
	if (entry_probes_only())
		conclude_before_io(sk, t, ret, dir, buf);
	if (!t->in_handshake) {
		io_outside(sk, t, ret, dir, buf);
		return 1;
	}
	io_in_handshake(sk, t, ret, dir, buf);
	if (entry_probes_only())
		conclude_after_io(t, ret, dir);
	return 1;
}
