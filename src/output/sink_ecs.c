// SPDX-License-Identifier: BSD-2-Clause
/*
 * Keys as the Elastic Common Schema (8.11) names them, where it names them differently. What it has no
 * name for keeps ours.
 */
#include "output/sink_event.h"

#include <stddef.h>
#include <string.h>

#include "finding/finding.h"

struct ecs_row {
	const char *key;
	const char *ecs;
	const char *ecs_server; /* where the traced program is the server, if that differs */
};

/* A connection's source is its client. */
static const struct ecs_row ecs_rows[] = {
	{ "event.name", "event.action", NULL },
	{ "network.local.address", "source.ip", "destination.ip" },
	{ "network.local.port", "source.port", "destination.port" },
	{ "network.peer.address", "destination.ip", "source.ip" },
	{ "network.peer.port", "destination.port", "source.port" },
	{ "nginx.error_log.level", "log.level", NULL },
	{ "nginx.error_log.file", "log.file.path", NULL },
	{ "process.executable.name", "process.name", NULL },
	{ "process.executable.path", "process.executable", NULL },
	{ "tls.client.san", "tls.client.x509.alternative_names", NULL },
	{ "tls.protocol.version", "tls.version", NULL },
	{ "tls.server.san", "tls.server.x509.alternative_names", NULL },
};

const char *sink_ecs_key(const struct finding *finding, const char *key)
{
	bool is_server = finding->role && !strcmp(finding->role, "server");

	for (size_t i = 0; i < sizeof(ecs_rows) / sizeof(ecs_rows[0]); i++) {
		const struct ecs_row *row = &ecs_rows[i];

		if (!strcmp(row->key, key))
			return is_server && row->ecs_server ? row->ecs_server : row->ecs;
	}
	return key;
}
