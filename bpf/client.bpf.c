// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The client's policy: when a handshake is done, what an answer is, what a failure.
 */
#include "client.bpf.h"

/* No server's session tickets are larger together; anything longer is application data. */
#define TICKETS_MAX_LEN 8192

/* More records than this in one read are application data for sure. */
#define WATCH_RECORDS_MAX 8

/* An encrypted alert record of TLS 1.2 (5 + 8 + 2 + 16) and a FIN, which the kernel counts as one
 * byte (tcp_rcv_nxt_update). The shortest HTTP answer makes a record of 41 bytes. */
#define UNREAD_ALERT_MAX 32

/* A FIN this soon after the handshake is about the handshake, and no end of a connection that idles. */
#define AT_ONCE_NS 1000000000ULL

/* A SYN is sent again after a second (TCP_TIMEOUT_INIT), and nobody who means to wait waits less. */
#define SYN_PATIENCE_NS 900000000ULL

#define PORT_HTTPS 443

#define PEER_CLOSED (TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_RST | TLSFAIL_F_PEER_NOTIFY)

/* Of a longer one a server may answer the beginning. */
#define REQUEST_MAX_LEN 16384

/* What came after the handshake. */
enum answer {
	ANSWER_NONE,
	ANSWER_UNSURE,
	ANSWER_CAME,
};

static __always_inline __u32 without(__u32 all, __u64 part)
{
	return all > part ? all - part : 0;
}

/* In TLS 1.3 the client is done with its Finished, the first that it encrypts; before, when both sides
 * have sent theirs, or at the latest with application data. */
__hidden bool client_is_done(const struct connection *e)
{
	const struct stream *tx = &e->streams[TLSFAIL_DIR_SENT];
	const struct stream *rx = &e->streams[TLSFAIL_DIR_RECEIVED];

	return e->c.rx_bytes && (tx->protected || (tx->finished && rx->finished));
}

/* A close_notify, or the alert of a refusal. */
static __always_inline void notify_sent(struct tlsfail_conn *c)
{
	if (!(c->flags & PEER_CLOSED))
		c->flags |= TLSFAIL_F_LOCAL_NOTIFY;
}

/* With shutdown(2), before the socket is closed. */
static __always_inline bool has_shut_down(const struct sock *sk)
{
	__u8 state = BPF_CORE_READ(sk, __sk_common.skc_state);

	return state != TCP_ESTABLISHED && state != TCP_CLOSE_WAIT;
}

/* The alert of an error is one that the TLS library raises an error for. */
static __always_inline void peer_notified(const struct sock *sk, struct tlsfail_conn *c)
{
	struct connection *e = connection_of(c);

	if (e->t_notify || c->flags & TLSFAIL_F_LOCAL_NOTIFY || has_shut_down(sk))
		return;
	e->t_notify = bpf_ktime_get_ns();
	c->flags |= TLSFAIL_F_PEER_NOTIFY;
}

/* With its last flight, as programs send it that keep their bytes themselves and have no use for the peer. */
__hidden void client_finished(struct tlsfail_conn *c)
{
	if (connection_of(c)->streams[TLSFAIL_DIR_SENT].alert)
		notify_sent(c);
}

/* Looks at the record headers (in clear, RFC 8446 section 5.1) of what came after the handshake.
 * True: application data came, or it cannot be told, so the connection is no failure. A server of TLS 1.3
 * has no word for the client before that has finished, only tickets (Go's library sends them so). */
