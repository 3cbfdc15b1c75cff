/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Before anything is loaded: what can be refused cheaply is tried first.
 */
#ifndef TLSFAIL_COMMAND_PREFLIGHT_H
#define TLSFAIL_COMMAND_PREFLIGHT_H

#include "kernel/attach.h"
#include "command/options.h"

/*
 * Tries whether this kernel lets us trace, and chooses how to. 0 and *choice; or a negative errno,
 * after one line on stderr.
 */
int preflight(const struct options *options, struct hook_choice *choice);

#endif
