/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a run says on stderr about itself as it starts.
 */
#ifndef TLSFAIL_COMMAND_NOTICE_H
#define TLSFAIL_COMMAND_NOTICE_H

#include <stddef.h>

#include "kernel/attach.h"
#include "target/target.h"

/* Nothing is traced yet: what is waited for. NULL: it runs, and has loaded no TLS library. */
void notice_waiting(const struct target_selector *selector);

/* Processes are traced; version is that of their TLS library, "" unknown, NULL: none is attached to. choice: where the kernel side
 * is attached, NULL: that is not wanted. */
void notice_armed(size_t processes, const char *version, const struct hook_choice *choice);

#endif
