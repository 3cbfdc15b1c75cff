/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As whom a peer is asked: what decides what a ClientHello looks like, and what is made of the answer.
 * Begins as a location of nginx without a directive of TLS has it.
 */
#ifndef TLSFAIL_PROBE_CLIENT_H
#define TLSFAIL_PROBE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define CLIENT_NAME_LEN	    256
#define CLIENT_PATH_LEN	    512
#define CLIENT_CIPHERS_LEN  1024
#define CLIENT_COMMANDS_MAX 8

/* Versions as bits, lowest first. */
enum client_version {
	CLIENT_TLS_1_0 = 1 << 0,
	CLIENT_TLS_1_1 = 1 << 1,
	CLIENT_TLS_1_2 = 1 << 2,
	CLIENT_TLS_1_3 = 1 << 3,
	CLIENT_TLS_ALL = 15,
};

struct starttls;

/* A file that the client is set to use. It is read once, so that it can be used without the right to
 * read it. */
struct client_file {
	char path[CLIENT_PATH_LEN]; /* as it is configured, "" none */
	char *pem;		    /* its text, terminated; owned by whoever had it read */
	int error;		    /* why it could not be read, or 0 */
};

struct client {
	char name[CLIENT_NAME_LEN]; /* proxy_ssl_name */
	bool server_name;	    /* send it (SNI), unless it is an address */
	bool verify;
	int depth;
	unsigned int versions;
	char ciphers[CLIENT_CIPHERS_LEN];
	char alpn[64]; /* names with a comma between */
	struct client_file ca;
	struct client_file crl;
	struct client_file certificate;
	struct client_file key;
	/* Certificates that stand beside the file of CAs: with them it is seen whether an intermediate
	 * is all that the peer did not send. Not trusted for themselves. */
	struct client_file neighbours;
	unsigned int command_count; /* of proxy_ssl_conf_command */
	struct {
		char name[64];
		char value[256];
	} commands[CLIENT_COMMANDS_MAX];
	bool proxy_header;		 /* the PROXY protocol goes before */
	const struct starttls *starttls; /* NULL: TLS from the first byte on */
	/* Not as nginx does, but to see what else would work. */
	bool system_ca; /* trust what this host trusts, too */
	bool add_neighbours;
	bool any_security;   /* security level 0 */
	char groups[256];    /* "": OpenSSL's own */
	char schemes[512];   /* signature algorithms, "": OpenSSL's own */
	bool status_request; /* ask for a stapled OCSP response */
};

void client_init(struct client *client);

/* Does it send that name? RFC 6066, section 3, knows no addresses, so nginx sends none. */
bool client_sends_name(const struct client *client);

/* Reads the file that fd has open, which it closes; a negative fd is the error of opening it. */
void client_file_read(struct client_file *file, const char *path, int fd);

/* Adds what fd has open, which it closes, if it holds certificates. */
void client_file_append(struct client_file *file, int fd);

/* Frees the texts of the files. Copies of the client must not be used any more. */
void client_free(struct client *client);

#endif
