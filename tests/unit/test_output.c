/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Outputs with a queue: a consumer that does not read delays nobody, what it did not get is counted
 * and told, and files survive rotation, full disks and what others put in their place.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "capture.h"
#include "finding/finding.h"
#include "fixture.h"
#include "output/outputs.h"

#define QUEUE_SIZE   (64 * 1024)
#define BATCHES_SIZE (1024 * 1024) /* room for more than is sent at once */
#define FINISH_MS    5000

static struct finding finding;
static struct outputs *outputs;
static char error[512];
static char spec[512];

/* Opens json:PATH of the fixture with a queue of that size; error is then what was said. */
static int open_json_queue(const char *name, size_t size)
{
	struct outputs_options options = { .queue_size = size, .count = 1 };
	struct text t;

	text_init(&t, error, sizeof(error));
	snprintf(spec, sizeof(spec), "json:%s", fixture_path(name));
	options.specs[0] = spec;
	outputs = NULL;
	return outputs_open(&options, &outputs, &t);
}

static int open_json(const char *name)
{
	return open_json_queue(name, QUEUE_SIZE);
}

static void write_numbered(unsigned int number)
{
	finding = (struct finding){
		.cause = "unknown", .role = "client", .phase = "hello", .pid = number
	};
	memset(finding.message, 'm', sizeof(finding.message) - 1);
	assert_int_equal(outputs_write(outputs, &finding), 0);
}

static struct output_counts counts_now(void)
{
	struct output_counts counts;

	assert_true(outputs_counts(outputs, 0, &counts));
	return counts;
}

/* Ends the outputs. What they say on stderr is not looked at here. */
static struct output_counts finish(void)
{
	struct output_counts counts;

	capture_begin(STDERR_FILENO);
	outputs_finish(outputs, FINISH_MS);
	capture_end();
	counts = counts_now();
	outputs_close(outputs);
	return counts;
}

/* Counts whole findings in the file, whose pids must rise; *lost adds up what losses tell. */
static unsigned int file_read(const char *name, uint64_t *lost)
{
	FILE *file = fopen(fixture_path(name), "r");
	static char line[65536];
	unsigned int count = 0;
	json_int_t last = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		json_t *object = json_loads(line, 0, NULL);
		json_t *pid;

		assert_non_null(object);
		pid = json_object_get(object, "process.pid");
		if (pid) {
			assert_true(json_integer_value(pid) > last);
			last = json_integer_value(pid);
			count++;
		} else {
			*lost += (uint64_t)json_integer_value(
				json_object_get(object, "tlsfail.lost.output"));
		}
		json_decref(object);
	}
	fclose(file);
	return count;
}

