// SPDX-License-Identifier: BSD-2-Clause
/*
 * Only what was refused: of others more may be known when they are closed.
 */
#include "kernel/leftovers.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "kernel/counters.h"
#include "record/factory.h"
#include "tlsfail_abi.h"

/* A value of the map, the caller's to free(): a connection, and behind it what the kernel side keeps for
 * itself. NULL: there is no memory, or that is no map of connections. */
static struct tlsfail_conn *value_new(int map_fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(map_fd, &info, &len) ||
	    info.value_size < sizeof(struct tlsfail_conn) + sizeof(struct tlsfail_kept))
		return NULL;
	return malloc(info.value_size);
}

static bool is_refused(int map_fd, const uint64_t *key, struct tlsfail_conn *conn)
{
	return !bpf_map_lookup_elem(map_fd, key, conn) && conn->flags & TLSFAIL_F_REFUSED;
}

/* The kernel side counts a failure when it reports it. */
static void peer_count(int map_fd, struct tlsfail_conn *conn)
{
	struct tlsfail_peer_key key = {
		.family = conn->family,
		.port = conn->rport,
		.netns = (uint32_t)conn->netns,
	};
	struct tlsfail_peer_counts *n = &conn->peer;

	memcpy(key.addr, conn->raddr, sizeof(key.addr));
	if (counters_peer(map_fd, &key, n))
		*n = (struct tlsfail_peer_counts){ .t_first = conn->t_start };
	if (!n->streak++)
		n->t_failing = conn->t_close;
	n->t_failed = conn->t_close;
	n->failed++;
}

static void conn_take(int peers_fd, struct tlsfail_conn *conn, uint64_t now, leftover_take take,
		      void *context)
{
	const struct tlsfail_kept *kept = (const struct tlsfail_kept *)(conn + 1);

	record_conn_open(conn, now);
	conn->netns = kept->netns;
	conn->born = kept->born;
	peer_count(peers_fd, conn);
	take(context, conn, sizeof(*conn));
}

void leftovers_take(int conns_fd, int peers_fd, uint64_t now, leftover_take take, void *context)
{
	struct tlsfail_conn *conn = value_new(conns_fd);
	uint64_t key, next;
	bool more = conn && !bpf_map_get_next_key(conns_fd, NULL, &next);

	while (more) {
		key = next;
		more = !bpf_map_get_next_key(conns_fd, &key, &next);
		/* It is ours if it is we who delete it: else it was closed just now, and is on its way. */
		if (is_refused(conns_fd, &key, conn) && !bpf_map_delete_elem(conns_fd, &key))
			conn_take(peers_fd, conn, now, take, context);
	}
	free(conn);
}
