/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that are to be looked at again: those that are still loading their libraries, and those
 * that have no TLS library, but may load one later. Each look comes after a pause that doubles.
 */
#ifndef TLSFAIL_KERNEL_PENDING_H
#define TLSFAIL_KERNEL_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The others wait for the next scan of all processes. */
#define PENDING_MAX 1024

struct pending {
	uint32_t pid;
	bool given;	    /* to the worker */
	bool late;	    /* it is not loading any more */
	uint64_t signature; /* of its code then, see target_code_signature() */
	uint64_t pause;	    /* before the next look; times are CLOCK_MONOTONIC in ns */
	uint64_t next;	    /* when that is */
	uint64_t give_up;   /* when it has loaded for too long */
};

/* Begins as all zero. */
struct pendings {
	size_t count;
	struct pending items[PENDING_MAX];
};

/* It has just started. False: there is no room. Without room the one that has not loaded a library for
 * the longest time gives way. */
bool pending_start(struct pendings *all, uint32_t pid, uint64_t now);

/* It was looked at, and still loads its libraries: after some seconds of that it is late. */
bool pending_loads(struct pendings *all, uint32_t pid, uint64_t signature, uint64_t now);

/* It was looked at, and has no TLS library. */
bool pending_is_late(struct pendings *all, uint32_t pid, uint64_t signature, uint64_t now);

void pending_drop(struct pendings *all, uint32_t pid);

/* Is one of them to be looked at within a second? */
bool pending_soon(const struct pendings *all);

#endif
