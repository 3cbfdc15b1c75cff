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
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "elfread.h"
#include "system/budget.h"
#include "system/elf.h"
#include "system/elfwire.h"
#include "system/procfs.h"

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

static struct mapped_files mapped_of(pid_t pid)
{
	struct mapped_files files = { 0 };
	int dir = procfs_open(pid);

	assert_true(dir >= 0);
	assert_int_equal(elf_mapped_files(dir, &files), 0);
	close(dir);
	return files;
}

/* What a process has mapped is read there, too, whatever the files are called, and is the same as if it were read
 * here. Without paths it is read here. */
static void test_maps(void **state)
{
	static const char odd[] = "/tmp/tlsfail-\n7f00-7f01 r-xp 0 0:0 1 \\ \x1b-XXXXXX";
	struct mapped_files there, here, numbers = { 0 };
	char path[sizeof(odd)];
	bool seen = false;
	void *memory;
	int fd, dir;

	(void)state;
	memcpy(path, odd, sizeof(odd));
	fd = mkstemp(path);
	assert_true(fd >= 0 && !ftruncate(fd, 4096));
	memory = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	there = mapped_of(getpid());
	elf_ask(NULL, NULL);
	here = mapped_of(getpid());
	dir = procfs_open(getpid());
	assert_int_equal(mapped_files_read(dir, &numbers), 0);
	assert_true(there.count > 2);
	assert_int_equal(there.count, here.count);
	assert_int_equal(there.count, numbers.count);
	for (size_t i = 0; i < there.count; i++) {
		assert_string_equal(there.items[i].path, here.items[i].path);
		assert_int_equal(there.items[i].start, numbers.items[i].start);
		assert_int_equal(there.items[i].end, here.items[i].end);
		assert_int_equal(there.items[i].ino, numbers.items[i].ino);
		assert_int_equal(there.items[i].dev, here.items[i].dev);
		assert_int_equal(there.items[i].executable, numbers.items[i].executable);
		assert_null(numbers.items[i].path);
		seen |= !strcmp(there.items[i].path, path);
	}
	assert_true(seen);
	mapped_files_free(&there);
	mapped_files_free(&here);
	mapped_files_free(&numbers);
	munmap(memory, 4096);
	unlink(path);
	close(dir);
	close(fd);
}

/* Who says that there are more files than it has, or paths that are none. */
static int lies(void *context, int fd)
{
	static struct elf_reply replies[2];
	struct elf_reply *a = &replies[1];

	replies[0] = (struct elf_reply){ .offset = UINT64_MAX };
	memcpy(a->data + sizeof(struct elf_mapped), context, strlen(context) + 1);
	a->len = (uint32_t)(sizeof(struct elf_mapped) + strlen(context));
	for (int i = 0; i < 2; i++)
		if (send(fd, &replies[i], elfwire_reply_len(&replies[i]), 0) < 0)
			return -errno;
	return 0;
}

static void test_maps_lies(void **state)
{
	static char without_end[] = "/lib", relative[] = "lib";
	char *const paths[] = { without_end, relative };
	struct mapped_files files = { 0 };
	int dir = procfs_open(getpid());

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		elf_ask_another();
		elf_ask(lies, paths[i]);
		assert_int_equal(elf_mapped_files(dir, &files), -EIO);
		assert_int_equal(files.count, 0);
	}
	elf_ask_another();
	elf_ask(none_reads, NULL);
	assert_int_equal(elf_mapped_files(dir, &files), -EAGAIN);
	mapped_files_free(&files);
	close(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_no_reader, teardown),
		cmocka_unit_test_teardown(test_another_reader, teardown),
		cmocka_unit_test_teardown(test_many_files, teardown),
		cmocka_unit_test_teardown(test_maps, teardown),
		cmocka_unit_test_teardown(test_maps_lies, teardown),
	};

	return cmocka_run_group_tests_name("elf_reader", tests, NULL, NULL);
}
