/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HOST:PORT as nginx's directives have it: literal addresses, names that the hosts file knows, names
 * that only a resolver would, and variables. Pure.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_URL_H
#define TLSFAIL_PROGRAM_NGINX_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "program/nginx/place.h"

/* The host is not terminated. */
struct nginxtarget {
	const char *host;
	size_t host_len;
	uint16_t port; /* 0: none */
	bool has_port;
	bool unix_socket;
	bool symbolic; /* what it is depends on a variable */
};

/* An address that is asked about. */
struct nginxtarget_address {
	unsigned int family; /* AF_INET (2), AF_INET6 (10) */
	const uint8_t *addr; /* network order */
	const char *hosts;   /* text of the hosts file, "" none */
	uint64_t *steps;     /* lines of it that may be looked at, NULL: any; behind that a name is
			      * not known */
};

enum nginxtarget_match {
	NGINXTARGET_OTHER,   /* it is another address */
	NGINXTARGET_MOVED,   /* a name that the hosts file has for another address */
	NGINXTARGET_UNKNOWN, /* a name that the hosts file does not have */
	NGINXTARGET_SAME,
};

/* Parses HOST[:PORT], which a path may follow. *target points into text. */
void nginxtarget_parse(const char *text, struct nginxtarget *target);

/* Parses a literal address, which is not terminated. False: it is none. */
bool nginxtarget_is_address(const char *host, size_t len, unsigned int *family, uint8_t addr[16]);

/* The first address that the hosts file has for the host, as it is written there; no words when it
 * has none. */
struct nginx_words nginxtarget_address_now(const struct nginxtarget *target, const char *hosts);

/* Is the host, a name or an address, at that address? */
enum nginxtarget_match nginxtarget_match(const struct nginxtarget *target,
					 const struct nginxtarget_address *address);

#endif
