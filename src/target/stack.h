/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program does TLS with, when that is not an OpenSSL whose functions can be found: a name for
 * people, so that the operator need not find out why there are no details.
 */
#ifndef TLSFAIL_TARGET_STACK_H
#define TLSFAIL_TARGET_STACK_H

#include <stdbool.h>
#include <stddef.h>

#include "system/elf.h"

/* "GnuTLS", from the path of a library that is mapped; NULL: it is no TLS library that is known. */
const char *stack_of_library(const char *path);

/* "Go's crypto/tls (go1.22.3)", from the executable itself. linked_in: it is OpenSSL or one of its
 * kin, without the symbols. False: nothing in it shows any. */
bool stack_of_executable(struct elf_file *exe, char *name, size_t size, bool *linked_in);

#endif
