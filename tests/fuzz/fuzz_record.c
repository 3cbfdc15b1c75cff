// SPDX-License-Identifier: BSD-2-Clause
/*
 * A recording on disk: its header, and where its records begin and end.
 */
#define _GNU_SOURCE /* memfd_create() */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "harmless.h"
#include "record/recording.h"
#include "base/text.h"

static void recording_walk(const char *path)
{
	struct recording *recording = NULL;
	const void *data;
	char buf[256];
	struct text error;
	size_t len;
	int ret;

	text_init(&error, buf, sizeof(buf));
	ret = recording_open(path, &recording, &error);
	if (!ret) {
		while ((ret = recording_next(recording, &data, &len, &error)) > 0)
			FUZZ_ASSERT(len > 0);
		recording_add_place(recording, &error);
	}
	FUZZ_ASSERT(ret == 0 || error.len > 0);
	FUZZ_ASSERT(is_harmless(buf));
	recording_close(recording);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[32];
	int fd = memfd_create("recording", MFD_CLOEXEC);

	if (fd < 0 || (size > 0 && write(fd, data, size) != (ssize_t)size))
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	recording_walk(path);
	close(fd);
	return 0;
}
