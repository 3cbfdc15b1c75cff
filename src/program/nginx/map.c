// SPDX-License-Identifier: BSD-2-Clause
/*
 * The tree is walked once for the places; the settings of a place are looked up, from the inside
 * out as nginx merges them, only when it has matched.
 */
#include "program/nginx/map.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "program/nginx/url.h"
#include "program/nginx/settings.h"

#define PORT_HTTP  80 /* of a server in an upstream block, also of one that is passed to by https */
#define PORT_HTTPS 443
#define TARGET_MAX 1024

/* Of a configuration of 200,000 directives, half of them "set" and half with a variable to be looked
 * up, the rest stays unknown. */
#define SET_STEPS_MAX 20000000

/* How well a place fits, worst first. */
enum fit {
	FIT_NONE,
	FIT_MOVED,    /* the port, but the name is that of another address now */
	FIT_POSSIBLE, /* a variable, and nothing speaks against it */
	FIT_LIKELY,   /* the port, and nothing speaks against it */
	FIT_CERTAIN,
	FIT_COUNT,
};

/* How an upstream block fits the peer that is looked for, once for all places that pass to it. */
struct upstream_memo {
	uint64_t match; /* the number of the search that it is from */
	enum fit fit;
	const struct nginxconf_directive *server;
	struct nginxtarget target;
};

struct place {
	enum nginx_module module;
	bool from_variable; /* the target was put in for a variable */
	const struct nginxconf_directive *pass;
	const struct nginxconf_directive *owner;    /* the location or server around it */
	const struct nginxconf_directive *upstream; /* NULL: none */
	struct upstream_memo *memo;		    /* of that */
	char *text;				    /* the target with variables put in */
	struct nginxtarget target;		    /* points into text */
};

struct place_list {
	struct place *places;
	size_t count;
	size_t size;
};

struct nginxmap {
	const struct nginxconf *conf;
	const struct nginxconf_directive **upstreams; /* in the order of upstream_compare() */
	struct upstream_memo *memos;		      /* in the same order */
	uint64_t match;
	uint64_t set_steps; /* "set" directives that may still be looked at */
	size_t upstream_count;
	struct place_list tls;	 /* places that pass by TLS */
	struct place_list plain; /* and without it */
	struct nginxtell tell;
};

/* -- names ------------------------------------------------------------------------------------- */

static bool has_prefix(const char *string, const char *prefix)
{
	return !strncmp(string, prefix, strlen(prefix));
}

static bool is_setting(const char *name)
{
	for (int module = 0; module < NGINX_MODULE_COUNT; module++) {
		const char *prefix = nginx_module_prefix(module);

		for (int i = 0; i < NGINX_SETTING_COUNT && has_prefix(name, prefix); i++)
			if (!strcmp(name + strlen(prefix), nginx_setting_name(i)))
				return true;
	}
	return false;
}

bool nginxmap_wants(const char *name)
{
	return is_setting(name) || !strcmp(name, "server") || !strcmp(name, "server_name") ||
	       !strcmp(name, "listen") || !strcmp(name, "set") || !strcmp(name, "error_log") ||
	       !strcmp(name, "balancer_by_lua_block") || !strcmp(name, "balancer_by_lua_file");
}

/* -- variables --------------------------------------------------------------------------------- */

/* What `set` gives the variable in the block or one around it, when that is no variable itself. */
static const char *variable_value(struct nginxmap *map, const struct nginxconf_directive *block,
				  const char *name, size_t len)
{
	for (; block; block = block->parent) {
		const struct nginxconf_directive *d = nginxconf_first(block, "set");

		for (; d && map->set_steps; d = d->next) {
			const char *variable = nginxconf_word(d, 1);

			map->set_steps--;
			if (!strcmp(d->words[0], "set") && variable[0] == '$' &&
			    strlen(variable + 1) == len && !memcmp(variable + 1, name, len) &&
			    !strchr(nginxconf_word(d, 2), '$'))
				return nginxconf_word(d, 2);
		}
	}
	return NULL;
}

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Appends the target with the variables put in whose value is known. True when there was one. */
static bool target_expand(struct nginxmap *map, const struct nginxconf_directive *pass,
			  struct text *out)
{
	const char *at = nginxconf_word(pass, 1);
	bool expanded = false;

