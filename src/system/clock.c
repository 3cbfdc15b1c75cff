// SPDX-License-Identifier: BSD-2-Clause
/*
 * The one place that asks the kernel for the time.
 */
#include "system/clock.h"

uint64_t clock_read(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t clock_monotonic(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

uint64_t clock_realtime(void)
{
	return clock_read(CLOCK_REALTIME);
}

struct timespec clock_timespec(uint64_t ns)
{
	return (struct timespec){ (time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S) };
}
