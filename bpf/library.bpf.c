// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a TLS library adds to what the wire shows: errors, verify results, certificates. In process
 * context of the library.
 *
 * An error belongs to the connection of the thread's last I/O: with a memory BIO to that whose bytes it
 * has just read. I/O that found nothing to do ended a call into the library, so an error after it is
 * about something else; what was raised before the first byte of a connection shows by the alert that
 * follows. An error whose owner is not certain is counted, and given to nobody.
 */
#include "library.bpf.h"

/* The connection that the thread is about, as far as errors and certificates go. */
static __always_inline struct tlsfail_conn *conn_at_hand(const struct thread *t)
{
	if (handshake_from_wire() && t->blocked)
		return NULL;
	return conn_of_thread(t);
}

static __always_inline void error_keep(struct tlsfail_conn *c, struct thread *t, __u32 lib,
				       __u32 reason)
{
	__u32 n = c->error_count++;
	struct tlsfail_error *error = &c->errors[n & (TLSFAIL_ERRORS_MAX - 1)];

	if (!n)
		__builtin_memcpy(c->error_func, t->func, sizeof(c->error_func));
	if (n < TLSFAIL_ERRORS_MAX) {
		error->t = bpf_ktime_get_ns();
		error->lib = lib;
		error->reason = reason;
	}
	t->func[0] = '\0';
}

/* Before the first I/O of a connection. */
static __always_inline void error_orphan(struct thread *t, __u32 lib, __u32 reason)
{
	if (t->orphan.reason)
		return; /* the first says what is wrong */
	t->orphan_apart = !t->blocked && t->last_sk;
	t->orphan.t = bpf_ktime_get_ns();
	t->orphan.lib = lib;
	t->orphan.reason = reason;
}

__hidden int error_raised(__u32 lib, __u32 reason)
{
	struct thread *t = thread_find();
	struct tlsfail_conn *c;

	if (!t || (lib != OPENSSL_LIB_SSL && lib != BORINGSSL_LIB_SSL))
		return 0;
	c = conn_at_hand(t);
	if (!c && handshake_from_wire() && says_no_tls(lib, reason))
		c = wire_conn_of_text(t);
	if (c)
		error_keep(c, t, lib, reason);
	else if (handshake_from_wire() || t->in_handshake)
		error_orphan(t, lib, reason);
	return 0;
}

__hidden int certificate_read(__u32 len, __u64 der)
{
	struct thread *t = thread_find();
	struct tlsfail_conn *c = t ? conn_at_hand(t) : NULL;

	if (!c || (handshake_from_wire() ? c->flags & TLSFAIL_F_DONE : !t->in_handshake))
		return 0;
	if (role_wanted(c->role))
		wire_certificate(c, len, der);
	return 0;
}

__hidden int session_removed(void)
{
	struct thread *t = thread_find();
	struct tlsfail_conn *c = t ? conn_of_thread(t) : NULL;

	if (c)
		server_session_removed(c);
	return 0;
}

__hidden int verify_result(int code)
{
	struct thread *t = thread_find();
	struct tlsfail_conn *c = t ? conn_of_thread(t) : NULL;

	if (!c)
		return 0;
	c->flags |= TLSFAIL_F_VERIFY_ASKED;
	c->verify_code = code;
	return 0;
}

__hidden int host_check_result(int ret)
{
	struct thread *t = thread_find();
	struct tlsfail_conn *c = t ? conn_of_thread(t) : NULL;

	if (!c)
		return 0;
	c->flags |= TLSFAIL_F_HOST_CHECKED;
	if (ret == 1) {
		c->flags &= ~TLSFAIL_F_HOST_REFUSED;
		return 0;
	}
	c->flags |= TLSFAIL_F_HOST_REFUSED;
	if (t->host_cut)
		c->flags |= TLSFAIL_F_HOST_CUT;
	__builtin_memcpy(c->host, t->host, sizeof(c->host));
	return 0;
}
