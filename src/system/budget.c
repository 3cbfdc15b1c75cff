// SPDX-License-Identifier: BSD-2-Clause
/* Budgets of looks at files: see budget.h. */
#include "system/budget.h"

#include <stddef.h>

#include "system/clock.h"

struct budget budget_begin(uint64_t bytes, uint64_t steps, uint64_t time_ns)
{
	return (struct budget){
		.bytes = bytes,
		.steps = steps,
		.deadline_ns = time_ns ? clock_monotonic() + time_ns : 0,
	};
}

bool budget_take(struct budget *b, uint64_t bytes)
{
	if (!b)
		return true;
	if (b->over || !b->steps || bytes > b->bytes ||
	    (b->deadline_ns && clock_monotonic() >= b->deadline_ns)) {
		b->over = true;
		return false;
	}
	b->steps--;
	b->bytes -= bytes;
	return true;
}
