// SPDX-License-Identifier: BSD-2-Clause
/*
 * A listen with the very address wins over one with any (ngx_http_init_connection()); of the servers
 * that have it, the name decides (ngx_http_find_virtual_server()): the whole name, a wildcard in
 * front, one at the end, the first regular expression, the default server.
 *
 * OpenSSL copies some of the context into a connection before it has seen a name (SSL_new()), and
 * leaves it so when nginx puts the context of another server in its place (SSL_set_SSL_CTX()):
 * those settings are the default server's, whatever the name.
 */
#include "program/nginx/servers.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "program/nginx/regex.h"
#include "program/nginx/url.h"

#define PORT_DEFAULT 80
/* From then on nginx chooses the server in OpenSSL's callback for the ClientHello, which is called
 * before the version is chosen. */
#define VERSION_OF_NAMED 1029002
#define MAPPED_LEN	 12 /* of the prefix ::ffff:0:0/96 */

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
	NAME_REGEX,  /* "~^www[0-9]" */
	NAME_BEHIND, /* "www.*" */
	NAME_FRONT,  /* "*.test" */
	NAME_EXACT,
};

struct choice {
	enum nginx_module module;
	const struct nginxconf_directive *server;
	const struct nginxconf_directive *default_server; /* of the address */
	const struct nginxconf_directive *listen;	  /* of the server */
	/* One listen with proxy_protocol is enough for all servers of the address
	 * (ngx_http_add_addresses()). */
	const struct nginxconf_directive *proxy_listen;
	enum address_fit address;
	enum name_fit name;
	bool untried;	  /* one of the servers has a name that could not be tried */
	bool several;	  /* servers with that address */
	bool has_default; /* one of them says that it is the default server */
};

/* A server's best listen. */
struct listen_choice {
	enum address_fit address;
	const struct nginxconf_directive *directive; /* NULL: nginx's default */
	bool is_default;
};

/* Where server blocks are. */
static const struct {
	const char *block;
	enum nginx_module module;
} modules[] = {
	{ "http", NGINX_MODULE_SERVER },
	{ "stream", NGINX_MODULE_STREAM_SERVER },
	{ "mail", NGINX_MODULE_MAIL_SERVER },
};

