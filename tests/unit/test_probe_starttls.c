/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is said before TLS, to servers that follow a script: each dialogue as its protocol has it, and
 * refusals in the server's own words.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harmless.h"
#include "probe/starttls.h"
#include "probing.h"
#include "server.h"
#include "system/clock.h"

#define BYTES(text) (text), sizeof(text) - 1

/* A step: what the server expects, exactly, and what it says then. */
struct step {
	const char *expected; /* NULL: it speaks first */
	size_t expected_len;
	const char *said;
	size_t said_len;
};

#define STEPS_MAX 4

/* After the steps comes the word "TLS", of which nothing may have been read. */
struct script {
	struct step steps[STEPS_MAX];
	atomic_bool as_expected;
};

static char words[512];
static struct text problem;
static struct dial dial;

static void follow(int fd, void *context)
{
	struct script *script = context;
	char buf[256];

	for (size_t i = 0; i < STEPS_MAX && (i == 0 || script->steps[i].expected); i++) {
		const struct step *step = &script->steps[i];

		if (step->expected &&
		    (server_read(fd, buf, step->expected_len) != step->expected_len ||
		     memcmp(buf, step->expected, step->expected_len) != 0))
			return;
		server_say(fd, step->said, step->said_len);
	}
	atomic_store(&script->as_expected, true);
	server_say(fd, "TLS", 3);
	server_hang(fd, NULL);
}

/* Dials, talks, and reads the word behind it when it went well. */
static int talk(const char *protocol, server_serve *serve, void *context, uint64_t timeout_ns)
{
	const struct starttls *starttls = starttls_find(protocol);
	struct server *server = server_start(serve, context);
	struct dial_peer peer = server_peer(server);
	char tls[4] = "";
	int err;

	assert_non_null(starttls);
	text_init(&problem, words, sizeof(words));
	assert_int_equal(
		dial_open(&dial, &peer, &(struct dial_patience){ .timeout_ns = PROBING_PATIENT }),
		0);
	dial.deadline = clock_monotonic() + timeout_ns;
	err = starttls->talk(&dial, &problem);
	for (size_t got = 0; !err && got < 3;) {
		ssize_t n = dial_receive(&dial, tls + got, 3 - got);

		assert_true(n > 0);
		got += (size_t)n;
	}
	if (!err)
		assert_string_equal(tls, "TLS");
	dial_close(&dial);
	server_stop(server);
	return err;
}

static const char mysql_greeting[] = "\x49\0\0\0"
				     "\x0a"
				     "8.0.0\0"
				     "\1\0\0\0"
				     "12345678"
				     "\0"
				     "\xff\xff"
				     "\x21\2\0\xff\xff\x15"
				     "\0\0\0\0\0\0\0\0\0\0"
				     "123456789012\0"
				     "caching_sha2_password\0";
static const char mysql_request[36] = { 32, 0, 0, 1, 0, (char)0x8a, 0, 0, 0, 0, 0, 1, 33 };
static const char postgres_request[] = { 0, 0, 0, 8, 4, (char)0xd2, 0x16, 0x2f };
#define LDAP_REQUEST                                                                               \
	"\x30\x1d\x02\x01\x01\x77\x18\x80\x16"                                                     \
	"1.3.6.1.4.1.1466.20037"

