// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An error belongs to the connection of the thread's last I/O. A handshake that goes on after something else
 * was waited for (a certificate to be chosen, an operation of an engine) does no I/O before it fails, and
 * the thread may have turned to others meanwhile. Then the SSL object tells: what it was in when it did
 * I/O the last time.
 *
 * A handshake over a memory BIO does no I/O within the call, so nothing is learnt of it, nor anything wrong.
 */
#include "owner.bpf.h"

#define OWNERS_MAX 512

struct owner {
	__u64 sk;
	__u64 epoch;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, OWNERS_MAX);
	__type(key, __u64); /* address of the SSL object */
	__type(value, struct owner);
} owners SEC(".maps");

/* Set by the collector: another one each time that it attaches, 0 while it is not attached. What was noted
 * before may be about objects that have gone since. */
__u8 owner_epoch = 0;

static __always_inline __u8 epoch(void)
{
	return *(volatile __u8 *)&owner_epoch;
}

static __always_inline struct tlsfail_conn *conn_of_ssl(__u64 ssl, __u64 *sk)
{
	const struct owner *o = bpf_map_lookup_elem(&owners, &ssl);
	struct tlsfail_conn *c;

	if (!o || o->epoch != epoch())
		return NULL;
	*sk = o->sk;
	c = conn_find((const struct sock *)o->sk);
	return c && c->ssl == ssl && !(c->flags & TLSFAIL_F_DONE) ? c : NULL;
}

__hidden int owner_enter(__u64 ssl)
{
	struct thread *t = thread_get();
	struct tlsfail_conn *c;
	__u64 sk = 0;

	if (!t)
		return 0;
	t->ssl = ssl;
	t->in_handshake = epoch();
	if (conn_of_ssl(ssl, &sk)) {
		t->sk = sk;
		t->blocked = 0;
		return 0;
	}
	c = conn_of_thread(t);
	if (c && c->ssl && c->ssl != ssl)
		t->blocked = 1;
	return 0;
}

__hidden int owner_leave(void)
{
	struct thread *t = thread_find();

	if (t)
		t->in_handshake = 0;
	return 0;
}

__hidden void owner_bind(struct tlsfail_conn *c, const struct sock *sk, const struct thread *t)
{
	struct owner o = {};
	__u64 ssl = t->ssl;

	if (!t->in_handshake || t->in_handshake != epoch() || c->ssl)
		return;
	c->ssl = ssl;
	o.sk = (__u64)sk;
	o.epoch = epoch();
	bpf_map_update_elem(&owners, &ssl, &o, BPF_ANY);
}
