/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sinks that send to sockets: addresses, what is on the wire, and servers that are not there, go away
 * or do not read.
 */
#define _GNU_SOURCE /* memmem() */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "finding/finding.h"
#include "finding_set.h"
#include "fixture.h"
#include "output/sink.h"
#include "output/sink_socket.h"
#include "base/text.h"

#define LARGE (512 * 1024) /* more than a datagram holds */

static char words[512];
static struct text error;
static struct finding finding;
static char formatted[SINK_FINDING_LEN];

static void assert_address(const char *target, const char *host, const char *port)
{
	struct sink_address address;

	text_init(&error, words, sizeof(words));
	if (sink_address_parse(target, "514", &address, &error))
		fail_msg("%s", words);
	assert_string_equal(address.host, host);
	assert_string_equal(address.port, port);
}

static void test_addresses(void **state)
{
	static const char *const bad[] = {
		"",
		"//",
		"//:514",
		"host:514",
		"//host:",
		"//host:0",
		"//host:65536",
		"//host:x",
		"//host:514x",
		"//[::1",
		"//[::1]x:514",
		"//host/path",
		"//a b:514",
		"//[]:514",
		"//host:99999999999999999999",
	};

	(void)state;
	assert_address("//log.example.org", "log.example.org", "514");
	assert_address("//127.0.0.1:5514", "127.0.0.1", "5514");
	assert_address("//[::1]", "::1", "514");
	assert_address("//[2001:db8::1]:65535", "2001:db8::1", "65535");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sink_address address;

		text_init(&error, words, sizeof(words));
		if (sink_address_parse(bad[i], "514", &address, &error) != -EINVAL)
			fail_msg("%s is taken for an address", bad[i]);
		assert_non_null(strstr(words, "is not an address"));
	}
}

/* A Unix datagram socket that the fixture holds. */
static int server_open(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(strlen(fixture_path(name)) < sizeof(address.sun_path));
	strcpy(address.sun_path, fixture_path(name));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static struct sink *sink_open(const struct sink_type *type, const char *target, int stop)
{
	const struct sink_options options = { .stop = stop };
	struct sink *sink = NULL;

	text_init(&error, words, sizeof(words));
	if (type->open(&options, target, &sink, &error))
		fail_msg("%s", words);
	return sink;
}

static int sink_send(const struct sink_type *type, struct sink *sink, const void *data, size_t len,
		     struct sink_sent *sent)
{
	const struct queue_item item = { data, len };

	*sent = (struct sink_sent){ 0 };
	text_init(&error, words, sizeof(words));
	return type->send(sink, &item, 1, sent, &error);
}

/* What is too large for a datagram comes as a file that cannot be changed. */
static void test_journald_large(void **state)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = { .msg_control = control.space,
				  .msg_controllen = sizeof(control.space) };
	char *data = malloc(LARGE), *got = malloc(LARGE + 1);
	int server = server_open("journal"), fd;
	struct sink_sent sent;
	struct sink *sink;

	(void)state;
	for (size_t i = 0; i < LARGE; i++)
		data[i] = (char)('a' + i % 26);
	sink = sink_open(&sink_type_journald, fixture_path("journal"), -1);
	assert_int_equal(sink_send(&sink_type_journald, sink, data, LARGE, &sent), 0);
	assert_int_equal(sent.taken, 1);
	assert_int_equal(recvmsg(server, &message, MSG_DONTWAIT), 0);
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	assert_int_equal(pread(fd, got, LARGE + 1, 0), LARGE);
	assert_memory_equal(got, data, LARGE);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	close(fd);
	sink_type_journald.close(sink);
	close(server);
	free(data);
	free(got);
}

