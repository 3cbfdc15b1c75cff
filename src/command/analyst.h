/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process that reads what strangers wrote: it takes records from the queue, and decodes, correlates,
 * diagnoses and writes what comes of them. It has no privileges, see system/sandbox.h; files that it
 * needs are opened for it, see system/files.h. The keeper starts it.
 */
#ifndef TLSFAIL_COMMAND_ANALYST_H
#define TLSFAIL_COMMAND_ANALYST_H

#include <stdbool.h>

#include "base/estate.h"
#include "command/options.h"
#include "system/recqueue.h"
#include "system/sandbox.h"

struct message_outputs;

struct analyst_options {
	const struct options *options;
	struct recqueue *queue;
	const struct sandbox_user *user; /* whom it becomes */
	int prober;			 /* as prober_start() has it, -1: none */
	int recording;			 /* as recorder_adopt() takes it, -1: none */
	int listening;			 /* as exporter_open() takes it, -1: none */
	/* the keeper's to set */
	int control; /* to the collector, for messages */
	int keeper;  /* as files_ask() takes it */
	bool again;  /* after one that crashed */
	const struct message_outputs
		*outputs; /* that a reload has brought; NULL: those of the options */
	struct estate
		estate; /* what that has counted, and what this one counts; no memory: it cannot be kept */
};

/* As much memory for it as is ever asked for; what is not used takes none. */
#define ANALYST_ESTATE_SIZE (32U << 20)

/* May an analyst of these options connect to other hosts? */
bool analyst_has_network(const struct options *options);

/* All that it does, in the process that the keeper has forked for it. Returns the exit status. */
int analyst_run(const struct analyst_options *options);

#endif
