// SPDX-License-Identifier: BSD-2-Clause
/*
 * Each wait is one that the end of the run ends.
 */
#include "output/sink_socket.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "output/sink.h"
#include "system/files.h"
#include "base/text.h"

#define CONNECT_MS 5000

static int fail(int *fd, int err)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return err;
}

static bool is_port(const char *s)
{
	long number = 0;

	for (const char *c = s; *c; c++) {
		if (*c < '0' || *c > '9' || number > 65535)
			return false;
		number = 10 * number + (*c - '0');
	}
	return number > 0 && number <= 65535;
}

/* Takes "HOST[:PORT]" apart. */
static bool address_take(const char *host, const char *default_port, struct sink_address *address)
{
	bool bracket = host[0] == '[';
	const char *end, *port;
	struct text t;

	host += bracket;
	end = host + strcspn(host, bracket ? "]" : ":");
	if (end == host || (bracket && *end != ']') || strpbrk(host, "/ "))
		return false;
	port = end + bracket;
	if (*port && *port != ':')
		return false;
	text_init(&t, address->host, sizeof(address->host));
	text_addf(&t, "%.*s", (int)(end - host), host);
	if (t.cut)
		return false;
	text_init(&t, address->port, sizeof(address->port));
	text_add(&t, *port ? port + 1 : default_port);
	return !t.cut && is_port(address->port);
}

int sink_address_parse(const char *target, const char *default_port, struct sink_address *address,
		       struct text *error)
{
	if (!strncmp(target, "//", 2) && address_take(target + 2, default_port, address))
		return 0;
	text_addf(error, "'%s' is not an address: use //HOST:PORT or //[ADDRESS]:PORT", target);
	return -EINVAL;
}

int sink_connect_unix(const char *path, int *fd, struct text *error)
{
	int err = files_own_connect(path, fd);

	if (err)
		text_addf(error, "cannot connect to %s: %s", path, strerror(-err));
	return err;
}

static int connect_one(const struct addrinfo *ai, int stop, int *fd)
{
	socklen_t len = sizeof(int);
	int err;

	*fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
		     ai->ai_protocol);
	if (*fd < 0)
		return -errno;
	if (connect(*fd, ai->ai_addr, ai->ai_addrlen) == 0)
		return 0;
	err = -errno;
	if (err == -EINPROGRESS)
		err = sink_wait(*fd, stop, POLLOUT, CONNECT_MS);
	if (!err && !getsockopt(*fd, SOL_SOCKET, SO_ERROR, &err, &len))
		err = -err;
	return err ? fail(fd, err) : 0;
}

int sink_connect_inet(const struct sink_address *address, int type, int stop, int *fd,
		      struct text *error)
{
	const struct addrinfo hints = { .ai_socktype = type, .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *list = NULL;
	int found, err = -EADDRNOTAVAIL;

	*fd = -1;
	found = getaddrinfo(address->host, address->port, &hints, &list);
	if (found) {
		text_addf(error, "cannot find the address of %s: %s", address->host,
			  gai_strerror(found));
		return -EHOSTUNREACH;
	}
	for (const struct addrinfo *ai = list; ai && err && err != -ECANCELED; ai = ai->ai_next)
		err = connect_one(ai, stop, fd);
	freeaddrinfo(list);
	if (err)
		text_addf(error, "cannot connect to %s port %s: %s", address->host, address->port,
			  strerror(-err));
	return err;
}

/* Skips what was sent. Returns how many parts are left. */
static size_t parts_skip(struct iovec **parts, size_t count, size_t sent)
{
	while (count && sent >= (*parts)->iov_len) {
		sent -= (*parts)->iov_len;
		(*parts)++;
		count--;
	}
	if (count) {
		(*parts)->iov_base = (char *)(*parts)->iov_base + sent;
		(*parts)->iov_len -= sent;
	}
	return count;
}

int sink_send_parts(int fd, int stop, struct iovec *parts, size_t count, int timeout_ms)
{
	while (count) {
		const struct msghdr message = { .msg_iov = parts, .msg_iovlen = count };
		ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);
		int err = n < 0 ? -errno : 0;

		if (err == -EAGAIN || err == -ENOBUFS)
			err = sink_wait(fd, stop, POLLOUT, timeout_ms);
		if (err)
			return err;
		if (n >= 0)
			count = parts_skip(&parts, count, (size_t)n);
	}
	return 0;
}
