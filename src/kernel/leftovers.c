// SPDX-License-Identifier: BSD-2-Clause
/*
 * Only what was refused: of others more may be known when they are closed.
 */
#include "kernel/leftovers.h"

#include <stdbool.h>

#include <bpf/bpf.h>

#include "tlsfail_abi.h"

static bool is_refused(int map_fd, const uint64_t *key, struct tlsfail_conn *conn)
{
	return !bpf_map_lookup_elem(map_fd, key, conn) && conn->flags & TLSFAIL_F_REFUSED;
}

static void conn_take(struct tlsfail_conn *conn, uint64_t now, leftover_take take, void *context)
{
	conn->h = (struct tlsfail_header){
		.type = TLSFAIL_REC_CONN,
		.version = TLSFAIL_ABI_VERSION,
		.len = sizeof(*conn),
	};
	conn->flags |= TLSFAIL_F_OPEN;
	conn->t_close = now;
	take(context, conn, sizeof(*conn));
}

void leftovers_take(int map_fd, uint64_t now, leftover_take take, void *context)
{
	struct tlsfail_conn conn;
	uint64_t key, next;
	bool more = !bpf_map_get_next_key(map_fd, NULL, &next);

	while (more) {
		key = next;
		more = !bpf_map_get_next_key(map_fd, &key, &next);
		/* It is ours if it is we who delete it: else it was closed just now, and is on its way. */
		if (is_refused(map_fd, &key, &conn) && !bpf_map_delete_elem(map_fd, &key))
			conn_take(&conn, now, take, context);
	}
}
