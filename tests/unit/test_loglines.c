/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a line of nginx's error.log means: each sentence, the errors in the forms that each library
 * gives them, and the lines that stand in the golden recordings beside what was the cause.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glob.h>

#include "base/text.h"
#include "diagnose/causes.h"
#include "diagnose/titles.h"
#include "program/nginx/loglines.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The tests are run where make is. */
#define FINDINGS    "tests/golden/*.json"
#define FILE_MAX    (1U << 20)
#define LINE_BEGIN  "2026/11/21 18:00:00 [error] 7#7: *5 "
#define TO_UPSTREAM " while SSL handshaking to upstream"
#define UPSTREAM                                                                                   \
	", client: 10.0.0.9, server: a, request: \"GET / HTTP/1.1\", upstream: "                   \
	"\"https://10.0.0.1:443/\", host: \"a\""
#define CLIENT ", client: 10.0.0.9, server: 0.0.0.0:443"

static void read_line(const char *text, struct logline *line)
{
	if (!logline_read(text, strlen(text), line))
		fail_msg("not known: %s", text);
}

static void assert_first(const char *text, enum logline_side side, const char *cause)
{
	const char *causes[LOGLINE_CAUSES_MAX];
	struct logline line;

	read_line(text, &line);
	if (line.side != side)
		fail_msg("%s: about %s, not %s", text, logline_side_name(line.side),
			 logline_side_name(side));
	logline_causes(&line, side, causes);
	if (!causes[0] || strcmp(causes[0], cause) != 0)
		fail_msg("%s: %s, not %s", text, causes[0] ? causes[0] : "nothing", cause);
}

static void assert_meaning(const struct logline_meaning *m, const char *what)
{
	size_t count = 0;

	if (!m->means || m->means[strlen(m->means) - 1] == ' ' || strlen(m->means) < 20)
		fail_msg("%s: means nothing", what);
	while (count < LOGLINE_CAUSES_MAX && m->causes[count]) {
		if (!cause_find(m->causes[count]) || !cause_title_find(m->causes[count]))
			fail_msg("%s: %s is no cause", what, m->causes[count]);
		count++;
	}
	if (!count)
		fail_msg("%s has no cause", what);
}

/* Each row is reached by its own words, and leads to causes that there are. */
static void test_every_row(void **state)
{
	const struct logline_row *row;

	(void)state;
	for (size_t i = 0; (row = logline_row_at(i)); i++) {
		char buf[1024];
		struct text t;
		struct logline line;
		bool client = row->only == LOGLINE_CLIENT || row->side == LOGLINE_CLIENT;

		text_init(&t, buf, sizeof(buf));
		text_addf(&t, LINE_BEGIN "%s", row->words);
		if (row->more)
			text_addf(&t, " %s", row->more);
		if (row->only == LOGLINE_UPSTREAM)
			text_add(&t, TO_UPSTREAM);
		text_add(&t, client ? CLIENT : UPSTREAM);
		read_line(buf, &line);
		if (line.row != row)
			fail_msg("%s is taken for %s", buf, line.row ? line.row->words : "nothing");
		assert_meaning(&row->meaning, row->words);
	}
}

static void test_every_detail(void **state)
{
	const struct logline_detail *detail;

	(void)state;
	for (size_t i = 0; (detail = logline_detail_at(i)); i++) {
		struct logline line = { .kind = detail->kind, .key = detail->number };
		enum logline_side side = detail->side ? detail->side : LOGLINE_UPSTREAM;

		assert_meaning(&detail->meaning, detail->meaning.means);
		if (logline_detail(&line, side) != detail)
			fail_msg("hidden by a row before: %s", detail->meaning.means);
	}
}

/* Every alert, every reason and every result of a verification has something to say. */
static void test_every_number(void **state)
{
	static const enum logline_side sides[] = { LOGLINE_UPSTREAM, LOGLINE_CLIENT };

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(sides); s++) {
		struct logline line = { .kind = LOGLINE_ALERT };

		for (line.key = 1; line.key < 256; line.key++)
			assert_non_null(logline_detail(&line, sides[s]));
		line.kind = LOGLINE_REASON;
		for (line.key = 1; line.key < TLS_REASON_COUNT; line.key++)
			assert_non_null(logline_detail(&line, sides[s]));
		line.kind = LOGLINE_VERIFY;
		for (line.key = 1; line.key < TLS_VERIFY_COUNT; line.key++)
			assert_non_null(logline_detail(&line, sides[s]));
	}
}