	while (*at) {
		const char *dollar = strchr(at, '$');
		const char *name, *end, *value;
		bool brace;

		if (!dollar) {
			text_add(out, at);
			break;
		}
		text_addf(out, "%.*s", (int)(dollar - at), at);
		brace = dollar[1] == '{';
		name = dollar + 1 + brace;
		for (end = name; is_name_char(*end); end++)
			;
		value = variable_value(map, pass->parent, name, (size_t)(end - name));
		end += brace && *end == '}';
		if (value)
			text_add(out, value);
		else
			text_addf(out, "%.*s", (int)(end - dollar), dollar);
		expanded |= value != NULL;
		at = end > dollar ? end : dollar + 1;
	}
	return expanded;
}

/* -- finding the places ------------------------------------------------------------------------ */

static struct nginxconf_directive *block_around(const struct nginxconf_directive *d,
						const char *name)
{
	struct nginxconf_directive *block = d->parent;

	while (block && strcmp(block->words[0], name) != 0)
		block = block->parent;
	return block;
}

/* The block whose settings hold for the directive: not "if", nor "limit_except". */
static const struct nginxconf_directive *owner_of(const struct nginxconf_directive *d)
{
	for (d = d->parent; d; d = d->parent)
		if (!strcmp(d->words[0], "location") || !strcmp(d->words[0], "server"))
			return d;
	return NULL;
}

/* By the block that they are in, http or stream, and by name. */
static int upstream_compare(const void *left, const void *right)
{
	const struct nginxconf_directive *a = *(const struct nginxconf_directive *const *)left;
	const struct nginxconf_directive *b = *(const struct nginxconf_directive *const *)right;

	if (a->parent != b->parent)
		return (uintptr_t)a->parent < (uintptr_t)b->parent ? -1 : 1;
	return strcasecmp(nginxconf_word(a, 1), nginxconf_word(b, 1));
}

/* Puts the upstream blocks in order, once: there may be thousands. */
static int upstreams_index(struct nginxmap *map)
{
	const struct nginxconf_directive *top, *d;
	size_t size = 0;

	for (top = map->conf->first; top; top = top->next) {
		for (d = nginxconf_find(top->first, "upstream"); d;
		     d = nginxconf_find(d->next, "upstream")) {
			if (map->upstream_count == size) {
				void *grown = realloc(map->upstreams,
						      (2 * size + 64) * sizeof(*map->upstreams));

				if (!grown)
					return -ENOMEM;
				map->upstreams = grown;
				size = 2 * size + 64;
			}
			map->upstreams[map->upstream_count++] = d;
		}
	}
	if (map->upstream_count)
		qsort(map->upstreams, map->upstream_count, sizeof(*map->upstreams),
		      upstream_compare);
	map->memos = calloc(map->upstream_count + 1, sizeof(*map->memos));
	return map->memos ? 0 : -ENOMEM;
}

/* The upstream block in http or stream that has the name of the host, among map->upstreams. NULL:
 * there is none. */
static const struct nginxconf_directive **upstream_find(const struct nginxmap *map,
							struct nginxconf_directive *context,
							const struct nginxtarget *t)
{
	char name[TARGET_MAX];
	const char *words[] = { "upstream", name };
	const struct nginxconf_directive key = { .parent = context,
						 .words = words,
						 .word_count = 2 };
	const struct nginxconf_directive *pointer = &key;

	if (!map->upstream_count || t->host_len >= sizeof(name))
		return NULL;
	memcpy(name, t->host, t->host_len);
	name[t->host_len] = '\0';
	return bsearch(&pointer, map->upstreams, map->upstream_count, sizeof(*map->upstreams),
		       upstream_compare);
}

/* The target behind the scheme; NULL: it is passed to with TLS, and plain is meant, or the other way
 * round. What a variable says may be either; that is taken for TLS. */
