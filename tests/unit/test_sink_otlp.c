/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OTLP against a collector that is scripted here: what is on the wire, what is tried again, and what
 * is given up.
 */
#define _GNU_SOURCE /* accept4(), strcasestr() */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>
#include <zlib.h>

#include "base/text.h"
#include "finding/finding.h"
#include "finding_set.h"
#include "output/sink.h"

#define REQUEST_MAX (1 << 20)

static const struct sink_type *const type = &sink_type_otlp;
static struct finding finding;
static char formatted[SINK_FINDING_LEN];
static char words[512];
static struct text error;

/* A collector: answers one request with what it is told, and keeps the request. */
static struct {
	int fd;
	unsigned int port;
	const char *answer; /* NULL: it never answers */
	pthread_t thread;
	char request[REQUEST_MAX];
	size_t len;
} collector;

static bool is_whole(void)
{
	const char *end = strstr(collector.request, "\r\n\r\n");
	const char *length = strcasestr(collector.request, "\r\nContent-Length: ");

	return end && length &&
	       collector.len >= (size_t)(end + 4 - collector.request) +
					strtoul(length + strlen("\r\nContent-Length: "), NULL, 10);
}

static void *collector_run(void *context)
{
	int fd = accept4(collector.fd, NULL, NULL, SOCK_CLOEXEC);
	ssize_t got = 1;
	char rest;

	(void)context;
	collector.len = 0;
	while (got > 0 && !is_whole()) {
		got = read(fd, collector.request + collector.len,
			   sizeof(collector.request) - 1 - collector.len);
		collector.len += got > 0 ? (size_t)got : 0;
		collector.request[collector.len] = '\0';
	}
	if (collector.answer)
		(void)!write(fd, collector.answer, strlen(collector.answer));
	else
		(void)!read(fd, &rest, 1); /* until the other side has had enough */
	close(fd);
	return NULL;
}

static int setup(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);

	(void)state;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	collector.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(collector.fd, (struct sockaddr *)&address, len) || listen(collector.fd, 8) ||
	    getsockname(collector.fd, (struct sockaddr *)&address, &len))
		return -1;
	collector.port = ntohs(address.sin_port);
	finding.time_ns = TIME_NS;
	finding.cause = "verify-expired";
	SET(finding.message, "It ended.");
	SET(finding.hint, "renew it");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return close(collector.fd);
}

static struct sink *open_at(const char *target, int stop)
{
	const struct sink_options options = { .stop = stop };
	struct sink *sink = NULL;

	text_init(&error, words, sizeof(words));
	if (type->open(&options, target, &sink, &error))
		fail_msg("%s", words);
	return sink;
}

/* Sends count times the finding to the collector, which answers so. */
static int deliver(const char *answer, size_t count, struct sink_sent *sent)
{
	struct queue_item items[8];
	struct sink *sink;
	char target[64];
	struct text t;
	int err;

	text_init(&t, formatted, sizeof(formatted));
	type->format(&(struct sink_options){ 0 }, &finding, &t);
	assert_false(t.cut);
	for (size_t i = 0; i < count; i++)
		items[i] = (struct queue_item){ formatted, t.len };
	snprintf(target, sizeof(target), "http://127.0.0.1:%u", collector.port);
	collector.answer = answer;
	assert_int_equal(pthread_create(&collector.thread, NULL, collector_run, NULL), 0);
	sink = open_at(target, -1);
	*sent = (struct sink_sent){ 0 };
	err = type->send(sink, items, count, sent, &error);
	type->close(sink);
	pthread_join(collector.thread, NULL);
	return err;
}

/* The body of the request, which is gzipped JSON; the caller's to json_decref(). */
static json_t *request_body(void)
{
	const char *body = strstr(collector.request, "\r\n\r\n") + 4;
	static char plain[REQUEST_MAX];
	z_stream z = { .next_in = (unsigned char *)body,
		       .avail_in = (unsigned int)(collector.request + collector.len - body),
		       .next_out = (unsigned char *)plain,
		       .avail_out = sizeof(plain) - 1 };
	json_t *json;

	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	plain[z.total_out] = '\0';
	inflateEnd(&z);
	json = json_loads(plain, 0, NULL);
	assert_non_null(json);
	return json;
}

