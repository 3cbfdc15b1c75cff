/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a run says on stderr about itself as it starts, and of what it could not see at its end.
 */
#ifndef TLSFAIL_COMMAND_NOTICE_H
#define TLSFAIL_COMMAND_NOTICE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "kernel/attach.h"
#include "target/target.h"
#include "tlsfail_abi.h"
#include "tlsfail_maps.h"

/* Nothing is traced yet: what is waited for. NULL: it runs, and has loaded no TLS library. */
void notice_waiting(const struct target_selector *selector);

/* Processes are traced; version is that of their TLS library, "" unknown, NULL: none is attached to. choice: where the kernel side
 * is attached, NULL: that is not wanted. */
void notice_armed(size_t processes, const char *version, const struct hook_choice *choice);

/* What was not reported, as nothing false is. */
void notice_uncertain(const struct tlsfail_counters *counters);

/* That nothing was traced, if so: no process came that loads a TLS library. started: one came that does not. */
void notice_untraced(const struct tlsfail_counters *counters, bool started);

#endif
