// SPDX-License-Identifier: BSD-2-Clause
/*
 * First bytes of protocols. Text is known by how it begins; binary ones have a look of their own.
 */
#include "tls/greeting.h"

#include <stdbool.h>
#include <string.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static bool starts_with(const uint8_t *bytes, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);

	return len >= n && !memcmp(bytes, prefix, n);
}

static bool has(const uint8_t *bytes, size_t len, const char *word)
{
	for (size_t i = 0; i < len; i++)
		if (starts_with(bytes + i, len - i, word))
			return true;
	return false;
}

/* ---- Text ------------------------------------------------------------------------------------ */

struct text {
	const char *begins;
	struct tls_greeting greeting;
};

static const struct text texts[] = {
	/* a status line, or the HTML that some servers send alone (HTTP/0.9 style error pages) */
	{ "HTTP/", { "HTTP", TLS_GREETING_HTTP, 0 } },
	{ "<!DO", { "HTTP", TLS_GREETING_HTTP, 0 } },
	{ "<!do", { "HTTP", TLS_GREETING_HTTP, 0 } },
	{ "<htm", { "HTTP", TLS_GREETING_HTTP, 0 } },
	{ "<HTM", { "HTTP", TLS_GREETING_HTTP, 0 } },
	{ "SSH-", { "SSH", TLS_GREETING_OTHER, 0 } },
	{ "* OK", { "IMAP", TLS_GREETING_STARTTLS, 0 } },
	{ "* BYE", { "IMAP", TLS_GREETING_STARTTLS, 0 } },
	{ "* PREAUTH", { "IMAP", TLS_GREETING_STARTTLS, 0 } },
	{ "+OK", { "POP3", TLS_GREETING_STARTTLS, 0 } },
	{ "\"IMPL", { "ManageSieve", TLS_GREETING_STARTTLS, 0 } },
	{ "<stream", { "XMPP", TLS_GREETING_STARTTLS, 0 } },
	{ "-ERR ", { "Redis or POP3", TLS_GREETING_OTHER, 0 } },
	{ "-DENIED ", { "Redis", TLS_GREETING_OTHER, 0 } },
	{ "AMQP", { "AMQP", TLS_GREETING_OTHER, 0 } },
	{ "ERROR\r\n", { "memcached", TLS_GREETING_OTHER, 0 } },
	{ "INFO {", { "NATS", TLS_GREETING_OTHER, 0 } },
	{ "RFB 0", { "VNC", TLS_GREETING_OTHER, 0 } },
	{ "@RSYN", { "rsync", TLS_GREETING_OTHER, 0 } },
	{ "RTSP/", { "RTSP", TLS_GREETING_OTHER, 0 } },
	{ "SIP/2", { "SIP", TLS_GREETING_OTHER, 0 } },
};

/* Both greet with the same numbers (RFC 5321, section 4.2; RFC 959, section 4.2), and most say who they are. */
static const struct tls_greeting *read_reply(const uint8_t *bytes, size_t len)
{
	static const struct tls_greeting smtp = { "SMTP", TLS_GREETING_STARTTLS, 0 };
	static const struct tls_greeting ftp = { "FTP", TLS_GREETING_STARTTLS, 0 };
	static const struct tls_greeting either = { "SMTP or FTP", TLS_GREETING_STARTTLS, 0 };
	static const char *const numbers[] = { "220", "421", "554" };

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		if (len < 4 || !starts_with(bytes, len, numbers[i]) ||
		    (bytes[3] != ' ' && bytes[3] != '-'))
			continue;
		if (has(bytes, len, "SMTP"))
			return &smtp;
		return has(bytes, len, "FTP") ? &ftp : &either;
	}
	return NULL;
}

/* ---- Binary ---------------------------------------------------------------------------------- */

/* A packet has its length in three bytes, least first, and a number; the first is version 10 of the
 * handshake, or an error: too many connections, a host that is not allowed. */
