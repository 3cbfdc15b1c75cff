/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of error.log: those that nginx 1.22 wrote, what a client can make of its request, lines that
 * are none; and which connection a line can be about.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "program/nginx/errorlog.h"

/* 2026-11-21 18:00:00 */
#define HEAD	  "2026/11/21 18:00:00 [error] 4242#4242: *5 "
#define SECONDS	  1795284000
#define NS_PER_S  1000000000ULL
#define CLOSE_NS  (SECONDS * NS_PER_S)
#define CLIENT	  ", client: 127.0.0.1, server: , request: \"GET /x HTTP/1.0\""
#define UPSTREAM  ", upstream: \"https://192.0.2.88:8443/x\""
#define HANDSHAKE " while SSL handshaking to upstream" CLIENT UPSTREAM
#define READING	  " while reading response header from upstream" CLIENT UPSTREAM

static struct errorlog_line line;
static char copy[4096]; /* of the line; what was parsed points into it */

/* A copy without an end, for the sanitizers to see a read past it. */
static bool parse(const char *text)
{
	size_t len = strlen(text);
	char *exact = malloc(len ? len : 1);
	bool parsed;

	assert_non_null(exact);
	memcpy(exact, text, len);
	memset(&line, 0xa5, sizeof(line));
	parsed = errorlog_parse(exact, len, &line);
	if (parsed) {
		assert_true(line.message >= exact);
		assert_true(line.message + line.message_len <= exact + len);
		memcpy(copy, line.message, line.message_len);
		copy[line.message_len] = '\0';
	}
	free(exact);
	return parsed;
}

static void assert_peer(const char *address, uint16_t port)
{
	uint8_t want[16];

	assert_true(line.has_peer);
	assert_int_equal(inet_pton(AF_INET6, address, want), 1);
	assert_memory_equal(line.address, want, sizeof(want));
	assert_int_equal(line.port, port);
}

static void test_head(void **state)
{
	(void)state;
	assert_true(parse(HEAD "upstream timed out (110: Connection timed out)" HANDSHAKE));
	assert_int_equal(line.seconds, SECONDS);
	assert_int_equal(line.level, 4);
	assert_int_equal(line.pid, 4242);
	assert_int_equal(line.connection, 5);
	assert_string_equal(copy, "upstream timed out (110: Connection timed out) while SSL "
				  "handshaking to upstream");
	assert_int_equal(line.system_error, ETIMEDOUT);

	assert_true(parse("2024/02/29 23:59:59 [notice] 7#8: signal process started"));
	assert_int_equal(line.seconds, 1709251199);
	assert_int_equal(line.level, 6);
	assert_int_equal(line.pid, 7);
	assert_int_equal(line.connection, 0);
	assert_string_equal(copy, "signal process started");
	assert_int_equal(line.kind, ERRORLOG_OTHER);
	assert_false(line.has_peer);
	assert_true(parse("1970/01/01 00:00:00 [emerg] 1#1: "));
	assert_int_equal(line.seconds, 0);
	assert_string_equal(copy, "");
}

static void test_not_nginx(void **state)
{
	static const char *const texts[] = {
		"",
		"2026",
		"2026/13/21 18:00:00 [error] 1#1: x",
		"2026/00/21 18:00:00 [error] 1#1: x",
		"2026/11/21 24:00:00 [error] 1#1: x",
		"2026-11-21T18:00:00Z something else",
		"2026/11/21 18:00:00 [loud] 1#1: x",
		"2026/11/21 18:00:00 [error 1#1: x",
		"2026/11/21 18:00:00 [error] 1: x",
		"2026/11/21 18:00:00 [error] 4294967296#1: x",
		"2026/11/21 18:00:00 [error] #1: x",
		"2026/11/21 18:00:00 [error] 1#99999999999999999999: x",
		"2026/11/21 18:00:00 [error] 1#1: *x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(parse(texts[i]));
}

static void test_cut_anywhere(void **state)
{
	static const char text[] = HEAD "SSL_do_handshake() failed (SSL: error:0A000410:SSL "
					"routines::x:SSL alert number 40)" HANDSHAKE;
	char part[sizeof(text)];

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		memcpy(part, text, len);
		part[len] = '\0';
		parse(part);
	}
}

