/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the targets complete: looks at the processes that are there, and at each that starts
 * later, makes its executable a target, and has the uprobes of its TLS library attached.
 */
#ifndef TLSFAIL_KERNEL_DISCOVER_H
#define TLSFAIL_KERNEL_DISCOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/attach.h"
#include "target/target.h"

struct discovery;

/* Borrows both; *out is the caller's to discovery_free(). */
int discovery_new(struct attachments *attachments, const struct target_set *set,
		  struct discovery **out);
void discovery_free(struct discovery *d);

/*
 * Looks at every present process. 0 also when there is none yet, or one that may load a TLS library
 * later; -ENOENT when there are some, and none can have a TLS library that can be traced, or when a
 * selected executable cannot; any other error is that of attaching. error then gets a sentence.
 */
int discovery_scan(struct discovery *d, struct text *error);

/* A process of interest has executed a program. */
void discovery_exec(struct discovery *d, uint32_t pid);

/* Looks again at processes that were still starting, and at some that had no TLS library. True: call
 * again in some milliseconds. */
bool discovery_retry(struct discovery *d);

/* Has a process a TLS library that is attached to? How many have; and the version of the first library
 * ("" unknown). */
bool discovery_live(const struct discovery *d);
size_t discovery_processes(const struct discovery *d);

/* Has any process of interest been seen, with such a library or without? */
bool discovery_seen(const struct discovery *d);

const char *discovery_version(const struct discovery *d);

#endif
