// SPDX-License-Identifier: BSD-2-Clause
/*
 * /proc/net/tcp and tcp6, as ss(8) reads them where it has no netlink.
 */
#include "probe/listeners.h"

#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_LISTEN 0x0a /* include/net/tcp_states.h */
#define PORTS_MAX    64

struct ports {
	uint16_t items[PORTS_MAX];
	size_t count;
};

/* Is the address one of this host? The route to it then begins there, too. No packet is sent. */
static bool is_ours(const struct dial_peer *peer)
{
	struct sockaddr_storage local = { 0 };
	socklen_t len = sizeof(local);
	const struct sockaddr_in *in = (const struct sockaddr_in *)&peer->addr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&peer->addr;
	int fd = socket(peer->addr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ours = false;

	if (fd < 0)
		return false;
	if (!connect(fd, (const struct sockaddr *)&peer->addr, peer->len) &&
	    !getsockname(fd, (struct sockaddr *)&local, &len))
		ours = peer->addr.ss_family == AF_INET
			       ? ((struct sockaddr_in *)&local)->sin_addr.s_addr ==
					 in->sin_addr.s_addr
			       : !memcmp(&((struct sockaddr_in6 *)&local)->sin6_addr,
					 &in6->sin6_addr, sizeof(in6->sin6_addr));
	close(fd);
	/* All of 127.0.0.0/8 is. */
	return ours || (peer->addr.ss_family == AF_INET && ntohl(in->sin_addr.s_addr) >> 24 == 127);
}

static void port_add(struct ports *ports, uint16_t port)
{
	size_t at = 0;

	while (at < ports->count && ports->items[at] < port)
		at++;
	if (ports->count == PORTS_MAX || (at < ports->count && ports->items[at] == port))
		return;
	memmove(&ports->items[at + 1], &ports->items[at],
		(ports->count - at) * sizeof(ports->items[0]));
	ports->items[at] = port;
	ports->count++;
}

/* An address there is words of 32 bits in hexadecimal, each in the byte order of the host. */
static bool address_is(const char *hex, size_t words, const void *addr)
{
	uint32_t any = 0;
	bool same = addr;

	for (size_t i = 0; i < words; i++) {
		char digits[9];
		uint32_t word;

		memcpy(digits, hex + 8 * i, 8);
		digits[8] = '\0';
		word = (uint32_t)strtoul(digits, NULL, 16);
		any |= word;
		same = same && !memcmp((const uint8_t *)addr + 4 * i, &word, sizeof(word));
	}
	return same || !any;
}

/* "  0: 0100007F:1F90 00000000:0000 0A ..." */
static void line_read(char *line, size_t words, const void *addr, struct ports *ports)
{
	char *hex = strstr(line, ": "), *colon, *remote, *end;
	unsigned long port;

	hex = hex ? hex + 2 : line;
	colon = strchr(hex, ':');
	if (!colon || (size_t)(colon - hex) != 8 * words)
		return;
	port = strtoul(colon + 1, &remote, 16);
	end = *remote ? strchr(remote + 1, ' ') : NULL;
	if (end && strtoul(end, NULL, 16) == STATE_LISTEN && address_is(hex, words, addr))
		port_add(ports, (uint16_t)port);
}

static void table_read(const char *path, size_t words, const void *addr, struct ports *ports)
{
	FILE *file = fopen(path, "re");
	char line[512];

	while (file && fgets(line, sizeof(line), file))
		line_read(line, words, addr, ports);
	if (file)
		fclose(file);
}

bool listeners_add(struct text *t, const struct dial_peer *peer)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)&peer->addr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&peer->addr;
	bool four = peer->addr.ss_family == AF_INET;
	struct ports ports = { 0 };

	if (!is_ours(peer))
		return false;
	if (four)
		table_read("/proc/net/tcp", 1, &in->sin_addr, &ports);
	/* What listens on [::] takes IPv4, too, unless it is told not to. */
	table_read("/proc/net/tcp6", 4, four ? NULL : (const void *)&in6->sin6_addr, &ports);
	for (size_t i = 0; i < ports.count; i++)
		text_addf(t, "%s%u", i ? ", " : "", ports.items[i]);
	if (!ports.count)
		text_add(t, "nothing");
	return true;
}