static void test_kinds(void **state)
{
	static const struct {
		const char *text;
		enum errorlog_kind kind;
		uint32_t reason;
		int system_error;
	} rows[] = {
		{ "SSL_do_handshake() failed (SSL: error:0A000410:SSL routines::sslv3 alert "
		  "handshake failure:SSL alert number 40)" HANDSHAKE,
		  ERRORLOG_TLS, 1040, 0 },
		{ "SSL_do_handshake() failed (SSL: error:14094410:SSL routines:ssl3_read_bytes:"
		  "sslv3 alert handshake failure:SSL alert number 40)" HANDSHAKE,
		  ERRORLOG_TLS, 1040, 0 },
		/* libcrypto's error comes first, libssl's is what counts */
		{ "SSL_do_handshake() failed (SSL: error:0480006C:PEM routines::no start line "
		  "error:0A000086:SSL routines::certificate verify failed)" HANDSHAKE,
		  ERRORLOG_TLS, 134, 0 },
		{ "peer closed connection in SSL handshake (104: Connection reset by peer)" HANDSHAKE,
		  ERRORLOG_TLS, 0, ECONNRESET },
		{ "peer closed connection in SSL handshake" HANDSHAKE, ERRORLOG_TLS, 0, 0 },
		{ "SSL_read() failed (SSL: error:0A00045C:SSL routines::tlsv13 alert certificate "
		  "required:SSL alert number 116)" READING,
		  ERRORLOG_TLS, 1116, 0 },
		{ "SSL_read() failed (SSL: error:0A000126:SSL routines::unexpected eof while "
		  "reading)" READING,
		  ERRORLOG_CONNECTION, 294, 0 },
		{ "connect() failed (111: Connection refused) while connecting to "
		  "upstream" CLIENT UPSTREAM,
		  ERRORLOG_CONNECTION, 0, ECONNREFUSED },
		{ "upstream prematurely closed connection" READING, ERRORLOG_CONNECTION, 0, 0 },
		{ "client prematurely closed connection, so upstream connection is closed too while "
		  "sending request to upstream" CLIENT UPSTREAM,
		  ERRORLOG_CONNECTION, 0, 0 },
		{ "an upstream response is buffered to a temporary file proxy/tmp/1/00/0000000001 "
		  "while reading upstream" CLIENT UPSTREAM,
		  ERRORLOG_OTHER, 0, 0 },
		{ "upstream server temporarily disabled while connecting to "
		  "upstream" CLIENT UPSTREAM,
		  ERRORLOG_OTHER, 0, 0 },
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strcpy(text, HEAD);
		strcat(text, rows[i].text);
		assert_true(parse(text));
		assert_int_equal(line.kind, rows[i].kind);
		assert_int_equal(line.reason, rows[i].reason);
		assert_int_equal(line.system_error, rows[i].system_error);
		assert_true(line.to_upstream);
		assert_peer("::ffff:192.0.2.88", 8443);
	}
}

static void test_verify(void **state)
{
	(void)state;
	assert_true(parse(HEAD "upstream SSL certificate verify error: (10:certificate has "
			       "expired)" HANDSHAKE));
	assert_true(line.has_verify);
	assert_int_equal(line.verify_code, 10);
	assert_int_equal(line.system_error, 0);
	assert_int_equal(line.kind, ERRORLOG_TLS);
	assert_true(parse(HEAD "upstream SSL certificate does not match \"a.test\"" HANDSHAKE));
	assert_false(line.has_verify);
	assert_int_equal(line.kind, ERRORLOG_TLS);
}