static const char *target_of(const struct place *p, bool plain)
{
	static const char *const schemes[NGINX_MODULE_COUNT][2] = {
		[NGINX_MODULE_PROXY] = { "https://", "http://" },
		[NGINX_MODULE_GRPC] = { "grpcs://", "grpc://" },
		[NGINX_MODULE_UWSGI] = { "suwsgi://", "uwsgi://" },
	};
	const struct nginxconf_directive *ssl;
	const char *scheme, *rest;

	if (p->module == NGINX_MODULE_STREAM) {
		ssl = nginxtell_setting(p->owner, p->module, NGINX_SSL);
		return (ssl && !strcasecmp(nginxconf_word(ssl, 1), "on")) != plain ? p->text : NULL;
	}
	scheme = schemes[p->module][plain];
	if (!strncasecmp(p->text, scheme, strlen(scheme)))
		return p->text + strlen(scheme);
	rest = strstr(p->text, "://");
	/* gRPC and uwsgi need no scheme. */
	if (plain)
		return !rest && p->module != NGINX_MODULE_PROXY && p->text[0] != '$' ? p->text
										     : NULL;
	if (p->text[0] != '$')
		return NULL;
	return rest ? rest + 3 : p->text;
}

static bool place_reserve(struct place_list *list)
{
	size_t size = list->size ? 2 * list->size : 64;
	struct place *grown;

	if (list->count < list->size)
		return true;
	grown = realloc(list->places, size * sizeof(*grown));
	if (!grown)
		return false;
	list->places = grown;
	list->size = size;
	return true;
}

static int place_add(struct nginxmap *map, enum nginx_module module,
		     const struct nginxconf_directive *pass)
{
	const char *context = module == NGINX_MODULE_STREAM ? "stream" : "http";
	struct place p = { .module = module, .pass = pass, .owner = owner_of(pass) };
	const struct nginxconf_directive **upstream;
	char expanded[TARGET_MAX];
	struct place_list *list = &map->tls;
	struct place *place;
	const char *target;
	struct text t;

	text_init(&t, expanded, sizeof(expanded));
	p.from_variable = target_expand(map, pass, &t);
	if (!p.owner || t.cut)
		return 0;
	p.text = expanded;
	target = target_of(&p, false);
	if (!target) {
		list = &map->plain;
		target = target_of(&p, true);
	}
	if (!target)
		return 0;
	if (!place_reserve(list))
		return -ENOMEM;
	place = &list->places[list->count];
	*place = p;
	place->text = strdup(target);
	if (!place->text)
		return -ENOMEM;
	list->count++;
	nginxtarget_parse(place->text, &place->target);
	if (!place->target.has_port && module != NGINX_MODULE_STREAM)
		place->target.port = list == &map->plain ? PORT_HTTP : PORT_HTTPS;
	if (place->target.has_port || place->target.symbolic)
		return 0;
	upstream = upstream_find(map, block_around(pass, context), &place->target);
	if (upstream) {
		place->upstream = *upstream;
		place->memo = &map->memos[upstream - map->upstreams];
	}
	return 0;
}

static int block_walk(struct nginxmap *map, const struct nginxconf_directive *d, bool in_stream)
{
	int err = 0;

	for (; d && !err; d = d->next) {
		const char *name = d->words[0];

		if (d->is_block)
			err = block_walk(map, d->first, in_stream || !strcmp(name, "stream"));
		else if (!strcmp(name, "proxy_pass"))
			err = place_add(map, in_stream ? NGINX_MODULE_STREAM : NGINX_MODULE_PROXY,
					d);
		else if (!strcmp(name, "grpc_pass"))
			err = place_add(map, NGINX_MODULE_GRPC, d);
		else if (!strcmp(name, "uwsgi_pass"))
			err = place_add(map, NGINX_MODULE_UWSGI, d);
	}
	return err;
}

