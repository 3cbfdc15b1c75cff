/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is in the kernel's table of connections when tracing ends, and has failed.
 */
#ifndef TLSFAIL_KERNEL_LEFTOVERS_H
#define TLSFAIL_KERNEL_LEFTOVERS_H

#include <stddef.h>
#include <stdint.h>

/* Gets a record of the ABI. Its return value is for others that call it. */
typedef int (*leftover_take)(void *context, void *record, size_t len);

/*
 * Takes the refused connections out of the table conns and hands each over, with the counts of its
 * peer in the table peers (descriptors of maps), as a record: TLSFAIL_F_OPEN, the time of its close is now (CLOCK_MONOTONIC, ns). A socket outlives
 * close(2) while the kernel has another reference to its file, so the end that is waited for may not
 * come in time.
 */
void leftovers_take(int conns_fd, int peers_fd, uint64_t now, leftover_take take, void *context);

#endif
