/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a server of ours listens: "9913" (loopback), "127.0.0.1:9913", "[::1]:9913", "unix:/path".
 */
#ifndef TLSFAIL_SYSTEM_LISTEN_H
#define TLSFAIL_SYSTEM_LISTEN_H

#include <sys/socket.h>
#include <sys/un.h>

struct listen_address {
	socklen_t len;
	union {
		struct sockaddr any;
		struct sockaddr_un local;
		struct sockaddr_storage storage;
	} addr;
};

/* -EINVAL: it is none of these; -ENAMETOOLONG: the path of a Unix socket. */
int listen_parse(const char *words, struct listen_address *address);

/*
 * Listens. Returns a descriptor, or a negative errno; -EADDRINUSE: another program does. A Unix
 * socket that nobody listens on any more is replaced; only root and its group may connect.
 */
int listen_open(const struct listen_address *address);

/* Closes it, and removes the file of a Unix socket. */
void listen_close(const struct listen_address *address, int fd);

#endif
