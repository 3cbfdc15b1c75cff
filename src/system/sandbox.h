/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is left to a process that reads bytes of strangers: memory, its descriptors, and nothing else. No
 * capabilities, a user who owns nothing, no_new_privs, a list of the system calls that it may use, and
 * Landlock where the kernel has it.
 */
#ifndef TLSFAIL_SYSTEM_SANDBOX_H
#define TLSFAIL_SYSTEM_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

#define SANDBOX_USER "tlsfail"

struct sandbox_user {
	uid_t uid;
	gid_t gid;
	const char *name;
};

/* The user for it: SANDBOX_USER where the host has one, else nobody. */
void sandbox_user_find(struct sandbox_user *user);

struct sandbox_options {
	const struct sandbox_user *user; /* NULL: the user stays, without capabilities */
	bool network; /* it may connect to others, and read what that takes: names
					  * of hosts, certificates of authorities */
};

/* What could be done. */
struct sandbox_state {
	bool user;     /* it is the other user's */
	bool seccomp;  /* system calls that it has no use for fail */
	bool landlock; /* and so do files and, where the kernel can, TCP */
};

/*
 * Closes it around the calling process, for good; to be called before there are threads. *state says
 * which walls stand: a kernel may lack Landlock, and who may not change its user stays who it is. A
 * negative errno when there would not be even one of capabilities and system calls.
 */
int sandbox_enter(const struct sandbox_options *options, struct sandbox_state *state);

/* Whether this kernel has Landlock: its version, 0 none. */
int sandbox_landlock(void);

#endif
