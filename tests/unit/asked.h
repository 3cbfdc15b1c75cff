/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For a test of what asks for files: somebody in another thread who gives all that there is to give.
 */
#ifndef TLSFAIL_ASKED_H
#define TLSFAIL_ASKED_H

#include "target/target.h"

/* From now on, in this program, files are asked for. targets is what is traced; NULL: nothing. 0 on
 * success. */
int asked_begin(const struct target_set *targets);

#endif
