/* SPDX-License-Identifier: BSD-2-Clause */
/* A server on loopback: see server.h. */
#define _GNU_SOURCE /* accept4() */
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "server.h"

struct server {
	int fd;
	pthread_t thread;
	struct dial_peer peer;
	server_serve *serve;
	void *context;
	atomic_uint connections;
};

/* A socket that is bound to a port of its own on 127.0.0.1. */
static int socket_bind(struct dial_peer *peer)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*peer = (struct dial_peer){ .len = sizeof(in) };
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&peer->addr, &peer->len), 0);
	return fd;
}

static void *server_main(void *argument)
{
	struct server *server = argument;
	int fd;

	while ((fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		atomic_fetch_add(&server->connections, 1);
		server->serve(fd, server->context);
		close(fd);
	}
	return NULL;
}

struct server *server_start(server_serve *serve, void *context)
{
	struct server *server = calloc(1, sizeof(*server));

	assert_non_null(server);
	/* Clients go away. */
	signal(SIGPIPE, SIG_IGN);
	server->serve = serve;
	server->context = context;
	server->fd = socket_bind(&server->peer);
	assert_int_equal(listen(server->fd, 8), 0);
	assert_int_equal(pthread_create(&server->thread, NULL, server_main, server), 0);
	return server;
}

void server_stop(struct server *server)
{
	/* accept() returns with an error then. */
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->fd);
	free(server);
}

struct dial_peer server_peer(const struct server *server)
{
	return server->peer;
}

unsigned int server_connections(const struct server *server)
{
	return atomic_load(&server->connections);
}

struct dial_peer server_nobody(void)
{
	struct dial_peer peer;

	/* Who connects to a port that was free a moment ago is refused. */
	close(socket_bind(&peer));
	return peer;
}

/* -- what may be done with a connection -------------------------------------------------------- */

void server_say(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		at += n;
		len -= (size_t)n;
	}
}

size_t server_read(int fd, void *buf, size_t len)
{
	ssize_t n = recv(fd, buf, len, MSG_WAITALL);

	return n > 0 ? (size_t)n : 0;
}

size_t server_read_line(int fd, char *buf, size_t size)
{
	size_t len = 0;

	while (len + 1 < size && recv(fd, buf + len, 1, 0) == 1)
		if (buf[len++] == '\n')
			break;
	buf[len] = '\0';
	return len;
}

static void first_take(int fd)
{
	char buf[16384];

	recv(fd, buf, sizeof(buf), 0);
}

void server_tls(int fd, void *context)
{
	SSL *ssl = SSL_new(context);
	char buf[512];

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1)
		while (SSL_read(ssl, buf, sizeof(buf)) > 0)
			;
	SSL_free(ssl);
	ERR_clear_error();
}

void server_hang(int fd, void *context)
{
	char buf[16384];

	(void)context;
	while (recv(fd, buf, sizeof(buf), 0) > 0)
		;
}

void server_close(int fd, void *context)
{
	(void)fd;
	(void)context;
}

void server_close_after(int fd, void *context)
{
	(void)context;
	first_take(fd);
}

void server_reset(int fd, void *context)
{
	const struct linger at_once = { .l_onoff = 1 };

	(void)context;
	first_take(fd);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

void server_flood(int fd, void *context)
{
	static const char zeros[16384];

	(void)context;
	first_take(fd);
	while (send(fd, zeros, sizeof(zeros), MSG_NOSIGNAL) > 0)
		;
}

void server_answer(int fd, void *context)
{
	const struct server_bytes *bytes = context;

	first_take(fd);
	server_say(fd, bytes->data, bytes->len);
	server_hang(fd, NULL);
}
