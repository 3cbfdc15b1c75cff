// SPDX-License-Identifier: BSD-2-Clause
/*
 * /proc/PID/maps: what a process calls its files stands in it as it is. Input: the file.
 */
#define _GNU_SOURCE /* mkdtemp() */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "system/procfs.h"

static char directory[] = "/dev/shm/tlsfail-fuzz-XXXXXX";
static int dir = -1;

static void end(void)
{
	unlinkat(dir, "maps", 0);
	rmdir(directory);
}

static void begin(void)
{
	if (!mkdtemp(directory))
		abort();
	dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || atexit(end))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mapped_files files = { 0 };
	int fd;

	if (dir < 0)
		begin();
	fd = openat(dir, "maps", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || (size > 0 && write(fd, data, size) != (ssize_t)size))
		abort();
	close(fd);
	fd = openat(dir, "maps", O_RDONLY | O_CLOEXEC);
	mapped_files_parse(fd, true, &files);
	for (size_t i = 0; i < files.count; i++)
		FUZZ_ASSERT(files.items[i].path && files.items[i].path[0]);
	mapped_files_free(&files);
	FUZZ_ASSERT(files.count == 0);
	mapped_files_read(dir, &files);
	for (size_t i = 0; i < files.count; i++)
		FUZZ_ASSERT(!files.items[i].path);
	mapped_files_free(&files);
	return 0;
}