/* One error in the words of OpenSSL 1.1.1, of 3.x, of 4.0, and of BoringSSL. */
static const struct {
	const char *forms[4];
	const char *upstream; /* the first cause */
	const char *client;
} errors[] = {
	{ { "error:14094410:SSL routines:ssl3_read_bytes:sslv3 alert handshake "
	    "failure:SSL alert number 40",
	    "error:0A000410:SSL routines::sslv3 alert handshake failure:SSL alert number "
	    "40",
	    "error:0A000410:SSL routines::ssl/tls alert handshake failure:SSL alert "
	    "number 40",
	    "error:10000410:SSL routines:OPENSSL_internal:SSLV3_ALERT_HANDSHAKE_FAILURE" },
	  "sni-missing",
	  "client-refuses-handshake" },
	{ { "error:14094418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca:SSL alert "
	    "number 48",
	    "error:0A000418:SSL routines::tlsv1 alert unknown ca:SSL alert number 48",
	    "error:0A000418:SSL routines::tlsv1 alert unknown ca:SSL alert number 48",
	    "error:10000418:SSL routines:OPENSSL_internal:TLSV1_ALERT_UNKNOWN_CA" },
	  "client-cert-untrusted",
	  "client-rejects-cert" },
	{ { "error:1409445C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate "
	    "required:SSL alert number 116",
	    "error:0A00045C:SSL routines::tlsv13 alert certificate required:SSL alert "
	    "number 116",
	    "error:0A00045C:SSL routines::tlsv13 alert certificate required:SSL alert "
	    "number 116",
	    "error:1000045c:SSL routines:OPENSSL_internal:TLSV1_ALERT_CERTIFICATE_REQUIRED" },
	  "client-cert-required",
	  "client-refuses-handshake" },
	{ { "error:1408F10B:SSL routines:ssl3_get_record:wrong version number",
	    "error:0A00010B:SSL routines::wrong version number",
	    "error:0A00010B:SSL routines::wrong version number",
	    "error:100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER" },
	  "peer-not-tls-http",
	  "client-not-tls" },
	{ { "error:1417A0C1:SSL routines:tls_post_process_client_hello:no shared cipher",
	    "error:0A0000C1:SSL routines::no shared cipher",
	    "error:0A0000C1:SSL routines::no shared cipher",
	    "error:100000b8:SSL routines:OPENSSL_internal:NO_SHARED_CIPHER" },
	  NULL,
	  "server-no-shared-cipher" },
	{ { "error:1425F102:SSL routines:ssl_choose_client_version:unsupported protocol",
	    "error:0A000102:SSL routines::unsupported protocol",
	    "error:0A000102:SSL routines::unsupported protocol",
	    "error:100000f0:SSL routines:OPENSSL_internal:UNSUPPORTED_PROTOCOL" },
	  "protocol-version-too-old",
	  "client-protocol-too-old" },
	{ { "error:1409442E:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version:SSL "
	    "alert number 70",
	    "error:0A00042E:SSL routines::tlsv1 alert protocol version:SSL alert number "
	    "70",
	    "error:0A00042E:SSL routines::tlsv1 alert protocol version:SSL alert number "
	    "70",
	    "error:1000042e:SSL routines:OPENSSL_internal:TLSV1_ALERT_PROTOCOL_VERSION" },
	  "protocol-version-rejected",
	  NULL },
	{ { "error:14094458:SSL routines:ssl3_read_bytes:tlsv1 unrecognized name:SSL alert "
	    "number 112",
	    "error:0A000458:SSL routines::tlsv1 unrecognized name:SSL alert number 112",
	    "error:0A000458:SSL routines::tlsv1 unrecognized name:SSL alert number 112",
	    "error:10000458:SSL routines:OPENSSL_internal:TLSV1_ALERT_UNRECOGNIZED_NAME" },
	  "sni-unrecognized",
	  NULL },
	{ { "error:1416F086:SSL routines:tls_process_server_certificate:certificate verify "
	    "failed",
	    "error:0A000086:SSL routines::certificate verify failed",
	    "error:0A000086:SSL routines::certificate verify failed",
	    "error:1000007d:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED" },
	  "verify-untrusted-issuer",
	  "client-cert-verify-failed" },
	{ { "error:1409C09C:SSL routines:ssl3_get_record:http request",
	    "error:0A00009C:SSL routines::http request",
	    "error:0A00009C:SSL routines::http request",
	    "error:1000009c:SSL routines:OPENSSL_internal:HTTP_REQUEST" },
	  NULL,
	  "plain-http-to-https" },
	{ { "error:142090EA:SSL routines:tls_early_post_process_client_hello:callback "
	    "failed",
	    "error:0A0000EA:SSL routines::callback failed",
	    "error:0A0000EA:SSL routines::callback failed", NULL },
	  NULL,
	  "server-rejects-sni" },
	{ { NULL, "error:0A000152:SSL routines::unsafe legacy renegotiation disabled",
	    "error:0A000152:SSL routines::unsafe legacy renegotiation disabled", NULL },
	  "legacy-renegotiation",
	  NULL },
	{ { "error:141A318A:SSL routines:tls_process_ske_dhe:dh key too small",
	    "error:0A00018A:SSL routines::dh key too small",
	    "error:0A00018A:SSL routines::dh key too small", NULL },
	  "dh-key-too-small",
	  NULL },
	{ { "error:141E70BF:SSL routines:tls_construct_client_hello:no protocols available",
	    "error:0A0000BF:SSL routines::no protocols available",
	    "error:0A0000BF:SSL routines::no protocols available",
	    "error:10000118:SSL routines:OPENSSL_internal:NO_SUPPORTED_VERSIONS_ENABLED" },
	  "no-protocols-available",
	  NULL },
};

