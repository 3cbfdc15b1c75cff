/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process that reads ELF files for one that has privileges: see elf_ask(). It has none; files come to it
 * as descriptors.
 */
#ifndef TLSFAIL_SYSTEM_ELFSERVER_H
#define TLSFAIL_SYSTEM_ELFSERVER_H

struct sandbox_user;

/* Answers what comes over the socket fd until the other side is gone. */
void elfserver_run(int fd);

/* Starts a process that does so, and ends when the other side is gone; nobody has to wait for it. The fd
 * stays the caller's. user may be NULL, see struct sandbox_options. A negative errno on failure. */
int elfserver_start(int fd, const struct sandbox_user *user);

/* The same for the process that calls it, which gives up everything before, and ends with it. */
_Noreturn void elfserver_become(int fd, const struct sandbox_user *user);

#endif
