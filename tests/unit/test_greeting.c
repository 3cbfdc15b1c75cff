// SPDX-License-Identifier: BSD-2-Clause
/*
 * What speaks no TLS, by its first bytes: each protocol as its servers were seen to greet, cut short, and what
 * is none of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tls/greeting.h"

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

struct row {
	const char *protocol; /* NULL: none */
	enum tls_greeting_kind kind;
	const uint8_t *bytes;
	size_t len;
	const char *says; /* the text in it begins so */
};

#define MYSQL "J\0\0\0\n8.0.36\0\x0b\0\0\0"

static const struct row rows[] = {
	{ "HTTP", TLS_GREETING_HTTP, BYTES("HTTP/1.1 400 Bad"), "HTTP" },
	{ "HTTP", TLS_GREETING_HTTP, BYTES("<html><head>"), "<html" },
	{ "HTTP/2", TLS_GREETING_HTTP, BYTES("\0\0\x12\4\0\0\0\0\0\0\3\0\0"), "" },
	{ "SSH", TLS_GREETING_OTHER, BYTES("SSH-2.0-OpenSSH_"), "SSH" },
	{ "SSH", TLS_GREETING_OTHER, BYTES("SSH-2"), "SSH" },
	{ "SMTP", TLS_GREETING_STARTTLS, BYTES("220 mail.test ESMTP Postfix"), "220" },
	{ "SMTP", TLS_GREETING_STARTTLS, BYTES("554 mail.test SMTP refused"), "554" },
	{ "FTP", TLS_GREETING_STARTTLS, BYTES("220 (vsFTPd 3.0.3)\r\n"), "220" },
	{ "SMTP or FTP", TLS_GREETING_STARTTLS, BYTES("220-m"), "220" },
	{ "IMAP", TLS_GREETING_STARTTLS, BYTES("* OK [CAPABILITY"), "*" },
	{ "POP3", TLS_GREETING_STARTTLS, BYTES("+OK Dovecot read"), "+OK" },
	{ "MySQL", TLS_GREETING_STARTTLS, BYTES(MYSQL), "8.0.36" },
	{ "MySQL", TLS_GREETING_STARTTLS, BYTES("J\0\0\0\n"), "" },
	{ "MariaDB", TLS_GREETING_STARTTLS, BYTES("Y\0\0\0\n5.5.5-10.11.6-MariaDB-0\0"), "5.5.5" },
	{ "MySQL", TLS_GREETING_STARTTLS, BYTES("E\0\0\0\xff\x6a\4Host 'a' is not"), "Host" },
	{ "PostgreSQL", TLS_GREETING_STARTTLS, BYTES("E\0\0\0\x5fSFATAL\0"), "FATAL" },
	{ "LDAP", TLS_GREETING_STARTTLS, BYTES("0\x24\2\1\0\x78\x1f\n\1\2"), "0" },
	{ "Redis or POP3", TLS_GREETING_OTHER, BYTES("-ERR unknown com"), "-ERR" },
	{ "AMQP", TLS_GREETING_OTHER, BYTES("AMQP\0\0\x9\1"), "AMQP" },
	{ "MongoDB", TLS_GREETING_OTHER, BYTES("\x30\0\0\0\7\0\0\0\0\0\0\0\1\0\0\0"), "0" },
	{ "Telnet", TLS_GREETING_OTHER, BYTES("\xff\xfd\x18\xff"), "" },
	/* TLS: a handshake, an alert; and what is nothing */
	{ NULL, 0, BYTES("\x16\3\3\0z\2\0\0v\3\3"), "" },
	{ NULL, 0, BYTES("\x15\3\1\0\2\2\x46"), "" },
	{ NULL, 0, BYTES("\x15\3\0\0\2\2\x28"), "" },
	{ NULL, 0, BYTES("2200 "), "" },
	{ NULL, 0, BYTES("220"), "" },
	{ NULL, 0, BYTES("\3\0\0\x13\x0e\xe0\0\0\0\0\0\1\0\x8\0\3\0\0\0"), "" },
	{ NULL, 0, BYTES("\n\0\0\0\0\0\0\0"), "" },
	{ NULL, 0, BYTES("\x1a\0\0\0\n\x07service"), "" },
	{ NULL, 0, BYTES("200 welcome\r\n"), "" },
	{ NULL, 0, BYTES(""), "" },
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static void test_protocols(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROW_COUNT; i++) {
		const struct row *row = &rows[i];
		const struct tls_greeting *greeting = tls_greeting_of(row->bytes, row->len);

		if (!row->protocol) {
			assert_null(greeting);
			continue;
		}
		assert_non_null(greeting);
		assert_string_equal(greeting->protocol, row->protocol);
		assert_int_equal(greeting->kind, row->kind);
		assert_memory_equal(row->bytes + greeting->text_at, row->says, strlen(row->says));
	}
}

/* Not a byte behind the end is looked at: the sanitizer sees it. */
static void test_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROW_COUNT; i++)
		for (size_t len = 0; len <= rows[i].len; len++) {
			uint8_t copy[64] = { 0 };
			uint8_t *end = copy + sizeof(copy) - len;

			memcpy(end, rows[i].bytes, len);
			tls_greeting_of(end, len);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_protocols),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
