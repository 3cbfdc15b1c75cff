// SPDX-License-Identifier: BSD-2-Clause
/*
 * A socket that does not block, and poll(2) with what is left of the time.
 */
#define _GNU_SOURCE /* POLLRDHUP, ppoll() */
#include "probe/dial.h"
#include "system/clock.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* In which the RST comes that a kernel answers bytes for a closed socket with, after its FIN. */
#define RESET_WAIT_NS (50 * NS_PER_MS)

/* An error of a call, which may be that of this host. Returns it as a negative number. */
static int failure(struct dial *d, int err)
{
	static const int ours[] = { ENOMEM, ENOBUFS, EMFILE, ENFILE, EADDRNOTAVAIL };

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (err == ours[i])
			d->failed = err;
	return -err;
}

static uint64_t dial_limit(const struct dial *d)
{
	return d->wait_until && d->wait_until < d->deadline ? d->wait_until : d->deadline;
}

/* Waits for events. -ETIMEDOUT: none came in time; -EINTR: a signal did. Whoever wants to be interrupted
 * here, and nowhere else, has his signals blocked. */
static int dial_wait(struct dial *d, short events, uint64_t limit)
{
	struct pollfd poll_fd = { .fd = d->fd, .events = events };
	sigset_t none;

	sigemptyset(&none);
	for (;;) {
		uint64_t now = clock_monotonic();
		uint64_t left = now < limit ? limit - now : 0;
		bool ticks = d->patience.tick && left > NS_PER_S;
		struct timespec t = clock_timespec(ticks ? NS_PER_S : left);
		int ret = ppoll(&poll_fd, 1, &t, &none);

		if (ret > 0)
			return 0;
		if (ret < 0) {
			d->interrupted = errno == EINTR;
			return failure(d, errno);
		}
		if (ticks)
			d->patience.tick(d->patience.context);
		if (!left) {
			d->expired |= now >= d->deadline;
			return -ETIMEDOUT;
		}
	}
}

/* Of IPv4 or IPv6, which is all that can be connected to. */
static void address_note(const struct sockaddr_storage *from, uint8_t addr[16], uint16_t *port)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (from->ss_family == AF_INET) {
		memcpy(&in, from, sizeof(in));
		memcpy(addr, &in.sin_addr, sizeof(in.sin_addr));
		*port = ntohs(in.sin_port);
	} else {
		memcpy(&in6, from, sizeof(in6));
		memcpy(addr, &in6.sin6_addr, sizeof(in6.sin6_addr));
		*port = ntohs(in6.sin6_port);
	}
}

static int dial_connect(struct dial *d, const struct dial_peer *peer)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (!connect(d->fd, (const struct sockaddr *)&peer->addr, peer->len))
		return 0;
	if (errno != EINPROGRESS)
		return failure(d, errno);
	err = dial_wait(d, POLLOUT, d->deadline);
	if (err)
		return err;
	if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &err, &len))
		err = errno;
	return failure(d, err);
}

