/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who reads ELF files for somebody else: that it does is for test_elfsym; here it is not there, or says what it
 * cannot mean, or another one is wanted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "elfread.h"
#include "system/budget.h"
#include "system/elf.h"
#include "system/elfwire.h"

static int teardown(void **state)
{
	(void)state;
	elf_ask_another();
	elf_read_elsewhere();
	return 0;
}

static int none_reads(void *context, int fd)
{
	(void)context;
	(void)fd;
	return -EAGAIN;
}

/* It answers with what is no answer. */
static int nonsense_reads(void *context, int fd)
{
	static const struct elf_reply reply = { .err = 0, .len = ELFWIRE_DATA_MAX };

	(void)context;
	return send(fd, &reply, sizeof(reply), 0) == sizeof(reply) ? 0 : -errno;
}

static int gone_reads(void *context, int fd)
{
	(void)context;
	return shutdown(fd, SHUT_RDWR) ? -errno : 0;
}

/* Then the file is not read, and what depends on that knows. */
static void test_no_reader(void **state)
{
	static const elf_reader_fn readers[] = { nonsense_reads, gone_reads };
	struct elf_file *file = NULL;
	struct budget budget;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	elf_ask_another();
	elf_ask(none_reads, NULL);
	assert_int_equal(elf_file_open(fd, NULL, &file), -EAGAIN);
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		elf_ask_another();
		elf_ask(readers[i], NULL);
		budget = budget_begin(1000, 10, 0);
		assert_int_equal(elf_file_open(fd, &budget, &file), -EIO);
		assert_true(budget.over);
	}
	elf_read_elsewhere();
	close(fd);
}

/* Another one goes on with the next file, and what is open stays with whom it was. */
static void test_another_reader(void **state)
{
	struct elf_file *first = NULL, *second = NULL;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(elf_file_open(fd, NULL, &first), 0);
	elf_ask_another();
	assert_int_equal(elf_file_open(fd, NULL, &second), 0);
	assert_true(elf_file_imports(first, "elf_version") ==
		    elf_file_imports(second, "elf_version"));
	elf_file_close(first);
	assert_false(elf_file_imports(second, "no_such_function"));
	elf_file_close(second);
	close(fd);
}

/* No more are open at a time than there is room for. */
static void test_many_files(void **state)
{
	struct elf_file *files[ELFWIRE_FILES] = { NULL }, *one_more = NULL;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < ELFWIRE_FILES; i++)
		assert_int_equal(elf_file_open(fd, NULL, &files[i]), 0);
	assert_int_equal(elf_file_open(fd, NULL, &one_more), -EMFILE);
	elf_file_close(files[1]);
	assert_int_equal(elf_file_open(fd, NULL, &files[1]), 0);
	for (size_t i = 0; i < ELFWIRE_FILES; i++)
		elf_file_close(files[i]);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_no_reader, teardown),
		cmocka_unit_test_teardown(test_another_reader, teardown),
		cmocka_unit_test_teardown(test_many_files, teardown),
	};

	return cmocka_run_group_tests_name("elf_reader", tests, NULL, NULL);
}
