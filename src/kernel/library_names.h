/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which TLS library, and which version of it, a process uses: of those that are traced, the one whose
 * file it has mapped. Programs with different ones run side by side.
 */
#ifndef TLSFAIL_KERNEL_LIBRARY_NAMES_H
#define TLSFAIL_KERNEL_LIBRARY_NAMES_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "target/target.h"

struct library_name {
	struct target_file file;
	char version[32];    /* "" : unknown */
	char path[PATH_MAX]; /* as the process sees it that it was found in */
};

/* Kept at a time; the one that was noted first makes room. */
#define LIBRARY_NAMES_MAX 64

/* Begins as all zero. */
struct library_names {
	size_t count;
	size_t next;
	struct library_name *items;
};

/* Without memory it is not noted. */
void library_names_note(struct library_names *names, const struct target_tls *tls);

/* NULL: none of those that were noted, or several of different versions, or the process is gone. It is
 * valid until the next one is noted. */
const struct library_name *library_names_find(const struct library_names *names, pid_t pid);

void library_names_clear(struct library_names *names);

#endif