static void test_peers(void **state)
{
	(void)state;
	assert_true(parse(HEAD "x while connecting to upstream" CLIENT
			       ", upstream: \"grpcs://[2001:db8::1]:443\", host: \"a\""));
	assert_peer("2001:db8::1", 443);
	/* of the stream module */
	assert_true(parse(HEAD "peer closed connection in SSL handshake while SSL handshaking to "
			       "upstream, client: 127.0.0.1, server: 0.0.0.0:9000, upstream: "
			       "\"192.0.2.1:443\", bytes from/to client:0/0, bytes from/to "
			       "upstream:0/0"));
	assert_true(line.to_upstream);
	assert_peer("::ffff:192.0.2.1", 443);
	/* a group of which no server was chosen; a socket that is none of TCP */
	assert_true(parse(HEAD "no live upstreams while connecting to upstream" CLIENT
			       ", upstream: \"https://backend/x\""));
	assert_false(line.has_peer);
	assert_true(parse(HEAD "x while connecting to upstream" CLIENT
			       ", upstream: \"https://unix:/run/a.sock:/x\""));
	assert_false(line.has_peer);
	assert_true(parse(HEAD "x while connecting to upstream" CLIENT
			       ", upstream: \"https://192.0.2.1:70000/x\""));
	assert_false(line.has_peer);
}

static void test_client(void **state)
{
	(void)state;
	assert_true(parse(HEAD "SSL_do_handshake() failed (SSL: error:0A000102:SSL routines::"
			       "unsupported protocol) while SSL handshaking, client: 2001:db8::7, "
			       "server: 0.0.0.0:443"));
	assert_false(line.to_upstream);
	assert_int_equal(line.reason, 258);
	assert_peer("2001:db8::7", 0);
	/* The upstream's name is in it, but it is about the client. */
	assert_true(parse(HEAD "SSL_write() failed while sending to client" CLIENT UPSTREAM));
	assert_false(line.to_upstream);
	assert_peer("::ffff:127.0.0.1", 0);
	assert_true(parse(HEAD "x while SSL handshaking, client: unix:, server: a"));
	assert_false(line.has_peer);
	assert_true(parse(HEAD "x while SSL handshaking, client: 127.0.0.1"));
	assert_peer("::ffff:127.0.0.1", 0);
}

/* What a client sends cannot take the place of what nginx writes. */
static void test_client_cannot_forge(void **state)
{
	(void)state;
	assert_true(parse(HEAD
			  "peer closed connection in SSL handshake while SSL handshaking to "
			  "upstream, client: 127.0.0.1, server: , request: \"GET /\", upstream: "
			  "\"https://6.6.6.6:443/ HTTP/1.1\"" UPSTREAM ", host: \"a\""));
	assert_peer("::ffff:192.0.2.88", 8443);
	assert_true(parse(HEAD "peer closed connection in SSL handshake" HANDSHAKE
			       ", host: \"a\", referrer: \"x\", upstream: "
			       "\"https://6.6.6.6:443/\""));
	assert_peer("::ffff:192.0.2.88", 8443);
	/* HTTP/0.9 */
	assert_true(parse(HEAD
			  "peer closed connection in SSL handshake while SSL handshaking to "
			  "upstream, client: 127.0.0.1, server: , request: \"GET /\"" UPSTREAM));
	assert_peer("::ffff:192.0.2.88", 8443);
}

/* -- which connection ------------------------------------------------------------------------- */

static struct tlsfail_conn conn_make(void)
{
	struct tlsfail_conn conn = {
		.pid = 4242,
		.role = TLSFAIL_ROLE_CLIENT,
		.family = 2,
		.rport = 8443,
		.raddr = { 192, 0, 2, 88 },
	};

	return conn;
}

