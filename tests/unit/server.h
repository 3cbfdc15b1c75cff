/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server on loopback, in a thread of the test: one connection after the other is given to what the test
 * wants to be done with it. After cmocka.h.
 */
#ifndef TLSFAIL_TEST_SERVER_H
#define TLSFAIL_TEST_SERVER_H

#include <stddef.h>

#include <openssl/ssl.h>

#include "probe/dial.h"

struct server;

/* Serves one connection. fd is closed behind it. */
typedef void server_serve(int fd, void *context);

/* Begins to serve, until it is stopped, which waits for the connection at hand. */
struct server *server_start(server_serve *serve, void *context);
void server_stop(struct server *server);

/* Where it listens. */
struct dial_peer server_peer(const struct server *server);

/* How many have come so far. */
unsigned int server_connections(const struct server *server);

/* Where nobody listens. */
struct dial_peer server_nobody(void);

/* -- what may be done with a connection -------------------------------------------------------- */

/* A handshake of libssl with the context, an SSL_CTX; then whatever comes is read until the client
 * closes. */
void server_tls(int fd, void *context);

/* Takes what comes until the client closes, and says nothing. */
void server_hang(int fd, void *context);

/* Closes at once, with a FIN; after the first bytes, with a FIN; after the first bytes, with an RST. */
void server_close(int fd, void *context);
void server_close_after(int fd, void *context);
void server_reset(int fd, void *context);

/* Sends zeros until the client has gone. */
void server_flood(int fd, void *context);

/* Takes the first bytes, answers with those of context, a struct server_bytes, and hangs. */
struct server_bytes {
	const void *data;
	size_t len;
};
void server_answer(int fd, void *context);

/* -- pieces of it ------------------------------------------------------------------------------ */

/* Sends, whether it is received or not. */
void server_say(int fd, const void *data, size_t len);

/* Reads exactly len bytes, or up to the end of a line with its "\n", and returns how many came. */
size_t server_read(int fd, void *buf, size_t len);
size_t server_read_line(int fd, char *buf, size_t size);

#endif