static void test_all_is_written(void **state)
{
	struct output_counts counts;
	uint64_t lost = 0;
	struct stat st;

	(void)state;
	umask(022);
	assert_int_equal(open_json("all.json"), 0);
	for (unsigned int i = 1; i <= 50; i++)
		write_numbered(i);
	counts = finish();
	assert_int_equal(counts.queued, 50);
	assert_int_equal(counts.written, 50);
	assert_int_equal(counts.dropped, 0);
	assert_int_equal(file_read("all.json", &lost), 50);
	assert_int_equal(lost, 0);
	assert_int_equal(stat(fixture_path("all.json"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void wait_written(uint64_t want)
{
	for (int i = 0; i < 1000 && counts_now().written < want; i++)
		usleep(10000);
	assert_int_equal(counts_now().written, want);
}

/* Another process has crashed while four events waited, one of them the report of two losses. */
static void test_goes_on(void **state)
{
	static struct output_kept kept[OUTPUTS_MAX];
	struct output_counts counts;
	uint64_t lost = 0;

	(void)state;
	assert_int_equal(open_json("goes-on.json"), 0);
	outputs_keep(outputs, kept);
	finish();
	assert_int_not_equal(kept[0].of, 0);
	kept[0].counts =
		(struct output_counts){ .queued = 14, .written = 10, .dropped = 2, .waiting = 4 };
	kept[0].notice_of = 2;
	assert_int_equal(open_json("goes-on.json"), 0);
	outputs_keep(outputs, kept);
	counts = counts_now();
	assert_int_equal(counts.written, 10);
	assert_int_equal(counts.dropped, 5);
	assert_int_equal(counts.waiting, 0);
	write_numbered(1);
	finish();
	assert_int_equal(file_read("goes-on.json", &lost), 1);
	assert_int_equal(lost, 5);
	assert_int_equal(kept[0].counts.written, 12);
	assert_int_equal(kept[0].counts.dropped, 5);
	assert_int_equal(kept[0].counts.waiting, 0);
	assert_int_equal(kept[0].untold, 0);
}

/* The report of losses that is written makes room for the next, however much was counted before. */
static void test_goes_on_with_losses(void **state)
{
	static struct output_kept kept[OUTPUTS_MAX];
	uint64_t lost = 0;

	(void)state;
	assert_int_equal(open_json("losses.json"), 0);
	outputs_keep(outputs, kept);
	finish();
	kept[0].counts.queued = kept[0].counts.written = 1000;
	kept[0].untold = 1;
	assert_int_equal(open_json("losses.json"), 0);
	outputs_keep(outputs, kept);
	write_numbered(1);
	wait_written(1002);
	kept[0].untold = 10;
	write_numbered(2);
	wait_written(1004);
	assert_int_equal(file_read("losses.json", &lost), 2);
	assert_int_equal(lost, 11);
	finish();
}

/* Each goes on with its own, in whatever order they come, and nothing is kept of those that made room. */
static void test_kept_by_name(void **state)
{
	static struct output_kept kept[OUTPUTS_MAX];
	char name[32];

	(void)state;
	for (unsigned int i = 0; i <= OUTPUTS_MAX; i++) {
		snprintf(name, sizeof(name), "kept-%u.json", i);
		assert_int_equal(open_json(name), 0);
		write_numbered(1);
		outputs_keep(outputs, kept);
		write_numbered(2);
		finish();
	}
	assert_int_equal(open_json("kept-5.json"), 0);
	outputs_keep(outputs, kept);
	assert_int_equal(counts_now().written, 2);
	finish();
	assert_int_equal(open_json("kept-0.json"), 0);
	outputs_keep(outputs, kept);
	assert_int_equal(counts_now().written, 0);
	finish();
}

/* Reads the FIFO into the file until its end. */
static void *drain(void *context)
{
	static char buf[4096];
	int from = *(int *)context;
	int to = open(fixture_path("drained.json"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t n;

	fcntl(from, F_SETFL, 0);
	while ((n = read(from, buf, sizeof(buf))) > 0) {
		if (write(to, buf, (size_t)n) != n)
			break;
	}
	close(to);
	return NULL;
}

/* A FIFO that nobody reads, and then somebody does. */
static void test_slow_consumer(void **state)
{
	struct output_counts counts;
	uint64_t lost = 0;
	pthread_t thread;
	unsigned int got;
	int reader;

	(void)state;
	assert_int_equal(mkfifo(fixture_path("fifo"), 0600), 0);
	reader = open(fixture_path("fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(reader >= 0);
	assert_int_equal(open_json("fifo"), 0);
	for (unsigned int i = 1; i <= 5000; i++)
		write_numbered(i);
	counts = counts_now();
	assert_true(counts.dropped > 4000);
	assert_int_equal(counts.queued + counts.dropped, 5000);
	assert_true(counts.waiting_bytes <= QUEUE_SIZE);

	assert_int_equal(pthread_create(&thread, NULL, drain, &reader), 0);
	counts = finish();
	pthread_join(thread, NULL);
	close(reader);
	assert_int_equal(counts.waiting, 0);
	assert_int_equal(counts.queued, counts.written);
	got = file_read("drained.json", &lost);
	assert_int_equal(got + lost, 5000);
	assert_int_equal(lost, counts.dropped);
}

/* Reads from the FIFO until no more than this waits in the queue. */
static void read_until(int reader, size_t waiting_bytes)
{
	char buf[512];

	while (counts_now().waiting_bytes > waiting_bytes)
		if (read(reader, buf, sizeof(buf)) < 0)
			usleep(1000);
}

/* Once full, nothing is taken until half of the queue is free: what is lost is lost in one piece. */
static void test_full_until_half(void **state)
{
	struct output_counts full, counts;
	unsigned int number = 0;
	int reader;

	(void)state;
	assert_int_equal(mkfifo(fixture_path("half"), 0600), 0);
	reader = open(fixture_path("half"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(open_json_queue("half", BATCHES_SIZE), 0);
	/* The queue is full, and so is the FIFO behind it. */
	do {
		write_numbered(++number);
		if (counts_now().waiting_bytes > BATCHES_SIZE / 2)
			usleep(1000);
		full = counts_now();
	} while (!full.dropped || full.waiting_bytes < BATCHES_SIZE * 7 / 8);
	read_until(reader, BATCHES_SIZE * 3 / 4);
	write_numbered(++number);
	counts = counts_now();
	assert_int_equal(counts.dropped, full.dropped + 1);
	assert_int_equal(counts.queued, full.queued);
	read_until(reader, BATCHES_SIZE / 2);
	write_numbered(++number);
	counts = counts_now();
	assert_int_equal(counts.dropped, full.dropped + 1);
	/* And the report of what was lost, before it. */
	assert_int_equal(counts.queued, full.queued + 2);
	close(reader);
	finish();
}

/* Nobody reads, to the end: the end comes all the same, and what was not read is counted. */
static void test_dead_consumer(void **state)
{
	struct output_counts counts;
	int reader;

	(void)state;
	assert_int_equal(mkfifo(fixture_path("dead"), 0600), 0);
	reader = open(fixture_path("dead"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(open_json("dead"), 0);
	for (unsigned int i = 1; i <= 1000; i++)
		write_numbered(i);
	outputs_finish(outputs, 100);
	counts = counts_now();
	/* The event that tells of the losses is one more, where there was room for it. */
	assert_in_range(counts.written + counts.dropped, 1000, 1001);
	outputs_close(outputs);
	close(reader);
}

/* Moved away without a word, and with one. */
static void test_rotation(void **state)
{
	uint64_t lost = 0;

	(void)state;
	assert_int_equal(open_json("log"), 0);
	write_numbered(1);
	wait_written(1);
	assert_int_equal(fixture_run("mv log log.1"), 0);
	write_numbered(2);
	wait_written(2);
	assert_int_equal(fixture_run("mv log log.2"), 0);
	outputs_reopen(outputs);
	for (int i = 0; i < 1000 && access(fixture_path("log"), F_OK); i++)
		usleep(10000);
	assert_int_equal(access(fixture_path("log"), F_OK), 0);
	write_numbered(3);
	finish();
	assert_int_equal(file_read("log.1", &lost), 1);
	assert_int_equal(file_read("log.2", &lost), 1);
	assert_int_equal(file_read("log", &lost), 1);
}

/* A limit on the size of files stands for a full disk: it too takes the half of a line. */
static void test_full_disk(void **state)
{
	struct rlimit limit, small;
	uint64_t lost = 0;
	struct output_counts counts;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small = limit;
	small.rlim_cur = 10000;
	assert_int_equal(open_json("full.json"), 0);
	capture_begin(STDERR_FILENO);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (unsigned int i = 1; i <= 1000; i++)
		write_numbered(i);
	for (int i = 0; i < 1000 && !counts_now().failing; i++)
		usleep(10000);
	counts = counts_now();
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_non_null(strstr(capture_end(), "full.json: cannot write: File too large; retrying"));
	assert_true(counts.failing);
	assert_true(counts.errors > 0);
	assert_true(counts.dropped > 0);
	/* each line that is there is a whole one, now and after */
	assert_in_range(file_read("full.json", &lost), 1, 999);
	assert_int_equal(lost, 0);
	counts = finish();
	assert_int_equal(file_read("full.json", &lost) + lost, 1000);
	assert_int_equal(lost, counts.dropped);
}

static void assert_refused(const char *name, const char *words)
{
	assert_true(open_json(name) < 0);
	assert_null(outputs);
	if (!strstr(error, words))
		fail_msg("no \"%s\" in: %s", words, error);
}

static void test_unsafe_files(void **state)
{
	(void)state;
	assert_int_equal(fixture_run("touch target && ln -s target link && ln target hard && "
				     "mkdir dir open sticky && chmod 0777 open && "
				     "chmod 1777 sticky"),
			 0);
	assert_refused("link", "is a symbolic link");
	assert_refused("hard", "has other names");
	assert_refused("dir", "cannot create");
	assert_refused("missing/x", "No such file or directory");
	assert_refused("open/x", "everybody may replace files");
	assert_int_equal(access(fixture_path("open/x"), F_OK), -1);
	assert_int_equal(open_json("sticky/x"), 0);
	finish();
}

static void test_others_file(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(fixture_run("touch others && chown 65534 others"), 0);
	assert_refused("others", "belongs to another user");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goes_on),	      cmocka_unit_test(test_goes_on_with_losses),
		cmocka_unit_test(test_kept_by_name),  cmocka_unit_test(test_all_is_written),
		cmocka_unit_test(test_slow_consumer), cmocka_unit_test(test_full_until_half),
		cmocka_unit_test(test_dead_consumer), cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_full_disk),     cmocka_unit_test(test_unsafe_files),
		cmocka_unit_test(test_others_file),
	};

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests_name("output", tests, fixture_setup, fixture_teardown);
}
