// SPDX-License-Identifier: BSD-2-Clause
/*
 * A listen with the very address wins over one with any (ngx_http_init_connection()); of the servers
 * that have it, the name decides (ngx_http_find_virtual_server()): the whole name, a wildcard in
 * front, one at the end, a regular expression, the default server. Regular expressions are not
 * tried.
 */
#include "program/nginx/servers.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "program/nginx/url.h"

#define PORT_DEFAULT 80
#define MAPPED_LEN   12 /* of the prefix ::ffff:0:0/96 */

/* How well a listen fits, worst first. */
enum address_fit {
	ADDRESS_NONE,
	ADDRESS_ANY,
	ADDRESS_EXACT,
};

/* How well the names of a server fit, worst first. */
enum name_fit {
	NAME_NONE,
	NAME_DEFAULT,
	NAME_BEHIND, /* "www.*" */
	NAME_FRONT,  /* "*.test" */
	NAME_EXACT,
};

struct choice {
	const struct nginxconf_directive *server;
	enum address_fit address;
	enum name_fit name;
	bool has_regex; /* one of the servers has a name that was not tried */
	bool several;	/* servers with that address */
};

/* The address of this side, an IPv4-mapped one as IPv4. */
static struct nginxtarget_address address_of(const struct nginxmap_peer *local)
{
	static const uint8_t mapped[MAPPED_LEN] = { [10] = 0xff, [11] = 0xff };
	struct nginxtarget_address a = { local->family, local->addr, local->hosts };

	if (a.family == AF_INET6 && !memcmp(a.addr, mapped, MAPPED_LEN)) {
		a.family = AF_INET;
		a.addr += MAPPED_LEN;
	}
	return a;
}

static bool is_number(const char *word)
{
	size_t i = 0;

	while (isdigit((unsigned char)word[i]))
		i++;
	return i && !word[i];
}

static bool host_is(const struct nginxtarget *t, const char *host)
{
	return t->host_len == strlen(host) && !memcmp(t->host, host, t->host_len);
}

static enum address_fit listen_fit(const struct nginxconf_directive *listen,
				   const struct nginxmap_peer *local)
{
	const struct nginxtarget_address address = address_of(local);
	const char *word = nginxconf_word(listen, 1);
	char any[16] = "*:";
	struct nginxtarget t;

	if (is_number(word) && strlen(word) < sizeof(any) - 2) {
		memcpy(any + 2, word, strlen(word) + 1);
		word = any;
	}
	nginxtarget_parse(word, &t);
	if (t.unix_socket || (t.has_port ? t.port : PORT_DEFAULT) != local->port)
		return ADDRESS_NONE;
	if (host_is(&t, "*") || host_is(&t, "0.0.0.0"))
		return address.family == AF_INET ? ADDRESS_ANY : ADDRESS_NONE;
	/* A socket for both takes IPv4 as mapped addresses (ipv6only=off). */
	if (host_is(&t, "::"))
		return local->family == AF_INET6 ? ADDRESS_ANY : ADDRESS_NONE;
	return nginxtarget_match(&t, &address) == NGINXTARGET_SAME ? ADDRESS_EXACT : ADDRESS_NONE;
}

/* The best of the server's listens. */
static enum address_fit server_address_fit(const struct nginxconf_directive *server,
					   const struct nginxmap_peer *local, bool *is_default)
{
	const struct nginxconf_directive *d = nginxconf_find(server->first, "listen");
	enum address_fit best = ADDRESS_NONE;

	if (!d)
		return local->port == PORT_DEFAULT && address_of(local).family == AF_INET
			       ? ADDRESS_ANY
			       : ADDRESS_NONE;
	for (; d; d = nginxconf_find(d->next, "listen")) {
		enum address_fit fit = listen_fit(d, local);

		if (fit <= best)
			continue;
		best = fit;
		*is_default = false;
		for (uint32_t i = 2; i < d->word_count; i++)
			*is_default |= !strcmp(d->words[i], "default_server") ||
				       !strcmp(d->words[i], "default");
	}
	return best;
}

static enum name_fit name_fit(const char *pattern, const char *name)
{
	size_t len = strlen(name), pattern_len;

	if (!strcasecmp(pattern, name))
		return NAME_EXACT;
	/* ".test" is "test" and "*.test" */
	if (pattern[0] == '.' && !strcasecmp(pattern + 1, name))
		return NAME_EXACT;
	pattern += pattern[0] == '*';
	pattern_len = strlen(pattern);
	if (pattern[0] == '.' && len > pattern_len &&
	    !strcasecmp(name + len - pattern_len, pattern))
		return NAME_FRONT;
	if (pattern_len > 2 && !strcmp(pattern + pattern_len - 2, ".*") &&
	    !strncasecmp(name, pattern, pattern_len - 1))
		return NAME_BEHIND;
	return NAME_NONE;
}

static enum name_fit server_name_fit(const struct nginxconf_directive *server, const char *name,
				     bool *has_regex)
{
	const struct nginxconf_directive *d = nginxconf_find(server->first, "server_name");
	enum name_fit best = NAME_NONE;

	for (; d; d = nginxconf_find(d->next, "server_name")) {
		for (uint32_t i = 1; i < d->word_count; i++) {
			enum name_fit fit = NAME_NONE;

			if (d->words[i][0] == '~')
				*has_regex = true;
			else if (name[0])
				fit = name_fit(d->words[i], name);
			best = fit > best ? fit : best;
		}
	}
	return best;
}

static void server_consider(struct choice *c, const struct nginxconf_directive *server,
			    const struct nginxmap_peer *local)
{
	bool is_default = false, has_regex = false;
	enum address_fit address = server_address_fit(server, local, &is_default);
	enum name_fit name = server_name_fit(server, local->server_name, &has_regex);

	if (address == ADDRESS_NONE || address < c->address)
		return;
	if (address > c->address)
		*c = (struct choice){ .address = address };
	c->several |= c->server != NULL;
	c->has_regex |= has_regex;
	if (name == NAME_NONE && is_default)
		name = NAME_DEFAULT;
	if (!c->server || name > c->name) {
		c->server = server;
		c->name = name;
	}
}

void nginxlisten_match(const struct nginxconf *conf, struct nginxtell *tell,
		       const struct nginxmap_peer *local, struct nginx_places *places)
{
	const struct nginxconf_directive *top, *d, *names;
	struct nginx_place *p = &places->items[0];
	struct choice c = { 0 };

	tell->len = 0;
	*places = (struct nginx_places){ 0 };
	for (top = conf->first; top; top = top->next) {
		if (!top->is_block ||
		    (strcmp(top->words[0], "http") != 0 && strcmp(top->words[0], "stream") != 0))
			continue;
		for (d = nginxconf_find(top->first, "server"); d;
		     d = nginxconf_find(d->next, "server"))
			server_consider(&c, d, local);
	}
	if (!c.server)
		return;
	names = nginxconf_find(c.server->first, "server_name");
	*p = (struct nginx_place){
		.module = NGINX_MODULE_SERVER,
		.certainty =
			c.several && (!local->has_hello || (c.has_regex && c.name <= NAME_DEFAULT))
				? NGINX_LIKELY
				: NGINX_CERTAIN,
		.line = c.server->line,
		.file = nginxtell_string(c.server->file->path),
		.location = nginxtell_join(tell, c.server, 0),
	};
	if (names)
		p->server = nginxtell_join(tell, names, 1);
	nginxtell_spot(p, NGINX_BLOCK, c.server);
	nginxtell_values(tell, p, c.server);
	places->count = 1;
}
