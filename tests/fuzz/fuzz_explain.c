// SPDX-License-Identifier: BSD-2-Clause
/*
 * A whole log as `explain` reads and sums it up. Input: the log.
 */
#define _GNU_SOURCE /* memfd_create() */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "command/explain_log.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct explain_peer *top[EXPLAIN_PEERS_SHOWN];
	struct explain_log *log = explain_log_new();
	uint64_t lines = 0;
	int fd = memfd_create("log", MFD_CLOEXEC);

	if (!log || fd < 0 || (size > 0 && write(fd, data, size) != (ssize_t)size))
		abort();
	lseek(fd, 0, SEEK_SET);
	FUZZ_ASSERT(explain_log_read(log, fd, "log") == 0);
	FUZZ_ASSERT(log->bytes == size && log->kind_count <= EXPLAIN_KINDS_MAX);
	for (size_t i = 0; i < log->kind_count; i++) {
		lines += log->kinds[i].count;
		FUZZ_ASSERT(explain_log_peers(log, i, top) <= EXPLAIN_PEERS_SHOWN);
	}
	FUZZ_ASSERT(lines + log->kinds_left_out == log->lines);
	explain_log_free(log);
	close(fd);
	return 0;
}