int dial_open(struct dial *d, const struct dial_peer *peer, const struct dial_patience *patience)
{
	struct sockaddr_storage local = { 0 };
	socklen_t len = sizeof(local);
	int err;

	memset(d, 0, sizeof(*d));
	d->patience = *patience;
	d->conn.family = peer->addr.ss_family;
	d->conn.role = TLSFAIL_ROLE_CLIENT;
	d->conn.flags = TLSFAIL_F_CONNECT;
	d->conn.pid = (uint32_t)getpid();
	memcpy(d->conn.comm, "tlsfail", sizeof("tlsfail"));
	address_note(&peer->addr, d->conn.raddr, &d->conn.rport);
	d->conn.t_start = clock_monotonic();
	d->deadline = d->conn.t_start + patience->timeout_ns;
	d->fd = socket(peer->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (d->fd < 0)
		return failure(d, errno);
	err = dial_connect(d, peer);
	/* whoever has it asked knows that it is to speak TLS */
	if (err == -ECONNREFUSED)
		d->conn.flags |= TLSFAIL_F_REFUSED | TLSFAIL_F_PEER_DID_TLS;
	if (err)
		return err;
	d->conn.flags |= TLSFAIL_F_ESTABLISHED;
	d->conn.t_established = clock_monotonic();
	if (!getsockname(d->fd, (struct sockaddr *)&local, &len))
		address_note(&local, d->conn.laddr, &d->conn.lport);
	return 0;
}

/* -- what is noted of the bytes ---------------------------------------------------------------- */

static void flight_note(struct tlsfail_conn *c, uint8_t dir, size_t len, uint64_t now)
{
	struct tlsfail_flight *last = NULL;

	if (c->flight_count)
		last = &c->flights[(c->flight_count < TLSFAIL_FLIGHTS_MAX ? c->flight_count
									  : TLSFAIL_FLIGHTS_MAX) -
				   1];
	if (!last || last->dir != dir) {
		c->flight_count++;
		last = &c->flights[(c->flight_count < TLSFAIL_FLIGHTS_MAX ? c->flight_count
									  : TLSFAIL_FLIGHTS_MAX) -
				   1];
		*last = (struct tlsfail_flight){ .t_us = (uint32_t)((now - c->t_start) / 1000),
						 .dir = dir };
	}
	last->len += (uint32_t)len;
}

static void bytes_keep(struct dial *d, uint8_t dir, const void *data, size_t len)
{
	size_t room = TLSFAIL_WIRE_CAP - d->kept[dir];
	size_t n = len < room ? len : room;

	memcpy(d->bytes[dir] + d->kept[dir], data, n);
	d->kept[dir] += n;
	if (n < len)
		d->conn.flags |= TLSFAIL_F_WIRE_CUT;
}

static void head_copy(uint8_t head[TLSFAIL_HEAD_LEN], const void *data, size_t len)
{
	memset(head, 0, TLSFAIL_HEAD_LEN);
	memcpy(head, data, len < TLSFAIL_HEAD_LEN ? len : TLSFAIL_HEAD_LEN);
}

static void sent_note(struct dial *d, const void *data, size_t len)
{
	struct tlsfail_conn *c = &d->conn;
	uint64_t now = clock_monotonic();

	c->t_last_io = now;
	c->last_dir = TLSFAIL_DIR_SENT;
	if (c->t_done) {
		c->post_tx_bytes += len;
		return;
	}
	c->flags |= TLSFAIL_F_TLS;
	if (!c->t_first_tx) {
		c->t_first_tx = now;
		c->first_tx_len = (uint32_t)len;
	}
	c->tx_bytes += len;
	c->last_ret = (int32_t)len;
	c->last_tx_len = (uint32_t)len;
	head_copy(c->last_tx, data, len);
	flight_note(c, TLSFAIL_DIR_SENT, len, now);
	bytes_keep(d, TLSFAIL_DIR_SENT, data, len);
}

static void received_note(struct dial *d, const void *data, size_t len)
{
	struct tlsfail_conn *c = &d->conn;
	uint64_t now = clock_monotonic();

	c->t_last_io = now;
	c->last_dir = TLSFAIL_DIR_RECEIVED;
	if (c->t_done) {
		c->post_rx_bytes += len;
		flight_note(c, TLSFAIL_DIR_RECEIVED, len, now);
		return;
	}
	if (!c->t_first_rx) {
		c->t_first_rx = now;
		c->first_rx_kept = (uint32_t)(len < TLSFAIL_HEAD_LEN ? len : TLSFAIL_HEAD_LEN);
		head_copy(c->first_rx, data, len);
	}
	c->rx_bytes += len;
	c->last_ret = (int32_t)len;
	c->last_rx_len = (uint32_t)len;
	head_copy(c->last_rx, data, len);
	flight_note(c, TLSFAIL_DIR_RECEIVED, len, now);
	bytes_keep(d, TLSFAIL_DIR_RECEIVED, data, len);
}

static void reset_note(struct dial *d)
{
	d->conn.flags |= TLSFAIL_F_PEER_RST;
	if (!d->conn.t_peer_rst)
		d->conn.t_peer_rst = clock_monotonic();
}

/* Has the peer closed before we said a word? */
static void early_fin_note(struct dial *d)
{
	struct pollfd poll_fd = { .fd = d->fd, .events = POLLRDHUP };
	char byte;

	if (d->conn.t_first_tx || poll(&poll_fd, 1, 0) <= 0 || !(poll_fd.revents & POLLRDHUP))
		return;
	if (recv(d->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0)
		return;
	/* An RST that follows hides it from whoever reads later. */
	d->conn.flags |= TLSFAIL_F_FIN_BEFORE_TX | TLSFAIL_F_PEER_FIN;
	d->conn.t_peer_fin = clock_monotonic();
}

/* -- bytes ------------------------------------------------------------------------------------- */

int dial_send(struct dial *d, const void *data, size_t len)
{
	const char *at = data;
	size_t left = len;

	if (d->tls)
		early_fin_note(d);
	while (left) {
		ssize_t n = send(d->fd, at, left, MSG_NOSIGNAL);
		int err = n < 0 ? errno : 0;

		if (err == EAGAIN) {
			err = -dial_wait(d, POLLOUT, dial_limit(d));
			if (!err)
				continue;
		}
		if (err == EPIPE || err == ECONNRESET)
			reset_note(d);
		if (err)
			return failure(d, err);
		at += n;
		left -= (size_t)n;
	}
	if (d->tls)
		sent_note(d, data, len);
	return 0;
}

/* After a FIN: does an RST follow? Then nobody read what we had sent. */
static void fin_note(struct dial *d)
{
	uint64_t limit = clock_monotonic() + RESET_WAIT_NS;
	struct pollfd poll_fd = { .fd = d->fd };

	if (!(d->conn.flags & TLSFAIL_F_PEER_FIN))
		d->conn.t_peer_fin = clock_monotonic();
	d->conn.flags |= TLSFAIL_F_PEER_FIN;
	if (d->conn.rx_bytes || !d->conn.t_first_tx)
		return;
	while (clock_monotonic() < limit)
		if (poll(&poll_fd, 1, 5) > 0 && poll_fd.revents & (POLLERR | POLLHUP)) {
			reset_note(d);
			return;
		}
}

ssize_t dial_receive(struct dial *d, void *buf, size_t size)
{
	for (;;) {
		ssize_t n = recv(d->fd, buf, size, 0);
		int err = n < 0 ? errno : 0;

		if (err == EAGAIN) {
			err = -dial_wait(d, POLLIN, dial_limit(d));
			if (err)
				return -err;
			continue;
		}
		if (err == ECONNRESET)
			reset_note(d);
		if (err)
			return failure(d, err);
		if (n == 0) {
			fin_note(d);
			return 0;
		}
		d->bytes_read += (size_t)n;
		if (d->tls)
			received_note(d, buf, (size_t)n);
		return d->bytes_read > DIAL_BYTES_MAX ? -EMSGSIZE : n;
	}
}

void dial_finish(struct dial *d)
{
	struct tlsfail_conn *c = &d->conn;
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	if (d->fd >= 0 && !getsockopt(d->fd, IPPROTO_TCP, TCP_INFO, &info, &len)) {
		c->tcp_bytes_acked = info.tcpi_bytes_acked;
		c->tcp_bytes_received = info.tcpi_bytes_received;
		c->tcp_bytes_sent = info.tcpi_bytes_sent;
		c->tcp_srtt_us = info.tcpi_rtt * 8;
		c->tcp_retransmits = info.tcpi_total_retrans;
	}
	c->t_close = clock_monotonic();
	/* The time that was up, and not when the scheduler let us see it. */
	if (d->expired && c->t_close > d->deadline)
		c->t_close = d->deadline;
	if (!(c->flags & (TLSFAIL_F_PEER_FIN | TLSFAIL_F_PEER_RST)) &&
	    c->flags & TLSFAIL_F_ESTABLISHED)
		c->flags |= TLSFAIL_F_LOCAL_FIN;
}

void dial_close(struct dial *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}
