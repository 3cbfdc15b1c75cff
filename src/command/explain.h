/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command `explain`: what a line of nginx's error.log means.
 */
#ifndef TLSFAIL_COMMAND_EXPLAIN_H
#define TLSFAIL_COMMAND_EXPLAIN_H

#include "command/options.h"

#define EXIT_UNRECOGNIZED 3 /* nothing in it is known */

int explain_run(const struct options *options);

#endif
