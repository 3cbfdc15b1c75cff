/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one look at files that somebody else made may cost: bytes, steps and time. Whoever reads on
 * behalf of a traced process takes from it first, and stops when it is over; its owner then knows
 * that the answer is incomplete.
 */
#ifndef TLSFAIL_SYSTEM_BUDGET_H
#define TLSFAIL_SYSTEM_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct budget {
	uint64_t bytes;	      /* left to be read */
	uint64_t steps;	      /* left: files, directory entries, system calls */
	uint64_t deadline_ns; /* CLOCK_MONOTONIC; 0: none */
	bool over;	      /* something was not done because of it */
};

/* A budget that begins now. time_ns 0: as long as it takes. */
struct budget budget_begin(uint64_t bytes, uint64_t steps, uint64_t time_ns);

/* Takes a step that reads so many bytes. False, and it is over, when it does not hold them. NULL
 * has no limit. */
bool budget_take(struct budget *budget, uint64_t bytes);

#endif
