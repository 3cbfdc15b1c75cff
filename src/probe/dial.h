/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection to a peer that may do anything: bounded in time and in bytes, and all that happens on
 * it noted down as the tracer would note it, so that the same rules say what it means.
 */
#ifndef TLSFAIL_PROBE_DIAL_H
#define TLSFAIL_PROBE_DIAL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "tls/wire.h"
#include "tlsfail_abi.h"

/* What is read of a connection at most: a chain of 100 KiB (OpenSSL's own limit) and its handshake. */
#define DIAL_BYTES_MAX (256U << 10)

/* What one answer may take, of what is said before TLS begins. */
#define DIAL_LINE_MAX 512

struct dial_peer {
	struct sockaddr_storage addr;
	socklen_t len;
};

/* How long it may take, and who wants to know that it still does. */
struct dial_patience {
	uint64_t timeout_ns;
	/* Called about once a second while it waits; NULL: nobody wants to know. */
	void (*tick)(void *context);
	void *context;
};

struct dial {
	int fd;
	struct dial_patience patience;
	uint64_t deadline;   /* CLOCK_MONOTONIC, ns */
	uint64_t wait_until; /* of dial_settle(); 0: the deadline counts */
	size_t bytes_read;
	bool tls; /* what goes over it now belongs to the handshake */
	bool expired;
	/* In either case what it looks like now says nothing about the peer: */
	bool interrupted; /* by a signal */
	int failed;	  /* errno of what could not be done here; 0: all could */
	struct tlsfail_conn conn;
	size_t kept[TLSFAIL_DIR_RECEIVED + 1]; /* of bytes */
	uint8_t bytes[TLSFAIL_DIR_RECEIVED + 1][TLSWIRE_MAX];
};

/* Can nothing be said of the peer by what came of it? */
static inline bool dial_is_void(const struct dial *d)
{
	return d->interrupted || d->failed;
}

/*
 * Connects, within the patience for all of it. Returns 0 or a negative errno, -ETIMEDOUT among them; *d is to be
 * closed even then.
 */
int dial_open(struct dial *d, const struct dial_peer *peer, const struct dial_patience *patience);

/*
 * Sends all, or receives what is there, waiting for it. 0 from dial_receive(): the peer closed.
 * Negative: -ETIMEDOUT; -EMSGSIZE: it has sent DIAL_BYTES_MAX; -ECONNRESET and others of the socket.
 */
int dial_send(struct dial *d, const void *data, size_t len);
ssize_t dial_receive(struct dial *d, void *buf, size_t size);

/* Fills in what only the end tells: counters of TCP, who closed, and when. */
void dial_finish(struct dial *d);

/* Closes the socket. Harmless when done twice. */
void dial_close(struct dial *d);

#endif
