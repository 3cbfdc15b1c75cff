/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the fuzzers share. Each is one libFuzzer program: `make fuzz` runs them, `make check-fuzz`
 * for a moment.
 */
#ifndef TLSFAIL_FUZZ_H
#define TLSFAIL_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Called by libFuzzer for every input; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program, for libFuzzer to keep the input, unless it holds. */
#define FUZZ_ASSERT(condition)                                                                     \
	do {                                                                                       \
		if (!(condition))                                                                  \
			__builtin_trap();                                                          \
	} while (0)

#endif
