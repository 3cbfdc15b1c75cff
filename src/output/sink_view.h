/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The socket at which live views read a trace that is running: `tlsfail top`.
 */
#ifndef TLSFAIL_OUTPUT_SINK_VIEW_H
#define TLSFAIL_OUTPUT_SINK_VIEW_H

/* Of the service. */
#define VIEW_SOCKET_DEFAULT "/run/tlsfail/top.sock"

/* Beside root, its members may read it. */
#define VIEW_GROUP "tlsfail"

/* event.name of the first line, and of the last one of a view that is sent away. */
#define VIEW_HELLO   "tlsfail.hello"
#define VIEW_GOODBYE "tlsfail.goodbye"

#endif