/* Not there, there, gone, and there again. */
static void test_unix_comes_and_goes(void **state)
{
	struct sink_sent sent;
	struct sink *sink;
	char got[8];
	int server;

	(void)state;
	sink = sink_open(&sink_type_syslog, fixture_path("log"), -1);
	assert_int_equal(sink_send(&sink_type_syslog, sink, "one", 3, &sent), -ENOENT);
	assert_int_equal(sent.taken, 0);
	assert_non_null(strstr(words, "cannot connect to"));
	server = server_open("log");
	assert_int_equal(sink_send(&sink_type_syslog, sink, "two", 3, &sent), 0);
	assert_int_equal(recv(server, got, sizeof(got), MSG_DONTWAIT), 3);
	close(server);
	assert_int_equal(sink_send(&sink_type_syslog, sink, "three", 5, &sent), -ECONNREFUSED);
	unlink(fixture_path("log"));
	server = server_open("log");
	assert_int_equal(sink_send(&sink_type_syslog, sink, "four", 4, &sent), 0);
	assert_int_equal(recv(server, got, sizeof(got), MSG_DONTWAIT), 4);
	sink_type_syslog.close(sink);
	close(server);
}

static void test_too_large_is_refused(void **state)
{
	int server = server_open("small");
	char *data = calloc(1, LARGE);
	struct sink_sent sent;
	struct sink *sink;

	(void)state;
	sink = sink_open(&sink_type_syslog, fixture_path("small"), -1);
	assert_int_equal(sink_send(&sink_type_syslog, sink, data, LARGE, &sent), 0);
	assert_int_equal(sent.taken, 1);
	assert_int_equal(sent.refused, 1);
	assert_non_null(strstr(words, "too large"));
	sink_type_syslog.close(sink);
	close(server);
	free(data);
}

/* A server on the loopback whose port is then in target. */
static int listener_open(char *target, size_t size)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(address);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	snprintf(target, size, "//127.0.0.1:%u", ntohs(address.sin_port));
	return fd;
}

/* Octet counting; and a connection that the server has closed is not written to. */
static void test_tcp(void **state)
{
	int listener, connection;
	struct sink_sent sent;
	struct sink *sink;
	char target[64];
	char got[16];

	(void)state;
	listener = listener_open(target, sizeof(target));
	sink = sink_open(&sink_type_syslog_tcp, target, -1);
	assert_int_equal(sink_send(&sink_type_syslog_tcp, sink, "message", 7, &sent), 0);
	connection = accept(listener, NULL, NULL);
	assert_int_equal(recv(connection, got, sizeof(got), 0), 9);
	assert_memory_equal(got, "7 message", 9);
	close(connection);
	usleep(100000);
	assert_int_equal(sink_send(&sink_type_syslog_tcp, sink, "again", 5, &sent), 0);
	connection = accept(listener, NULL, NULL);
	assert_int_equal(recv(connection, got, sizeof(got), 0), 7);
	assert_memory_equal(got, "5 again", 7);
	close(connection);
	close(listener);
	sink_type_syslog_tcp.close(sink);
}

/* A server that does not read: the end of the run ends the wait. */
static void test_tcp_stuck(void **state)
{
	int stop = eventfd(1, EFD_CLOEXEC);
	char *data = calloc(1, 64L * LARGE);
	struct sink_sent sent;
	struct sink *sink;
	char target[64];
	int listener;

	(void)state;
	listener = listener_open(target, sizeof(target));
	sink = sink_open(&sink_type_syslog_tcp, target, -1);
	assert_int_equal(sink_send(&sink_type_syslog_tcp, sink, "x", 1, &sent), 0);
	sink_type_syslog_tcp.close(sink);
	sink = sink_open(&sink_type_syslog_tcp, target, stop);
	assert_int_equal(sink_send(&sink_type_syslog_tcp, sink, data, 64UL * LARGE, &sent),
			 -ECANCELED);
	assert_int_equal(sent.taken, 0);
	sink_type_syslog_tcp.close(sink);
	close(listener);
	close(stop);
	free(data);
}

static void finding_set(void)
{
	finding = (struct finding){
		.time_ns = TIME_NS, .cause = "unknown", .role = "client", .phase = "hello"
	};
	memset(finding.message, 'm', sizeof(finding.message) - 1);
	memset(finding.hint, 'h', sizeof(finding.hint) - 1);
	strcpy(finding.host_name, "a host\xc3\xa9");
	strcpy(finding.executable_path, "/a\"b\\c]d");
}