/* The address of this side, an IPv4-mapped one as IPv4. */
static struct nginxtarget_address address_of(const struct nginxmap_peer *local)
{
	static const uint8_t mapped[MAPPED_LEN] = { [10] = 0xff, [11] = 0xff };
	struct nginxtarget_address a = { local->family, local->addr, local->hosts, local->steps };

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

static bool has_word(const struct nginxconf_directive *d, const char *word)
{
	for (uint32_t i = 2; i < d->word_count; i++)
		if (!strcmp(d->words[i], word))
			return true;
	return false;
}

static struct listen_choice server_listen(const struct nginxconf_directive *server,
					  enum nginx_module module,
					  const struct nginxmap_peer *local)
{
	const struct nginxconf_directive *d = nginxconf_find(server->first, "listen");
	struct listen_choice best = { 0 };

	if (!d && module == NGINX_MODULE_SERVER && local->port == PORT_DEFAULT &&
	    address_of(local).family == AF_INET)
		best.address = ADDRESS_ANY;
	for (; d; d = nginxconf_find(d->next, "listen")) {
		enum address_fit fit = listen_fit(d, local);

		if (fit <= best.address)
			continue;
		best = (struct listen_choice){
			.address = fit,
			.directive = d,
			.is_default = has_word(d, "default_server") || has_word(d, "default"),
		};
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

static enum name_fit regex_fit(const char *expression, const char *name, bool *untried)
{
	enum nginxregex found = nginxregex_match(expression, name);

	*untried |= found == NGINXREGEX_UNKNOWN;
	return found == NGINXREGEX_YES ? NAME_REGEX : NAME_NONE;
}

static enum name_fit server_name_fit(const struct nginxconf_directive *server, const char *name,
				     bool *untried)
{
	const struct nginxconf_directive *d = nginxconf_find(server->first, "server_name");
	enum name_fit best = NAME_NONE;

	for (; d; d = nginxconf_find(d->next, "server_name")) {
		for (uint32_t i = 1; i < d->word_count; i++) {
			enum name_fit fit = NAME_NONE;

			if (d->words[i][0] == '~' && name[0])
				fit = regex_fit(d->words[i] + 1, name, untried);
			else if (name[0])
				fit = name_fit(d->words[i], name);
			best = fit > best ? fit : best;
		}
	}
	return best;
}

static void server_consider(struct choice *c, const struct nginxconf_directive *server,
			    enum nginx_module module, const struct nginxmap_peer *local)
{
	bool untried = false;
	struct listen_choice listen = server_listen(server, module, local);
	enum name_fit name = server_name_fit(server, local->server_name, &untried);

	if (listen.address == ADDRESS_NONE || listen.address < c->address)
		return;
	if (listen.address > c->address)
		*c = (struct choice){ .address = listen.address };
	c->several |= c->server != NULL;
	c->untried |= untried;
	if (!c->default_server || (listen.is_default && !c->has_default))
		c->default_server = server;
	c->has_default |= listen.is_default;
	if (listen.directive && has_word(listen.directive, "proxy_protocol"))
		c->proxy_listen = listen.directive;
	if (name == NAME_NONE && listen.is_default)
		name = NAME_DEFAULT;
	if (!c->server || name > c->name) {
		c->module = module;
		c->server = server;
		c->listen = listen.directive;
		c->name = name;
	}
}

/* -- settings ---------------------------------------------------------------------------------- */

static bool same_value(const struct choice *c, enum nginx_setting setting)
{
	const struct nginxconf_directive *named, *other;

	named = nginxtell_setting(c->server, c->module, setting);
	other = nginxtell_setting(c->default_server, c->module, setting);
	if (!named || !other || named->word_count != other->word_count)
		return named == other;
	for (uint32_t i = 1; i < named->word_count; i++)
		if (strcmp(named->words[i], other->words[i]) != 0)
			return false;
	return true;
}

/* The default server's value, or that it has none. */
static void add_of_default(struct nginxtell *tell, struct nginx_place *p, const struct choice *c,
			   enum nginx_setting setting)
{
	const struct nginxconf_directive *d =
		nginxtell_setting(c->default_server, c->module, setting);
	uint32_t before = p->value_count;

	nginxtell_directive(tell, p, setting, d ? d : c->default_server, false);
	if (p->value_count == before)
		return;
	p->values[before].of_default = true;
	if (!d)
		p->values[before].value.len = 0;
}

/* Commands of which OpenSSL copies the outcome into the connection. */
static bool is_copied(const struct nginx_words *command)
{
	static const char *const copied[] = { "Groups ", "Curves ", "MinProtocol ",
					      "MaxProtocol " };

	for (size_t i = 0; i < sizeof(copied) / sizeof(copied[0]); i++)
		if (command->len > strlen(copied[i]) &&
		    !strncasecmp(command->data, copied[i], strlen(copied[i])))
			return true;
	return false;
}

/* What counts of ssl_conf_command: of the named server, but for what is copied. */
static void add_commands(struct nginxtell *tell, struct nginx_place *p, const struct choice *c)
{
	uint32_t first = p->value_count, named, kept = first;

	nginxtell_value(tell, p, NGINX_SSL_CONF_COMMAND, c->server);
	named = p->value_count;
	if (c->server == c->default_server)
		return;
	nginxtell_value(tell, p, NGINX_SSL_CONF_COMMAND, c->default_server);
	for (uint32_t i = first; i < p->value_count; i++) {
		struct nginx_value v = p->values[i];

		v.of_default = i >= named;
		v.own &= !v.of_default;
		if (v.of_default == is_copied(&v.value))
			p->values[kept++] = v;
	}
	p->value_count = kept;
}

static void add_setting(struct nginxtell *tell, struct nginx_place *p, const struct choice *c,
			enum nginx_setting setting, unsigned int version)
{
	bool is_protocols = setting == NGINX_SSL_PROTOCOLS;
	bool is_default =
		setting == NGINX_SSL_ECDH_CURVE || (is_protocols && version < VERSION_OF_NAMED);

	if (setting == NGINX_SSL_CONF_COMMAND)
		add_commands(tell, p, c);
	else if (!is_default || c->server == c->default_server || same_value(c, setting))
		nginxtell_value(tell, p, setting, c->server);
	/* without the version it is not known which of the two counts */
	else if (!is_protocols || version)
		add_of_default(tell, p, c, setting);
}

static void add_settings(struct nginxtell *tell, struct nginx_place *p, const struct choice *c,
			 unsigned int version)
{
	const struct nginxconf_directive *listen = c->proxy_listen ? c->proxy_listen : c->listen;

	if (version)
		nginxtell_fact(tell, p, NGINX_VERSION, version);
	if (c->name > NAME_DEFAULT)
		nginxtell_fact(tell, p, NGINX_NAMED, 1);
	for (int i = NGINX_SSL; i < NGINX_SETTING_COUNT; i++) {
		if (i != NGINX_LISTEN && nginx_setting_is_directive(i))
			add_setting(tell, p, c, i, version);
		else if (i == NGINX_LISTEN && listen)
			nginxtell_directive(tell, p, i, listen, listen->parent == c->server);
	}
}

static void place_fill(struct nginxtell *tell, struct nginx_place *p, const struct choice *c,
		       bool is_sure)
{
	const struct nginxconf_directive *server = c->server;
	const struct nginxconf_directive *names = nginxconf_find(server->first, "server_name");

	*p = (struct nginx_place){
		.module = c->module,
		.certainty = is_sure ? NGINX_CERTAIN : NGINX_LIKELY,
		.line = server->line,
		.file = nginxtell_string(server->file->path),
		.location = nginxtell_join(tell, server, 0),
	};
	if (names)
		p->server = nginxtell_join(tell, names, 1);
	nginxtell_spot(p, NGINX_BLOCK, server);
}

static bool has_of_default(const struct nginx_place *p)
{
	for (uint32_t i = 0; i < p->value_count; i++)
		if (p->values[i].of_default)
			return true;
	return false;
}

void nginxlisten_match(const struct nginxconf *conf, unsigned int version, struct nginxtell *tell,
		       const struct nginxmap_peer *local, struct nginx_places *places)
{
	const struct nginxconf_directive *top, *d;
	struct choice c = { 0 };

	tell->len = 0;
	*places = (struct nginx_places){ 0 };
	for (top = conf->first; top; top = top->next) {
		for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
			if (!top->is_block || strcmp(top->words[0], modules[i].block) != 0)
				continue;
			for (d = nginxconf_find(top->first, "server"); d;
			     d = nginxconf_find(d->next, "server"))
				server_consider(&c, d, modules[i].module, local);
		}
	}
	if (!c.server)
		return;
	place_fill(tell, &places->items[0], &c,
		   !c.several || (local->has_hello && !(c.untried && c.name <= NAME_REGEX)));
	add_settings(tell, &places->items[0], &c, version);
	places->count = 1;
	if (!has_of_default(&places->items[0]))
		return;
	c.server = c.default_server;
	place_fill(tell, &places->items[1], &c, true);
	add_settings(tell, &places->items[1], &c, version);
	places->count = 2;
}