int nginxmap_new(const struct nginxconf *conf, struct nginxmap **out)
{
	struct nginxmap *map = calloc(1, sizeof(*map));
	int err;

	if (!map)
		return -ENOMEM;
	map->conf = conf;
	map->set_steps = SET_STEPS_MAX;
	err = upstreams_index(map);
	if (!err)
		err = block_walk(map, conf->first, false);
	if (err)
		nginxmap_free(map);
	else
		*out = map;
	return err;
}

static void list_clear(struct place_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->places[i].text);
	free(list->places);
}

void nginxmap_free(struct nginxmap *map)
{
	if (!map)
		return;
	list_clear(&map->tls);
	list_clear(&map->plain);
	free(map->upstreams);
	free(map->memos);
	free(map);
}

size_t nginxmap_count(const struct nginxmap *map)
{
	return map->tls.count;
}

/* -- matching ---------------------------------------------------------------------------------- */

/* at_run_time: nginx asks its resolver for the name, which reads no hosts file. */
static enum fit target_fit(const struct nginxtarget *t, uint16_t port,
			   const struct nginxmap_peer *peer, bool at_run_time)
{
	const struct nginxtarget_address address = { peer->family, peer->addr,
						     at_run_time ? "" : peer->hosts, peer->steps };

	if (t->unix_socket || !t->host_len || port != peer->port)
		return FIT_NONE;
	switch (nginxtarget_match(t, &address)) {
	case NGINXTARGET_SAME:
		return FIT_CERTAIN;
	case NGINXTARGET_UNKNOWN:
		return FIT_LIKELY;
	case NGINXTARGET_MOVED:
		return FIT_MOVED;
	case NGINXTARGET_OTHER:
		break;
	}
	return FIT_NONE;
}

/* Does Lua choose the server? */
static bool is_balanced_by_lua(const struct nginxconf_directive *upstream)
{
	return nginxconf_find(upstream->first, "balancer_by_lua_block") ||
	       nginxconf_find(upstream->first, "balancer_by_lua_file");
}

/* "server name resolve;": the name is looked up again and again. */
static bool has_word(const struct nginxconf_directive *d, const char *word)
{
	for (uint32_t i = 2; i < d->word_count; i++)
		if (!strcmp(d->words[i], word))
			return true;
	return false;
}

/* The best of the servers in an upstream block. */
static void upstream_fit(const struct nginxconf_directive *upstream,
			 const struct nginxmap_peer *peer, struct upstream_memo *memo)
{
	const struct nginxconf_directive *d = nginxconf_first(upstream, "server");

	memo->fit = FIT_NONE;
	memo->server = NULL;
	for (; d; d = nginxconf_find(d->next, "server")) {
		struct nginxtarget t;
		enum fit fit;

		nginxtarget_parse(nginxconf_word(d, 1), &t);
		fit = target_fit(&t, t.has_port ? t.port : PORT_HTTP, peer, has_word(d, "resolve"));
		if (fit > memo->fit) {
			memo->fit = fit;
			memo->server = d;
			memo->target = t;
		}
	}
	if (memo->fit == FIT_NONE && is_balanced_by_lua(upstream))
		memo->fit = FIT_POSSIBLE;
}

static const char *setting_word(const struct place *p, enum nginx_setting setting)
{
	const struct nginxconf_directive *d = nginxtell_setting(p->owner, p->module, setting);

	return d ? nginxconf_word(d, 1) : NULL;
}

/* Can the place have sent the server name that was sent, or none when there was none? */
static bool name_fits(const struct place *p, const struct nginxmap_peer *peer)
{
	const char *on = setting_word(p, NGINX_SSL_SERVER_NAME);
	const char *name = setting_word(p, NGINX_SSL_NAME);
	size_t len = name ? strlen(name) : p->target.host_len;
	unsigned int family;
	uint8_t addr[16];

	if (!peer->has_hello)
		return true;
	if (!on || strcasecmp(on, "on") != 0)
		return !peer->server_name[0];
	if (!name)
		name = p->target.host;
	if (memchr(name, '$', len) || (name == p->target.host && p->target.symbolic))
		return true;
	/* RFC 6066 knows no addresses, so nginx sends none. */
	if (nginxtarget_is_address(name, len, &family, addr))
		return !peer->server_name[0];
	return len == strlen(peer->server_name) && !strncasecmp(name, peer->server_name, len);
}