static void test_libraries(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(errors); i++)
		for (size_t n = 0; n < 4; n++) {
			char line[1024];
			struct text t;

			if (!errors[i].forms[n])
				continue;
			text_init(&t, line, sizeof(line));
			text_addf(&t,
				  LINE_BEGIN
				  "SSL_do_handshake() failed (SSL: %s)" TO_UPSTREAM UPSTREAM,
				  errors[i].forms[n]);
			if (errors[i].upstream)
				assert_first(line, LOGLINE_UPSTREAM, errors[i].upstream);
			text_init(&t, line, sizeof(line));
			text_addf(
				&t,
				LINE_BEGIN
				"SSL_do_handshake() failed (SSL: %s) while SSL handshaking" CLIENT,
				errors[i].forms[n]);
			if (errors[i].client)
				assert_first(line, LOGLINE_CLIENT, errors[i].client);
			/* the error alone, as people search for it */
			text_init(&t, line, sizeof(line));
			text_addf(&t, "%.14s", errors[i].forms[n]);
			if (errors[i].upstream) {
				struct logline bare;

				read_line(line, &bare);
				assert_true(bare.has_code);
			}
		}
}

static void test_lines(void **state)
{
	(void)state;
	/* as it is asked, though nginx has other words */
	assert_first("upstream prematurely closed connection while SSL handshaking to upstream",
		     LOGLINE_UPSTREAM, "peer-closed-in-handshake");
	assert_first(LINE_BEGIN "peer closed connection in SSL handshake" TO_UPSTREAM UPSTREAM,
		     LOGLINE_UPSTREAM, "peer-closed-in-handshake");
	assert_first(LINE_BEGIN "peer closed connection in SSL handshake (104: Connection reset by "
				"peer)" TO_UPSTREAM UPSTREAM,
		     LOGLINE_UPSTREAM, "peer-reset-in-handshake");
	assert_first(
		"peer closed connection in SSL handshake (104: Connection reset by peer) while "
		"SSL handshaking to upstream",
		LOGLINE_UPSTREAM, "peer-reset-in-handshake");
	assert_first(LINE_BEGIN
		     "peer closed connection in SSL handshake while SSL handshaking" CLIENT,
		     LOGLINE_CLIENT, "client-closed-in-handshake");
	assert_first(LINE_BEGIN
		     "upstream timed out (110: Connection timed out)" TO_UPSTREAM UPSTREAM,
		     LOGLINE_UPSTREAM, "handshake-timeout");
	assert_first(LINE_BEGIN "upstream SSL certificate verify error: (10:certificate has "
				"expired)" TO_UPSTREAM UPSTREAM,
		     LOGLINE_UPSTREAM, "verify-expired");
	assert_first(LINE_BEGIN "upstream SSL certificate verify error: (18:self-signed "
				"certificate)" TO_UPSTREAM UPSTREAM,
		     LOGLINE_UPSTREAM, "verify-self-signed");
	assert_first(LINE_BEGIN
		     "upstream SSL certificate does not match \"a\"" TO_UPSTREAM UPSTREAM,
		     LOGLINE_UPSTREAM, "sni-missing");
	assert_first(LINE_BEGIN "client SSL certificate verify error: (10:certificate has expired) "
				"while reading client request headers" CLIENT,
		     LOGLINE_CLIENT, "client-cert-verify-failed");
	assert_first(
		LINE_BEGIN
		"SSL_read() failed (SSL: error:0A00045C:SSL routines::tlsv13 alert certificate "
		"required:SSL alert number 116) while reading response header from "
		"upstream" UPSTREAM,
		LOGLINE_UPSTREAM, "client-cert-required");
	assert_first(LINE_BEGIN "connect() failed (111: Connection refused) while connecting to "
				"upstream" UPSTREAM,
		     LOGLINE_UPSTREAM, "connection-refused");
	assert_first(LINE_BEGIN "connect() to 10.0.0.1:443 failed (99: Cannot assign requested "
				"address) while connecting to upstream" UPSTREAM,
		     LOGLINE_UPSTREAM, "local-ports-exhausted");
	assert_first(LINE_BEGIN "connect() to 10.0.0.1:443 failed (101: Network is unreachable) "
				"while connecting to upstream" UPSTREAM,
		     LOGLINE_UPSTREAM, "connect-unreachable");
	assert_first(LINE_BEGIN
		     "broken header: \"\x16\x03\x01\" while reading PROXY protocol" CLIENT,
		     LOGLINE_CLIENT, "proxy-header-missing");
	assert_first("SSL_CTX_use_PrivateKey(\"/k\") failed (SSL: error:05800074:x509 certificate "
		     "routines::key values mismatch)",
		     LOGLINE_ITSELF, "server-certificate-callback-failed");
}

