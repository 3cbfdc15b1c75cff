// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Handshakes as the wire tells of them: one begins with a ClientHello, and who sends it is the client.
 *
 * It need not be the first that is said on the connection: a PROXY header, an HTTP CONNECT or STARTTLS
 * come before it. Of such a dialogue nothing is kept but its length, which TCP knows. Nor is there an
 * entry for a connection that carries plain text, or one whose handshake is over: each call costs one
 * look into the table, and one at the first bytes.
 */
#include "wire.bpf.h"

#define EAGAIN 11 /* include/uapi/asm-generic/errno-base.h */

/* Longer is no dialogue that leads to TLS. */
#define DIALOGUE_MAX 4096

#define HANDSHAKE_MAX 131072

/* -- recognition ------------------------------------------------------------------------------ */

/* The header of a message whose beginning is in a record of record_len bytes. */
static __always_inline bool is_hello_message(const __u8 *message, __u32 len)
{
	return message[0] == CLIENT_HELLO && !message[1] &&
	       (__u32)(message[2] << 8 | message[3]) + MESSAGE_HEADER_LEN >= len;
}

static __always_inline bool begins_ssl2(const __u8 *head, __u32 len)
{
	return len >= RECORD_HEADER_LEN && head[0] & RECORD_SSL2 &&
	       head[SSL2_TYPE_AT] == CLIENT_HELLO &&
	       (head[SSL2_VERSION_AT] == 3 ||
		(!head[SSL2_VERSION_AT] && head[SSL2_VERSION_AT + 1] == 2));
}

/* Record and message headers are there, and agree. */
static __always_inline bool hello_is_whole(const __u8 *head, __u32 len)
{
	return len >= RECORD_HEADER_LEN + MESSAGE_HEADER_LEN &&
	       is_hello_message(head + RECORD_HEADER_LEN, record_len(head));
}

/* Without read-ahead OpenSSL reads the 5 bytes of a record header by themselves. */
static __always_inline bool begins_record(const __u8 *head, __u32 len)
{
	return len >= RECORD_HEADER_LEN && is_record(head, RECORD_HANDSHAKE) &&
	       record_len(head) >= MESSAGE_HEADER_LEN && record_len(head) <= RECORD_MAX_LEN &&
	       (len == RECORD_HEADER_LEN || head[RECORD_HEADER_LEN] == CLIENT_HELLO);
}

/* Less than a record header: of a scanner, or of a client that is slow. */
static __always_inline bool begins_cut(const __u8 *head, __u32 len)
{
	return len < RECORD_HEADER_LEN && head[0] == RECORD_HANDSHAKE && (len == 1 || head[1] == 3);
}

/* -- what was said before --------------------------------------------------------------------- */

/* Until the message itself is there, a lone record header after other bytes may be one of a handshake
 * that is encrypted, of a renegotiation; or of an answer to a ClientHello that was not seen. */
static __always_inline void plain_measure(const struct sock *sk, struct connection *e,
					  const struct thread *t, __u32 dir, __u32 len)
{
	const __u8 *head = t->last_head;
	__u32 all = len + t->io_left, sent = dir == TLSFAIL_DIR_SENT ? all : 0;

	e->plain[TLSFAIL_DIR_SENT] = said_before(socket_bytes_written(sk), sent);
	e->plain[TLSFAIL_DIR_RECEIVED] = said_before(socket_bytes_read(sk), all - sent);
	if (e->plain[TLSFAIL_DIR_SENT] || e->plain[TLSFAIL_DIR_RECEIVED])
		e->unsure = !hello_is_whole(head, len);
}

/* -- the beginning ---------------------------------------------------------------------------- */

static __always_inline void tls_begin(const struct sock *sk, struct tlsfail_conn *c, __u32 dir)
{
	c->role = dir == TLSFAIL_DIR_SENT ? TLSFAIL_ROLE_CLIENT : TLSFAIL_ROLE_SERVER;
	c->flags |= TLSFAIL_F_TLS;
	c->first_rx_kept = 0; /* what was looked at comes once more */
	if (!connection_of(c)->unsure)
		handshake_seen(sk, c);
}

