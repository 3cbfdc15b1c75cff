/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does a private key belong to a certificate? A file that says it holds one is read by a process of its
 * own that may do nothing else, and says yes or no.
 */
#ifndef TLSFAIL_COMMAND_KEYCHECK_H
#define TLSFAIL_COMMAND_KEYCHECK_H

#include <stddef.h>

/* Is the private key in the file that fd has open the one to the public key (SubjectPublicKeyInfo, DER)?
 * 1, 0, or a negative errno: that cannot be told, as when it takes a password. Forks: for a process
 * without threads. */
int keycheck(int fd, const void *key, size_t len);

#endif
