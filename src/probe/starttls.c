// SPDX-License-Identifier: BSD-2-Clause
/*
 * RFC 3207 (SMTP), RFC 2595 (IMAP, POP3), RFC 4511 section 4.14 (LDAP); "SSLRequest" of PostgreSQL's
 * and MySQL's protocols. An answer is read byte by byte, as the bytes behind it may be TLS already.
 */
#include "probe/starttls.h"

#include <errno.h>
#include <string.h>

static int byte_read(struct dial *d, uint8_t *byte)
{
	ssize_t n = dial_receive(d, byte, 1);

	return n < 0 ? (int)n : n == 0 ? -ECONNRESET : 0;
}

static int bytes_read(struct dial *d, uint8_t *buf, size_t len)
{
	int err = 0;

	for (size_t i = 0; i < len && !err; i++)
		err = byte_read(d, &buf[i]);
	return err;
}

/* A line without its end; of a long one the beginning. */
static int line_read(struct dial *d, char line[DIAL_LINE_MAX])
{
	size_t len = 0;
	uint8_t byte = 0;
	int err = 0;

	while (!err && byte != '\n') {
		err = byte_read(d, &byte);
		if (!err && byte != '\r' && byte != '\n' && len < DIAL_LINE_MAX - 1)
			line[len++] = (char)byte;
	}
	line[len] = '\0';
	return err;
}

static int refuse(struct text *problem, const char *line)
{
	text_add(problem, "it answered \"");
	text_add_hostile(problem, line, strlen(line));
	text_add(problem, "\"");
	return -EPROTO;
}

/* Reads lines up to one that begins with good; one with bad is a refusal. Others are comments, of
 * which there may be 100. */
static int answer_expect(struct dial *d, const char *good, const char *bad, struct text *problem)
{
	char line[DIAL_LINE_MAX];

	for (int i = 0; i < 100; i++) {
		int err = line_read(d, line);

		if (err)
			return err;
		if (!strncmp(line, good, strlen(good)))
			return 0;
		if (*bad && !strncmp(line, bad, strlen(bad)))
			return refuse(problem, line);
	}
	return refuse(problem, line);
}

static int say(struct dial *d, const char *words)
{
	return dial_send(d, words, strlen(words));
}

/* The last line of an answer has a space behind its code, RFC 5321, section 4.2.1. */
static int smtp_expect(struct dial *d, const char *code, struct text *problem)
{
	char line[DIAL_LINE_MAX];

	for (int i = 0; i < 100; i++) {
		int err = line_read(d, line);

		if (err)
			return err;
		if (strncmp(line, code, 3) != 0)
			return refuse(problem, line);
		if (line[3] != '-')
			return 0;
	}
	return refuse(problem, line);
}

static int smtp_talk(struct dial *d, struct text *problem)
{
	int err = smtp_expect(d, "220", problem);

	if (!err)
		err = say(d, "EHLO tlsfail.invalid\r\n");
	if (!err)
		err = smtp_expect(d, "250", problem);
	if (!err)
		err = say(d, "STARTTLS\r\n");
	return err ? err : smtp_expect(d, "220", problem);
}

static int imap_talk(struct dial *d, struct text *problem)
{
	int err = answer_expect(d, "* OK", "* BYE", problem);

	if (!err)
		err = say(d, "a STARTTLS\r\n");
	return err ? err : answer_expect(d, "a OK", "a ", problem);
}

static int pop3_talk(struct dial *d, struct text *problem)
{
	int err = answer_expect(d, "+OK", "-ERR", problem);

	if (!err)
		err = say(d, "STLS\r\n");
	return err ? err : answer_expect(d, "+OK", "-ERR", problem);
}

static int postgres_talk(struct dial *d, struct text *problem)
{
	static const uint8_t request[] = { 0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f };
	uint8_t answer = 0;
	int err = dial_send(d, request, sizeof(request));

	if (!err)
		err = byte_read(d, &answer);
	if (!err && answer != 'S') {
		char word[2] = { (char)answer, 0 };

		return refuse(problem, word);
	}
	return err;
}