/* Over a unix socket, as a rule: nothing of such a handshake is followed. */
static __always_inline void other_socket(const __u8 *head, int len, __u32 dir)
{
	if (dir == TLSFAIL_DIR_SENT && role_wanted(TLSFAIL_ROLE_CLIENT) &&
	    hello_is_whole(head, len))
		count(TLSFAIL_N_OTHER_SOCKET);
}

/* Its first bytes after what may have been said in clear. NULL: they begin no handshake. */
static __noinline struct tlsfail_conn *conn_begin(const struct sock *sk, struct thread *t,
						  struct tlsfail_conn *c, int ret, __u32 dir)
{
	const __u8 *head = t->last_head;
	bool first = dir == TLSFAIL_DIR_RECEIVED && !c &&
		     (begins_ssl2(head, ret) || begins_cut(head, ret));

	if (!first && !begins_record(head, ret))
		return NULL;
	if (!c) {
		if (!socket_is_tcp(sk)) {
			other_socket(head, ret, dir);
			return NULL;
		}
		if (first && !is_all_read(sk, ret + t->io_left))
			return NULL;
		c = conn_new_speaking(sk);
		if (!c)
			return NULL;
		plain_measure(sk, connection_of(c), t, dir, ret);
		/* Encrypted, of a handshake after the first. */
		if (connection_of(c)->unsure && ret >= RECORD_HEADER_LEN + MESSAGE_HEADER_LEN) {
			conn_remove(sk, c);
			return NULL;
		}
	} else if (dir == TLSFAIL_DIR_RECEIVED) {
		/* Who connects is seldom the server: an answer to a ClientHello that was not seen
		 * begins the same. */
		connection_of(c)->unsure = !hello_is_whole(head, ret);
		if (connection_of(c)->unsure && ret > RECORD_HEADER_LEN)
			return NULL;
	}
	tls_begin(sk, c, dir);
	return c;
}

/* The entry of a lone record header; its message has come. False: it was no ClientHello. */
static __always_inline bool hello_settle(const struct sock *sk, struct tlsfail_conn *c)
{
	struct connection *e = connection_of(c);

	if (!e->unsure || c->rx_bytes + c->tx_bytes <= RECORD_HEADER_LEN)
		return true;
	if (!is_hello_message(c->role == TLSFAIL_ROLE_CLIENT ? c->last_tx : c->last_rx,
			      e->streams[c->role == TLSFAIL_ROLE_SERVER].left))
		return false;
	e->unsure = 0;
	handshake_seen(sk, c);
	return true;
}

/* -- in the handshake ------------------------------------------------------------------------- */

/* What the client sent beyond its ClientHello, before the server answers, is early data. */
static __always_inline bool client_is_early(const struct thread *t)
{
	return t->io_view.waiting > CONTROL_BYTES;
}

/* No handshake is as long: what cannot be followed is over it, and healthy. */
static __always_inline bool is_beyond(const struct connection *e)
{
	return (e->streams[0].unseen || e->streams[1].unseen) &&
	       e->c.tx_bytes + e->c.rx_bytes > HANDSHAKE_MAX;
}

/* What is there of the peer beyond that; the last time, before the client has finished. */
static __always_inline void note_unread(struct connection *e, const struct thread *t)
{
	if (e->streams[TLSFAIL_DIR_RECEIVED].type == RECORD_APPLICATION_DATA)
		e->there = t->io_view.waiting;
}

static __noinline int io_handshake(const struct sock *sk, struct thread *t, struct tlsfail_conn *c)
{
	struct connection *e = connection_of(c);
	bool server = c->role == TLSFAIL_ROLE_SERVER;
	__u32 dir = t->io_dir;
	int ret = t->io_ret;

	if (ret > 0 && server && dir == TLSFAIL_DIR_SENT && !c->tx_bytes && client_is_early(t))
		e->early = 1;
	handshake_io(c, sk, t);
	if (ret <= 0)
		return 0;
	if (t->io_buf)
		records_follow(e, t);
	else
		stream_lose(e, dir);
	if (dir == TLSFAIL_DIR_RECEIVED)
		note_unread(e, t);
	if (is_beyond(e)) {
		count(TLSFAIL_N_UNSURE);
		conn_forget(sk, c);
		return 0;
	}
	if (!hello_settle(sk, c)) {
		conn_forget(sk, c);
		return 0;
	}
	if (server ? server_is_done(e, dir) : client_is_done(e)) {
		c->post_skip = e->streams[TLSFAIL_DIR_RECEIVED].left;
		if (!server)
			client_finished(c);
		handshake_done(sk, c, c->t_last_io);
	}
	return 0;
}

