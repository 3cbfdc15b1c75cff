// SPDX-License-Identifier: BSD-2-Clause
/*
 * Records are kept as bytes, after their lengths are checked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "came.h"
#include "system/clock.h"

struct came came;

void came_add(const void *record, size_t len)
{
	const struct tlsfail_header *h = record;

	assert_true(came.count < CAME_MAX && len <= CAME_LEN);
	assert_int_equal(h->len, len);
	came.items[came.count].h = *h;
	memcpy(came.items[came.count].bytes, record, len);
	came.count++;
}

size_t came_count_of(uint16_t type)
{
	size_t count = 0;

	for (size_t i = 0; i < came.count; i++)
		count += came.items[i].h.type == type;
	return count;
}

void came_assert_types(const uint16_t *types)
{
	size_t i = 0;

	for (; types[i]; i++) {
		assert_true(i < came.count);
		assert_int_equal(came.items[i].h.type, types[i]);
	}
	assert_int_equal(came.count, i);
}

void came_conn(struct scene *scene, pid_t pid, uint64_t id)
{
	static const uint16_t modern[] = { TLS_VERSION_1_3, 0 };

	scene_begin(scene);
	scene_client_hello(scene, NULL, modern);
	scene->conn.h = (struct tlsfail_header){ TLSFAIL_REC_CONN, TLSFAIL_ABI_VERSION,
						 sizeof(scene->conn) };
	scene->conn.id = id;
	scene->conn.pid = (uint32_t)pid;
	scene->conn.t_start = clock_monotonic();
	scene->conn.t_close = scene->conn.t_start + NS_PER_MS;
}

struct tlsfail_conn came_upstream(pid_t pid, uint64_t id, uint16_t port, uint64_t t_close)
{
	return (struct tlsfail_conn){
		.h = { TLSFAIL_REC_CONN, TLSFAIL_ABI_VERSION, sizeof(struct tlsfail_conn) },
		.id = id,
		.pid = (uint32_t)pid,
		.role = TLSFAIL_ROLE_CLIENT,
		.family = 2,
		.rport = port,
		.raddr = { 192, 0, 2, 88 },
		.t_close = t_close,
	};
}
