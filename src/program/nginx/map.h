/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a configuration of nginx means for TLS to upstreams: the places that pass to a TLS peer, and
 * which of them a connection came from. Names are not resolved: what they stand for is known only
 * where the hosts file says so. Pure.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_MAP_H
#define TLSFAIL_PROGRAM_NGINX_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "program/nginx/conf.h"
#include "program/nginx/place.h"
#include "program/nginx/url.h"

struct nginxmap;

/* What is known of a connection. */
struct nginxmap_peer {
	unsigned int family; /* AF_INET (2), AF_INET6 (10) */
	const uint8_t *addr; /* network order */
	uint16_t port;
	bool plain;		 /* it was connected to without TLS */
	bool has_hello;		 /* whether a server name was sent is known */
	const char *server_name; /* "" none */
	const char *hosts;	 /* text of the hosts file, "" none */
	uint64_t *steps;	 /* lines of it that may be looked at in all, NULL: any */
};

/* For nginxconf_request.wanted. */
bool nginxmap_wants(const char *name);

/* Finds the places. conf must live as long as *map, which is the caller's to nginxmap_free().
 * -ENOMEM. */
int nginxmap_new(const struct nginxconf *conf, struct nginxmap **map);

/* NULL is allowed. */
void nginxmap_free(struct nginxmap *map);

/* The number of places that pass to TLS peers. */
size_t nginxmap_count(const struct nginxmap *map);

/*
 * Fills *places with those that the connection can have come from: the surest first, and equally
 * sure ones in the order of the configuration. changed is left to the caller, and so are notes but
 * for NGINX_NOTE_MOVED. The words point into the configuration and into map, and are good until the
 * next call.
 */
void nginxmap_match(struct nginxmap *map, const struct nginxmap_peer *peer,
		    struct nginx_places *places);

/* Fills *places with the place of that index, as nginxmap_match() does. */
void nginxmap_tell(struct nginxmap *map, size_t index, struct nginx_places *places);

/* Where the place of that index passes to: the servers of its upstream block that are not down, or its
 * target. At most max are filled in; returns how many there are. */
size_t nginxmap_targets(const struct nginxmap *map, size_t index, struct nginxtarget *targets,
			size_t max);

#endif