/* What could not begin has a line of its own; what was well and not used has none. */
static void test_fits_unused(void **state)
{
	static const char begun[] = HEAD "peer closed connection in SSL handshake" HANDSHAKE;
	static const char unbegun[] =
		HEAD "cannot load certificate \"/c/a.crt\": BIO_new_file() failed" HANDSHAKE;
	struct tlsfail_conn conn = conn_make();

	(void)state;
	conn.error_count = 0;
	conn.flags = TLSFAIL_F_CONNECT | TLSFAIL_F_ESTABLISHED | TLSFAIL_F_LOCAL_FIN;
	assert_true(parse(unbegun));
	assert_int_equal(line.kind, ERRORLOG_TLS);
	assert_true(errorlog_fits(&line, &conn, CLOSE_NS));
	conn.flags |= TLSFAIL_F_TLS;
	assert_false(errorlog_fits(&line, &conn, CLOSE_NS));
	assert_true(parse(begun));
	assert_true(errorlog_fits(&line, &conn, CLOSE_NS));
	conn.flags |= TLSFAIL_F_DONE;
	assert_false(errorlog_fits(&line, &conn, CLOSE_NS));
	conn.flags &= ~(uint32_t)(TLSFAIL_F_DONE | TLSFAIL_F_TLS);
	assert_false(errorlog_fits(&line, &conn, CLOSE_NS));
}

static void test_fits(void **state)
{
	struct tlsfail_conn conn = conn_make();

	(void)state;
	assert_true(parse(HEAD "peer closed connection in SSL handshake" HANDSHAKE));
	assert_true(errorlog_fits(&line, &conn, CLOSE_NS));
	assert_true(errorlog_fits(&line, &conn, 0));
	conn.pid++;
	assert_false(errorlog_fits(&line, &conn, CLOSE_NS));
	conn = conn_make();
	conn.rport++;
	assert_false(errorlog_fits(&line, &conn, CLOSE_NS));
	conn = conn_make();
	conn.raddr[3]++;
	assert_false(errorlog_fits(&line, &conn, CLOSE_NS));
	conn = conn_make();
	conn.role = TLSFAIL_ROLE_SERVER;
	assert_false(errorlog_fits(&line, &conn, CLOSE_NS));

	/* An IPv6 socket that is connected to an IPv4 address. */
	conn = conn_make();
	conn.family = 10;
	memcpy(conn.raddr, line.address, sizeof(conn.raddr));
	assert_true(errorlog_fits(&line, &conn, CLOSE_NS));
	conn.raddr[0] = 0x20;
	assert_false(errorlog_fits(&line, &conn, CLOSE_NS));

	assert_true(parse(HEAD "upstream server temporarily disabled" HANDSHAKE));
	line.kind = ERRORLOG_OTHER;
	conn = conn_make();
	assert_false(errorlog_fits(&line, &conn, CLOSE_NS));
}

