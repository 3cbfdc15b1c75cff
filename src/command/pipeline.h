/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of a record from raw bytes to a line of output: decode, correlate, diagnose, outputs. The
 * tracer and replay feed the same pipeline, so that they cannot differ.
 */
#ifndef TLSFAIL_COMMAND_PIPELINE_H
#define TLSFAIL_COMMAND_PIPELINE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "command/filter.h"
#include "diagnose/certwatch.h"
#include "metrics/metrics.h"
#include "output/outputs.h"
#include "diagnose/peers.h"
#include "base/text.h"
#include "tlsfail_abi.h"
#include "tlsfail_maps.h"

struct confirm;
struct estate;
struct pipeline;
struct standings;

/* Whose failures. */
enum pipeline_role {
	PIPELINE_CLIENT = 1 << TLSFAIL_ROLE_CLIENT,
	PIPELINE_SERVER = 1 << TLSFAIL_ROLE_SERVER,
};

struct pipeline_options {
	unsigned int roles;   /* enum pipeline_role; failures of others are not even counted */
	bool noise;	      /* tell those that are noise, too; else they are counted only */
	struct filter filter; /* of those that are told; the others are counted only */
	struct certwatch_options certs;
	uint64_t summary_ns; /* interval of the summaries of peers; 0: there are none */
	uint64_t fold_ns;    /* interval of the folding of repeated failures; 0: none are folded */
	uint64_t fold_limit; /* failures of a program that are told in full within it; 0: any */
	/* what a pipeline before it, in another process, has counted there is gone on with; NULL: nothing */
	struct estate *estate;
};

/* Opens a pipeline into outputs, which stay the caller's. *out is its to pipeline_close(). */
int pipeline_open(struct outputs *outputs, const struct pipeline_options *options,
		  struct pipeline **out);
void pipeline_close(struct pipeline *p);

/* From now on it writes into these outputs, which are the caller's. */
void pipeline_set_outputs(struct pipeline *p, struct outputs *outputs);

/* From now on what is found is counted there too; it stays the caller's. */
void pipeline_count_into(struct pipeline *p, struct metrics *metrics);

/* Has that know which peers are failing now (CLOCK_MONOTONIC, ns). */
void pipeline_count_failing(struct pipeline *p, uint64_t now);

/* From now on how peers stand is kept there too; it stays the caller's. */
void pipeline_stand_into(struct pipeline *p, struct standings *standings);

/* A peer's counts that were read beside the stream of records; latency_ns of all that were done, 0 unknown. */
void pipeline_stand_peer(struct pipeline *p, const struct tlsfail_peer_key *key,
			 const struct tlsfail_peer_counts *counts, uint64_t latency_ns);

/* Tells the outputs how handshakes stand; totals NULL: those of all are not known, and nothing is told
 * before a second of the records' time has passed. Returns 0 or an error of outputs_write(). */
struct pipeline_totals {
	const struct tlsfail_counters *counters;
	uint64_t processes;
};
int pipeline_stand(struct pipeline *p, const struct pipeline_totals *totals);

/* From now on what a failure leaves open is asked about; it stays the caller's. */
void pipeline_confirm_with(struct pipeline *p, struct confirm *confirm);

/* Tells what was settled that way. Returns 0 or an error of outputs_write(). */
int pipeline_confirm(struct pipeline *p);

/* Is an answer being waited for? */
bool pipeline_confirms(const struct pipeline *p);

/* From now on noise is told, or not. */
void pipeline_tell_noise(struct pipeline *p, bool noise);

/*
 * Takes one record of len bytes. Returns 0, or a negative errno: -EBADMSG, -EPROTONOSUPPORT or
 * -ENOMSG for a record that is none, and then problem says what is wrong with it; any other is
 * that of outputs_write().
 */
int pipeline_feed(struct pipeline *p, const void *data, size_t len, struct text *problem);

/*
 * The time, CLOCK_MONOTONIC in ns, at which the pipeline has something to tell though nothing
 * happens; 0: none. It learns the time from records only: a clock record will do.
 */
uint64_t pipeline_deadline(const struct pipeline *p);

/* The next peer, from *at = 0 on, whose counts are to be fed each second, so that it is seen to
 * recover; or any, before a summary. False: no more. */
bool pipeline_peer_watched(const struct pipeline *p, bool any, size_t *at,
			   struct tlsfail_peer_key *key);

/* Will a summary be told at t (CLOCK_MONOTONIC)? */
bool pipeline_summary_is_due(const struct pipeline *p, uint64_t t);

/* Tells what is still folded, and the summary of the whole run: the end. Returns 0 or an error of outputs_write(). */
int pipeline_finish(struct pipeline *p);

/* The server name that was asked for on a connection whose own record was not fed yet; "" for none.
 * False: that is not known. */
bool pipeline_server_name(struct pipeline *p, const struct tlsfail_conn *conn, struct text *name);

/* Failures found so far that are to be told; wire records whose connection never came. */
uint64_t pipeline_findings(const struct pipeline *p);
uint64_t pipeline_orphans(const struct pipeline *p);

/* Causes that were withdrawn, as their finding's own evidence contradicts them. */
uint64_t pipeline_contradictions(const struct pipeline *p);

/* Says on stderr how it stands, in a line. */
void pipeline_status(const struct pipeline *p);

/* Writes the summary to stderr, that of the outputs too. */
void pipeline_summary(const struct pipeline *p);

#endif
