// SPDX-License-Identifier: BSD-2-Clause
/* Budgets of looks at files: see budget.h. */
#include "system/budget.h"

#include <stddef.h>
#include <time.h>

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

struct budget budget_begin(uint64_t bytes, uint64_t steps, uint64_t time_ns)
{
	return (struct budget){
		.bytes = bytes,
		.steps = steps,
		.deadline_ns = time_ns ? now_ns() + time_ns : 0,
	};
}

bool budget_take(struct budget *b, uint64_t bytes)
{
	if (!b)
		return true;
	if (b->over || !b->steps || bytes > b->bytes ||
	    (b->deadline_ns && now_ns() >= b->deadline_ns)) {
		b->over = true;
		return false;
	}
	b->steps--;
	b->bytes -= bytes;
	return true;
}
