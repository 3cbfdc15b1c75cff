/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recordings: what was written is read back; what is not a recording, or no longer a whole one, is
 * refused in one sentence; a recording is never written where it could be read or do harm.
 */
#define _GNU_SOURCE /* pipe2() */
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "record/recording.h"
#include "base/text.h"
#include "tlsfail_abi.h"

#define RECORD_MAX (sizeof(struct tlsfail_process) + 3 * TLSFAIL_STRING_MAX)

/* The file header, as it is on disk. */
#define HEADER_LEN	  32
#define BYTE_ORDER_OFFSET 8
#define FORMAT_OFFSET	  10
#define ABI_OFFSET	  12
#define LENGTH_OFFSET	  14

static char directory[64];
static char path[128];
static char message[256];
static struct text error;

static int directory_make(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/test_record.XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/recording", directory);
	return 0;
}

static int directory_remove(void **state)
{
	(void)state;
	return rmdir(directory);
}

static int error_clear(void **state)
{
	(void)state;
	text_init(&error, message, sizeof(message));
	return 0;
}

static int file_remove(void **state)
{
	(void)state;
	return unlink(path) && errno != ENOENT ? -1 : 0;
}

static void assert_message(const char *want)
{
	if (!strstr(message, want))
		fail_msg("\"%s\" is not in \"%s\"", want, message);
	error_clear(NULL);
}

/* ---- Records and files ----------------------------------------------------------------------- */

/* A record of len bytes that only its number fills. */
static const uint8_t *record_make(size_t number, size_t len)
{
	static uint8_t record[RECORD_MAX];
	struct tlsfail_header header = { .type = TLSFAIL_REC_PROCESS,
					 .version = TLSFAIL_ABI_VERSION,
					 .len = len };

	memset(record, (int)(number & 0xff), sizeof(record));
	memcpy(record, &header, sizeof(header));
	return record;
}

/* Odd lengths, from a bare header to the largest record. */
static size_t record_length(size_t number)
{
	static const size_t lengths[] = { 8, 9, 40, 568, 1023, 4633, RECORD_MAX };

	return lengths[number % (sizeof(lengths) / sizeof(lengths[0]))];
}

static void recording_write(size_t records)
{
	struct recorder *recorder;

	assert_int_equal(recorder_open(path, &recorder, &error), 0);
	for (size_t i = 0; i < records; i++) {
		size_t len = record_length(i);

		assert_int_equal(recorder_write(recorder, record_make(i, len), len), 0);
	}
	assert_int_equal(recorder_close(recorder), 0);
}

static size_t file_read(uint8_t *bytes, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, bytes, size);

	assert_true(n >= 0);
	close(fd);
	return n;
}