/* Of a client's connection nginx writes no port: the words have to agree with what was seen. */
static void test_fits_client(void **state)
{
	static const struct {
		const char *words;
		uint32_t flags; /* of the connection that it is about */
		uint32_t reason;
		uint32_t certificates;
		int32_t verify;
	} lines[] = {
		{ "client sent plain HTTP request to HTTPS port while reading client request "
		  "headers",
		  TLSFAIL_F_PLAIN, 0, 0, 0 },
		{ "client sent invalid method while reading client request line", TLSFAIL_F_PLAIN,
		  0, 0, 0 },
		{ "client closed connection while SSL handshaking", 0, 0, 0, 0 },
		{ "SSL_do_handshake() failed (SSL: error:0A0000C1:SSL routines::no shared cipher) "
		  "while SSL handshaking",
		  TLSFAIL_F_TLS, 193, 0, 0 },
		{ "client sent no required SSL certificate while reading client request headers",
		  TLSFAIL_F_DONE | TLSFAIL_F_SESSION_REMOVED, 0, 0, 0 },
		{ "client SSL certificate verify error: (10:certificate has expired) while "
		  "reading client request headers",
		  TLSFAIL_F_DONE | TLSFAIL_F_SESSION_REMOVED | TLSFAIL_F_VERIFY_ASKED, 0, 1, 10 },
	};
	struct tlsfail_conn conn = conn_make();
	size_t count = sizeof(lines) / sizeof(lines[0]);
	char text[512];

	(void)state;
	conn.role = TLSFAIL_ROLE_SERVER;
	for (size_t i = 0; i < count; i++) {
		snprintf(text, sizeof(text), HEAD "%s, client: 192.0.2.88, server: s",
			 lines[i].words);
		assert_true(parse(text));
		assert_false(line.to_upstream);
		assert_int_not_equal(line.kind, ERRORLOG_OTHER);
		for (size_t n = 0; n < count; n++) {
			conn.flags = lines[n].flags;
			conn.error_count = !!lines[n].reason;
			conn.errors[0].reason = lines[n].reason;
			conn.cert_count = lines[n].certificates;
			conn.verify_code = lines[n].verify;
			/* a failed handshake may be logged in more than one way */
			if (errorlog_fits(&line, &conn, CLOSE_NS) !=
			    (lines[n].flags == lines[i].flags || (i == 2 && n == 3)))
				fail_msg("line %zu, connection %zu", i, n);
		}
	}
	assert_true(parse(HEAD "cannot load certificate \"/x\" while SSL handshaking, client: "
			       "192.0.2.88, server: s"));
	assert_int_equal(line.kind, ERRORLOG_OTHER);
}

/* Refused for its status, which is no verify code. */
static void test_fits_status(void **state)
{
	struct tlsfail_conn conn = conn_make();

	(void)state;
	assert_true(parse(HEAD
			  "client SSL certificate verify error: certificate status request failed"
			  " while reading client request headers, client: 192.0.2.88, server: s"));
	assert_int_equal(line.stage, ERRORLOG_STATUS);
	conn.role = TLSFAIL_ROLE_SERVER;
	conn.flags = TLSFAIL_F_DONE | TLSFAIL_F_SESSION_REMOVED | TLSFAIL_F_VERIFY_ASKED;
	conn.error_count = 0;
	conn.cert_count = 1;
	assert_true(errorlog_fits(&line, &conn, CLOSE_NS));
	conn.verify_code = 10;
	assert_false(errorlog_fits(&line, &conn, CLOSE_NS));
	conn.verify_code = 0;
	conn.cert_count = 0;
	assert_false(errorlog_fits(&line, &conn, CLOSE_NS));
}

/* A line of before the connection began is another's. */
static void test_fits_no_earlier_line(void **state)
{
	struct tlsfail_conn conn = conn_make();

	(void)state;
	assert_true(parse(HEAD "peer closed connection in SSL handshake" HANDSHAKE));
	conn.t_start = NS_PER_S;
	conn.t_close = conn.t_start + 3 * NS_PER_S;
	assert_true(errorlog_fits(&line, &conn, CLOSE_NS + 3 * NS_PER_S));
	conn.t_close = conn.t_start + 1000;
	assert_true(errorlog_fits(&line, &conn, CLOSE_NS));
	assert_true(errorlog_fits(&line, &conn, CLOSE_NS + NS_PER_S));
	assert_false(errorlog_fits(&line, &conn, CLOSE_NS + 3 * NS_PER_S));
}

/* nginx writes in its own time zone, whichever that is. */
static void test_fits_time(void **state)
{
	static const int64_t zones[] = { 0, 3600, -5 * 3600, 5 * 3600 + 1800, 12 * 3600 + 2700 };
	struct tlsfail_conn conn = conn_make();

	(void)state;
	assert_true(parse(HEAD "peer closed connection in SSL handshake" HANDSHAKE));
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		uint64_t close_ns = CLOSE_NS + (uint64_t)zones[i] * NS_PER_S;

		assert_true(errorlog_fits(&line, &conn, close_ns));
		assert_true(errorlog_fits(&line, &conn, close_ns + 999999999));
		assert_true(errorlog_fits(&line, &conn, close_ns + 2 * NS_PER_S));
		assert_true(errorlog_fits(&line, &conn, close_ns - NS_PER_S));
		assert_false(errorlog_fits(&line, &conn, close_ns + 10 * NS_PER_S));
		assert_false(errorlog_fits(&line, &conn, close_ns - 10 * NS_PER_S));
	}
}