/* Does it connect to the peer with another server name than was seen, or without one? Not a place
 * whose host has another address by now. */
static bool names_another(const struct place *p, enum fit fit, const struct nginxmap_peer *peer)
{
	const char *on = setting_word(p, NGINX_SSL_SERVER_NAME);

	if (fit == FIT_NONE || fit == FIT_MOVED)
		return false;
	if (!peer->server_name[0])
		return on && !strcasecmp(on, "on");
	return !name_fits(p, peer);
}

/* How it fits the peer's address. match is the number of this search. */
static enum fit place_fit(const struct place *p, uint64_t match, const struct nginxmap_peer *peer,
			  const struct nginxconf_directive **server, struct nginxtarget *target)
{
	enum fit fit;

	*server = NULL;
	*target = p->target;
	if (p->upstream) {
		if (p->memo->match != match)
			upstream_fit(p->upstream, peer, p->memo);
		p->memo->match = match;
		fit = p->memo->fit;
		*server = p->memo->server;
		if (*server)
			*target = p->memo->target;
	} else if (p->target.symbolic) {
		fit = p->target.has_port && p->target.port != peer->port ? FIT_NONE : FIT_POSSIBLE;
	} else {
		fit = target_fit(&p->target, p->target.port, peer, p->from_variable);
	}
	if (fit == FIT_CERTAIN && p->from_variable)
		fit = FIT_LIKELY;
	return fit;
}

/* -- what is told of a place ------------------------------------------------------------------- */

static void note_add(struct nginx_place *place, enum nginx_note_kind kind, struct nginx_words words)
{
	place->notes[place->note_count++] =
		(struct nginx_note){ .kind = kind, .setting = NGINX_PASS, .words = words };
}

/* Has the block other servers than the peer, and some with other host names? */
static void note_others(struct nginx_place *place, const struct nginxconf_directive *upstream)
{
	const struct nginxconf_directive *d = nginxconf_find(upstream->first, "server");
	const struct nginx_words *name = &place->peer_name;
	bool other = false;

	if (d && nginxconf_find(d->next, "server"))
		note_add(place, NGINX_NOTE_OTHER_SERVERS, (struct nginx_words){ "", 0 });
	for (; d && !other; d = nginxconf_find(d->next, "server")) {
		struct nginxtarget t;

		nginxtarget_parse(nginxconf_word(d, 1), &t);
		other = t.host_len != name->len || strncasecmp(t.host, name->data, name->len) != 0;
	}
	if (other)
		note_add(place, NGINX_NOTE_OTHER_NAMES, (struct nginx_words){ "", 0 });
}

static void place_tell(struct nginxmap *map, const struct place *p, enum fit fit, const char *hosts,
		       const struct nginxconf_directive *server, const struct nginxtarget *target,
		       struct nginx_place *place)
{
	const struct nginxconf_directive *around = block_around(p->pass, "server");
	const struct nginxconf_directive *names;
	unsigned int family;
	uint8_t addr[16];

	static const enum nginx_certainty certainties[FIT_COUNT] = {
		[FIT_MOVED] = NGINX_MOVED,
		[FIT_POSSIBLE] = NGINX_POSSIBLE,
		[FIT_LIKELY] = NGINX_LIKELY,
		[FIT_CERTAIN] = NGINX_CERTAIN,
	};

