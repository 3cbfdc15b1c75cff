/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message over a Unix socket, and a descriptor with it (SCM_RIGHTS).
 */
#ifndef TLSFAIL_SYSTEM_PASSFD_H
#define TLSFAIL_SYSTEM_PASSFD_H

#include <stddef.h>
#include <sys/types.h>

/* Sends len bytes as one message, with the descriptor fd unless that is -1; it stays the caller's. 0 or
 * a negative errno. */
int passfd_send(int socket, const void *data, size_t len, int fd);

/* Receives one message of size bytes at most, longer ones are -EMSGSIZE. Its length, 0 when the other
 * side is gone, or a negative errno. *fd is the caller's to close, or -1. */
ssize_t passfd_receive(int socket, void *data, size_t size, int *fd);

#endif