/* -- each send and receive -------------------------------------------------------------------- */

/* An error that was raised before the first byte, with nothing to offer: its alert is all that is
 * said. */
static __always_inline bool is_orphans_alert(const struct thread *t, const struct tlsfail_conn *c,
					     __u32 dir)
{
	return t->orphan.reason && dir == TLSFAIL_DIR_SENT && c && c->flags & TLSFAIL_F_CONNECT &&
	       is_record(t->last_head, RECORD_ALERT);
}

/* Plain text was sent, and this is the answer. The collector reads what it says. */
static __noinline int plain_refused(const struct sock *sk, struct thread *t, struct tlsfail_conn *c,
				    __u32 len)
{
	if (peer_is_due(c)) {
		c->flags |= TLSFAIL_F_PLAIN;
		c->t_first_rx = c->t_close = bpf_ktime_get_ns();
		read_head(c->first_rx, len, t->io_buf);
		c->first_rx_kept = at_most(len, TLSFAIL_HEAD_LEN);
		wire_keep(c, TLSFAIL_DIR_RECEIVED, at_most(len, PLAIN_ANSWER_MAX), t->io_buf);
		wire_report(c, TLSFAIL_DIR_RECEIVED);
		c->netns = connection_of(c)->kept.netns;
		report_conn(c);
	}
	conn_forget(sk, c);
	return 0;
}

/* The dialogue before a handshake, of a client: a PROXY header, STARTTLS. Longer ones, and those of a
 * server, are forgotten; if it comes to TLS after all, TCP knows how much there was. */
static __always_inline void plain_io(const struct sock *sk, struct thread *t,
				     struct tlsfail_conn *c, __u32 len)
{
	__u64 *plain = connection_of(c)->plain;

	if (c->flags & TLSFAIL_F_CONNECT && t->io_dir == TLSFAIL_DIR_RECEIVED && plain[0] &&
	    !plain[1] && is_tls_answer(t->last_head)) {
		plain_refused(sk, t, c, len);
		return;
	}
	plain[t->io_dir & 1] += len;
	if (!(c->flags & TLSFAIL_F_CONNECT) || plain[0] + plain[1] > DIALOGUE_MAX)
		conn_forget(sk, c);
}

static __always_inline void note_io(const struct sock *sk, struct thread *t, int ret, __u32 dir)
{
	t->last_sk = (__u64)sk;
	t->last_dir = dir;
	t->last_ret = ret;
}

/* On a connection without a handshake so far; c: its entry, or NULL. Returns the entry of one that
 * begins now, or NULL. */
static __noinline struct tlsfail_conn *io_before(const struct sock *sk, struct thread *t,
						 struct tlsfail_conn *c)
{
	struct tlsfail_conn *begun = NULL;
	__u8 head[TLSFAIL_HEAD_LEN] = {};
	__u32 dir = t->io_dir;
	int ret = t->io_ret;

	/* Nothing came after what was there. */
	if (ret <= 0 && t->last_sk == (__u64)sk)
		return NULL;
	if (ret > 0 && t->io_buf)
		read_head(head, ret, t->io_buf);
	if (!c && dir == TLSFAIL_DIR_SENT && is_tls_answer(head))
		begun = text_answered(sk, t, head);
	if (begun)
		return begun;
	note_io(sk, t, ret, dir);
	if (ret <= 0)
		return NULL;
	__builtin_memcpy(t->last_head, head, sizeof(head));
	if (is_orphans_alert(t, c, dir)) {
		conn_adopt_orphan(c, t);
		tls_begin(sk, c, dir);
		begun = c;
	} else if (t->last_head[0] == RECORD_HANDSHAKE || t->last_head[0] & RECORD_SSL2) {
		begun = conn_begin(sk, t, c, ret, dir);
	}
	if (!begun && c)
		plain_io(sk, t, c, ret);
	return begun;
}

