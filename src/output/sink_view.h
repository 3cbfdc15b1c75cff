/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The socket at which live views read a trace that is running: `tlsfail top`.
 */
#ifndef TLSFAIL_OUTPUT_SINK_VIEW_H
#define TLSFAIL_OUTPUT_SINK_VIEW_H

#include "system/ownsocket.h"

/* Of the service. */
#define VIEW_SOCKET_DEFAULT OWNSOCKET_DEFAULT

/* Beside root, its members may read it. */
#define VIEW_GROUP OWNSOCKET_GROUP

/* event.name of the first line, and of the last one of a view that is sent away. */
#define VIEW_HELLO   "tlsfail.hello"
#define VIEW_GOODBYE "tlsfail.goodbye"

#endif
