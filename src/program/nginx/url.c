// SPDX-License-Identifier: BSD-2-Clause
/*
 * As ngx_parse_url() takes them apart; and the hosts file as the C library reads it.
 */
#include "program/nginx/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

static const char *find_char(const char *from, const char *end, const char *any)
{
	while (from < end && !strchr(any, *from))
		from++;
	return from;
}

static void port_parse(const char *text, const char *end, struct nginxtarget *t)
{
	uint32_t port = 0;

	/* "name:8443$request_uri" */
	end = find_char(text, end, "$");
	if (text == end) {
		t->symbolic = true;
		return;
	}
	for (; text < end && isdigit((unsigned char)*text) && port <= UINT16_MAX; text++)
		port = port * 10 + (uint32_t)(*text - '0');
	t->port = text == end && port <= UINT16_MAX ? (uint16_t)port : 0;
	t->has_port = true;
}

void nginxtarget_parse(const char *text, struct nginxtarget *t)
{
	const char *end = find_char(text, text + strlen(text), "/?");
	const char *host_end;

	*t = (struct nginxtarget){ .host = text };
	if (!strncasecmp(text, "unix:", 5)) {
		t->unix_socket = true;
		return;
	}
	if (*text == '[') {
		t->host = ++text;
		host_end = find_char(text, end, "]");
		t->host_len = (size_t)(host_end - t->host);
		host_end += host_end < end;
	} else {
		host_end = find_char(text, end, ":");
		t->host_len = (size_t)(host_end - text);
	}
	/* "https://name$request_uri" is the name; a variable at the beginning may be all of it. */
	if (t->host_len && memchr(t->host, '$', t->host_len)) {
		const char *variable = memchr(t->host, '$', t->host_len);

		t->symbolic = variable == t->host || variable[-1] == '.' || variable[-1] == '-';
		t->host_len = (size_t)(variable - t->host);
		host_end = t->symbolic ? host_end : end;
	}
	if (host_end < end && *host_end == ':')
		port_parse(host_end + 1, end, t);
}

bool nginxtarget_is_address(const char *host, size_t len, unsigned int *family, uint8_t addr[16])
{
	char buf[INET6_ADDRSTRLEN];

	if (len >= sizeof(buf))
		return false;
	memcpy(buf, host, len);
	buf[len] = '\0';
	*family = memchr(host, ':', len) ? AF_INET6 : AF_INET;
	return inet_pton((int)*family, buf, addr) == 1;
}

static bool is_same(unsigned int family, const uint8_t *addr,
		    const struct nginxtarget_address *address)
{
	return family == address->family &&
	       !memcmp(addr, address->addr, family == AF_INET ? 4 : 16);
}

/* The next line of text, which goes past it; false at the end. */
static bool line_next(const char **text, const char **line, size_t *len)
{
	if (!**text)
		return false;
	*line = *text;
	*len = strcspn(*text, "\n");
	*text += *len + ((*text)[*len] == '\n');
	return true;
}

/* The next word of a line in the hosts file. */
static bool word_next(const char **at, const char *end, const char **word, size_t *len)
{
	while (*at < end && isspace((unsigned char)**at))
		(*at)++;
	*word = *at;
	while (*at < end && !isspace((unsigned char)**at) && **at != '#')
		(*at)++;
	*len = (size_t)(*at - *word);
	return *len > 0;
}

/* The next address that the hosts file has for the host, and where it is written. False: no more, or
 * none of the steps, lines that are looked at, is left. */
static bool hosts_next(const char **text, const struct nginxtarget *t, uint64_t *steps,
		       unsigned int *family, uint8_t addr[16], struct nginx_words *written)
{
	const char *line;
	size_t line_len;

	while (line_next(text, &line, &line_len)) {
		const char *at = line, *end = line + line_len, *word, *first;
		size_t len, first_len;

		if (steps && !*steps)
			return false;
		if (steps)
			--*steps;
		if (!word_next(&at, end, &first, &first_len) ||
		    !nginxtarget_is_address(first, first_len, family, addr))
			continue;
		*written = (struct nginx_words){ first, (uint32_t)first_len };
		while (word_next(&at, end, &word, &len))
			if (len == t->host_len && !strncasecmp(word, t->host, len))
				return true;
	}
	return false;
}

struct nginx_words nginxtarget_address_now(const struct nginxtarget *t, const char *hosts)
{
	struct nginx_words written;
	unsigned int family;
	uint8_t addr[16];

	if (!hosts_next(&hosts, t, NULL, &family, addr, &written))
		return (struct nginx_words){ "", 0 };
	return written;
}

/* Does the hosts file know the name, and is the address among those that it has? */
static enum nginxtarget_match hosts_match(const struct nginxtarget_address *address,
					  const struct nginxtarget *t)
{
	enum nginxtarget_match match = NGINXTARGET_UNKNOWN;
	const char *text = address->hosts;
	struct nginx_words written;
	unsigned int family;
	uint8_t addr[16];

	while (hosts_next(&text, t, address->steps, &family, addr, &written)) {
		if (is_same(family, addr, address))
			return NGINXTARGET_SAME;
		match = NGINXTARGET_MOVED;
	}
	return address->steps && !*address->steps ? NGINXTARGET_UNKNOWN : match;
}

enum nginxtarget_match nginxtarget_match(const struct nginxtarget *t,
					 const struct nginxtarget_address *address)
{
	unsigned int family;
	uint8_t addr[16];

	if (nginxtarget_is_address(t->host, t->host_len, &family, addr))
		return is_same(family, addr, address) ? NGINXTARGET_SAME : NGINXTARGET_OTHER;
	return hosts_match(address, t);
}