/* Nothing is made of what says nothing about TLS. */
static void test_others(void **state)
{
	static const char *const lines[] = {
		"",
		"hello",
		LINE_BEGIN "open() \"/x\" failed (2: No such file or directory)" CLIENT,
		LINE_BEGIN
		"upstream prematurely closed connection while reading response header from "
		"upstream, client: 10.0.0.9, server: a, upstream: \"http://10.0.0.1:80/\"",
		LINE_BEGIN
		"connect() failed (111: Connection refused) while connecting to upstream, "
		"client: 10.0.0.9, server: a, upstream: \"fastcgi://10.0.0.1:9000\"",
		"12345678",
		"0A0004",
		"error:",
		"error:0200100D:system library:fopen:Permission denied",
	};
	struct logline line;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (logline_read(lines[i], strlen(lines[i]), &line))
			fail_msg("known: %s", lines[i]);
}

/* The value of a key of the finding in that text, where golden files have one key a line. */
static bool value_of(const char *text, const char *key, char *value, size_t size)
{
	const char *at = strstr(text, key), *end;

	if (!at)
		return false;
	at += strlen(key);
	end = strchr(at, '\n');
	if (!end || end - at < 2 || (size_t)(end - at) > size)
		return false;
	memcpy(value, at, (size_t)(end - at));
	value[end - at - 2] = '\0'; /* without ", */
	return true;
}

/* Does the line that nginx wrote about the finding in that text lead to its cause? False: it has none. */
static bool assert_leads_to_cause(const char *text, const char *name)
{
	const char *causes[LOGLINE_CAUSES_MAX];
	char cause[128], message[1024];
	struct logline line;

	if (!value_of(text, "\"error.type\":\"", cause, sizeof(cause)) ||
	    !value_of(text, "\"nginx.error_log.message\":\"", message, sizeof(message)))
		return false;
	/* nginx says so of every port, and nothing in it is about TLS */
	if (!strncmp(message, "client sent invalid ", strlen("client sent invalid ")))
		return false;
	read_line(message, &line);
	logline_causes(&line, line.side, causes);
	for (size_t n = 0; n < LOGLINE_CAUSES_MAX && causes[n]; n++)
		if (!strcmp(causes[n], cause))
			return true;
	fail_msg("%s: %s does not lead to %s", name, message, cause);
	return false;
}

