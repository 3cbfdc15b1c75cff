/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whom to probe, and as whom: from the command line, from nginx's configuration, or from findings.
 */
#ifndef TLSFAIL_COMMAND_PROBE_TARGETS_H
#define TLSFAIL_COMMAND_PROBE_TARGETS_H

#include <stddef.h>

#include "command/probe.h"
#include "probe/client.h"
#include "probe/dial.h"
#include "probe/judge.h"
#include "probe/location.h"

struct nginxread;

struct probe_target {
	char label[320];   /* as it was asked for: "app.example.com:443", "location /v1/" */
	char place[600];   /* "/etc/nginx/nginx.conf:12", "" none */
	char problem[512]; /* why it cannot be tried, "" it can */
	char skipped[256]; /* of the configuration, what could not be followed */
	struct client client;
	struct dial_peer peer;
	uint8_t *place_data; /* nginx's place, or NULL */
	size_t place_len;
};

struct probe_targets {
	struct probe_target *items;
	size_t count;
};

/* Finds them all. Returns 0, or an exit status after a line on stderr. *targets is to be cleared even
 * then. */
int probe_targets_find(const struct options *options, struct probe_targets *targets);
void probe_targets_clear(struct probe_targets *targets);

/* The files that a location of that nginx names; read has to outlive them. */
struct location_files probe_targets_files(struct nginxread *read);

#endif
