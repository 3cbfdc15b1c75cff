/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells the service manager how we are: the protocol of sd_notify(3), which is one datagram. Without
 * $NOTIFY_SOCKET nothing is told.
 */
#ifndef TLSFAIL_SYSTEM_NOTIFY_H
#define TLSFAIL_SYSTEM_NOTIFY_H

#include <stdbool.h>

/* Sends assignments, one a line, such as "READY=1". What cannot be sent is told on stderr, once. */
void notify_send(const char *state);

/* Tells that a reload has begun; READY=1 ends it. */
void notify_reloading(void);

/* Does the service manager end us when it gets no "WATCHDOG=1" within $WATCHDOG_USEC? */
bool notify_wants_watchdog(void);

#endif