static __noinline bool answer_came(const struct sock *sk, struct tlsfail_conn *c, __u32 len,
				   __u64 buf)
{
	__u32 there = without(connection_of(c)->there, c->post_rx_bytes);
	bool tls13 = client_flight_is_tls13(c);
	__u32 at = 0;
	int i;

	c->post_rx_bytes += len;
	if (c->post_rx_bytes > TICKETS_MAX_LEN)
		return true;
	for (i = 0; i < WATCH_RECORDS_MAX; i++) {
		__u8 header[RECORD_HEADER_LEN];
		__u32 body, begin, n;

		if (c->post_skip) {
			n = len - at < c->post_skip ? len - at : c->post_skip;
			c->post_skip -= n;
			at += n;
		}
		if (at >= len)
			return false;
		if (len - at < sizeof(header) ||
		    bpf_probe_read_user(header, sizeof(header), (const void *)(buf + at)))
			return true;
		begin = at;
		at += sizeof(header);
		body = header[3] << 8 | header[4];
		c->post_skip = body;
		if (record_is_alert(header))
			peer_notified(sk, c);
		if (header[0] != RECORD_APPLICATION_DATA)
			continue;
		if (!tls13)
			return true;
		if (body == RECORD_TLS13_ALERT_LEN)
			continue;
		if (begin < there) {
			connection_of(c)->tickets = 1;
			continue;
		}
		n = c->post_rx_records++;
		if (n >= 2 || connection_of(c)->tickets)
			return true;
		c->post_rx_len[n & (TLSFAIL_POST_RX - 1)] = body;
	}
	return true;
}

__hidden int client_io(const struct sock *sk, struct tlsfail_conn *c, int ret, __u32 dir, __u64 buf)
{
	if (dir == TLSFAIL_DIR_RECEIVED) {
		if (!buf || answer_came(sk, c, ret, buf))
			conn_succeed(sk, c);
		return 0;
	}
	if (is_clients_alert(c, buf)) {
		notify_sent(c);
		return 0;
	}
	/* The next request of a connection that has answered one. */
	if (c->t_request && c->post_rx_records) {
		conn_succeed(sk, c);
		return 0;
	}
	if (!c->t_request)
		c->t_request = bpf_ktime_get_ns();
	c->post_tx_bytes += ret;
	return 0;
}

/* Bytes after the handshake that the program has not read, as far as they may be more than an alert:
 * tickets, or an answer. */
static __always_inline bool is_answer_unread(const struct tlsfail_conn *c)
{
	return c->tcp_bytes_received > c->rx_bytes + c->post_rx_bytes + UNREAD_ALERT_MAX;
}

/* When the peer closed, 0: it did not, but for a reset. */
static __always_inline __u64 t_peer_closed(const struct tlsfail_conn *c)
{
	__u64 t_notify = ((const struct connection *)c)->t_notify;

	return t_notify ? t_notify : c->t_peer_fin;
}

/* Had the peer no request to answer when it closed? It resets a connection of which it has not read all. */
static __always_inline bool is_unasked(const struct tlsfail_conn *c)
{
	__u64 t_closed = t_peer_closed(c);

	if (!c->post_tx_bytes || (t_closed && t_closed <= c->t_request))
		return true;
	return c->flags & TLSFAIL_F_PEER_RST && c->post_tx_bytes <= REQUEST_MAX_LEN;
}

/*
 * In TLS 1.3 session tickets come in records that look like application data. Two of equal length, and
 * nothing else, are OpenSSL's tickets (SSL_CTX_set_num_tickets defaults to 2). What else there is, a
 * single one or some that were not read, may be an answer, unless there was nothing to answer.
 */
static __always_inline enum answer answer_of(const struct tlsfail_conn *c)
{
	bool unread = is_answer_unread(c);

	if (c->post_rx_records >= 2)
		return c->post_rx_records == 2 && c->post_rx_len[0] == c->post_rx_len[1] && !unread
			       ? ANSWER_NONE
			       : ANSWER_CAME;
	if (!unread && !c->post_rx_records)
		return ANSWER_NONE;
	if (client_flight_is_tls13(c) && is_unasked(c))
		return ANSWER_NONE;
	return !unread && peer_sends_tickets(c) ? ANSWER_NONE : ANSWER_UNSURE;
}

/* Closed by the peer after a request, or as soon as the handshake was done: a FIN later ends an idle
 * connection, a reset refuses. */
