/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ways out of the metrics: the page over HTTP and the file, of a run that counts and publishes.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"
#include "command/exporter.h"
#include "metrics/file.h"
#include "metrics/http.h"
#include "metrics/process.h"
#include "metrics/share.h"
#include "output/outputs.h"
#include "system/listen.h"

static char page[1 << 20];

/* A share with a page on it; free it, and then the metrics. */
static struct metrics_share *share_make(struct metrics **metrics)
{
	struct metrics_share *share = metrics_share_new();

	*metrics = metrics_new(0, &exporter_names, NULL);
	assert_non_null(share);
	assert_non_null(*metrics);
	metrics_share_publish(share, *metrics);
	return share;
}

static void address_make(const char *name, struct listen_address *address)
{
	char words[256];

	snprintf(words, sizeof(words), "unix:%s", fixture_path(name));
	assert_int_equal(listen_parse(words, address), 0);
}

/* Sends a request to a server and keeps the whole answer in page. */
static void ask(const struct listen_address *address, const char *request)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t len = 0;
	ssize_t got;

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, &address->addr.any, address->len), 0);
	assert_int_equal(write(fd, request, strlen(request)), (ssize_t)strlen(request));
	while ((got = read(fd, page + len, sizeof(page) - 1 - len)) > 0)
		len += (size_t)got;
	page[len] = '\0';
	close(fd);
}

static void assert_answer(const struct listen_address *address, const char *request,
			  const char *status, const char *words)
{
	ask(address, request);
	if (strncmp(page, status, strlen(status)) != 0 || !strstr(page, words))
		fail_msg("%s was answered: %.300s", request, page);
}

static int page_make(void *context, enum exposition_format format, char **made, size_t *len)
{
	return metrics_share_page(context, format, made, len);
}

static void test_http(void **state)
{
	struct listen_address address;
	struct metrics_http *http = NULL;
	struct metrics *metrics;
	struct metrics_share *share = share_make(&metrics);
	struct stat st;
	int fd;

	(void)state;
	address_make("http", &address);
	if (metrics_http_lacks())
		skip();
	fd = listen_open(&address);
	assert_true(fd >= 0);
	assert_int_equal(metrics_http_open(fd, page_make, share, &http), 0);
	assert_answer(&address, "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
		      "HTTP/1.1 200", "# TYPE tlsfail_");
	assert_non_null(strstr(page, "text/plain"));
	assert_answer(&address,
		      "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
		      "Accept: application/openmetrics-text; version=1.0.0\r\n\r\n",
		      "HTTP/1.1 200", "# EOF\n");
	assert_answer(&address, "HEAD /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
		      "HTTP/1.1 200", "Content-Length: ");
	assert_null(strstr(page, "# TYPE"));
	assert_answer(&address, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
		      "HTTP/1.1 404", "/metrics");
	assert_answer(&address,
		      "POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n"
		      "Connection: close\r\n\r\n",
		      "HTTP/1.1 405", "Allow: GET, HEAD");
	metrics_http_close(http);
	listen_close(&address, fd);
	assert_int_equal(stat(fixture_path("http"), &st), -1);
	metrics_share_free(share);
	metrics_free(metrics);
}

/* Nothing has been published, or somebody else listens. */
static void test_http_cannot(void **state)
{
	struct listen_address address;
	struct metrics_http *http = NULL;
	struct metrics_share *share = metrics_share_new();
	int fd;

	(void)state;
	address_make("http", &address);
	if (metrics_http_lacks())
		skip();
	fd = listen_open(&address);
	assert_true(fd >= 0);
	assert_int_equal(metrics_http_open(fd, page_make, share, &http), 0);
	assert_answer(&address, "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
		      "HTTP/1.1 503", "no metrics yet");
	assert_int_equal(listen_open(&address), -EADDRINUSE);
	metrics_http_close(http);
	listen_close(&address, fd);
	metrics_http_close(NULL);
	metrics_share_free(share);
}

static void file_read(const char *name)
{
	FILE *file = fopen(fixture_path(name), "re");
	size_t len;

	assert_non_null(file);
	len = fread(page, 1, sizeof(page) - 1, file);
	page[len] = '\0';
	fclose(file);
}

