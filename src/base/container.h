/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which container a process is in, as its control group's name tells. Pure.
 */
#ifndef TLSFAIL_BASE_CONTAINER_H
#define TLSFAIL_BASE_CONTAINER_H

#include <stdbool.h>

/* The digits of an OCI container's id, and their terminator. */
#define CONTAINER_ID_LEN 65

/*
 * Finds in the text of /proc/PID/cgroup (any version) the id that container engines put into the
 * name of a container's group: 64 hexadecimal digits, alone ("/docker/ID", "/kubepods/.../ID") or
 * behind the engine's name ("docker-ID.scope", "crio-ID", "cri-containerd-ID.scope"). Where
 * containers are nested, the inner one. False: it is in none.
 */
bool container_id_find(const char *cgroup, char id[CONTAINER_ID_LEN]);

#endif
