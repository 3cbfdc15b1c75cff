/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of TLS libraries that are attached to only while that earns its cost: what a healthy handshake or
 * request would pay for, and a failure needs. Computes, so that it can be tested.
 */
#ifndef TLSFAIL_KERNEL_ADAPT_H
#define TLSFAIL_KERNEL_ADAPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "kernel/hooks.h"
#include "tlsfail_abi.h"
#include "tlsfail_maps.h"

/* After a failure that needed it, it is attached for so long, healthy as all may be. */
#define ADAPT_HOLD_NS (300ULL * 1000000000)

/* Of hits in vain one after the other so many are put up with, of certificates and of verify results. */
#define ADAPT_CERT_VAIN	  32
#define ADAPT_VERIFY_VAIN 100

/* Certificates change: once a day they are looked at again. */
#define ADAPT_CERT_AGAIN_NS (24ULL * 3600 * 1000000000)

struct adapt_fact {
	enum lib_fact fact;
	bool on;
	uint64_t news; /* what was counted when it was looked at last */
	uint64_t failed;
	uint64_t vain;	/* when there was news last */
	uint64_t until; /* not before then it is detached from, ns */
	uint64_t off_at;
};

#define ADAPT_FACTS 3

struct adapt {
	struct adapt_fact facts[ADAPT_FACTS];
};

/* Only facts that are allowed are ever attached to or detached from. */
void adapt_init(struct adapt *adapt, const bool allowed[LIB_FACT_COUNT]);

/* The next fact that is to be attached to (on) or detached from, as demands (of BPF, by enum
 * tlsfail_demand) say; NULL: all are as they should be. now: CLOCK_MONOTONIC, ns. */
const struct adapt_fact *adapt_next(struct adapt *adapt, const __u64 demands[TLSFAIL_DEMANDS],
				    uint64_t now);

#endif
