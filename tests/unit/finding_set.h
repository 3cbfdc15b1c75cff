/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a test puts into a finding. After cmocka.h.
 */
#ifndef TLSFAIL_TEST_FINDING_SET_H
#define TLSFAIL_TEST_FINDING_SET_H

#include <string.h>

/* 2026-01-02 15:04:05.000000042 UTC */
#define TIME_NS 1767366245000000042ULL

/* Copies a string into an array of a finding that it has to fit in. */
#define SET(array, string)                                                                         \
	do {                                                                                       \
		assert_true(strlen(string) < sizeof(array));                                       \
		memcpy(array, string, strlen(string) + 1);                                         \
	} while (0)

#endif