static __always_inline bool is_turned_away(const struct tlsfail_conn *c)
{
	__u64 t_closed = t_peer_closed(c);

	if (c->flags & TLSFAIL_F_LOCAL_NOTIFY)
		return false;
	if (c->flags & TLSFAIL_F_PEER_RST)
		return true;
	return t_closed && (c->post_tx_bytes || t_closed < c->t_done + AT_ONCE_NS);
}

/* Does more than its end tell that it failed? */
static __always_inline bool is_refused_here(const struct tlsfail_conn *c)
{
	return c->error_count || c->flags & TLSFAIL_F_HOST_REFUSED ||
	       (c->flags & TLSFAIL_F_VERIFY_ASKED && c->verify_code);
}

/* TCP was not connected: refused, or failed as the error says; or the SYN was not answered for so long that
 * it was sent again. Who tries several addresses at once gives up the others sooner. */
static __always_inline bool is_unconnected(const struct tlsfail_conn *c)
{
	if (c->flags & TLSFAIL_F_REFUSED)
		return true;
	return !(c->flags & TLSFAIL_F_EXITING) && (c->last_ret < 0 || c->tcp_retransmits ||
						   c->t_close - c->t_start >= SYN_PATIENCE_NS);
}

/* Closed here at once, without a request; be it that the program ends, as one does that does not like the peer. */
static __always_inline bool is_unused(const struct tlsfail_conn *c, __u64 t_ready)
{
	return c->flags & (TLSFAIL_F_LOCAL_FIN | TLSFAIL_F_LOCAL_NOTIFY) && !c->t_request &&
	       t_ready && c->t_close - t_ready < AT_ONCE_NS;
}

static __always_inline enum client_end ended_after(const struct tlsfail_conn *c)
{
	if (is_refused_here(c))
		return CLIENT_FAILED;
	if (!is_turned_away(c))
		return is_unused(c, c->t_done) ? CLIENT_UNUSED : CLIENT_WELL;
	switch (answer_of(c)) {
	case ANSWER_NONE:
		return CLIENT_FAILED;
	case ANSWER_UNSURE:
		return CLIENT_UNSURE;
	case ANSWER_CAME:
		break;
	}
	return CLIENT_WELL;
}

/* Of plain text that was not answered: by a server of TLS? */
static __always_inline enum client_end plain_ended(struct tlsfail_conn *c)
{
	const __u64 *plain = connection_of(c)->plain;

	if (!(c->flags & (TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_RST)) ||
	    plain[TLSFAIL_DIR_RECEIVED] ||
	    !(c->flags & TLSFAIL_F_PEER_DID_TLS || c->rport == PORT_HTTPS))
		return CLIENT_WELL;
	c->flags |= TLSFAIL_F_PLAIN;
	return CLIENT_UNUSED;
}

__hidden enum client_end client_ended(struct tlsfail_conn *c)
{
	__u32 peer_closed = c->flags & (TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_RST);
	const __u64 *plain = connection_of(c)->plain;
	bool silent = !plain[0] && !plain[1];

	if (!(c->flags & TLSFAIL_F_ESTABLISHED) && c->flags & TLSFAIL_F_CONNECT)
		return is_unconnected(c) ? CLIENT_FAILED : CLIENT_WELL;
	if (c->flags & TLSFAIL_F_TLS)
		return c->flags & TLSFAIL_F_DONE ? ended_after(c) : CLIENT_FAILED;
	/* Closed before anything was said, and seen from its connect on: as with a refusal, TLS may
	 * have been meant. */
	if (!(c->flags & TLSFAIL_F_CONNECT))
		return CLIENT_WELL;
	if (!silent)
		return plain_ended(c);
	if (peer_closed)
		return CLIENT_FAILED;
	return is_unused(c, c->t_established) && !(c->flags & TLSFAIL_F_EXITING) ? CLIENT_UNUSED
										 : CLIENT_WELL;
}
