// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Bytes of a connection, by its stage: handshake, or after it.
 */
#include "flow.bpf.h"

/* Nothing was said in clear before. */
static __always_inline bool begins_with_tls(const struct connection *e)
{
	return !e->plain[TLSFAIL_DIR_SENT] && !e->plain[TLSFAIL_DIR_RECEIVED];
}

__hidden void handshake_seen(const struct sock *sk, struct tlsfail_conn *c)
{
	if (!role_wanted(c->role))
		return;
	count(c->role == TLSFAIL_ROLE_CLIENT ? TLSFAIL_N_CLIENT_SEEN : TLSFAIL_N_SERVER_SEEN);
	if (c->role == TLSFAIL_ROLE_SERVER)
		connection_of(c)->asks = listener_did_tls(sk, begins_with_tls(connection_of(c)));
}

static __always_inline void handshake_received(struct tlsfail_conn *c, const struct thread *t)
{
	bytes_received(c, t);
	if (c->role == TLSFAIL_ROLE_SERVER)
		server_handshake_received(c);
	else if (c->rx_bytes == (__u32)t->io_ret && c->first_rx[0] >= RECORD_CHANGE_CIPHER_SPEC &&
		 c->first_rx[0] <= RECORD_APPLICATION_DATA)
		peer_sent_tls(c);
}

static __always_inline void note_handshake_io(struct tlsfail_conn *c, const struct thread *t,
					      __u32 dir, int ret)
{
	c->pid = t->tgid;
	c->t_last_io = bpf_ktime_get_ns();
	c->last_dir = dir;
	c->last_ret = ret;
	if (ret > 0)
		flight_add(c, dir, ret, c->t_last_io);
}

__hidden bool handshake_header(struct tlsfail_conn *c, const struct thread *t)
{
	if (!header_follows(connection_of(c), t->io.at))
		return false;
	note_handshake_io(c, t, TLSFAIL_DIR_RECEIVED, RECORD_HEADER_LEN);
	return true;
}

__hidden int handshake_io(struct tlsfail_conn *c, const struct sock *sk, struct thread *t)
{
	note_handshake_io(c, t, t->io_dir, t->io_ret);
	if (t->io_ret <= 0)
		return 0;
	if (io_keep(c, t))
		c->flags |= TLSFAIL_F_NO_WIRE;
	if (t->io_dir == TLSFAIL_DIR_SENT)
		bytes_sent(c, sk, t);
	else
		handshake_received(c, t);
	return 0;
}

__hidden int after_io(const struct sock *sk, struct tlsfail_conn *c, int ret, __u32 dir, __u64 buf)
{
	flight_add(c, dir, ret, 0);
	if (c->role == TLSFAIL_ROLE_SERVER)
		return server_io(sk, c, ret, dir, buf);
	return client_io(sk, c, ret, dir, buf);
}
