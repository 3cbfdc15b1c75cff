/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who listens where a connection was refused, when that is this very host.
 */
#ifndef TLSFAIL_PROBE_LISTENERS_H
#define TLSFAIL_PROBE_LISTENERS_H

#include <stdbool.h>

#include "base/text.h"
#include "probe/dial.h"

/* Appends the ports that can be connected to at the peer's address, lowest first, with a comma between.
 * False: the address is not one of this host. */
bool listeners_add(struct text *t, const struct dial_peer *peer);

#endif