	*place = (struct nginx_place){
		.module = p->module,
		.certainty = certainties[fit],
		.line = p->pass->line,
		.file = nginxtell_string(p->pass->file->path),
		.location = nginxtell_join(&map->tell, p->owner, 0),
		.target = nginxtell_shown(&map->tell, p->pass),
	};
	names = around ? nginxconf_find(around->first, "server_name") : NULL;
	if (names)
		place->server = nginxtell_join(&map->tell, names, 1);
	if (p->upstream)
		place->upstream = nginxtell_join(&map->tell, p->upstream, 1);
	if (server) {
		place->upstream_file = nginxtell_string(server->file->path);
		place->upstream_line = server->line;
	}
	if (!p->target.symbolic &&
	    !nginxtarget_is_address(target->host, target->host_len, &family, addr))
		place->peer_name = (struct nginx_words){ target->host, (uint32_t)target->host_len };
	nginxtell_spot(place, NGINX_PASS, p->pass);
	if (p->pass->parent != p->owner)
		nginxtell_spot(place, NGINX_BLOCK, p->owner);
	nginxtell_values(&map->tell, place, p->owner);
	if (p->upstream)
		note_others(place, p->upstream);
	if (fit == FIT_MOVED)
		note_add(place, NGINX_NOTE_MOVED, nginxtarget_address_now(target, hosts));
}

/* Where a place that fits so goes: behind those that fit as well. NGINX_PLACES_MAX: nowhere. */
static uint32_t position_find(const struct nginx_places *places, const enum fit *fits, enum fit fit)
{
	uint32_t at = places->count;

	while (at > 0 && fits[at - 1] < fit)
		at--;
	return at;
}

void nginxmap_match(struct nginxmap *map, const struct nginxmap_peer *peer,
		    struct nginx_places *places)
{
	const struct place_list *list = peer->plain ? &map->plain : &map->tls;
	const struct place *found[NGINX_PLACES_MAX] = { NULL };
	enum fit fits[NGINX_PLACES_MAX] = { FIT_NONE };
	bool named = false;

	map->match++;
	map->tell.len = 0;
	*places = (struct nginx_places){ 0 };
	for (size_t i = 0; i < list->count; i++) {
		const struct place *p = &list->places[i];
		const struct nginxconf_directive *server;
		struct nginxtarget target;
		enum fit fit = place_fit(p, map->match, peer, &server, &target);
		uint32_t at = position_find(places, fits, fit);

		named |= names_another(p, fit, peer);
		if (fit == FIT_NONE || !name_fits(p, peer))
			continue;
		if (places->count == NGINX_PLACES_MAX)
			places->more++;
		else
			places->count++;
		for (uint32_t k = places->count - 1; k > at; k--) {
			found[k] = found[k - 1];
			fits[k] = fits[k - 1];
		}
		if (at < NGINX_PLACES_MAX) {
			found[at] = p;
			fits[at] = fit;
		}
	}
	for (uint32_t i = 0; i < places->count && found[i]; i++) {
		const struct nginxconf_directive *server;
		struct nginxtarget target;

		place_fit(found[i], map->match, peer, &server, &target);
		place_tell(map, found[i], fits[i], peer->hosts, server, &target, &places->items[i]);
		if (named)
			note_add(&places->items[i], NGINX_NOTE_NAMED,
				 (struct nginx_words){ "", 0 });
	}
}

void nginxmap_tell(struct nginxmap *map, size_t index, struct nginx_places *places)
{
	const struct place *p = &map->tls.places[index];

	map->tell.len = 0;
	*places = (struct nginx_places){ .count = 1 };
	place_tell(map, p, p->target.symbolic ? FIT_POSSIBLE : FIT_CERTAIN, "", NULL, &p->target,
		   &places->items[0]);
}

static bool is_down(const struct nginxconf_directive *server)
{
	for (uint32_t i = 2; i < server->word_count; i++)
		if (!strcmp(server->words[i], "down"))
			return true;
	return false;
}

size_t nginxmap_targets(const struct nginxmap *map, size_t index, struct nginxtarget *targets,
			size_t max)
{
	const struct place *p = &map->tls.places[index];
	const struct nginxconf_directive *d;
	size_t count = 0;

	if (!p->upstream) {
		if (max)
			targets[0] = p->target;
		return 1;
	}
	for (d = nginxconf_find(p->upstream->first, "server"); d;
	     d = nginxconf_find(d->next, "server")) {
		struct nginxtarget t;

		if (is_down(d))
			continue;
		nginxtarget_parse(nginxconf_word(d, 1), &t);
		if (!t.has_port)
			t.port = PORT_HTTP;
		if (count < max)
			targets[count] = t;
		count++;
	}
	return count;
}