static void test_golden(void **state)
{
	static char text[FILE_MAX];
	size_t lines = 0;
	glob_t files;

	(void)state;
	assert_int_equal(glob(FINDINGS, 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		FILE *file = fopen(files.gl_pathv[i], "r");
		char *event = text, *next;

		assert_non_null(file);
		text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
		fclose(file);
		for (; event; event = next) {
			next = strstr(event, "\n{\n");
			if (next)
				*next++ = '\0';
			lines += assert_leads_to_cause(event, files.gl_pathv[i]);
		}
	}
	globfree(&files);
	assert_true(lines >= 9);
}

/* The cheap look lets through whatever is known. */
static void test_scan(void **state)
{
	static const char other[] = LINE_BEGIN "open() \"/S/SS/PS\" failed" CLIENT "\n";
	const struct logline_row *row;

	(void)state;
	for (size_t i = 0; (row = logline_row_at(i)); i++) {
		char buf[2048];
		struct text t;
		struct logline_scan scan;
		const char *at;

		/* what is written before nginx serves goes unseen in a log of connections */
		if (row->side == LOGLINE_ITSELF)
			continue;
		text_init(&t, buf, sizeof(buf));
		text_addf(&t, "%s%s%s", other, other, LINE_BEGIN);
		text_addf(&t, "%s %s", row->words, row->more ? row->more : "");
		if (row->side == LOGLINE_OCSP)
			text_add(&t, " while requesting certificate status, responder: a");
		text_addf(&t, "%s\n%s", UPSTREAM, other);
		logline_scan_begin(&scan, buf, buf + t.len);
		at = logline_scan_next(&scan, buf);
		if (!at || (size_t)(at - buf) < 2 * strlen(other))
			fail_msg("not seen: %s", row->words);
		assert_null(logline_scan_next(&scan, strchr(at, '\n')));
	}
}

static void assert_same(const struct logline *a, const struct logline *b, const char *text)
{
	const struct errorlog_line *x = &a->log, *y = &b->log;

	if (a->row != b->row || a->row_of_client != b->row_of_client || a->side != b->side ||
	    a->is_log_line != b->is_log_line || a->kind != b->kind || a->key != b->key ||
	    a->has_code != b->has_code || a->number != b->number || a->library != b->library ||
	    a->source != b->source || a->has_verify != b->has_verify || a->verify != b->verify ||
	    x->seconds != y->seconds || x->level != y->level || x->pid != y->pid ||
	    x->connection != y->connection || x->message != y->message ||
	    x->message_len != y->message_len || x->kind != y->kind || x->stage != y->stage ||
	    x->to_upstream != y->to_upstream || x->has_peer != y->has_peer || x->port != y->port ||
	    memcmp(x->address, y->address, sizeof(x->address)) != 0 || x->reason != y->reason ||
	    x->has_verify != y->has_verify || x->verify_code != y->verify_code ||
	    x->system_error != y->system_error)
		fail_msg("it is remembered otherwise: %s", text);
}

/* What is remembered of a message is what would be read again, whatever stands around it. */
static void test_recall(void **state)
{
	static const char *const begins[] = {
		LINE_BEGIN,
		"2026/12/31 23:59:59 [crit] 1#9: *77 ",
		"2026/01/02 03:04:05 [error] 12#12: ",
		"",
	};
	static const char *const ends[] = {
		"",
		CLIENT,
		UPSTREAM,
		TO_UPSTREAM UPSTREAM,
		(TO_UPSTREAM
		 ", client: ::1, server: b, request: \"GET /, client: 1.2.3.4 HTTP/1.1\", "
		 "upstream: \"https://[2001:db8::1]:8443/\""),
		(" while reading response header from upstream, client: 10.0.0.9, server: a, "
		 "upstream: \"http://10.0.0.1:80/\""),
		" while SSL handshaking, client: unix:, server: 0.0.0.0:443",
	};
	struct logline_memo *memo = calloc(1, sizeof(*memo));
	const struct logline_row *row;

	(void)state;
	assert_non_null(memo);
	for (size_t i = 0; (row = logline_row_at(i)); i++)
		for (size_t k = 0; k < 2 * ARRAY_LEN(begins) * ARRAY_LEN(ends); k++) {
			struct logline read, recalled;
			char buf[2048];
			struct text t;
			bool known;

			text_init(&t, buf, sizeof(buf));
			text_addf(&t,
				  "%s%s (SSL: error:0A000410:SSL routines::x:SSL alert number "
				  "40)%s\n",
				  begins[k / 2 % ARRAY_LEN(begins)], row->words,
				  ends[k / 2 / ARRAY_LEN(begins)]);
			known = logline_read(buf, t.len, &read);
			assert_int_equal(logline_recall(memo, buf, t.len, &recalled), known);
			assert_same(&read, &recalled, buf);
		}
	free(memo);
}

/* What a client writes into its request does not make a line one about an upstream. */
static void test_request(void **state)
{
	struct logline line;

	(void)state;
	read_line(LINE_BEGIN
		  "SSL_read() failed (SSL: error:0A000412:SSL routines::x:SSL alert number "
		  "42) while waiting for request, client: 10.0.0.9, server: a, request: \"GET "
		  "/from upstream HTTP/1.1\"",
		  &line);
	assert_int_equal(line.side, LOGLINE_CLIENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row),    cmocka_unit_test(test_every_detail),
		cmocka_unit_test(test_every_number), cmocka_unit_test(test_libraries),
		cmocka_unit_test(test_lines),	     cmocka_unit_test(test_others),
		cmocka_unit_test(test_golden),	     cmocka_unit_test(test_scan),
		cmocka_unit_test(test_recall),	     cmocka_unit_test(test_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