#define MYSQL_CLIENT_SSL 0x0800

static int mysql_talk(struct dial *d, struct text *problem)
{
	/* capabilities: PROTOCOL_41, SSL, SECURE_CONNECTION; packets of 16 MiB; utf8 */
	static const uint8_t request[36] = { 32, 0, 0, 1, 0, 0x8a, 0, 0, 0, 0, 0, 1, 33 };
	uint8_t header[4], body[DIAL_LINE_MAX];
	size_t len, version;
	int err = bytes_read(d, header, sizeof(header));

	len = header[0] | (size_t)header[1] << 8 | (size_t)header[2] << 16;
	if (!err && (len < 20 || len > sizeof(body)))
		return refuse(problem, "an invalid greeting");
	if (!err)
		err = bytes_read(d, body, len);
	if (err)
		return err;
	/* behind the version's text: thread 4, salt 8, a zero, capabilities */
	version = strnlen((const char *)body + 1, len - 1) + 2;
	if (body[0] != 10 || version + 15 > len ||
	    !((body[version + 13] | body[version + 14] << 8) & MYSQL_CLIENT_SSL))
		return refuse(problem, "a greeting without TLS");
	return dial_send(d, request, sizeof(request));
}

static int ldap_talk(struct dial *d, struct text *problem)
{
	static const uint8_t request[] = "\x30\x1d\x02\x01\x01\x77\x18\x80\x16"
					 "1.3.6.1.4.1.1466.20037";
	uint8_t body[DIAL_LINE_MAX];
	uint8_t head[2] = { 0 };
	size_t len;
	int err = dial_send(d, request, sizeof(request) - 1);

	if (!err)
		err = bytes_read(d, head, sizeof(head));
	len = head[1];
	/* BER may take more bytes for the length than it needs (MS AD: 0x84). */
	if (!err && len & 0x80) {
		size_t n = len & 0x7f;

		err = n > 4 ? -EPROTO : bytes_read(d, body, n);
		for (size_t i = len = 0; !err && i < n; i++)
			len = len << 8 | body[i];
	}
	if (!err && (head[0] != 0x30 || len > sizeof(body)))
		err = -EPROTO;
	if (!err)
		err = bytes_read(d, body, len);
	if (err)
		return err;
	/* ENUMERATED of one byte: success */
	for (size_t i = 0; i + 2 < len; i++)
		if (body[i] == 10 && body[i + 1] == 1)
			return body[i + 2] ? refuse(problem, "an LDAP error") : 0;
	return refuse(problem, "something other than LDAP");
}

static const struct starttls protocols[] = {
	{ "smtp", 25, smtp_talk },	     { "imap", 143, imap_talk },
	{ "pop3", 110, pop3_talk },	     { "ldap", 389, ldap_talk },
	{ "postgres", 5432, postgres_talk }, { "mysql", 3306, mysql_talk },
};
#define PROTOCOL_COUNT (sizeof(protocols) / sizeof(protocols[0]))

const struct starttls *starttls_find(const char *name)
{
	for (size_t i = 0; i < PROTOCOL_COUNT; i++)
		if (!strcmp(protocols[i].name, name))
			return &protocols[i];
	return NULL;
}

void starttls_add_names(struct text *t)
{
	for (size_t i = 0; i < PROTOCOL_COUNT; i++)
		text_addf(t, "%s%s", i ? ", " : "", protocols[i].name);
}

int starttls_proxy_header(struct dial *d)
{
	const struct tlsfail_conn *c = &d->conn;
	char line[108]; /* the longest there is, as the protocol says */
	struct text t;

	text_init(&t, line, sizeof(line));
	text_add(&t, c->family == 2 ? "PROXY TCP4 " : "PROXY TCP6 ");
	text_add_address(&t, c->family, c->laddr);
	text_add(&t, " ");
	text_add_address(&t, c->family, c->raddr);
	text_addf(&t, " %u %u\r\n", c->lport, c->rport);
	return dial_send(d, line, t.len);
}
