// SPDX-License-Identifier: BSD-2-Clause
/*
 * An executable of a traced process, as whoever owns that process has made it. Input: the file.
 */
#define _GNU_SOURCE /* memfd_create() */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "system/budget.h"
#include "system/elf.h"

#define BYTES (8U << 20)
#define STEPS 10000

static void look(struct elf_file *file)
{
	char buf[64];
	uint64_t offset;

	elf_file_function(file, "SSL_do_handshake", &offset);
	elf_file_stub(file, "ERR_set_error", &offset);
	elf_file_imports(file, "d2i_X509");
	for (size_t i = 0; i < 4; i++) {
		if (elf_file_dynamic_string(file, DT_NEEDED, i, buf, sizeof(buf)))
			FUZZ_ASSERT(memchr(buf, '\0', sizeof(buf)));
	}
	elf_file_dynamic_string(file, DT_SONAME, 0, buf, sizeof(buf));
	elf_file_has_text(file, "OpenSSL");
	FUZZ_ASSERT(elf_file_section(file, ".go.bui", buf, sizeof(buf)) <= sizeof(buf));
	if (elf_file_version_string(file, "OpenSSL ", buf, sizeof(buf)) == 0)
		FUZZ_ASSERT(strlen(buf) < sizeof(buf));
	if (elf_file_string(file, "rustls", buf, sizeof(buf)) == 0)
		FUZZ_ASSERT(strlen(buf) < sizeof(buf));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct budget budget = budget_begin(BYTES, STEPS, 0);
	struct elf_file *file = NULL;
	int fd = memfd_create("elf", MFD_CLOEXEC);

	if (fd < 0 || (size > 0 && write(fd, data, size) != (ssize_t)size))
		abort();
	if (elf_file_open(fd, &budget, &file) == 0)
		look(file);
	elf_file_close(file);
	close(fd);
	return 0;
}
