/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records as they come out of what is tested, in their order; and some to put in. After cmocka.h.
 */
#ifndef TLSFAIL_TEST_CAME_H
#define TLSFAIL_TEST_CAME_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "scene.h"

#define CAME_MAX 64
#define CAME_LEN 16384

struct came {
	size_t count;
	struct {
		struct tlsfail_header h;
		char bytes[CAME_LEN];
	} items[CAME_MAX];
};

extern struct came came;

void came_add(const void *record, size_t len);

size_t came_count_of(uint16_t type);

/* The types of all that came, in order; ends with 0. */
void came_assert_types(const uint16_t *types);

/* A failed connection of that process, which begins now and lasts 1 ms. */
void came_conn(struct scene *scene, pid_t pid, uint64_t id);

/* Another one, as a log is matched with it: from that process to 192.0.2.88. */
struct tlsfail_conn came_upstream(pid_t pid, uint64_t id, uint16_t port, uint64_t t_close);

#endif
