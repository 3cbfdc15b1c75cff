/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where in libraries that were looked at last each fact is to be had: of a thousand processes with the same
 * library the file is read once. A thread's own.
 */
#ifndef TLSFAIL_KERNEL_PLANS_H
#define TLSFAIL_KERNEL_PLANS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "kernel/attach.h"

/* The files of a library, as they were: what is written to one is another one. */
struct plan_key {
	struct plan_file {
		dev_t dev;
		ino_t ino;
		off_t size;
		struct timespec changed;
	} files[2];
};

/* Of descriptors; the second may be -1. False: that cannot be told. */
bool plan_key_read(int ssl, int crypto, struct plan_key *key);

/* False: they were not looked at lately. */
bool plans_find(const struct plan_key *key, struct library_plan *plan);

void plans_keep(const struct plan_key *key, const struct library_plan *plan);

#endif