static void test_fits_numbers(void **state)
{
	struct tlsfail_conn conn = conn_make();

	(void)state;
	assert_true(parse(HEAD "SSL_do_handshake() failed (SSL: error:0A000410:SSL routines::x:SSL "
			       "alert number 40)" HANDSHAKE));
	assert_true(errorlog_fits(&line, &conn, 0));
	conn.error_count = 1;
	conn.errors[0].reason = 1040;
	assert_true(errorlog_fits(&line, &conn, 0));
	conn.errors[0].reason = 1070;
	assert_false(errorlog_fits(&line, &conn, 0));
	conn.error_count = TLSFAIL_ERRORS_MAX + 1;
	assert_true(errorlog_fits(&line, &conn, 0));

	conn = conn_make();
	assert_true(parse(HEAD "upstream SSL certificate verify error: (10:x)" HANDSHAKE));
	assert_false(errorlog_fits(&line, &conn, 0));
	conn.flags = TLSFAIL_F_VERIFY_ASKED;
	conn.verify_code = 10;
	assert_true(errorlog_fits(&line, &conn, 0));
	conn.verify_code = 18;
	assert_false(errorlog_fits(&line, &conn, 0));

	conn = conn_make();
	assert_true(parse(HEAD "connect() failed (111: Connection refused) while connecting to "
			       "upstream" CLIENT UPSTREAM));
	assert_false(errorlog_fits(&line, &conn, 0));
	conn.flags = TLSFAIL_F_REFUSED;
	assert_true(errorlog_fits(&line, &conn, 0));
	assert_true(parse(HEAD "upstream prematurely closed connection" READING));
	assert_false(errorlog_fits(&line, &conn, 0));

	conn.flags = TLSFAIL_F_CONNECT;
	conn.last_ret = -99; /* EADDRNOTAVAIL */
	assert_true(parse(HEAD "connect() to 10.0.0.1:443 failed (99: Cannot assign requested "
			       "address) while connecting to upstream" CLIENT UPSTREAM));
	assert_true(errorlog_fits(&line, &conn, 0));
	conn.last_ret = -TLSFAIL_E_TAKEN;
	assert_true(errorlog_fits(&line, &conn, 0));
	conn.last_ret = -113; /* EHOSTUNREACH */
	assert_false(errorlog_fits(&line, &conn, 0));
	/* as an ICMP message says it */
	assert_true(parse(HEAD "connect() failed (111: Connection refused) while connecting to "
			       "upstream" CLIENT UPSTREAM));
	assert_false(errorlog_fits(&line, &conn, 0));
	conn.last_ret = -111;
	assert_true(errorlog_fits(&line, &conn, 0));
}

static void test_levels(void **state)
{
	(void)state;
	assert_string_equal(errorlog_level_name(0), "stderr");
	assert_string_equal(errorlog_level_name(8), "debug");
	assert_null(errorlog_level_name(9));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_not_nginx),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_client),
		cmocka_unit_test(test_client_cannot_forge),
		cmocka_unit_test(test_fits),
		cmocka_unit_test(test_fits_time),
		cmocka_unit_test(test_fits_no_earlier_line),
		cmocka_unit_test(test_fits_status),
		cmocka_unit_test(test_fits_client),
		cmocka_unit_test(test_fits_unused),
		cmocka_unit_test(test_fits_numbers),
		cmocka_unit_test(test_levels),
	};

	return cmocka_run_group_tests_name("errorlog", tests, NULL, NULL);
}