/* A field has its name and "=", or, when its value is of several lines, its length in eight bytes. */
static void test_journald_fields(void **state)
{
	static const char message[] = "MESSAGE=unknown: ";
	static const char several[] = "\nTLSFAIL_HINT\n\x0c\0\0\0\0\0\0\0above\nand so\n";
	struct text t;

	(void)state;
	finding_set();
	strcpy(finding.message, "It failed.");
	strcpy(finding.hint, "above\nand so");
	finding.candidates[0] = "sni-missing";
	finding.candidates[1] = "peer-moved";
	finding.candidate_count = 2;
	finding.alert.known = true;
	finding.alert.code = 40;
	text_init(&t, formatted, sizeof(formatted));
	sink_type_journald.format(&(struct sink_options){ 0 }, &finding, &t);
	assert_memory_equal(formatted, message, strlen(message));
	assert_non_null(memmem(formatted, t.len, several, sizeof(several) - 1));
	for (size_t i = 0; i < t.len; i++)
		if (!formatted[i])
			formatted[i] = ' ';
	assert_non_null(strstr(formatted, "\nPRIORITY=4\n"));
	assert_non_null(strstr(formatted, "\nTLSFAIL_CAUSE=unknown\n"));
	assert_non_null(strstr(formatted, "\nTLSFAIL_TLS_ALERT_CODE=40\n"));
	assert_non_null(strstr(formatted, "\nTLSFAIL_CANDIDATES=sni-missing\n"
					  "TLSFAIL_CANDIDATES=peer-moved\n"));
	assert_int_equal(formatted[t.len - 1], '\n');
}

static void test_journald_targets(void **state)
{
	(void)state;
	text_init(&error, words, sizeof(words));
	assert_int_equal(sink_type_journald.check("", &error), 0);
	assert_int_equal(sink_type_journald.check("/run/socket", &error), 0);
	assert_int_equal(error.len, 0);
	assert_int_equal(sink_type_journald.check("here", &error), -EINVAL);
	assert_non_null(strstr(words, "'here'"));
}

static void test_syslog_escapes(void **state)
{
	static const char begin[] = "<28>1 2026-01-02T15:04:05.000000Z a?host?? tlsfail ";
	struct text t;

	(void)state;
	finding_set();
	text_init(&t, formatted, sizeof(formatted));
	sink_type_syslog.format(&(struct sink_options){ 0 }, &finding, &t);
	assert_non_null(strstr(formatted, " process.executable.path=\"/a\\\"b\\\\c\\]d\""));
	assert_memory_equal(formatted, begin, strlen(begin));

	assert_non_null(
		strstr(formatted, " tls.handshake.failure [tlsfail@32473 error.type=\"unk"));
	assert_non_null(strstr(formatted, "\"] unknown: mmmmm"));
}

/* Over UDP the end is cut off, in the words for people; the structured data stay whole. */
static void test_syslog_udp_is_bounded(void **state)
{
	struct text t;

	(void)state;
	finding_set();
	for (size_t i = 0; i + 1 < sizeof(finding.hint); i++)
		finding.hint[i] = ']';
	text_init(&t, formatted, sizeof(formatted));
	sink_type_syslog_udp.format(&(struct sink_options){ 0 }, &finding, &t);
	assert_true(t.len <= 2048);
	assert_int_equal(strlen(formatted), t.len);
	assert_non_null(strstr(formatted, "\"] unknown: mmmmm"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_journald_large),
		cmocka_unit_test(test_unix_comes_and_goes),
		cmocka_unit_test(test_too_large_is_refused),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_tcp_stuck),
		cmocka_unit_test(test_journald_fields),
		cmocka_unit_test(test_journald_targets),
		cmocka_unit_test(test_syslog_escapes),
		cmocka_unit_test(test_syslog_udp_is_bounded),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("sink_socket", tests, fixture_setup, fixture_teardown);
}
