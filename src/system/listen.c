// SPDX-License-Identifier: BSD-2-Clause
/*
 * Addresses are numeric: what is listened on does not depend on a name server.
 */
#include "system/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define UNIX_PREFIX "unix:"
#define BACKLOG	    64

static int parse_unix(const char *path, struct listen_address *a)
{
	size_t len = strlen(path);

	if (*path != '/')
		return -EINVAL;
	if (len >= sizeof(a->addr.local.sun_path))
		return -ENAMETOOLONG;
	a->addr.local.sun_family = AF_UNIX;
	memcpy(a->addr.local.sun_path, path, len + 1);
	a->len = sizeof(a->addr.local);
	return 0;
}

static int parse_port(const char *words, in_port_t *port)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(words, &end, 10);
	if (*words < '0' || *words > '9' || *end || errno || !n || n > UINT16_MAX)
		return -EINVAL;
	*port = htons((uint16_t)n);
	return 0;
}

int listen_parse(const char *words, struct listen_address *a)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a->addr.storage;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&a->addr.storage;
	const char *colon = strrchr(words, ':');
	const char *port = colon ? colon + 1 : words;
	char host[INET6_ADDRSTRLEN + 2];
	struct text t;

	*a = (struct listen_address){ 0 };
	if (!strncmp(words, UNIX_PREFIX, strlen(UNIX_PREFIX)))
		return parse_unix(words + strlen(UNIX_PREFIX), a);
	text_init(&t, host, sizeof(host));
	text_addf(&t, "%.*s", colon ? (int)(colon - words) : 0, words);
	if (*host == '[' && host[t.len - 1] == ']') {
		host[t.len - 1] = '\0';
		v6->sin6_family = AF_INET6;
		a->len = sizeof(*v6);
		return inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1
			       ? parse_port(port, &v6->sin6_port)
			       : -EINVAL;
	}
	v4->sin_family = AF_INET;
	v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a->len = sizeof(*v4);
	if (t.len && inet_pton(AF_INET, host, &v4->sin_addr) != 1)
		return -EINVAL;
	return parse_port(port, &v4->sin_port);
}

/* The file of a Unix socket stays when its program dies: does anybody still listen there? */
static bool is_abandoned(const struct listen_address *a)
{
	struct stat st;
	bool refused;
	int fd;

	if (lstat(a->addr.local.sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	refused = connect(fd, &a->addr.any, a->len) && errno == ECONNREFUSED;
	close(fd);
	return refused;
}

static int address_bind(const struct listen_address *a, int fd)
{
	const int yes = 1;
	mode_t old;
	int err;

	if (a->addr.any.sa_family != AF_UNIX) {
		/* Connections of a tlsfail that has ended may still linger. */
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
		if (a->addr.any.sa_family == AF_INET6)
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
		return bind(fd, &a->addr.any, a->len) ? -errno : 0;
	}
	if (is_abandoned(a))
		unlink(a->addr.local.sun_path);
	old = umask(0117);
	err = bind(fd, &a->addr.any, a->len) ? -errno : 0;
	umask(old);
	return err;
}

int listen_open(const struct listen_address *a)
{
	int fd = socket(a->addr.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = address_bind(a, fd);
	if (!err && listen(fd, BACKLOG))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

void listen_close(const struct listen_address *a, int fd)
{
	close(fd);
	if (a->addr.any.sa_family == AF_UNIX)
		unlink(a->addr.local.sun_path);
}