static __always_inline int thread_io(const struct sock *sk, struct thread *t)
{
	struct tlsfail_conn *c = conn_find(sk);
	__u64 buf = t->io_buf;
	__u32 dir = t->io_dir;
	int ret = t->io_ret;

	if (c && !conn_is_of(c, &t->io_view))
		c = conn_unless_earlier(c, sk);
	if (entry_probes_only())
		conclude_host_settled(sk, t, dir, buf);
	t->blocked = ret == -EAGAIN;
	t->sk = 0;
	if (!c || !(c->flags & (TLSFAIL_F_TLS | TLSFAIL_F_PLAIN)))
		c = io_before(sk, t, c);
	orphan_drop(t);
	if (!c)
		return 0;
	t->sk = (__u64)sk;
	t->last_sk = 0;
	if (!role_wanted(c->role))
		return 0;
	if (c->flags & TLSFAIL_F_PLAIN) {
		if (ret > 0)
			server_plain_io(c, ret, dir, buf);
	} else if (!(c->flags & TLSFAIL_F_DONE)) {
		conn_own(c);
		owner_bind(c, sk, t);
		io_handshake(sk, t, c);
	} else if (ret > 0) {
		after_io(sk, c, ret, dir, buf);
	}
	return 1;
}

/* Its connection is the one of the thread's last I/O, and nothing else is to be settled. */
static __always_inline bool goes_on(const struct sock *sk, const struct thread *t)
{
	return t->sk == (__u64)sk && !t->orphan.reason && !t->in_handshake && !entry_probes_only();
}

static __always_inline bool is_in_handshake(const struct tlsfail_conn *c)
{
	return (c->flags & (TLSFAIL_F_TLS | TLSFAIL_F_DONE | TLSFAIL_F_PLAIN)) == TLSFAIL_F_TLS;
}

__hidden bool wire_header(const struct sock *sk, struct thread *t)
{
	struct tlsfail_conn *c = goes_on(sk, t) ? conn_find(sk) : NULL;

	if (!c || !is_in_handshake(c) || c->role != TLSFAIL_ROLE_CLIENT || !c->tid ||
	    connection_of(c)->unsure || !role_wanted(TLSFAIL_ROLE_CLIENT) ||
	    !conn_is_of(c, &t->io_view) || !handshake_header(c, t))
		return false;
	t->blocked = 0;
	note_unread(connection_of(c), t);
	return true;
}

__hidden int wire_whole(const struct sock *sk, struct thread *t, int ret, __u32 dir)
{
	thread_io_begin(t, ret, dir, t->io.at);
	return thread_io(sk, t);
}

int wire_io(int ret, __u32 dir, __u64 buf)
{
	struct thread *t = thread_find();

	if (!t)
		return 0;
	thread_io_begin(t, ret, dir, buf);
	return thread_io((const struct sock *)t->io_sk, t);
}

__hidden int wire_beyond(const struct sock *sk, struct thread *t, int ret, __u32 dir)
{
	if (t->t_failed)
		t->t_failed = 0;
	if (t->host_sk)
		t->host_sk = 0;
	t->sk = 0;
	t->blocked = ret == -EAGAIN;
	note_io(sk, t, ret, dir);
	t->last_head[0] = 0;
	orphan_drop(t);
	return 0;
}

/* -- text where TLS was expected -------------------------------------------------------------- */

__hidden struct tlsfail_conn *wire_conn_of_text(struct thread *t)
{
	__u64 sk = t->last_sk;
	struct tlsfail_conn *c = t->blocked ? NULL : text_conn(t);

	if (!c)
		return NULL;
	c->flags |= TLSFAIL_F_TLS | TLSFAIL_F_NO_WIRE;
	c->rx_bytes = c->last_ret;
	handshake_seen((const struct sock *)sk, c);
	t->sk = sk;
	return c;
}
