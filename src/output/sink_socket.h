/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets of sinks: non-blocking, connected in bounded time, given up when the run ends. Errors are
 * negative errno values, with a sentence in error; *fd is then -1.
 */
#ifndef TLSFAIL_OUTPUT_SINK_SOCKET_H
#define TLSFAIL_OUTPUT_SINK_SOCKET_H

#include <stddef.h>
#include <sys/uio.h>

struct text;

#define SINK_HOST_LEN 256
#define SINK_PORT_LEN 8

struct sink_address {
	char host[SINK_HOST_LEN]; /* a name or an address, without brackets */
	char port[SINK_PORT_LEN]; /* decimal */
};

/* Takes "//HOST[:PORT]" apart, where HOST may be an IPv6 address in brackets. */
int sink_address_parse(const char *target, const char *default_port, struct sink_address *address,
		       struct text *error);

/* Connects to the Unix datagram socket path. */
int sink_connect_unix(const char *path, int *fd, struct text *error);

/* Connects to the address with a socket of that type (SOCK_STREAM, SOCK_DGRAM). stop is that of the
 * sink's options. Looking up a name may take the resolver's time, which nothing ends. */
int sink_connect_inet(const struct sink_address *address, int type, int stop, int *fd,
		      struct text *error);

/* Sends all that the parts hold, as one message where the socket has messages, waiting for room
 * timeout_ms at most. The parts are used up. */
int sink_send_parts(int fd, int stop, struct iovec *parts, size_t count, int timeout_ms);

#endif
