/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes of this host that may have to be traced, and were not looked at yet.
 */
#ifndef TLSFAIL_KERNEL_CANDIDATES_H
#define TLSFAIL_KERNEL_CANDIDATES_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/usage.h"
#include "target/target.h"

/* Zeroed: none. */
struct candidates {
	uint32_t *items; /* the last one is the first to be looked at */
	size_t count;
};

/*
 * Those of /proc that set may select and that are not traced yet; what was there before is dropped. On
 * -ENOMEM, or what opendir(3) has, those stay that were found until then.
 */
int candidates_find(struct candidates *c, const struct target_set *set,
		    const struct usage_processes *traced);

void candidates_free(struct candidates *c);

#endif
