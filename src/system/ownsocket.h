/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The socket at which live views read, made by who may: root and the members of a group may connect.
 */
#ifndef TLSFAIL_SYSTEM_OWNSOCKET_H
#define TLSFAIL_SYSTEM_OWNSOCKET_H

#include <sys/stat.h>
#include <sys/types.h>

struct text;

/* Of the service; its directory is made where no service manager has. */
#define OWNSOCKET_DEFAULT "/run/tlsfail/top.sock"

/* Beside root, its members may connect. */
#define OWNSOCKET_GROUP "tlsfail"

/* Listens at path, in the place of a socket that nobody serves any more. Returns a descriptor or a negative
 * errno, and then error may have a sentence. *stat is that of the file, *group the one that may connect, 0:
 * there is none. */
int ownsocket_listen(const char *path, struct stat *stat, gid_t *group, struct text *error);

/* Removes the file, if it still is that one. */
void ownsocket_remove(const char *path, dev_t dev, ino_t ino);

#endif