static void file_write(const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

/* Reads to the end or to an error, which is returned. Counts the records in *records. */
static int recording_read(const char *name, size_t *records)
{
	struct recording *recording;
	const void *data;
	size_t len;
	int err = recording_open(name, &recording, &error);

	*records = 0;
	if (err)
		return err;
	while ((err = recording_next(recording, &data, &len, &error)) == 1) {
		assert_int_equal(len, record_length(*records));
		assert_memory_equal(data, record_make(*records, len), len);
		(*records)++;
	}
	recording_close(recording);
	return err;
}

static void assert_unreadable(int want, const char *want_message)
{
	size_t records;

	assert_int_equal(recording_read(path, &records), want);
	assert_int_equal(records, 0);
	assert_message(want_message);
}

/* ---- Round trip ------------------------------------------------------------------------------ */

static void test_round_trip(void **state)
{
	size_t records;

	(void)state;
	recording_write(0);
	assert_int_equal(recording_read(path, &records), 0);
	assert_int_equal(records, 0);
	recording_write(1000);
	assert_int_equal(recording_read(path, &records), 0);
	assert_int_equal(records, 1000);
	assert_string_equal(message, "");
}

static void test_place(void **state)
{
	struct recording *recording;
	const void *data;
	size_t len;

	(void)state;
	recording_write(3);
	assert_int_equal(recording_open(path, &recording, &error), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(recording_next(recording, &data, &len, &error), 1);
	recording_add_place(recording, &error);
	assert_message("/recording: record 3 at byte 49");
	assert_int_equal(recording_next(recording, &data, &len, &error), 0);
	assert_int_equal(recording_next(recording, &data, &len, &error), 0);
	recording_close(recording);
	recording_close(NULL);
}

/* Through a pipe that yields a few bytes at a time. */
static void test_standard_input(void **state)
{
	static uint8_t bytes[32768];
	int standard_input = dup(STDIN_FILENO);
	int ends[2];
	size_t records;
	size_t len;
	pid_t pid;
	int status;

	(void)state;
	recording_write(8);
	len = file_read(bytes, sizeof(bytes));
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		for (size_t at = 0; at < len; at += 7) {
			if (write(ends[1], bytes + at, len - at < 7 ? len - at : 7) < 0)
				_exit(1);
		}
		_exit(0);
	}
	close(ends[1]);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	assert_int_equal(recording_read("-", &records), 0);
	assert_int_equal(records, 8);
	assert_int_equal(recording_read("-", &records), -EBADMSG);
	assert_message("standard input is empty");
	dup2(standard_input, STDIN_FILENO);
	close(standard_input);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- What is not a recording ----------------------------------------------------------------- */

static void test_not_there(void **state)
{
	struct recording *recording;

	(void)state;
	assert_int_equal(recording_open(path, &recording, &error), -ENOENT);
	assert_message("cannot open /tmp/");
	assert_int_equal(recording_open(directory, &recording, &error), -EISDIR);
	assert_message("cannot read /tmp/");
}

static void test_not_a_recording(void **state)
{
	static const char text[] = "TLSFAIM and more than thirty-two bytes";

	(void)state;
	file_write("", 0);
	assert_unreadable(-EBADMSG, "/recording is empty: not a recording");
	file_write("T", 1);
	assert_unreadable(-EBADMSG, "is truncated: it ends inside its header");
	file_write("t", 1);
	assert_unreadable(-EBADMSG, "is not a tlsfail recording");
	file_write(text, sizeof(text));
	assert_unreadable(-EBADMSG, "is not a tlsfail recording");
}

static void assert_header_refused(size_t offset, uint16_t value, int want, const char *want_message)
{
	uint8_t bytes[256];
	size_t len;

	recording_write(3);
	len = file_read(bytes, sizeof(bytes));
	memcpy(bytes + offset, &value, sizeof(value));
	file_write(bytes, len);
	assert_unreadable(want, want_message);
}

static void test_other_versions(void **state)
{
	char want[64];

	(void)state;
	assert_header_refused(BYTE_ORDER_OFFSET, 0x0201, -EPROTONOSUPPORT, "other byte order");
	assert_header_refused(BYTE_ORDER_OFFSET, 0x0303, -EBADMSG, "damaged header");
	assert_header_refused(FORMAT_OFFSET, 2, -EPROTONOSUPPORT,
			      "has version 2 of the recording format; this tlsfail reads 1");
	snprintf(want, sizeof(want), "by a tlsfail with ABI 99; this one reads 1 to %d",
		 TLSFAIL_ABI_VERSION);
	assert_header_refused(ABI_OFFSET, 99, -EPROTONOSUPPORT, want);
	assert_header_refused(ABI_OFFSET, 0, -EPROTONOSUPPORT, "with ABI 0");
	assert_header_refused(LENGTH_OFFSET, HEADER_LEN - 1, -EBADMSG, "damaged header");
	assert_header_refused(LENGTH_OFFSET, UINT16_MAX, -EBADMSG, "inside its header");
}

static void test_longer_header(void **state)
{
	uint8_t bytes[256];
	uint16_t header_len = HEADER_LEN + 5;
	size_t records;
	size_t len;

	(void)state;
	recording_write(3);
	len = file_read(bytes, sizeof(bytes));
	memmove(bytes + header_len, bytes + HEADER_LEN, len - HEADER_LEN);
	memcpy(bytes + LENGTH_OFFSET, &header_len, sizeof(header_len));
	file_write(bytes, len + 5);
	assert_int_equal(recording_read(path, &records), 0);
	assert_int_equal(records, 3);
}

/* ---- What is no longer a whole recording ----------------------------------------------------- */

/* How many of the records end at or before `end`, and whether the last one ends there. */
static size_t records_before(size_t end, bool *clean)
{
	size_t at = HEADER_LEN;
	size_t records = 0;

	while (at + record_length(records) <= end)
		at += record_length(records++);
	*clean = at == end;
	return records;
}

static void test_cut_everywhere(void **state)
{
	static uint8_t bytes[8192];
	char want[128];
	size_t len;

	(void)state;
	recording_write(5);
	len = file_read(bytes, sizeof(bytes));
	for (size_t cut = 1; cut < HEADER_LEN; cut++) {
		file_write(bytes, cut);
		assert_unreadable(-EBADMSG, "inside its header");
	}
	for (size_t cut = HEADER_LEN; cut <= len; cut++) {
		size_t records;
		bool clean;
		size_t records_want = records_before(cut, &clean);

		file_write(bytes, cut);
		assert_int_equal(recording_read(path, &records), clean ? 0 : -EBADMSG);
		assert_int_equal(records, records_want);
		snprintf(want, sizeof(want),
			 "is truncated: it ends at byte %zu inside record %zu; %zu record%s before",
			 cut, records + 1, records, records == 1 ? "" : "s");
		assert_message(clean ? "" : want);
	}
}

static void test_lengths_that_lie(void **state)
{
	static const uint32_t lies[] = { 0, 1, 7, RECORD_MAX + 1, UINT32_MAX };
	uint8_t bytes[256];
	char want[128];
	size_t records;
	size_t len;

	(void)state;
	recording_write(3);
	len = file_read(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		memcpy(bytes + HEADER_LEN + 8 + offsetof(struct tlsfail_header, len), &lies[i],
		       sizeof(lies[i]));
		file_write(bytes, len);
		assert_int_equal(recording_read(path, &records), -EBADMSG);
		assert_int_equal(records, 1);
		snprintf(want, sizeof(want),
			 "is damaged: record 2 at byte %d claims %u bytes; 1 record before",
			 HEADER_LEN + 8, lies[i]);
		assert_message(want);
	}
}

/* ---- Writing --------------------------------------------------------------------------------- */

static void test_not_a_record(void **state)
{
	struct recorder *recorder;
	uint8_t record[RECORD_MAX + 1] = {};
	size_t records;

	(void)state;
	assert_int_equal(recorder_open(path, &recorder, &error), 0);
	assert_int_equal(recorder_write(recorder, record_make(0, 8), 7), -EMSGSIZE);
	assert_int_equal(recorder_write(recorder, record_make(0, 8), 9), -EMSGSIZE);
	memcpy(record, record_make(0, sizeof(record)), 8);
	assert_int_equal(recorder_write(recorder, record, sizeof(record)), -EMSGSIZE);
	assert_int_equal(recorder_write(recorder, record_make(0, 8), 8), 0);
	assert_int_equal(recorder_close(recorder), 0);
	assert_int_equal(recorder_close(NULL), 0);
	assert_int_equal(recording_read(path, &records), 0);
	assert_int_equal(records, 1);
}

static void test_full_device(void **state)
{
	struct recorder *recorder;

	(void)state;
	assert_int_equal(recorder_open("/dev/full", &recorder, &error), -ENOSPC);
	assert_message("cannot write to /dev/full: No space left on device");
}

/* The disk becomes full later: a limit on the size of files stands for it. */
static void test_full_later(void **state)
{
	struct rlimit before;
	struct rlimit limit;
	struct recorder *recorder;
	unsigned int written = 0;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(recorder_open(path, &recorder, &error), 0);
	limit = before;
	limit.rlim_cur = HEADER_LEN + 12;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(recorder_write(recorder, record_make(0, 8), 8), 0);
	assert_int_equal(recorder_write(recorder, record_make(1, 9), 9), 0);
	assert_int_equal(recorder_flush(recorder), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	/* Now there would be room, but the recording has a gap. */
	assert_int_equal(recorder_write(recorder, record_make(2, 40), 40), -EFBIG);
	assert_int_equal(recorder_flush(recorder), -EFBIG);
	assert_int_equal(recorder_close(recorder), -EFBIG);
	assert_int_equal(recorder_open(path, &recorder, &error), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(recorder_write(recorder, record_make(3, 568), 568), 0);
	assert_int_equal(recorder_close(recorder), -EFBIG);
	/* The error of a full buffer is that of the record that did not fit into it. */
	assert_int_equal(recorder_open(path, &recorder, &error), 0);
	do
		written++;
	while (recorder_write(recorder, record_make(4, 4633), 4633) == 0 && written < 100);
	assert_in_range(written, 2, 99);
	assert_int_equal(recorder_close(recorder), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
}

static void test_private(void **state)
{
	struct stat st;

	(void)state;
	file_write("what was there before, and is longer than a header", 50);
	assert_int_equal(chmod(path, 0666), 0);
	recording_write(0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, HEADER_LEN);
	assert_int_equal(unlink(path), 0);
	recording_write(0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void assert_refused(const char *name, int want, const char *want_message)
{
	struct recorder *recorder;

	assert_int_equal(recorder_open(name, &recorder, &error), want);
	assert_message(want_message);
}

static void test_refused(void **state)
{
	char other[160];
	struct stat st;

	(void)state;
	snprintf(other, sizeof(other), "%s/other", directory);
	file_write("precious", 8);
	assert_int_equal(symlink(path, other), 0);
	assert_refused(other, -ELOOP, "is a symbolic link");
	unlink(other);
	assert_int_equal(link(path, other), 0);
	assert_refused(other, -EPERM, "has other names");
	unlink(other);
	assert_refused(directory, -EISDIR, "cannot create");
	snprintf(other, sizeof(other), "%s/none/other", directory);
	assert_refused(other, -ENOENT, "cannot create");
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 1, 1), 0);
		assert_refused(path, -EPERM, "belongs to another user");
	}
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 8);
}

static void test_fifo(void **state)
{
	uint8_t bytes[64];
	struct recorder *recorder;
	int reader;

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(recorder_open(path, &recorder, &error), 0);
	assert_int_equal(recorder_write(recorder, record_make(0, 8), 8), 0);
	assert_int_equal(read(reader, bytes, sizeof(bytes)), HEADER_LEN);
	assert_int_equal(recorder_flush(recorder), 0);
	assert_int_equal(read(reader, bytes, sizeof(bytes)), 8);
	assert_memory_equal(bytes, record_make(0, 8), 8);
	assert_int_equal(recorder_close(recorder), 0);
	close(reader);
}

/* A byte at a time, as from a process that is still at it; then it ends. */
static void test_as_it_comes(void **state)
{
	struct recording *recording;
	size_t records = 0, record_len;
	uint8_t bytes[256];
	const void *data;
	int ends[2];
	size_t len;

	(void)state;
	recording_write(3);
	len = file_read(bytes, sizeof(bytes));
	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	assert_int_equal(recording_adopt(ends[0], "what comes", &recording), 0);
	for (size_t i = 0; i < len; i++) {
		int ret = recording_next(recording, &data, &record_len, &error);

		if (ret == 1)
			assert_int_equal(record_len, record_length(records++));
		else
			assert_int_equal(ret, -EAGAIN);
		error_clear(NULL);
		assert_int_equal(write(ends[1], bytes + i, 1), 1);
	}
	assert_int_equal(recording_next(recording, &data, &record_len, &error), 1);
	assert_int_equal(records, 2);
	assert_int_equal(recording_next(recording, &data, &record_len, &error), -EAGAIN);
	error_clear(NULL);
	close(ends[1]);
	assert_int_equal(recording_next(recording, &data, &record_len, &error), 0);
	recording_close(recording);
}

#define RECORD_TEST(function) cmocka_unit_test_setup_teardown(function, error_clear, file_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RECORD_TEST(test_round_trip),
		RECORD_TEST(test_place),
		RECORD_TEST(test_standard_input),
		RECORD_TEST(test_not_there),
		RECORD_TEST(test_not_a_recording),
		RECORD_TEST(test_other_versions),
		RECORD_TEST(test_longer_header),
		RECORD_TEST(test_cut_everywhere),
		RECORD_TEST(test_lengths_that_lie),
		RECORD_TEST(test_not_a_record),
		RECORD_TEST(test_full_device),
		RECORD_TEST(test_full_later),
		RECORD_TEST(test_private),
		RECORD_TEST(test_refused),
		RECORD_TEST(test_fifo),
		RECORD_TEST(test_as_it_comes),
	};

	return cmocka_run_group_tests_name("record", tests, directory_make, directory_remove);
}
