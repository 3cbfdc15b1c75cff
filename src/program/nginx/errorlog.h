/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line of nginx's error.log: what it says about a connection, and whether it can be about one
 * that failed. Pure.
 *
 * The words of a line are nginx's, but for the request, the host and the referrer, which a client
 * chose: nothing is concluded from those.
 */
#ifndef TLSFAIL_PROGRAM_NGINX_ERRORLOG_H
#define TLSFAIL_PROGRAM_NGINX_ERRORLOG_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tlsfail_abi.h"

/* Names of the levels, by their numbers (NGX_LOG_STDERR 0 ... NGX_LOG_DEBUG 8). */

enum errorlog_kind {
	ERRORLOG_OTHER,	     /* not about the end of a connection */
	ERRORLOG_CONNECTION, /* a connection ended, whatever was spoken on it */
	ERRORLOG_TLS,	     /* a TLS handshake failed, or its certificate was refused */
};

/* How far a connection was, as far as the words tell. */
enum errorlog_stage {
	ERRORLOG_ELSEWHERE,
	ERRORLOG_UNBEGUN,   /* of that to an upstream: connected, and not in the handshake yet */
	ERRORLOG_PLAIN,	    /* it sent something that is not TLS */
	ERRORLOG_HANDSHAKE, /* in the handshake */
	ERRORLOG_REFUSED,   /* after it: its certificate was refused, or that it has none */
	ERRORLOG_STATUS,    /* after it: refused for its status, by OCSP */
};

struct errorlog_line {
	int64_t seconds; /* since 1970 by the clock on nginx's wall: its time zone is not known */
	uint8_t level;
	uint32_t pid;	     /* of the worker */
	uint64_t connection; /* nginx's number of the client's connection; 0: none */
	/* What happened, without the client, the request and so on. Not terminated. Points into the
	 * line. */
	const char *message;
	size_t message_len;

	enum errorlog_kind kind;
	enum errorlog_stage stage; /* of a client's connection, but for one */
	bool to_upstream;    /* about the connection to an upstream; else about the client's */
	bool has_peer;	     /* of that connection; its address is known: */
	uint8_t address[16]; /* in network order, IPv4 mapped into IPv6 */
	uint16_t port;	     /* 0: unknown (nginx does not write the client's) */

	uint32_t reason; /* of the first error of libssl in it, SSL_R_*; 0: none */
	bool has_verify;
	int32_t verify_code; /* X509_V_* */
	int system_error;    /* errno in it; 0: none */
};

/* Parses text[0 .. len), a line without its end. False: it does not begin like nginx's lines. */
bool errorlog_parse(const char *text, size_t len, struct errorlog_line *line);

/* Its parts, which make up the whole: the time, the level, the process, and where the message is; and, of a
 * line whose message has told to_upstream, the peer. */
bool errorlog_begin(const char *text, size_t len, struct errorlog_line *line);
void errorlog_peer(const char *text, size_t len, struct errorlog_line *line);

/* Can the line be about that connection, which was closed at close_ns (CLOCK_REALTIME, 0 unknown)?
 * It is for the caller to use a line once, and lines in their order. */
bool errorlog_fits(const struct errorlog_line *line, const struct tlsfail_conn *conn,
		   uint64_t close_ns);

/* "error" for 4; NULL for a number that is no level. */
const char *errorlog_level_name(uint8_t level);

#endif