static void test_agreed(void **state)
{
	static const struct {
		const char *protocol;
		struct step steps[STEPS_MAX];
	} rows[] = {
		{ "smtp",
		  { { NULL, 0, BYTES("220-mail.test\r\n220 ESMTP\r\n") },
		    { BYTES("EHLO tlsfail.invalid\r\n"), BYTES("250-x\r\n250 STARTTLS\r\n") },
		    { BYTES("STARTTLS\r\n"), BYTES("220 go on\r\n") } } },
		{ "imap",
		  { { NULL, 0, BYTES("* OK IMAP4rev1\r\n") },
		    { BYTES("a STARTTLS\r\n"), BYTES("* a comment\r\na OK go on\r\n") } } },
		{ "pop3",
		  { { NULL, 0, BYTES("+OK\r\n") }, { BYTES("STLS\r\n"), BYTES("+OK\r\n") } } },
		{ "postgres", { { postgres_request, sizeof(postgres_request), BYTES("S") } } },
		{ "mysql",
		  { { NULL, 0, BYTES(mysql_greeting) },
		    { mysql_request, sizeof(mysql_request), BYTES("") } } },
		/* extendedResp with success; its length in four bytes, as Active Directory has it */
		{ "ldap",
		  { { BYTES(LDAP_REQUEST),
		      BYTES("\x30\x84\0\0\0\x0c\2\1\1\x78\7\x0a\1\0\4\0\4\0") } } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct script script = { .as_expected = false };
		int err;

		memcpy(script.steps, rows[i].steps, sizeof(script.steps));
		err = talk(rows[i].protocol, follow, &script, PROBING_PATIENT);
		if (err || !atomic_load(&script.as_expected))
			fail_msg("%s: %d %s", rows[i].protocol, err, words);
		assert_int_equal(problem.len, 0);
	}
}

/* Says it, whatever is asked. */
static void blurt(int fd, void *context)
{
	const struct step *step = context;

	server_say(fd, step->said, step->said_len);
	server_hang(fd, NULL);
}

/* What the server said stands in the problem, harmless; what follows a refusal is not talked to. */
static void test_refused(void **state)
{
	static const struct {
		const char *protocol;
		struct step step;
		const char *quoted;
	} rows[] = {
		{ "smtp", { NULL, 0, BYTES("554 \x1b[31mno\r\n") }, "554 \\x1b[31mno" },
		{ "smtp", { NULL, 0, BYTES("220 a\r\n250 b\r\n454 later\r\n") }, "454 later" },
		{ "smtp", { NULL, 0, BYTES("22\r\n") }, "\"22\"" },
		{ "imap", { NULL, 0, BYTES("* BYE busy\r\n") }, "* BYE busy" },
		{ "imap", { NULL, 0, BYTES("* OK\r\na BAD what\r\n") }, "a BAD what" },
		{ "pop3", { NULL, 0, BYTES("-ERR no\r\n") }, "-ERR no" },
		{ "pop3", { NULL, 0, BYTES("+OK\r\n-ERR no TLS\r\n") }, "-ERR no TLS" },
		{ "postgres", { NULL, 0, BYTES("N") }, "\"N\"" },
		{ "mysql", { NULL, 0, BYTES("\5\0\0\0hello") }, "greeting" },
		{ "mysql", { NULL, 0, BYTES("\xff\xff\xff\0") }, "greeting" },
		{ "mysql",
		  { NULL, 0,
		    BYTES("\x18\0\0\0\x0a"
			  "5\0"
			  "\1\0\0\0"
			  "12345678"
			  "\0"
			  "\0\0"
			  "123456") },
		  "TLS" },
		{ "ldap", { NULL, 0, BYTES("\x30\x0c\2\1\1\x78\7\x0a\1\x34\4\0\4\0") }, "LDAP" },
		{ "ldap", { NULL, 0, BYTES("\x30\2\1\1") }, "LDAP" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct step step = rows[i].step;

		assert_int_equal(talk(rows[i].protocol, blurt, &step, PROBING_PATIENT), -EPROTO);
		if (!strstr(words, rows[i].quoted))
			fail_msg("%s %zu: %s", rows[i].protocol, i, words);
		assert_true(is_harmless(words));
	}
}

/* What is not LDAP, before anything could be quoted. */
static void test_not_ldap(void **state)
{
	static const struct step rows[] = {
		{ NULL, 0, BYTES("HTTP/1.1 400") },
		{ NULL, 0, BYTES("\x30\x85\0\0\0\0\x0c") },
		{ NULL, 0, BYTES("\x30\x84\x7f\xff\xff\xff") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct step step = rows[i];

		assert_int_equal(talk("ldap", blurt, &step, PROBING_PATIENT), -EPROTO);
	}
}

static void comment_forever(int fd, void *context)
{
	char buf[512];

	for (int i = 0; i < 1000; i++)
		server_say(fd, context, strlen(context));
	while (server_read(fd, buf, sizeof(buf)))
		;
}

/* One that never comes to the point is refused, as is one whose line does not end. */
static void test_endless(void **state)
{
	static char comments[] = "* and another thing\r\n", continued[] = "220-more\r\n";

	(void)state;
	assert_int_equal(talk("imap", comment_forever, comments, PROBING_PATIENT), -EPROTO);
	assert_non_null(strstr(words, "and another thing"));
	assert_int_equal(talk("smtp", comment_forever, continued, PROBING_PATIENT), -EPROTO);
	assert_int_equal(talk("smtp", server_flood, NULL, PROBING_SHORT), -ETIMEDOUT);
}

static void line_forever(int fd, void *context)
{
	static const char junk[4096];

	(void)context;
	for (int i = 0; i < 1000; i++)
		server_say(fd, junk, sizeof(junk));
}

static void test_line_without_end(void **state)
{
	(void)state;
	assert_int_equal(talk("pop3", line_forever, NULL, PROBING_PATIENT), -EMSGSIZE);
}

static void test_gone(void **state)
{
	static const char *const protocols[] = {
		"smtp", "imap", "pop3", "postgres", "mysql", "ldap"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		assert_true(talk(protocols[i], server_close, NULL, PROBING_PATIENT) < 0);
		assert_int_equal(talk(protocols[i], server_hang, NULL, PROBING_SHORT), -ETIMEDOUT);
	}
}

/* -- the PROXY header -------------------------------------------------------------------------- */

/* Says the line back. */
static void echo(int fd, void *context)
{
	char line[128];

	(void)context;
	server_say(fd, line, server_read_line(fd, line, sizeof(line)));
}

/* It has the addresses of the very connection. */
static void test_proxy_header(void **state)
{
	struct server *server = server_start(echo, NULL);
	struct dial_peer peer = server_peer(server);
	char expected[128], header[128];
	size_t len = 0;
	ssize_t n;

	(void)state;
	assert_int_equal(
		dial_open(&dial, &peer, &(struct dial_patience){ .timeout_ns = PROBING_PATIENT }),
		0);
	assert_int_equal(starttls_proxy_header(&dial), 0);
	while ((n = dial_receive(&dial, header + len, sizeof(header) - 1 - len)) > 0)
		len += (size_t)n;
	header[len] = '\0';
	snprintf(expected, sizeof(expected), "PROXY TCP4 127.0.0.1 127.0.0.1 %u %u\r\n",
		 dial.conn.lport, ntohs(((struct sockaddr_in *)&peer.addr)->sin_port));
	dial_close(&dial);
	server_stop(server);
	assert_string_equal(header, expected);
}

static void test_names(void **state)
{
	(void)state;
	text_init(&problem, words, sizeof(words));
	starttls_add_names(&problem);
	assert_string_equal(words, "smtp, imap, pop3, ldap, postgres, mysql");
	assert_null(starttls_find("ftp"));
	assert_null(starttls_find(""));
	assert_int_equal(starttls_find("ldap")->port, 389);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agreed),		 cmocka_unit_test(test_refused),
		cmocka_unit_test(test_not_ldap),	 cmocka_unit_test(test_endless),
		cmocka_unit_test(test_line_without_end), cmocka_unit_test(test_gone),
		cmocka_unit_test(test_proxy_header),	 cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("probe_starttls", tests, NULL, NULL);
}
