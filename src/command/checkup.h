/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this host allows and lacks, as data: the kernel, every way to hook it, and the processes
 * that would be traced. All is found out by trying, and undone before it is told.
 */
#ifndef TLSFAIL_COMMAND_CHECKUP_H
#define TLSFAIL_COMMAND_CHECKUP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/container.h"
#include "kernel/hooks.h"
#include "target/target.h"

enum checkup_status {
	CHECKUP_OK,
	CHECKUP_UNKNOWN,  /* not tried, because of something else that is missing */
	CHECKUP_DEGRADED, /* works, but something is not seen */
	CHECKUP_MISSING,  /* cannot work */
};

#define CHECKUP_ITEMS_MAX	 15
#define CHECKUP_ALTERNATIVES_MAX 4
#define CHECKUP_WORDS_LEN	 512

/* One requirement. */
struct checkup_item {
	const char *name;
	enum checkup_status status;
	char found[CHECKUP_WORDS_LEN];
	const char *effect; /* what follows when it is not ok, or NULL */
	const char *remedy; /* what to do then, or NULL */
};

/* One way to get a fact. */
struct checkup_alternative {
	const struct hook *hook;
	int err;	    /* 0, or a negative errno of features_try() */
	const char *target; /* what failed */
};

/* A fact of the kernel, the ways to get it in the order in which they are tried. */
struct checkup_fact {
	enum checkup_status status;
	const struct hook *used; /* or NULL */
	struct checkup_alternative alternatives[CHECKUP_ALTERNATIVES_MAX];
	size_t alternative_count; /* 0: none was tried */
};

/* A process that would be traced. Paths are escaped, so that they can be printed. */
struct checkup_process {
	pid_t pid;
	enum checkup_status status;
	char exe[PATH_MAX];
	char problem[2 * PATH_MAX];		      /* why it cannot be traced, "" when it can */
	char library[PATH_MAX];			      /* that defines SSL_do_handshake, "": none */
	char version[32];			      /* of it, "": unknown */
	const struct lib_hook *hooks[LIB_FACT_COUNT]; /* NULL: the library has none for it */
	bool seccomp;				      /* it runs under a filter */
	bool other_mounts;			      /* its mount namespace is not ours */
	char container[CONTAINER_ID_LEN];	      /* "": in none */
};

struct checkup {
	enum checkup_status status; /* of it all: never unknown */
	struct checkup_item items[CHECKUP_ITEMS_MAX];
	size_t item_count;
	struct checkup_fact facts[FACT_COUNT];
	struct checkup_process *processes;
	size_t process_count;
};

/* Examines the kernel, and the processes that set selects. 0, or a negative errno; checkup is to
 * be freed even then. It takes some tenths of a second. */
int checkup_make(const struct target_set *set, struct checkup *checkup);
void checkup_free(struct checkup *checkup);

/* checkup_kernel.c: the items and the facts. */
void checkup_kernel(struct checkup *checkup);

/* checkup_parts.c: what each part of tlsfail may do. */
void checkup_parts(struct checkup *checkup);

/* checkup_process.c: reads what there is to know about one process. */
void checkup_process(const struct target_process *process, struct checkup_process *p);

/* "ok", "unknown", "degraded" or "missing". */
const char *checkup_status_name(enum checkup_status status);

#endif