static unsigned int syncs;

int fsync(int fd)
{
	(void)fd;
	syncs++;
	return 0;
}

/* A disk that is busy does not hold up the end; what has to be there after a power failure is. */
static void test_file_does_not_wait_for_the_disk(void **state)
{
	struct metrics_file *file = NULL;
	struct metrics_share *share = metrics_share_new();
	struct metrics *metrics = metrics_new(0, &exporter_names, NULL);
	const char *path = fixture_path("unsynced.prom");

	(void)state;
	metrics_share_publish(share, metrics);
	syncs = 0;
	assert_int_equal(metrics_file_open(path, share, &file), 0);
	metrics_file_close(file);
	assert_int_equal(syncs, 0);
	assert_int_equal(metrics_file_replace(path, "a 1\n", 4, true), 0);
	assert_int_equal(syncs, 1);
	assert_int_equal(metrics_file_replace(path, "a 1\n", 4, false), 0);
	assert_int_equal(syncs, 1);
	metrics_free(metrics);
	metrics_share_free(share);
}

static void test_file(void **state)
{
	struct metrics_file *file = NULL;
	struct metrics *metrics;
	struct metrics_share *share = share_make(&metrics);
	char path[256];
	struct stat st;

	(void)state;
	snprintf(path, sizeof(path), "%s", fixture_path("tlsfail.prom"));
	/* What another left there is no reason not to write. */
	assert_int_equal(fixture_write("tlsfail.prom.new", "x", 1), 0);
	assert_int_equal(metrics_file_open(path, share, &file), 0);
	file_read("tlsfail.prom");
	assert_non_null(strstr(page, "# TYPE tlsfail_"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(unlink(path), 0);
	metrics_file_close(file); /* writes it once more */
	file_read("tlsfail.prom");
	assert_int_equal(stat(fixture_path("tlsfail.prom.new"), &st), -1);

	snprintf(path, sizeof(path), "%s", fixture_path("no/such/directory"));
	assert_int_equal(metrics_file_open(path, share, &file), -ENOENT);
	metrics_file_close(NULL);
	metrics_share_free(share);
	metrics_free(metrics);
}

static void test_process(void **state)
{
	struct metrics_process p;

	(void)state;
	metrics_process_read(&p);
	assert_true(p.known);
	assert_true(p.cpu_s > 0 && p.resident > 0 && p.virtual >= p.resident);
	assert_true(p.open_fds >= 3 && p.open_fds <= p.max_fds);
	/* Seconds since 1970: after this was written. */
	assert_true(p.start_s > 1.7e9);
}

static void test_publish(void **state)
{
	const char *spec = "json:/dev/null";
	struct outputs_options outputs_options = { .queue_size = 65536,
						   .specs = { spec },
						   .count = 1 };
	struct metrics_host host = { .armed = true, .traced = 3 };
	char path[256], words[256];
	struct outputs *outputs = NULL;
	struct exporter *e = NULL;
	struct text error;

	(void)state;
	snprintf(path, sizeof(path), "%s", fixture_path("run.prom"));
	text_init(&error, words, sizeof(words));
	assert_int_equal(outputs_open(&outputs_options, &outputs, &error), 0);
	assert_int_equal(exporter_open(&(struct options){ .metrics_file = path }, -1, NULL, &e), 0);
	assert_non_null(exporter_metrics(e));
	exporter_publish(e, outputs, &host);
	exporter_close(e);
	file_read("run.prom");
	assert_non_null(strstr(page, "\ntlsfail_traced_processes 3\n"));
	assert_non_null(strstr(page, "sink=\"json:/dev/null\""));
	assert_non_null(strstr(page, "\nprocess_open_fds "));

	/* Nothing was asked for. */
	assert_int_equal(exporter_open(&(struct options){ 0 }, -1, NULL, &e), 0);
	assert_null(e);
	assert_null(exporter_metrics(e));
	exporter_close(e);
	outputs_close(outputs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_http_cannot),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_file_does_not_wait_for_the_disk),
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_publish),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