static const struct tls_greeting *read_mysql(const uint8_t *bytes, size_t len)
{
	static const struct tls_greeting mysql = { "MySQL", TLS_GREETING_STARTTLS, 5 };
	static const struct tls_greeting mariadb = { "MariaDB", TLS_GREETING_STARTTLS, 5 };
	static const struct tls_greeting refused = { "MySQL", TLS_GREETING_STARTTLS, 7 };

	if (len < 5 || bytes[2] || bytes[3] || bytes[0] + (bytes[1] << 8) < 8)
		return NULL;
	if (bytes[4] == 0xff)
		return &refused;
	/* the version begins with a number; other protocols have a length of four bytes, too */
	if (bytes[4] != 10 || (len > 5 && (bytes[5] < '0' || bytes[5] > '9')))
		return NULL;
	return has(bytes, len, "MariaDB") ? &mariadb : &mysql;
}

/* The frame that HTTP/2 begins with: SETTINGS, of 6 bytes each, without flags, of stream 0 (RFC 9113,
 * sections 4.1 and 6.5). */
static const struct tls_greeting *read_http2(const uint8_t *bytes, size_t len)
{
	static const uint8_t settings[] = { 4, 0, 0, 0, 0, 0 };
	static const struct tls_greeting http2 = { "HTTP/2", TLS_GREETING_HTTP, 0 };

	return len >= 9 && !bytes[0] && !bytes[1] && !(bytes[2] % 6) &&
			       !memcmp(bytes + 3, settings, sizeof(settings))
		       ? &http2
		       : NULL;
}

/* ErrorResponse: 'E', a length of four bytes, and the first field, 'S' with the severity. */
static const struct tls_greeting *read_postgresql(const uint8_t *bytes, size_t len)
{
	static const struct tls_greeting postgresql = { "PostgreSQL", TLS_GREETING_STARTTLS, 6 };

	return len >= 6 && bytes[0] == 'E' && !bytes[1] && !bytes[2] && bytes[5] == 'S'
		       ? &postgresql
		       : NULL;
}

/* Notice of Disconnection (RFC 4511, section 4.4.1): message 0, an ExtendedResponse. */
static const struct tls_greeting *read_ldap(const uint8_t *bytes, size_t len)
{
	static const uint8_t notice[] = { 2, 1, 0, 0x78 };
	static const struct tls_greeting ldap = { "LDAP", TLS_GREETING_STARTTLS, 0 };

	return len >= 6 && bytes[0] == 0x30 && bytes[1] < 0x80 &&
			       !memcmp(bytes + 2, notice, sizeof(notice))
		       ? &ldap
		       : NULL;
}

/* A message has its length, two numbers and its kind, of four bytes each, least first: 1 is OP_REPLY, 2013
 * OP_MSG. */
static const struct tls_greeting *read_mongodb(const uint8_t *bytes, size_t len)
{
	static const uint8_t reply[] = { 1, 0, 0, 0 };
	static const uint8_t message[] = { 2013 & 0xff, 2013 >> 8, 0, 0 };
	static const struct tls_greeting mongodb = { "MongoDB", TLS_GREETING_OTHER, 0 };

	return len >= 16 && bytes[0] >= 16 && !bytes[2] && !bytes[3] &&
			       (!memcmp(bytes + 12, reply, sizeof(reply)) ||
				!memcmp(bytes + 12, message, sizeof(message)))
		       ? &mongodb
		       : NULL;
}

/* IAC, and WILL, WON'T, DO or DON'T (RFC 854). */
static const struct tls_greeting *read_telnet(const uint8_t *bytes, size_t len)
{
	static const struct tls_greeting telnet = { "Telnet", TLS_GREETING_OTHER, 0 };

	return len >= 3 && bytes[0] == 0xff && bytes[1] >= 0xfb && bytes[1] <= 0xfe ? &telnet
										    : NULL;
}

const struct tls_greeting *tls_greeting_of(const uint8_t *bytes, size_t len)
{
	static const struct tls_greeting *(*const readers[])(const uint8_t *, size_t) = {
		read_reply, read_http2,	 read_mysql,   read_postgresql,
		read_ldap,  read_telnet, read_mongodb,
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (starts_with(bytes, len, texts[i].begins))
			return &texts[i].greeting;
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		const struct tls_greeting *greeting = readers[i](bytes, len);

		if (greeting)
			return greeting;
	}
	return NULL;
}
