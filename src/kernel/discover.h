/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the targets complete: looks at the processes that are there, and at each that starts
 * later, makes its executable a target, and has the uprobes of its TLS library attached. What no
 * process uses any more is let go. Files are looked at in another thread, see system/worker.h. What
 * cannot be traced is named, and keeps nobody else from being traced.
 */
#ifndef TLSFAIL_KERNEL_DISCOVER_H
#define TLSFAIL_KERNEL_DISCOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/attach.h"
#include "kernel/library_names.h"
#include "target/target.h"

struct discovery;

struct discovery_options {
	struct attachments *attachments;
	const struct target_set *set;
	bool any_user; /* also programs that root had no say in, see target_is_trusted() */
	const char *any_user_option; /* the one that asks for that, for people */
	bool (*ended)(void); /* has a signal ended it? Asked while discovery_scan() waits. */
};

/* What options point to must outlive *out, which is the caller's to discovery_free(). */
int discovery_new(const struct discovery_options *options, struct discovery **out);
void discovery_free(struct discovery *d);

/*
 * Looks at every present process, and waits some seconds for what it finds. 0 also when there is
 * none yet, or one that may load a TLS library later; -ENOENT when there are some, and none can have a
 * TLS library that can be traced, or when a selected executable cannot. error then gets a sentence.
 * -EINTR, without one: options.ended() said so.
 */
int discovery_scan(struct discovery *d, struct text *error);

/* A process of interest has executed a program. */
void discovery_exec(struct discovery *d, uint32_t pid);

/* Process starts were lost: looks at every process again. */
void discovery_rescan(struct discovery *d);

/* Readable when discovery_run() has something to do. */
int discovery_fd(const struct discovery *d);

/* Goes on with what is under way. True: call again in some milliseconds. To be called once a second
 * even when nothing is. */
bool discovery_run(struct discovery *d);

/* Has a process a TLS library that is attached to? How many have; and the version of the first library
 * ("" unknown). */
bool discovery_live(const struct discovery *d);
bool discovery_wire_only(const struct discovery *d); /* no library is attached to */
size_t discovery_processes(const struct discovery *d);

/* Has any process of interest been seen, with such a library or without? */
bool discovery_seen(const struct discovery *d);

const char *discovery_version(const struct discovery *d);

/* The library of a process, see library_names_find(). */
const struct library_name *discovery_library(const struct discovery *d, uint32_t pid);

#endif
