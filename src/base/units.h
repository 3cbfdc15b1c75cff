/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many ns there are in other units of time: uint64_t, so what can be negative needs a cast.
 */
#ifndef TLSFAIL_BASE_UNITS_H
#define TLSFAIL_BASE_UNITS_H

#include <stdint.h>

#define NS_PER_US  UINT64_C(1000)
#define NS_PER_MS  UINT64_C(1000000)
#define NS_PER_S   UINT64_C(1000000000)
#define NS_PER_DAY UINT64_C(86400000000000)

#endif
