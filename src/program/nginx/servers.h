/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which server block of nginx a client has connected to: by the address and port of this side, then
 * by the server name, as nginx chooses. Pure.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_SERVERS_H
#define TLSFAIL_PROGRAM_NGINX_SERVERS_H

#include "program/nginx/conf.h"
#include "program/nginx/map.h"
#include "program/nginx/place.h"
#include "program/nginx/settings.h"

/*
 * Fills *places with the one server block, or with none; and with the default server of the address
 * behind it, when some of that one's settings count in its place (of_default). version: nginx's, as nginxargs_read_version()
 * has it, on which it depends whose ssl_protocols counts; 0 unknown. local: what is known of the
 * connection; its address is this side's. The words point into the configuration and into tell.
 */
void nginxlisten_match(const struct nginxconf *conf, unsigned int version, struct nginxtell *tell,
		       const struct nginxmap_peer *local, struct nginx_places *places);

#endif