static const char *text_of(json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void test_request(void **state)
{
	json_t *json, *resource, *records, *record;
	struct sink_sent sent;

	(void)state;
	if (!type->available())
		skip();
	setenv("OTEL_EXPORTER_OTLP_HEADERS", "X-Tenant=7,Authorization=Bearer a", 1);
	assert_int_equal(deliver("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 3, &sent), 0);
	unsetenv("OTEL_EXPORTER_OTLP_HEADERS");
	assert_int_equal(sent.taken, 3);
	assert_int_equal(sent.refused, 0);
	assert_ptr_equal(strstr(collector.request, "POST /v1/logs HTTP/1.1\r\n"),
			 collector.request);
	assert_non_null(strstr(collector.request, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(collector.request, "\r\nContent-Encoding: gzip\r\n"));
	assert_non_null(strstr(collector.request, "\r\nX-Tenant: 7\r\n"));
	assert_non_null(strstr(collector.request, "\r\nAuthorization: Bearer a\r\n"));
	json = request_body();
	resource = json_array_get(json_object_get(json, "resourceLogs"), 0);
	records = json_object_get(json_array_get(json_object_get(resource, "scopeLogs"), 0),
				  "logRecords");
	assert_int_equal(json_array_size(records), 3);
	record = json_array_get(records, 2);
	assert_string_equal(text_of(record, "timeUnixNano"), "1767366245000000042");
	assert_string_equal(text_of(record, "severityText"), "WARN");
	assert_string_equal(text_of(json_object_get(record, "body"), "stringValue"), "It ended.");
	json_decref(json);
}

/* An answer, and what comes of it. */
static void assert_outcome(const char *answer, int err, size_t taken, size_t refused,
			   unsigned int wait_ms, const char *said)
{
	struct sink_sent sent;
	int got = deliver(answer, 4, &sent);

	if (got != err || sent.taken != taken || sent.refused != refused ||
	    sent.wait_ms != wait_ms || !strstr(words, said))
		fail_msg("%.40s: %d, taken %zu, refused %zu, wait %u: %s", answer, got, sent.taken,
			 sent.refused, sent.wait_ms, words);
}

static void test_answers(void **state)
{
	(void)state;
	if (!type->available())
		skip();
	assert_outcome("HTTP/1.1 503 No\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", -EAGAIN, 0,
		       0, 7000, "answered 503");
	assert_outcome("HTTP/1.1 429 No\r\nContent-Length: 0\r\n\r\n", -EAGAIN, 0, 0, 0,
		       "answered 429");
	assert_outcome("HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n", 0, 4, 4, 0, "answered 400");
	assert_outcome("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", 0, 4, 4, 0,
		       "does not speak OTLP");
	assert_outcome(
		"HTTP/1.1 200 OK\r\nContent-Length: 73\r\n\r\n"
		"{\"partialSuccess\":{\"rejectedLogRecords\":\"2\",\"errorMessage\":\"too \\u001b\"}}",
		0, 4, 2, 0, "rejected 2 records: too \\x1b");
	assert_outcome("HTTP/1.1 200 OK\r\nContent-Length: 44\r\n\r\n"
		       "{\"partialSuccess\":{\"rejectedLogRecords\":99}}",
		       0, 4, 4, 0, "rejected 99");
	assert_outcome("SSH-2.0-x\r\n", -EIO, 0, 0, 0, "");
}

/* The end of the run does not wait for a collector that hangs; nobody listens. */
static void test_no_answer(void **state)
{
	const struct queue_item item = { "{}", 2 };
	const uint64_t one = 1;
	int stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct sink_sent sent = { 0 };
	struct sink *sink;
	char target[64];

	(void)state;
	if (!type->available())
		skip();
	snprintf(target, sizeof(target), "http://127.0.0.1:%u/x", collector.port);
	collector.answer = NULL;
	assert_int_equal(pthread_create(&collector.thread, NULL, collector_run, NULL), 0);
	sink = open_at(target, stop);
	assert_int_equal(write(stop, &one, sizeof(one)), (ssize_t)sizeof(one));
	assert_int_equal(type->send(sink, &item, 1, &sent, &error), -ECANCELED);
	assert_int_equal(sent.taken, 0);
	type->close(sink);
	/* It may have been told before it connected. */
	shutdown(collector.fd, SHUT_RD);
	pthread_join(collector.thread, NULL);
	close(stop);
	teardown(NULL);
	sink = open_at(target, -1);
	assert_int_equal(type->send(sink, &item, 1, &sent, &error), -EIO);
	assert_non_null(strstr(words, "connect"));
	type->close(sink);
	assert_int_equal(setup(NULL), 0);
}

static void test_targets(void **state)
{
	static const char *const bad[] = { "ftp://a", "http://", "a:4318", "http://a:99999", "" };
	const struct sink_options options = { .stop = -1 };
	struct sink *sink = NULL;

	(void)state;
	if (!type->available())
		skip();
	text_init(&error, words, sizeof(words));
	assert_int_equal(type->check("https://collector.test/some/path", &error), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(type->check(bad[i], &error), -EINVAL);
	setenv("OTEL_EXPORTER_OTLP_HEADERS", "novalue", 1);
	assert_int_equal(type->open(&options, "http://a", &sink, &error), -EINVAL);
	setenv("OTEL_EXPORTER_OTLP_HEADERS", "a=b\r\nc: d", 1);
	assert_int_equal(type->open(&options, "http://a", &sink, &error), -EINVAL);
	unsetenv("OTEL_EXPORTER_OTLP_HEADERS");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_targets),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
