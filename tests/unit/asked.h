/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For a test of what asks for files: somebody in another thread who gives all that there is to give.
 */
#ifndef TLSFAIL_ASKED_H
#define TLSFAIL_ASKED_H

#include "system/fileserver.h"
#include "target/target.h"

/* From now on, in this program, files are asked for. targets is what is traced; NULL: nothing. 0 on
 * success. */
int asked_begin(const struct target_set *targets);

/* The same, with a policy of the test's own, which has to stay. Returns the socket over which a
 * connection is asked for, or -1. */
int asked_begin_by(const struct fileserver_policy *policy);

/* For a policy: does the key in that file belong to the public one? */
int asked_key(void *context, int fd, const void *public, size_t len);

#endif
