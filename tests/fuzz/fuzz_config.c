// SPDX-License-Identifier: BSD-2-Clause
/*
 * A configuration file of tlsfail, and the options that it gives. Input: the file.
 */
#define _GNU_SOURCE /* memfd_create() */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "command/options.h"
#include "fuzz.h"

/* Of AddressSanitizer. libconfig's scanner loses a buffer when a string is not ended (1.5, strbuf_append()
 * of scanner.l): one file that is wrong, 64 bytes. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char verb[] = "trace";
	char option[] = "--config";
	char path[32];
	char *argv[] = { verb, option, path, NULL };
	struct options options;
	int fd = memfd_create("config", MFD_CLOEXEC);
	int ret;

	if (fd < 0 || (size > 0 && write(fd, data, size) != (ssize_t)size))
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ret = options_parse(COMMAND_TRACE, 3, argv, &options);
	FUZZ_ASSERT(ret == 0 || ret == EXIT_USAGE);
	options_release(&options);
	close(fd);
	return 0;
}
