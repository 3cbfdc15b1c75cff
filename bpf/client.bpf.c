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

/* In TLS 1.3 the client is done with its Finished, the first that it encrypts; before, when both sides
 * have sent theirs, or at the latest with application data. */
__hidden bool client_is_done(const struct connection *e)
{
	const struct stream *tx = &e->streams[TLSFAIL_DIR_SENT];
	const struct stream *rx = &e->streams[TLSFAIL_DIR_RECEIVED];

	return e->c.rx_bytes && (tx->protected || (tx->finished && rx->finished));
}

/* Looks at the record headers (in clear, RFC 8446 section 5.1) of what came after the handshake.
 * True: application data came, or it cannot be told, so the connection is no failure. */
static __noinline bool answer_came(struct tlsfail_conn *c, __u32 len, __u64 buf)
{
	bool tls13 = client_flight_is_tls13(c);
	__u32 at = 0;
	int i;

	c->post_rx_bytes += len;
	if (c->post_rx_bytes > TICKETS_MAX_LEN)
		return true;
	for (i = 0; i < WATCH_RECORDS_MAX; i++) {
		__u8 header[RECORD_HEADER_LEN];
		__u32 body, n;

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
		at += sizeof(header);
		body = header[3] << 8 | header[4];
		c->post_skip = body;
		if (header[0] != RECORD_APPLICATION_DATA)
			continue;
		if (!tls13)
			return true;
		if (body == RECORD_TLS13_ALERT_LEN)
			continue;
		n = c->post_rx_records++;
		if (n >= 2)
			return true;
		c->post_rx_len[n & (TLSFAIL_POST_RX - 1)] = body;
	}
	return true;
}

__hidden int client_io(const struct sock *sk, struct tlsfail_conn *c, int ret, __u32 dir, __u64 buf)
{
	if (dir == TLSFAIL_DIR_RECEIVED) {
		if (!buf || answer_came(c, ret, buf))
			conn_succeed(sk, c);
		return 0;
	}
	if (is_alert(buf)) {
		if (!(c->flags & (TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_RST)))
			c->flags |= TLSFAIL_F_LOCAL_NOTIFY;
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

/*
 * Whether what came after the handshake is no answer. In TLS 1.3 session tickets come in records
 * that look like application data. Two of equal length, and nothing else, are OpenSSL's tickets
 * (SSL_CTX_set_num_tickets defaults to 2); a single record may be a short answer, so it is taken
 * for one: better a failure untold than a success called a failure.
 */
static __always_inline bool no_answer(const struct tlsfail_conn *c)
{
	/* Bytes that nobody here has read, or that another thread read, may be the answer, unless
	 * they are too few for more than an alert. */
	if (c->tcp_bytes_received > c->rx_bytes + c->post_rx_bytes + UNREAD_ALERT_MAX)
		return false;
	if (!c->post_rx_records)
		return true;
	return client_flight_is_tls13(c) && c->post_rx_records == 2 &&
	       c->post_rx_len[0] == c->post_rx_len[1];
}

__hidden bool client_failed(struct tlsfail_conn *c)
{
	const __u64 *plain = connection_of(c)->plain;
	__u32 peer_closed = c->flags & (TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_RST);

	if (!(c->flags & TLSFAIL_F_ESTABLISHED) && c->flags & TLSFAIL_F_CONNECT)
		return c->flags & TLSFAIL_F_REFUSED;
	/* Closed before anything was said, and seen from its connect on: as with a refusal, TLS may
	 * have been meant. */
	if (!(c->flags & TLSFAIL_F_TLS))
		return peer_closed && c->flags & TLSFAIL_F_CONNECT && !plain[0] && !plain[1];
	if (!(c->flags & TLSFAIL_F_DONE))
		return true;
	if (c->error_count || c->flags & TLSFAIL_F_HOST_REFUSED)
		return true;
	if (c->flags & TLSFAIL_F_VERIFY_ASKED && c->verify_code)
		return true;
	/* A FIN before any request may end an idle connection; a reset refuses. */
	if (!peer_closed || c->flags & TLSFAIL_F_LOCAL_NOTIFY ||
	    !(c->post_tx_bytes || c->flags & TLSFAIL_F_PEER_RST))
		return false;
	return no_answer(c);
}
