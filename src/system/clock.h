/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What time it is, in ns.
 */
#ifndef TLSFAIL_SYSTEM_CLOCK_H
#define TLSFAIL_SYSTEM_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "base/units.h"

uint64_t clock_read(clockid_t id);

/* CLOCK_MONOTONIC, as the kernel side stamps its records, and CLOCK_REALTIME. */
uint64_t clock_monotonic(void);
uint64_t clock_realtime(void);

struct timespec clock_timespec(uint64_t ns);

#endif
